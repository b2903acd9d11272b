//! What the pane can be asked for, and the keys that ask.

use super::library::LIBRARY_BINDINGS;
use crate::ui::action;
use crate::ui::keymap::Binding;

/// What this pane can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatAction {
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
    Library,
    Passage,
    PassageBefore,
    PassageAfter,
    SourceBefore,
    SourceAfter,
    PinSource,
    ExcludeSource,
    ReadDocument,
    Documents,
    System,
    New,
    History,
    Find,
    NextMatch,
    PreviousMatch,
    EndFind,
    Undo,
    Rename,
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
    action: ChatAction,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Chat(action))
}

/// Those of the conversation, then those of the library's view.
pub(super) const BINDINGS: &[Binding] = &ALL;

const ALL: [Binding; CONVERSATION.len() + LIBRARY_BINDINGS.len()] = joined();

/// Both tables as one.
#[expect(clippy::indexing_slicing, reason = "it is computed while compiling, and would not compile")]
const fn joined() -> [Binding; CONVERSATION.len() + LIBRARY_BINDINGS.len()] {
    let mut all = [CONVERSATION[0]; CONVERSATION.len() + LIBRARY_BINDINGS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < CONVERSATION.len() {
            CONVERSATION[at]
        } else {
            LIBRARY_BINDINGS[at - CONVERSATION.len()]
        };
        at += 1;
    }
    all
}

