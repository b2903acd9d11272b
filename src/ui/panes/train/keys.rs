//! What the pane can be asked for, and by which keys.

use crate::ui::action;
use crate::ui::keymap::Binding;

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TrainAction {
    Run(RunAction),
    Chart(ChartAction),
    Detail(DetailAction),
    Recipe(RecipeAction),
    /// Take what was typed.
    Accept,
    /// Leave what is being typed.
    Leave,
    /// Close the innermost thing.
    Back,
}

/// Of the list of runs, and of the run that is selected there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunAction {
    Previous,
    Next,
    First,
    Last,
    Pause,
    Continue,
    Checkpoint,
    Stop,
    /// At its checkpoint, or after its end with its adapter.
    CarryOn,
    /// Chat with it.
    Converse,
    /// Chat with its base model and with it, side by side.
    Compare,
    Delete,
    Mark,
    ClearMarks,
    Filter,
    Note,
    ShowRecipes,
    /// The session's first run, by the recipe that stands first.
    Begin,
}

/// Of the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChartAction {
    SmoothMore,
    SmoothLess,
    TurnLog,
    TurnClip,
    TurnAxis,
    TurnLarge,
    Hide,
    ShowAll,
    MoveEarlier,
    MoveLater,
    Previous,
    Next,
    CursorLeft,
    CursorRight,
    CursorFarLeft,
    CursorFarRight,
    ZoomIn,
    ZoomOut,
    PanLeft,
    PanRight,
}

/// Of what stands below the charts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DetailAction {
    NextTab,
    TurnLarge,
    PreviousSample,
    NextSample,
    TurnDiff,
    ScrollUp,
    ScrollDown,
}

/// Of the recipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RecipeAction {
    Previous,
    Next,
    EditForm,
    EditText,
    NewRecipe,
    PreviousField,
    NextField,
    PageUpFields,
    PageDownFields,
    EditField,
    /// Show some of the keys only.
    Find,
    ClearField,
    Save,
    /// Let go of what is not saved.
    Revert,
    BringBack,
    Preflight,
    Start,
    Queue,
    CopyCommand,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: TrainAction,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Train(action))
}

