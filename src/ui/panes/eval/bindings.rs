//! What the pane can be asked for, and the keys that ask.

use crate::ui::action;
use crate::ui::keymap::Binding;

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EvalAction {
    Bench,
    Results,
    New,
    OpenItems,
    Back,
    NextPair,
    NextPart,
    Resume,
    Stop,
    LookAgain,
    Accept,
    Cancel,
    Edit,
    Restore,
    Open,
    ScoreAll,
    Task,
    Data,
    Copy,
    Close,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: EvalAction,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Eval(action))
}

#[rustfmt::skip]
pub(super) const BINDINGS: &[Binding] = &[
    bind("eval.open", &["enter"], "items", "Open the items that two models answered differently", EvalAction::OpenItems),
    bind("eval.stop", &["x"], "stop", "Stop the evaluation that goes on; what was answered stays", EvalAction::Stop),
    bind("eval.new", &["n"], "evaluate", "Begin an evaluation: models, a task, records", EvalAction::New),
    bind("eval.resume", &["r"], "resume", "Go on with an evaluation that was stopped", EvalAction::Resume),
    bind("eval.pair", &["p"], "two others", "Hold two other models against each other", EvalAction::NextPair),
    bind("eval.table", &["]"], "next table", "The next table: another task, prompt or filter", EvalAction::NextPart),
    bind("eval.bench", &["b"], "reward bench", "Go to the reward bench: completions scored as you type", EvalAction::Bench),
    bind("eval.results", &["b"], "evaluations", "Go to the evaluations", EvalAction::Results),
    bind("eval.look_again", &["L"], "look again", "Look for evaluations that were made elsewhere", EvalAction::LookAgain).hidden(),
    bind("eval.back", &["esc"], "back", "Back to the list of evaluations", EvalAction::Back),
    bind("reward.accept", &["enter"], "take it", "Take the line that was typed", EvalAction::Accept),
    bind("reward.cancel", &["esc"], "leave", "Leave what is being typed", EvalAction::Cancel),
    bind("reward.open", &["enter"], "try it", "Take the chosen completion to the bench", EvalAction::Open),
    bind("reward.edit", &["e", "enter"], "write", "Write the completion; its score changes as you type", EvalAction::Edit),
    bind("reward.restore", &["alt-o"], "as it was", "Put back the record's completion as it was", EvalAction::Restore),
    bind("reward.score", &["s"], "score all", "Score all rows: histogram, the worst and the best, both versions", EvalAction::ScoreAll),
    bind("reward.task", &["t"], "rewards", "Say which task's rewards, and another version to compare with", EvalAction::Task),
    bind("reward.data", &["d"], "rows", "Say which file's completions; nothing means the session's records", EvalAction::Data),
    bind("reward.copy", &["y"], "copy", "Copy the completion", EvalAction::Copy),
    bind("reward.close", &["esc"], "back", "Back to the one completion", EvalAction::Close),
    bind("reward.up", &["up", "k"], "up", "The row above", EvalAction::Up).hidden(),
    bind("reward.down", &["down", "j"], "next row", "The row below", EvalAction::Down),
    bind("reward.page_up", &["pageup"], "page up", "Ten rows up", EvalAction::PageUp).hidden(),
    bind("reward.page_down", &["pagedown"], "page down", "Ten rows down", EvalAction::PageDown).hidden(),
    bind("reward.first", &["home", "g"], "first", "The first row", EvalAction::First).hidden(),
    bind("reward.last", &["end", "G"], "last", "The last row", EvalAction::Last).hidden(),
];