/// Those of fields and floats come first: they are available only while there is one.
const CONVERSATION: &[Binding] = &[
    bind("chat.stop", &["x", "esc"], "stop", "Stop the answer", ChatAction::Stop),
    bind("chat.send", &["enter"], "send", "Send what was written", ChatAction::Send),
    bind("chat.break", &["alt-enter", "ctrl-j"], "new line", "Break the line", ChatAction::BreakLine),
    bind(
        "chat.recall_before",
        &["up"],
        "earlier",
        "Write the question before again",
        ChatAction::RecallBefore,
    )
    .hidden(),
    bind("chat.recall_after", &["down"], "later", "Write the question after again", ChatAction::RecallAfter)
        .hidden(),
    bind("chat.save", &["ctrl-s"], "keep", "Keep what was written here", ChatAction::Save),
    bind("chat.accept", &["enter"], "choose", "Take what is chosen", ChatAction::Accept),
    bind("chat.delete", &["ctrl-d"], "delete", "Delete the chosen chat", ChatAction::DeleteChat),
    bind("chat.lower", &["left"], "less", "Make the chosen setting smaller", ChatAction::Lower),
    bind("chat.raise", &["right"], "more", "Make the chosen setting greater", ChatAction::Raise),
    bind(
        "chat.passage_before",
        &["left"],
        "passage before",
        "Show the passage before",
        ChatAction::PassageBefore,
    ),
    bind("chat.passage_after", &["right"], "next passage", "Show the next passage", ChatAction::PassageAfter),
    bind(
        "chat.read_document",
        &["enter"],
        "in its document",
        "Read the passage in its document",
        ChatAction::ReadDocument,
    ),
    bind(
        "chat.pin",
        &["+"],
        "pin",
        "Always look in this document in this chat, or as in any other",
        ChatAction::PinSource,
    ),
    bind(
        "chat.exclude",
        &["-"],
        "exclude",
        "Never use this document in this chat, or as any other",
        ChatAction::ExcludeSource,
    ),
    bind("chat.source_before", &["["], "source before", "Choose the source above", ChatAction::SourceBefore)
        .hidden(),
    bind("chat.source_after", &["]"], "next source", "Choose the source below", ChatAction::SourceAfter)
        .hidden(),
    bind("chat.choose_up", &["up"], "up", "Choose what stands above", ChatAction::ChooseUp).hidden(),
    bind("chat.choose_down", &["down"], "down", "Choose what stands below", ChatAction::ChooseDown).hidden(),
    bind("chat.vote_left", &["left"], "left", "Vote for the left answer", ChatAction::VoteLeft),
    bind("chat.vote_right", &["right"], "right", "Vote for the right answer", ChatAction::VoteRight),
    bind("chat.vote_tie", &["=", "t"], "as good", "Vote for neither: both are good", ChatAction::VoteTie),
    bind("chat.vote_bad", &["x"], "both bad", "Vote for neither: both are bad", ChatAction::VoteBothBad),
    bind("chat.cancel", &["esc"], "leave", "Leave without changing anything", ChatAction::Cancel),
    bind(
        "chat.next_match",
        &["n"],
        "next match",
        "Go to the next place that holds it",
        ChatAction::NextMatch,
    ),
    bind(
        "chat.previous_match",
        &["N"],
        "match before",
        "Go to the place before that holds it",
        ChatAction::PreviousMatch,
    ),
    bind("chat.end_find", &["esc"], "end search", "End the search", ChatAction::EndFind),
    bind("chat.write", &["enter", "i"], "write", "Write a question", ChatAction::Write),
    bind("chat.vote", &["b"], "vote", "Say which of two answers is better", ChatAction::Vote),
    bind("chat.good", &["a"], "good", "Keep the answer as an approved record", ChatAction::Good),
    bind(
        "chat.correct",
        &["c"],
        "correct",
        "Correct the answer: both are kept as a reflection",
        ChatAction::Correct,
    ),
    bind("chat.again", &["r"], "again", "Let it answer again, with the next seed", ChatAction::Again),
    bind("chat.edit", &["e"], "edit", "Edit the question and send it as a branch", ChatAction::Edit),
    bind(
        "chat.side_by_side",
        &["s"],
        "side by side",
        "Let two models answer, or one again",
        ChatAction::SideBySide,
    ),
    bind("chat.names", &["B"], "blind", "Hide the two names until the vote, or show them", ChatAction::Names),
    bind("chat.model", &["m"], "model", "Choose the model or adapter that answers", ChatAction::Model),
    bind(
        "chat.other_model",
        &["M"],
        "right model",
        "Choose what answers in the right column",
        ChatAction::OtherModel,
    )
    .hidden(),
    bind("chat.sampling", &["p"], "sampling", "Set temperature, top-p, length, seed", ChatAction::Sampling),
    bind(
        "chat.library",
        &["l"],
        "library",
        "Answer from the session's documents, or from the model alone",
        ChatAction::Library,
    ),
    bind(
        "chat.passage",
        &["v"],
        "passages",
        "Read the passages that the chosen answer was given from",
        ChatAction::Passage,
    ),
    bind(
        "chat.documents",
        &["L"],
        "documents",
        "Show the library: its documents, a search, what to add",
        ChatAction::Documents,
    ),
    bind("chat.system", &["S"], "system", "Write the system prompt", ChatAction::System),
    bind(
        "chat.undo",
        &["u"],
        "undo",
        "Take the last vote or kept answer of this chat back",
        ChatAction::Undo,
    ),
    bind("chat.find", &["/"], "search", "Search within this chat", ChatAction::Find),
    bind("chat.new", &["n"], "new", "Begin a new chat", ChatAction::New),
    bind("chat.history", &["h"], "history", "Find an earlier chat", ChatAction::History),
    bind("chat.rename", &["ctrl-r", "R"], "rename", "Call the chat something else", ChatAction::Rename),
    bind("chat.copy", &["y"], "copy", "Copy the chosen turn", ChatAction::Copy).hidden(),
    bind(
        "chat.copy_block",
        &["Y"],
        "copy code",
        "Copy the chosen turn's next block of code",
        ChatAction::CopyBlock,
    )
    .hidden(),
    bind("chat.branch_before", &["left"], "branch", "Show the branch before", ChatAction::BranchBefore)
        .hidden(),
    bind("chat.branch_after", &["right"], "branch", "Show the next branch", ChatAction::BranchAfter).hidden(),
    bind("chat.column", &["w"], "column", "Go to the other column", ChatAction::OtherColumn).hidden(),
    bind("chat.up", &["up", "k"], "up", "Choose the turn above", ChatAction::Up).hidden(),
    bind("chat.down", &["down", "j"], "down", "Choose the turn below", ChatAction::Down).hidden(),
    bind("chat.page_up", &["pageup", "ctrl-u"], "page up", "Scroll a page up", ChatAction::PageUp).hidden(),
    bind("chat.page_down", &["pagedown", "ctrl-d"], "page down", "Scroll a page down", ChatAction::PageDown)
        .hidden(),
    bind("chat.first", &["home"], "first", "Go to the first turn", ChatAction::First).hidden(),
    bind("chat.last", &["end", "G"], "last", "Go to the last turn", ChatAction::Last).hidden(),
];
