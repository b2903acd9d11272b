//! What the pane can be asked for, and the keys that ask.

use crate::domain::review_job::JobKind;
use crate::ui::action;
use crate::ui::keymap::{Binding, Keymap};

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReviewAction {
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
    action: ReviewAction,
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
    bind("review.accept", &["enter"], "accept", "Accept what was typed", ReviewAction::Accept),
    bind("review.complete", &["tab"], "complete", "Take the next name that fits", ReviewAction::Complete),
    bind(
        "review.save",
        &["ctrl-s"],
        "save and approve",
        "Save the edited correction and approve it",
        ReviewAction::Save,
    ),
    bind("review.pick_next", &["down"], "earlier", "Choose what was said before", ReviewAction::PickNext),
    bind("review.pick_previous", &["up"], "up", "Choose the one above", ReviewAction::PickPrevious).hidden(),
    bind(
        "review.leave",
        &["esc"],
        "leave (draft)",
        "Leave; what was typed stays as a draft",
        ReviewAction::Leave,
    ),
    bind(
        "review.part",
        &["tab"],
        "other text",
        "Go from the correction to why it went wrong, or back",
        ReviewAction::SwitchPart,
    ),
    bind(
        "review.restore",
        &["alt-o"],
        "as it was",
        "Put the texts back to what they are without what you typed",
        ReviewAction::Restore,
    ),
    bind("review.bring_back", &["alt-z"], "bring back", "Bring back what you typed", ReviewAction::BringBack),
    bind("review.cancel", &["esc"], "cancel", "Leave without changing anything", ReviewAction::Cancel),
    bind("review.open", &["enter"], "open", "Open what is under the cursor", ReviewAction::Open),
    bind(
        "review.approve",
        &["a", "enter"],
        "approve",
        "Approve the correction and go to the next",
        ReviewAction::Approve,
    ),
    bind(
        "review.move_on",
        &["enter", "a"],
        "next",
        "Go on: nothing is to be decided here",
        ReviewAction::MoveOn,
    ),
    bind("review.prefer_a", &["left", "a"], "A is better", "Blind: prefer A", ReviewAction::PreferA),
    bind("review.prefer_b", &["right", "b"], "B is better", "Blind: prefer B", ReviewAction::PreferB),
    bind("review.edit", &["e"], "edit", "Edit the correction, then approve it as edited", ReviewAction::Edit),
    bind(
        "review.correct",
        &["e"],
        "write a correction",
        "Write a correction of the thought, from its text",
        ReviewAction::Correct,
    ),
    bind(
        "review.reject",
        &["backspace"],
        "reject",
        "Reject the correction, with a reason",
        ReviewAction::Reject,
    ),
    bind(
        "review.send_back",
        &["s"],
        "send back",
        "Send the correction back to its teacher with a comment",
        ReviewAction::SendBack,
    ),
    bind("review.skip", &["n", "space"], "next", "Skip to the next that waits", ReviewAction::Skip),
    bind("review.undo", &["u"], "undo", "Take your last verdict back", ReviewAction::Undo),
    bind("review.queue", &["z"], "queue", "Show the queue as a table", ReviewAction::Queue),
    bind(
        "review.approve_all",
        &["A"],
        "approve all",
        "Approve everything that waits in this filter",
        ReviewAction::ApproveAll,
    ),
    bind("review.filter", &["f", "/"], "filter", "Filter the queue", ReviewAction::EditFilter),
    bind(
        "review.train",
        &["t"],
        "train",
        "Train on what is ready: right thoughts and approved corrections",
        ReviewAction::Train,
    ),
    bind(
        "review.marks",
        &["c"],
        "clean",
        "Show the texts without marks, or what differs",
        ReviewAction::Marks,
    )
    .hidden(),
    bind("review.sort", &["o"], "sort", "Sort by the next field", ReviewAction::SortNext).hidden(),
    bind("review.sort_turn", &["O"], "turn", "Turn the order round", ReviewAction::SortTurn).hidden(),
    bind(
        "review.reject_all",
        &["X"],
        "reject all",
        "Reject everything that waits in this filter",
        ReviewAction::RejectAll,
    )
    .hidden(),
    bind(
        "review.blind",
        &["B"],
        "blind",
        "Hide which text is whose, and what others decided; or show it again",
        ReviewAction::Blind,
    )
    .hidden(),
    bind(
        "review.chain",
        &["v"],
        "history",
        "Show where it comes from and every verdict on it",
        ReviewAction::Chain,
    )
    .hidden(),
    bind(
        "review.agreement",
        &["g"],
        "figures",
        "Show how thoughts agree with the labels, and reviewers with each other",
        ReviewAction::Agreement,
    )
    .hidden(),
    bind(
        "review.think",
        &["T"],
        "think",
        "Let a student think about records",
        ReviewAction::Job(JobKind::Think),
    )
    .hidden(),
    bind(
        "review.reflect",
        &["r"],
        "reflect",
        "Let a teacher correct wrong thoughts and what was sent back",
        ReviewAction::Job(JobKind::Reflect),
    )
    .hidden(),
    bind(
        "review.judge",
        &["d"],
        "judge",
        "Let a judge score the corrections that wait",
        ReviewAction::Job(JobKind::Judge),
    )
    .hidden(),
    bind("review.down", &["down", "j"], "down", "Go to the next reflection", ReviewAction::Down).hidden(),
    bind("review.up", &["up", "k"], "up", "Go to the reflection before", ReviewAction::Up).hidden(),
    bind("review.page_down", &["pagedown", "ctrl-d"], "page down", "Go a page down", ReviewAction::PageDown)
        .hidden(),
    bind("review.page_up", &["pageup", "ctrl-u"], "page up", "Go a page up", ReviewAction::PageUp).hidden(),
    bind("review.first", &["home"], "first", "Go to the first reflection", ReviewAction::First).hidden(),
    bind("review.last", &["end", "G"], "last", "Go to the last reflection", ReviewAction::Last).hidden(),
    bind(
        "review.scroll_down",
        &["J", "shift-down"],
        "scroll",
        "Scroll the texts down",
        ReviewAction::ScrollDown,
    )
    .hidden(),
    bind("review.scroll_up", &["K", "shift-up"], "scroll", "Scroll the texts up", ReviewAction::ScrollUp)
        .hidden(),
    bind("review.copy", &["y"], "copy", "Copy the correction", ReviewAction::Copy).hidden(),
    bind("review.close", &["esc"], "back", "Go back to the texts, or clear the filter", ReviewAction::Close)
        .hidden(),
];