/// In the order of the footer. Which of those that share a key is meant, the pane's state says.
#[rustfmt::skip]
pub(super) const BINDINGS: &[Binding] = &[
    bind("train.accept", &["enter"], "done", "Take what was typed", TrainAction::Accept),
    bind("train.save", &["ctrl-s"], "save", "Save the recipe", TrainAction::Recipe(RecipeAction::Save)),
    bind("train.recipe.revert", &["alt-o"], "as it was", "Let go of what is not saved: the recipe as its file says", TrainAction::Recipe(RecipeAction::Revert)),
    bind("train.recipe.bring_back", &["alt-z"], "bring back", "Bring back what you wrote of the recipe", TrainAction::Recipe(RecipeAction::BringBack)).hidden(),
    bind("train.leave", &["esc"], "leave", "Leave what is typed; the text of a recipe stays as a draft", TrainAction::Leave),
    bind("train.field.edit", &["enter"], "edit", "Edit the value of this key", TrainAction::Recipe(RecipeAction::EditField)),
    bind("train.recipe.form", &["enter", "right"], "edit", "Edit the recipe key by key", TrainAction::Recipe(RecipeAction::EditForm)),
    bind("train.preflight", &["p"], "preflight", "Measure what a run by this recipe would take", TrainAction::Recipe(RecipeAction::Preflight)),
    bind("train.start", &["t"], "start", "Start training by this recipe", TrainAction::Recipe(RecipeAction::Start)),
    bind("train.queue", &["Q"], "queue", "Train by this recipe once the runs before have ended", TrainAction::Recipe(RecipeAction::Queue)),
    bind("train.recipe.text", &["E"], "as text", "Edit the recipe as TOML", TrainAction::Recipe(RecipeAction::EditText)),
    bind("train.recipe.new", &["n"], "new", "Make a new recipe, a copy of this one", TrainAction::Recipe(RecipeAction::NewRecipe)),
    bind("train.command.copy", &["y"], "copy command", "Copy the command that does the same in a shell", TrainAction::Recipe(RecipeAction::CopyCommand)).hidden(),
    bind("train.field.find", &["/", "f"], "find", "Show the keys that hold what is typed", TrainAction::Recipe(RecipeAction::Find)),
    bind("train.field.clear", &["backspace"], "default", "Take the key out, so that its default counts", TrainAction::Recipe(RecipeAction::ClearField)),
    bind("train.field.previous", &["up", "k"], "up", "Go to the key before", TrainAction::Recipe(RecipeAction::PreviousField)).hidden(),
    bind("train.field.next", &["down", "j"], "down", "Go to the next key", TrainAction::Recipe(RecipeAction::NextField)).hidden(),
    bind("train.field.pageup", &["pageup"], "", "Go ten keys up", TrainAction::Recipe(RecipeAction::PageUpFields)).hidden(),
    bind("train.field.pagedown", &["pagedown"], "", "Go ten keys down", TrainAction::Recipe(RecipeAction::PageDownFields)).hidden(),
    bind("train.recipe.previous", &["up", "k"], "up", "Go to the recipe before", TrainAction::Recipe(RecipeAction::Previous)).hidden(),
    bind("train.recipe.next", &["down", "j"], "down", "Go to the next recipe", TrainAction::Recipe(RecipeAction::Next)).hidden(),
    bind("train.resume", &["r"], "continue", "Continue the run: at its checkpoint, or from its adapter when it is done", TrainAction::Run(RunAction::CarryOn)),
    bind("train.chat", &["C"], "chat", "Chat with what this run has trained", TrainAction::Run(RunAction::Converse)),
    bind("train.compare", &["B"], "compare", "Chat with the base model and this run side by side", TrainAction::Run(RunAction::Compare)),
    bind("train.pause", &["space"], "pause", "Pause the run", TrainAction::Run(RunAction::Pause)),
    bind("train.continue", &["space"], "go on", "Let the paused run go on, or take the pause back before it begins", TrainAction::Run(RunAction::Continue)),
    bind("train.checkpoint", &["c"], "checkpoint", "Write a checkpoint now", TrainAction::Run(RunAction::Checkpoint)),
    bind("train.stop", &["x"], "stop", "Stop the run; it keeps its adapter and can be resumed", TrainAction::Run(RunAction::Stop)),
    bind("train.begin", &["enter", "t"], "train", "Start the session's first run, by its recipe", TrainAction::Run(RunAction::Begin)),
    bind("train.recipes", &["e"], "recipes", "Go to the recipes: edit, start, queue", TrainAction::Run(RunAction::ShowRecipes)),
    bind("train.smooth.more", &["s"], "smooth", "Smooth the lines more", TrainAction::Chart(ChartAction::SmoothMore)),
    bind("train.smooth.less", &["S"], "smooth less", "Smooth the lines less", TrainAction::Chart(ChartAction::SmoothLess)).hidden(),
    bind("train.log", &["y"], "log", "Turn the logarithmic scale on or off", TrainAction::Chart(ChartAction::TurnLog)),
    bind("train.clip", &["o"], "clip", "Leave outliers outside the charts, or bring them back", TrainAction::Chart(ChartAction::TurnClip)).hidden(),
    bind("train.axis", &["a"], "axis", "Count along steps, time or tokens", TrainAction::Chart(ChartAction::TurnAxis)).hidden(),
    bind("train.large", &["z"], "large", "Show one chart large, or all", TrainAction::Chart(ChartAction::TurnLarge)),
    bind("train.chart.out", &["u"], "hide chart", "Leave the chart in focus out", TrainAction::Chart(ChartAction::Hide)).hidden(),
    bind("train.chart.all", &["U"], "all charts", "Bring every chart back, or leave out epoch and truncated_fraction", TrainAction::Chart(ChartAction::ShowAll)).hidden(),
    bind("train.chart.earlier", &["{"], "", "Move the chart in focus towards the front", TrainAction::Chart(ChartAction::MoveEarlier)).hidden(),
    bind("train.chart.later", &["}"], "", "Move the chart in focus towards the end", TrainAction::Chart(ChartAction::MoveLater)).hidden(),
    bind("train.chart.previous", &[",", "<"], "", "Go to the chart before", TrainAction::Chart(ChartAction::Previous)).hidden(),
    bind("train.chart.next", &[".", ">"], "chart", "Go to the next chart", TrainAction::Chart(ChartAction::Next)).hidden(),
    bind("train.cursor.left", &["left", "h"], "cursor", "Move the data cursor left", TrainAction::Chart(ChartAction::CursorLeft)),
    bind("train.cursor.right", &["right", "l"], "", "Move the data cursor right", TrainAction::Chart(ChartAction::CursorRight)).hidden(),
    bind("train.cursor.farleft", &["shift-left", "b"], "", "Move the data cursor far left", TrainAction::Chart(ChartAction::CursorFarLeft)).hidden(),
    bind("train.cursor.farright", &["shift-right", "w"], "", "Move the data cursor far right", TrainAction::Chart(ChartAction::CursorFarRight)).hidden(),
    bind("train.zoom.in", &["+", "="], "zoom", "Zoom into the x-axis, around the cursor", TrainAction::Chart(ChartAction::ZoomIn)).hidden(),
    bind("train.zoom.out", &["minus", "_"], "", "Zoom out of the x-axis", TrainAction::Chart(ChartAction::ZoomOut)).hidden(),
    bind("train.pan.left", &["H", "ctrl-left"], "", "Move the zoomed view left", TrainAction::Chart(ChartAction::PanLeft)).hidden(),
    bind("train.pan.right", &["L", "ctrl-right"], "", "Move the zoomed view right", TrainAction::Chart(ChartAction::PanRight)).hidden(),
    bind("train.mark", &["m"], "overlay", "Lay this run over the others in all charts", TrainAction::Run(RunAction::Mark)),
    bind("train.marks.clear", &["M"], "", "Take all laid-over runs out", TrainAction::Run(RunAction::ClearMarks)).hidden(),
    bind("train.filter", &["f", "/"], "filter", "Filter the runs: tag:x lr>=1e-4 method:sft", TrainAction::Run(RunAction::Filter)),
    bind("train.note", &["n"], "note", "Write tags and a note: #tag words", TrainAction::Run(RunAction::Note)),
    bind("train.detail.next", &["d"], "details", "Show samples, completions, values, recipe or log below", TrainAction::Detail(DetailAction::NextTab)),
    bind("train.detail.large", &["enter"], "open", "Show the details large, or the charts again", TrainAction::Detail(DetailAction::TurnLarge)).hidden(),
    bind("train.sample.previous", &["["], "", "Go to the sample or group before", TrainAction::Detail(DetailAction::PreviousSample)).hidden(),
    bind("train.sample.next", &["]"], "", "Go to the next sample or group", TrainAction::Detail(DetailAction::NextSample)).hidden(),
    bind("train.diff", &["v"], "diff", "Show what changed since the sample before", TrainAction::Detail(DetailAction::TurnDiff)).hidden(),
    bind("train.scroll.up", &["pageup"], "", "Scroll the details up", TrainAction::Detail(DetailAction::ScrollUp)).hidden(),
    bind("train.scroll.down", &["pagedown"], "", "Scroll the details down", TrainAction::Detail(DetailAction::ScrollDown)).hidden(),
    bind("train.delete", &["D", "delete"], "delete", "Delete the run's folder; asks first", TrainAction::Run(RunAction::Delete)).hidden(),
    bind("train.run.previous", &["up", "k"], "up", "Go to the run before", TrainAction::Run(RunAction::Previous)).hidden(),
    bind("train.run.next", &["down", "j"], "down", "Go to the next run", TrainAction::Run(RunAction::Next)).hidden(),
    bind("train.run.first", &["home", "g"], "", "Go to the first run", TrainAction::Run(RunAction::First)).hidden(),
    bind("train.run.last", &["end", "G"], "", "Go to the last run", TrainAction::Run(RunAction::Last)).hidden(),
    bind("train.back", &["esc"], "back", "Close what is open; take cursor and zoom back", TrainAction::Back).hidden(),
];
