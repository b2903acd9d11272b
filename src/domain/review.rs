//! The review queue: what stands in it, and one item of it whole.

use std::sync::Arc;

use crate::domain::record::RecordId;
use crate::domain::reflection::{Checks, Reflection, ReflectionId, Verdict};
use crate::domain::thought::Thought;
use crate::domain::view::Direction;

/// What the queue knows of a reflection that is not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRow {
    pub id: ReflectionId,
    pub record: RecordId,
    pub verdict: Verdict,
    /// What the person at the keyboard said last; nothing yet otherwise.
    pub mine: Option<Verdict>,
    /// The judge's, 1 to 5.
    pub score: Option<u8>,
    /// Of the text as it would be trained on, estimated.
    pub tokens: u32,
    pub student: Arc<str>,
    pub teacher: Arc<str>,
    /// The label that the student reached.
    pub flawed: Arc<str>,
    /// The label that the correction reaches.
    pub label: Arc<str>,
    /// The true label; empty where there is none.
    pub truth: Arc<str>,
    pub disagreement: Disagreement,
}

impl QueueRow {
    /// The label that the text has as it would be trained on: what a person wrote leads where the person wants it.
    #[must_use]
    pub fn own_label(&self) -> &str {
        if self.verdict == Verdict::Edited { &self.truth } else { &self.label }
    }
}

/// Who is at odds about a reflection; greater ones want a look first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Disagreement {
    #[default]
    None,
    /// The correction misses the true label.
    Label,
    /// One person accepted it, another did not.
    Reviewers,
}

/// In which order the queue stands. Equal ones stand in the order of their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct QueueOrder {
    pub field: QueueField,
    pub direction: Direction,
}

/// What the queue can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum QueueField {
    #[default]
    Number,
    Score,
    Length,
    Label,
    Disagreement,
}

impl QueueField {
    pub const ALL: [Self; 5] = [Self::Number, Self::Score, Self::Length, Self::Label, Self::Disagreement];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Score => "judge score",
            Self::Length => "length",
            Self::Label => "label",
            Self::Disagreement => "disagreement",
        }
    }

    /// The direction that shows first what wants a look.
    #[must_use]
    pub const fn first(self) -> Direction {
        match self {
            Self::Number | Self::Score | Self::Label => Direction::Rising,
            Self::Length | Self::Disagreement => Direction::Falling,
        }
    }
}

/// Sorts the queue; what has no judge's score stands last either way.
pub fn sort(rows: &mut [QueueRow], order: QueueOrder) {
    let turn = |ordering: std::cmp::Ordering| match order.direction {
        Direction::Rising => ordering,
        Direction::Falling => ordering.reverse(),
    };
    rows.sort_by(|one, other| {
        let ordering = match order.field {
            QueueField::Number => turn(one.id.cmp(&other.id)),
            QueueField::Score => match (one.score, other.score) {
                (Some(one), Some(other)) => turn(one.cmp(&other)),
                (one, other) => one.is_none().cmp(&other.is_none()),
            },
            QueueField::Length => turn(one.tokens.cmp(&other.tokens)),
            QueueField::Label => turn(one.truth.cmp(&other.truth)),
            QueueField::Disagreement => turn(one.disagreement.cmp(&other.disagreement)),
        };
        ordering.then(one.id.cmp(&other.id))
    });
}

/// One reflection with everything that stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewItem {
    pub reflection: Reflection,
    pub thought: Thought,
    /// The record as it is asked about: `premise` and `hypothesis`, or one `prompt`.
    pub question: Vec<(String, String)>,
    /// Where the record comes from: a file and a line.
    pub source: String,
    pub split: Option<String>,
    pub tags: Vec<String>,
    pub checks: Checks,
    /// Every word that was said on it, oldest first, also what was taken back.
    pub verdicts: Vec<VerdictEntry>,
}

/// What somebody decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictEntry {
    /// Milliseconds since 1970.
    pub at: i64,
    pub who: String,
    pub verdict: Verdict,
    pub edited: Option<String>,
    pub comment: String,
    pub state: VerdictState,
}

/// Whether a word still stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerdictState {
    Stands,
    TakenBack,
}

/// What there is to review and what is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ReviewCounts {
    pub pending: u64,
    pub approved: u64,
    pub edited: u64,
    pub rejected: u64,
    /// Waits for its teacher, not for a person.
    pub sent_back: u64,
    /// Right thoughts and accepted corrections, the latter only where they reach the label.
    pub ready_for_sft: u64,
    /// Accepted corrections against the flawed thoughts.
    pub preference_pairs: u64,
    /// Thoughts with the true label whose conclusion says another: they are not among those that are ready.
    pub contradicting: u64,
}
