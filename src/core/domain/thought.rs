//! A thought: a model's chain of thought for a record, with the label that it leads to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::record::RecordId;

/// A thought's number within its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ThoughtId(pub i64);

impl fmt::Display for ThoughtId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// One chain of thought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thought {
    pub record: RecordId,
    pub text: String,
    /// The label that the model drew from it.
    pub label: String,
    /// The record's own label when the thought was written; missing where the record had none.
    pub truth: Option<String>,
    /// Length of the text in tokens of the model, or estimated where the model doesn't say.
    pub tokens: u32,
    /// Who wrote it: a teacher's name and model, `local:NAME`, or what an imported file says.
    pub model: String,
    /// Name and version of the prompt; empty for an imported one.
    pub prompt: String,
}

impl Thought {
    /// Whether it leads to the true label; unknown where there is none.
    #[must_use]
    pub fn is_right(&self) -> Option<bool> {
        self.truth.as_ref().map(|truth| *truth == self.label)
    }
}

/// Tokens of a text where no tokenizer is at hand: about four characters each, at least one a word.
#[must_use]
pub fn estimated_tokens(text: &str) -> u32 {
    let letters = text.chars().count().div_ceil(4);
    letters.max(text.split_whitespace().count()) as u32
}
