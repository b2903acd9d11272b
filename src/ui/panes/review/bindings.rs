//! What the pane can be asked for, and the keys that ask.

use crate::domain::review_job::JobKind;
use crate::ui::action;
use crate::ui::keymap::{Binding, Keymap};

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Accept,
    Complete,
    PickNext,
    PickPrevious,
    Save,
    SwitchPart,
    Restore,
    BringBack,
    Leave,
    Cancel,
    Open,
    Approve,
    MoveOn,
    Edit,
    Correct,
    Reject,
    SendBack,
    Skip,
    Undo,
    ApproveAll,
    RejectAll,
    PreferA,
    PreferB,
    Down,
    Up,
    PageDown,
    PageUp,
    First,
    Last,
    ScrollDown,
    ScrollUp,
    EditFilter,
    SortNext,
    SortTurn,
    Blind,
    Marks,
    Queue,
    Chain,
    Agreement,
    Copy,
    Train,
    Job(JobKind),
    Close,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: Action,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Review(action))
}

/// The first key of a binding, as the footer writes it.
pub(super) fn key_of(name: &str, keymap: &Keymap) -> String {
    let binding = BINDINGS.iter().find(|binding| binding.name == name);
    binding.map_or_else(String::new, |binding| keymap.hint(binding))
}

/// Those of a text field come first: they are available only while there is one.
pub(super) const BINDINGS: &[Binding] = &[
    bind("review.accept", &["enter"], "accept", "Accept what was typed", Action::Accept),
    bind("review.complete", &["tab"], "complete", "Take the next name that fits", Action::Complete),
    bind(
        "review.save",
        &["ctrl-s"],
        "save and approve",
        "Save the edited correction and approve it",
        Action::Save,
    ),
    bind("review.pick_next", &["down"], "earlier", "Choose what was said before", Action::PickNext),
    bind("review.pick_previous", &["up"], "up", "Choose the one above", Action::PickPrevious).hidden(),
    bind("review.leave", &["esc"], "leave (draft)", "Leave; what was typed stays as a draft", Action::Leave),
    bind(
        "review.part",
        &["tab"],
        "other text",
        "Go from the correction to why it went wrong, or back",
        Action::SwitchPart,
    ),
    bind(
        "review.restore",
        &["alt-o"],
        "as it was",
        "Put the texts back to what they are without what you typed",
        Action::Restore,
    ),
    bind("review.bring_back", &["alt-z"], "bring back", "Bring back what you typed", Action::BringBack),
    bind("review.cancel", &["esc"], "cancel", "Leave without changing anything", Action::Cancel),
    bind("review.open", &["enter"], "open", "Open what is under the cursor", Action::Open),
    bind(
        "review.approve",
        &["a", "enter"],
        "approve",
        "Approve the correction and go to the next",
        Action::Approve,
    ),
    bind("review.move_on", &["enter", "a"], "next", "Go on: nothing is to be decided here", Action::MoveOn),
    bind("review.prefer_a", &["left", "a"], "A is better", "Blind: prefer A", Action::PreferA),
    bind("review.prefer_b", &["right", "b"], "B is better", "Blind: prefer B", Action::PreferB),
    bind("review.edit", &["e"], "edit", "Edit the correction, then approve it as edited", Action::Edit),
    bind(
        "review.correct",
        &["e"],
        "write a correction",
        "Write a correction of the thought, from its text",
        Action::Correct,
    ),
    bind("review.reject", &["backspace"], "reject", "Reject the correction, with a reason", Action::Reject),
    bind(
        "review.send_back",
        &["s"],
        "send back",
        "Send the correction back to its teacher with a comment",
        Action::SendBack,
    ),
    bind("review.skip", &["n", "space"], "next", "Skip to the next that waits", Action::Skip),
    bind("review.undo", &["u"], "undo", "Take your last verdict back", Action::Undo),
    bind("review.queue", &["z"], "queue", "Show the queue as a table", Action::Queue),
    bind(
        "review.approve_all",
        &["A"],
        "approve all",
        "Approve everything that waits in this filter",
        Action::ApproveAll,
    ),
    bind("review.filter", &["f", "/"], "filter", "Filter the queue", Action::EditFilter),
    bind(
        "review.train",
        &["t"],
        "train",
        "Train on what is ready: right thoughts and approved corrections",
        Action::Train,
    ),
    bind("review.marks", &["c"], "clean", "Show the texts without marks, or what differs", Action::Marks)
        .hidden(),
    bind("review.sort", &["o"], "sort", "Sort by the next field", Action::SortNext).hidden(),
    bind("review.sort_turn", &["O"], "turn", "Turn the order round", Action::SortTurn).hidden(),
    bind(
        "review.reject_all",
        &["X"],
        "reject all",
        "Reject everything that waits in this filter",
        Action::RejectAll,
    )
    .hidden(),
    bind(
        "review.blind",
        &["B"],
        "blind",
        "Hide which text is whose, and what others decided; or show it again",
        Action::Blind,
    )
    .hidden(),
    bind(
        "review.chain",
        &["v"],
        "history",
        "Show where it comes from and every verdict on it",
        Action::Chain,
    )
    .hidden(),
    bind(
        "review.agreement",
        &["g"],
        "figures",
        "Show how thoughts agree with the labels, and reviewers with each other",
        Action::Agreement,
    )
    .hidden(),
    bind("review.think", &["T"], "think", "Let a student think about records", Action::Job(JobKind::Think))
        .hidden(),
    bind(
        "review.reflect",
        &["r"],
        "reflect",
        "Let a teacher correct wrong thoughts and what was sent back",
        Action::Job(JobKind::Reflect),
    )
    .hidden(),
    bind(
        "review.judge",
        &["d"],
        "judge",
        "Let a judge score the corrections that wait",
        Action::Job(JobKind::Judge),
    )
    .hidden(),
    bind("review.down", &["down", "j"], "down", "Go to the next reflection", Action::Down).hidden(),
    bind("review.up", &["up", "k"], "up", "Go to the reflection before", Action::Up).hidden(),
    bind("review.page_down", &["pagedown", "ctrl-d"], "page down", "Go a page down", Action::PageDown)
        .hidden(),
    bind("review.page_up", &["pageup", "ctrl-u"], "page up", "Go a page up", Action::PageUp).hidden(),
    bind("review.first", &["home"], "first", "Go to the first reflection", Action::First).hidden(),
    bind("review.last", &["end", "G"], "last", "Go to the last reflection", Action::Last).hidden(),
    bind("review.scroll_down", &["J", "shift-down"], "scroll", "Scroll the texts down", Action::ScrollDown)
        .hidden(),
    bind("review.scroll_up", &["K", "shift-up"], "scroll", "Scroll the texts up", Action::ScrollUp).hidden(),
    bind("review.copy", &["y"], "copy", "Copy the correction", Action::Copy).hidden(),
    bind("review.close", &["esc"], "back", "Go back to the texts, or clear the filter", Action::Close)
        .hidden(),
];
