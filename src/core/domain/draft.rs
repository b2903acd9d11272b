//! What was written and is not saved yet, as a session keeps it: one form for whatever can be written.

use crate::domain::chat::{ChatId, DraftPlace};
use crate::domain::record::RecordId;
use crate::domain::reflection::ReflectionId;
use crate::domain::review::{DraftText, Reviewed};

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

/// Both texts of a correction, as a draft holds them.
#[derive(serde::Deserialize)]
struct ReflectionTexts {
    text: String,
    analysis: String,
}

impl DraftText {
    /// What a session kept; nothing where it can't be read.
    #[must_use]
    pub fn of(kept: &KeptDraft) -> Option<Self> {
        let ReflectionTexts { text, analysis } = serde_json::from_str(&kept.text).ok()?;
        let over = serde_json::from_str(&kept.base).ok();
        Some(Self { text, analysis, over, at: kept.at })
    }

    /// As a session keeps it.
    #[must_use]
    pub fn kept(&self) -> KeptDraft {
        let texts = serde_json::json!({ "text": self.text, "analysis": self.analysis });
        let base = self.over.as_ref().and_then(|over| serde_json::to_string(over).ok()).unwrap_or_default();
        KeptDraft { base, text: texts.to_string(), at: self.at }
    }
}
