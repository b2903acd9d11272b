//! What was written of a record or a recipe and is not saved yet, as a session keeps it.

use crate::domain::record::RecordId;

/// What a draft is of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum DraftOf {
    /// A record that isn't there yet.
    NewRecord,
    Record(RecordId),
    /// A recipe's file, from the session's folder on.
    Recipe(String),
}

/// A draft: of a record as the JSON of its content, of a recipe as its text.
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
