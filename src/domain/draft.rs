//! What was written and is not saved yet, as a session keeps it: one form for whatever can be written.

use crate::domain::chat::{ChatId, DraftPlace};
use crate::domain::record::RecordId;
use crate::domain::reflection::ReflectionId;
use crate::domain::review::Reviewed;

/// What a draft is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DraftOf {
    /// A record that isn't there yet.
    NewRecord,
    Record(RecordId),
    /// A recipe's file, from the session's folder on.
    Recipe(String),
    /// The value of a recipe's key that was not taken yet: the file, and the key.
    RecipeValue(String, String),
    /// A correction with its analysis.
    Review(Reviewed),
    /// Why a reflection is rejected.
    Reason(ReflectionId),
    /// What its teacher is told.
    Comment(ReflectionId),
    /// What is said of a run: its folder, from the session's on where it lies there.
    RunNote(String),
    /// In a chat; none is the one that the next question begins.
    Chat(Option<ChatId>, DraftPlace),
}

/// A draft of the same thing that is not this window's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherDraft {
    /// Another window, which is open, has it since then: milliseconds since 1970.
    Window(i64),
    /// It was left, and comes when this window's own draft is saved or let go.
    Left(i64),
}

/// A draft: of a record as the JSON of its content, of a correction as that of both its texts, else as the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptDraft {
    /// What it began with: whether that has changed since is told by it.
    pub base: String,
    pub text: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

impl KeptDraft {
    /// Whether both hold the same, whenever they were kept.
    #[must_use]
    pub fn says(&self, other: &Self) -> bool {
        self.base == other.base && self.text == other.text
    }
}
