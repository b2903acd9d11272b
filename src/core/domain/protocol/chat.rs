//! Conversations with a model.

use crate::domain::chat::{
    AnswerOutcome, Answerer, AnswererNames, Chat, ChatId, ChatSummary, Decisions, DraftPlace, Setup, Turn,
    TurnId, Vote,
};
use crate::domain::cited::{AnswerSources, SourceMark};

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatCommand {
    /// Find chats that hold a text; all of them for an empty one.
    Find(String),
    Open(ChatId),
    /// Leave the open chat: the next question begins a new one.
    Leave,
    Ask(Box<ChatQuestion>),
    /// Write another answer to the turns that these answer, each in its column.
    Again {
        chat: ChatId,
        answers: Vec<TurnId>,
    },
    /// Stop writing, within one token.
    Stop,
    /// Show other branches.
    Show {
        chat: ChatId,
        heads: [Option<TurnId>; 2],
    },
    /// Keep who answers, and how.
    SetUp {
        chat: ChatId,
        setup: Box<Setup>,
    },
    /// Load what will answer, so that the first question need not wait for it.
    Prepare(Vec<Answerer>),
    /// Decide between two answers; the better one becomes the chosen one of a preference pair.
    Vote {
        chat: ChatId,
        pair: (TurnId, TurnId),
        vote: Vote,
        names: AnswererNames,
    },
    /// Keep the conversation up to this answer as a record.
    SaveRecord {
        chat: ChatId,
        answer: TurnId,
    },
    /// Keep an answer with its correction as a reflection.
    Correct {
        chat: ChatId,
        answer: TurnId,
        corrected: String,
    },
    /// Look in a document always, or never, from the next question on; as in any other if there is no mark.
    MarkSource {
        chat: ChatId,
        source: String,
        title: String,
        mark: Option<SourceMark>,
    },
    /// Take the last vote, kept answer, correction or marked document of a chat back, with the records that came of it.
    Undo(ChatId),
    Rename {
        chat: ChatId,
        title: String,
    },
    Delete(ChatId),
    /// Read the drafts of a chat; none is the one that the next question begins.
    ReadDrafts(Option<ChatId>),
    /// Keep what was written so far; an empty text takes the draft away.
    KeepDraft {
        chat: Option<ChatId>,
        place: DraftPlace,
        text: String,
    },
}

/// What a person asks.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatQuestion {
    /// None begins a chat.
    pub chat: Option<ChatId>,
    /// The turn that it continues, in each column.
    pub after: [Option<TurnId>; 2],
    pub text: String,
    pub setup: Setup,
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum ChatEvent {
    /// What this search found.
    Found {
        text: String,
        chats: Vec<ChatSummary>,
    },
    Opened(Box<Chat>),
    Left,
    /// These turns were added; answers among them will be written.
    Added {
        chat: ChatId,
        turns: Vec<Turn>,
        heads: [Option<TurnId>; 2],
    },
    /// An answer waits for this: a model to load, a prompt to be read.
    Waits {
        turn: TurnId,
        phase: Phase,
    },
    Wrote {
        turn: TurnId,
        text: String,
        pace: AnswerPace,
    },
    /// The answer is on disk.
    Ended {
        turn: TurnId,
        content: String,
        outcome: AnswerOutcome,
    },
    /// What an answer is given from is on disk.
    Sourced {
        turn: TurnId,
        sources: Box<AnswerSources>,
    },
    Shown {
        chat: ChatId,
        heads: [Option<TurnId>; 2],
    },
    WasSetUp {
        chat: ChatId,
        setup: Setup,
    },
    /// Everything that is decided in a chat from now on.
    Decided {
        chat: ChatId,
        decisions: Decisions,
    },
    Renamed {
        chat: ChatId,
        title: String,
    },
    Deleted(ChatId),
    /// All drafts of a chat.
    DraftsRead {
        chat: Option<ChatId>,
        drafts: Vec<(DraftPlace, String)>,
    },
    /// A draft is on disk, or gone from it if it is empty.
    DraftKept {
        chat: Option<ChatId>,
        place: DraftPlace,
        text: String,
    },
}

/// Why an answer has not begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Passages are looked for.
    Searching,
    Loading,
    Reading,
}

/// How an answer comes along.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct AnswerPace {
    pub prompt_tokens: usize,
    pub tokens: usize,
    /// Tokens that the context holds.
    pub context: usize,
    /// 0 where they are too few to tell.
    pub tokens_per_second: f64,
}
