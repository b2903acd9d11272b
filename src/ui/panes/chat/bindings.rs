//! What the pane can be asked for, and the keys that ask.

use crate::ui::action;
use crate::ui::keymap::Binding;

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Stop,
    Send,
    BreakLine,
    RecallBefore,
    RecallAfter,
    Accept,
    Save,
    Cancel,
    DeleteChat,
    Lower,
    Raise,
    ChooseUp,
    ChooseDown,
    VoteLeft,
    VoteRight,
    VoteTie,
    VoteBothBad,
    Write,
    Edit,
    Again,
    Good,
    Correct,
    SideBySide,
    Vote,
    Names,
    Model,
    OtherModel,
    Sampling,
    System,
    New,
    History,
    Copy,
    CopyBlock,
    BranchBefore,
    BranchAfter,
    OtherColumn,
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
    action: Action,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Chat(action))
}

/// Those of fields and floats come first: they are available only while there is one.
pub(super) const BINDINGS: &[Binding] = &[
    bind("chat.stop", &["x", "esc"], "stop", "Stop the answer", Action::Stop),
    bind("chat.send", &["enter"], "send", "Send what was written", Action::Send),
    bind("chat.break", &["alt-enter", "ctrl-j"], "new line", "Break the line", Action::BreakLine),
    bind("chat.recall_before", &["up"], "earlier", "Write the question before again", Action::RecallBefore)
        .hidden(),
    bind("chat.recall_after", &["down"], "later", "Write the question after again", Action::RecallAfter)
        .hidden(),
    bind("chat.save", &["ctrl-s"], "keep", "Keep what was written here", Action::Save),
    bind("chat.accept", &["enter"], "choose", "Take what is chosen", Action::Accept),
    bind("chat.delete", &["ctrl-d"], "delete", "Delete the chosen chat", Action::DeleteChat),
    bind("chat.lower", &["left"], "less", "Make the chosen setting smaller", Action::Lower),
    bind("chat.raise", &["right"], "more", "Make the chosen setting greater", Action::Raise),
    bind("chat.choose_up", &["up"], "up", "Choose what stands above", Action::ChooseUp).hidden(),
    bind("chat.choose_down", &["down"], "down", "Choose what stands below", Action::ChooseDown).hidden(),
    bind("chat.vote_left", &["left"], "left is better", "Vote for the left answer", Action::VoteLeft),
    bind("chat.vote_right", &["right"], "right is better", "Vote for the right answer", Action::VoteRight),
    bind("chat.vote_tie", &["=", "t"], "as good", "Vote for neither: both are good", Action::VoteTie),
    bind("chat.vote_bad", &["x"], "both bad", "Vote for neither: both are bad", Action::VoteBothBad),
    bind("chat.cancel", &["esc"], "leave", "Leave without changing anything", Action::Cancel),
    bind("chat.write", &["enter", "i"], "write", "Write a question", Action::Write),
    bind("chat.vote", &["b"], "vote", "Say which of two answers is better", Action::Vote),
    bind("chat.good", &["a"], "good", "Keep the answer as an approved record", Action::Good),
    bind(
        "chat.correct",
        &["c"],
        "correct",
        "Correct the answer: both are kept as a reflection",
        Action::Correct,
    ),
    bind("chat.again", &["r"], "again", "Let it answer again, with the next seed", Action::Again),
    bind("chat.edit", &["e"], "edit", "Edit the question and send it as a branch", Action::Edit),
    bind(
        "chat.side_by_side",
        &["s"],
        "side by side",
        "Let two models answer, or one again",
        Action::SideBySide,
    ),
    bind("chat.names", &["B"], "blind", "Hide the two names until the vote, or show them", Action::Names),
    bind("chat.model", &["m"], "model", "Choose the model or adapter that answers", Action::Model),
    bind(
        "chat.other_model",
        &["M"],
        "right model",
        "Choose what answers in the right column",
        Action::OtherModel,
    )
    .hidden(),
    bind("chat.sampling", &["p"], "sampling", "Set temperature, top-p, length, seed", Action::Sampling),
    bind("chat.system", &["S"], "system", "Write the system prompt", Action::System),
    bind("chat.new", &["n"], "new", "Begin a new chat", Action::New),
    bind("chat.history", &["h", "/"], "history", "Find an earlier chat", Action::History),
    bind("chat.copy", &["y"], "copy", "Copy the chosen turn", Action::Copy).hidden(),
    bind(
        "chat.copy_block",
        &["Y"],
        "copy code",
        "Copy the chosen turn's next block of code",
        Action::CopyBlock,
    )
    .hidden(),
    bind("chat.branch_before", &["left"], "branch", "Show the branch before", Action::BranchBefore).hidden(),
    bind("chat.branch_after", &["right"], "branch", "Show the next branch", Action::BranchAfter).hidden(),
    bind("chat.column", &["w"], "column", "Go to the other column", Action::OtherColumn).hidden(),
    bind("chat.up", &["up", "k"], "up", "Choose the turn above", Action::Up).hidden(),
    bind("chat.down", &["down", "j"], "down", "Choose the turn below", Action::Down).hidden(),
    bind("chat.page_up", &["pageup", "ctrl-u"], "page up", "Scroll a page up", Action::PageUp).hidden(),
    bind("chat.page_down", &["pagedown", "ctrl-d"], "page down", "Scroll a page down", Action::PageDown)
        .hidden(),
    bind("chat.first", &["home"], "first", "Go to the first turn", Action::First).hidden(),
    bind("chat.last", &["end", "G"], "last", "Go to the last turn", Action::Last).hidden(),
];
