//! The review queue: what stands in it, and one item of it whole.

use std::fmt;
use std::sync::Arc;

use crate::domain::record::RecordId;
use crate::domain::reflection::{Checks, Reflection, ReflectionId, Verdict};
use crate::domain::thought::{Thought, ThoughtId};
use crate::domain::view::SortDirection;

/// A text of a review: a correction, or a thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reviewed {
    Correction(ReflectionId),
    /// In the queue: a wrong thought that nobody has corrected.
    Thought(ThoughtId),
}

impl Reviewed {
    /// The correction's number; a thought has none.
    #[must_use]
    pub const fn correction(self) -> Option<ReflectionId> {
        match self {
            Self::Correction(id) => Some(id),
            Self::Thought(_) => None,
        }
    }

    /// The thought's number; a correction has none.
    #[must_use]
    pub const fn thought(self) -> Option<ThoughtId> {
        match self {
            Self::Correction(_) => None,
            Self::Thought(id) => Some(id),
        }
    }

    /// Its number, among corrections or among thoughts.
    #[must_use]
    pub const fn number(self) -> i64 {
        match self {
            Self::Correction(id) => id.0,
            Self::Thought(id) => id.0,
        }
    }
}

impl From<ReflectionId> for Reviewed {
    fn from(id: ReflectionId) -> Self {
        Self::Correction(id)
    }
}

impl From<ThoughtId> for Reviewed {
    fn from(id: ThoughtId) -> Self {
        Self::Thought(id)
    }
}

/// `reflection 14`, `thought 12`.
impl fmt::Display for Reviewed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Correction(id) => write!(out, "reflection {id}"),
            Self::Thought(id) => write!(out, "thought {id}"),
        }
    }
}

/// What the queue knows of a reflection, or of a wrong thought without one, that is not open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueRow {
    pub id: Reviewed,
    pub record: RecordId,
    /// Of a thought: always pending, for there is nothing to decide on.
    pub verdict: Verdict,
    /// What the person at the keyboard said last; nothing yet otherwise.
    pub mine: Option<Verdict>,
    /// The judge's, 1 to 5.
    pub score: Option<u8>,
    /// Of the text as it would be trained on, estimated.
    pub tokens: u32,
    pub student: Arc<str>,
    /// Empty for a thought.
    pub teacher: Arc<str>,
    /// The label that the student reached.
    pub flawed: Arc<str>,
    /// The label that the correction reaches; empty for a thought.
    pub label: Arc<str>,
    /// The true label; empty where there is none.
    pub truth: Arc<str>,
    pub disagreement: Disagreement,
    pub draft: EditDraft,
}

/// Whether the person at the keyboard has begun to edit a text and not saved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EditDraft {
    #[default]
    None,
    Kept,
}

impl QueueRow {
    /// The label that the text has as it would be trained on: what a person wrote leads where the person wants it.
    #[must_use]
    pub fn own_label(&self) -> &str {
        match self.id {
            Reviewed::Thought(_) => &self.flawed,
            Reviewed::Correction(_) if self.verdict == Verdict::Edited => &self.truth,
            Reviewed::Correction(_) => &self.label,
        }
    }

    /// Whether the person at the keyboard accepted it, and it stands so: saying it again says nothing new.
    #[must_use]
    pub fn is_accepted_by_me(&self) -> bool {
        self.verdict.is_accepted() && self.mine.is_some_and(Verdict::is_accepted)
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
    pub direction: SortDirection,
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
    pub const fn first(self) -> SortDirection {
        match self {
            Self::Number | Self::Score | Self::Label => SortDirection::Rising,
            Self::Length | Self::Disagreement => SortDirection::Falling,
        }
    }
}

/// Sorts the queue; what has no judge's score stands last either way.
pub fn sort(rows: &mut [QueueRow], order: QueueOrder) {
    let turn = |ordering: std::cmp::Ordering| match order.direction {
        SortDirection::Rising => ordering,
        SortDirection::Falling => ordering.reverse(),
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

/// One reflection, or a thought without one, with everything that stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewItem {
    pub id: Reviewed,
    /// Nothing while nobody has corrected the thought.
    pub reflection: Option<Reflection>,
    pub thought: Thought,
    /// The record as it is asked about: `premise` and `hypothesis`, or the `question` that was answered.
    pub question: Vec<(String, String)>,
    pub contents: Contents,
    /// Where the record comes from: a file and a line.
    pub source: String,
    pub split: Option<String>,
    pub tags: Vec<String>,
    pub checks: Checks,
    /// Every word that was said on it, oldest first, also what was taken back.
    pub verdicts: Vec<VerdictEntry>,
    /// What the person at the keyboard has written and not saved.
    pub draft: Option<DraftText>,
}

impl ReviewItem {
    /// The text as it would be trained on; without a correction, the thought's own.
    #[must_use]
    pub fn text(&self) -> &str {
        self.reflection.as_ref().map_or(&self.thought.text, Reflection::text)
    }

    /// Why the thought went wrong, as far as anybody has said.
    #[must_use]
    pub fn analysis(&self) -> &str {
        self.reflection.as_ref().map_or("", |reflection| &reflection.error_analysis)
    }

    /// Whether a person changed the text.
    #[must_use]
    pub fn is_edited(&self) -> bool {
        self.reflection.as_ref().is_some_and(|reflection| reflection.edited.is_some())
    }

    /// The label that the text reaches: what a person wrote leads where the person wants it.
    #[must_use]
    pub fn label(&self) -> &str {
        match &self.reflection {
            None => &self.thought.label,
            Some(reflection) if reflection.edited.is_some() => {
                self.thought.truth.as_deref().unwrap_or_default()
            }
            Some(reflection) => &reflection.label,
        }
    }
}

/// What a record has besides the question that was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    pub turns: usize,
    pub tool_calls: usize,
    pub thoughts: usize,
}

/// A correction that was begun and not saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftText {
    pub text: String,
    pub analysis: String,
    /// How the reflection stood when it was begun; nothing of a thought, or where that isn't known.
    pub over: Option<Box<Reflection>>,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// How the texts of a row begin, for the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glimpse {
    pub question: String,
    pub text: String,
}

/// The last decision of the person at the keyboard: what undo would take back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastStep {
    pub number: i64,
    pub verdict: Verdict,
    pub reflections: u64,
    /// Milliseconds since 1970.
    pub at: i64,
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
    /// Wrong thoughts that nobody has corrected.
    pub uncorrected: u64,
    /// Right thoughts and accepted corrections, the latter only where they reach the label.
    pub ready_for_sft: u64,
    /// Accepted corrections against the flawed thoughts.
    pub preference_pairs: u64,
    /// Thoughts with the true label whose conclusion says another: they are not among those that are ready.
    pub contradicting: u64,
}
