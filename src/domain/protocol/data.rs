//! Records: views and pages of them, changes, statistics.

use std::ops::Range;
use std::path::PathBuf;

use crate::domain::change::{Body, Change, RecordChange, Selection};
use crate::domain::filter::{Filter, Vocabulary};
use crate::domain::record::{Record, RecordId, Status};
use crate::domain::statistics::Statistics;
use crate::domain::view::Order;

/// Names a question for a view; an answer carries it, so that a stale one is told apart. Greater ones are newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ViewId(pub u64);

/// Which state of a view positions belong to: it moves when records come or go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Generation(pub u64);

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum DataCommand {
    /// Find the records that a filter matches, in an order. Ends the search for an older view.
    View {
        view: ViewId,
        filter: Filter,
        order: Order,
    },
    /// Read the rows at these positions.
    Page {
        view: ViewId,
        generation: Generation,
        positions: Range<usize>,
    },
    /// Read a record whole, with its history. It is the one under the cursor: its position is told with the next view.
    Open(RecordId),
    /// How a record is cut into tokens for the session's model, and what is trained on.
    Tokens(RecordId),
    /// Count every record's tokens with the session's model.
    CountTokens,
    /// Do something to records, as one change.
    Change {
        selection: Selection,
        change: Change,
    },
    /// Give a record new content.
    Edit {
        record: RecordId,
        body: Body,
    },
    /// Add an empty record, or a copy of one.
    Create(Option<RecordId>),
    Undo,
    Redo,
    /// What a file, a folder or a dataset of the hub would be read as; `map` says `part=column` over what is found.
    PlanImport {
        path: PathBuf,
        map: Vec<String>,
    },
    /// Bring it in.
    Import {
        path: PathBuf,
        map: Vec<String>,
    },
    /// Look for what may be wrong in all records.
    Check,
    /// Mend what can safely be, among what was found.
    Mend,
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum DataEvent {
    /// A view was found, wholly or its beginning.
    Viewed(Viewed),
    /// Rows were read. Empty where the positions are beyond the end.
    PageRead {
        view: ViewId,
        generation: Generation,
        start: usize,
        rows: Vec<RowSummary>,
    },
    /// A record was read; `None`: it is gone.
    Opened(RecordId, Option<Box<Opened>>),
    /// A record was cut into tokens, or why it can't be.
    TokensRead(RecordId, Result<Vec<TokenPiece>, String>),
    /// What an import would read, or why it can't.
    ImportPlanned(PathBuf, Result<Box<ImportPlan>, String>),
    /// What checks have found, by name; `None`: none has run.
    FindingsRead(Option<Vec<(String, u64)>>),
    StatisticsRead(ViewId, Box<Statistics>),
    VocabularyRead(Box<Vocabulary>),
    /// A change was committed: what, and to how many records.
    Changed {
        what: String,
        records: u64,
    },
    /// Records were added: the first of them.
    Created(RecordId),
    /// How many records search can find in its index, and how many there are.
    Indexed {
        done: u64,
        total: u64,
    },
}

/// A view as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewed {
    pub view: ViewId,
    pub generation: Generation,
    pub found: Found,
    /// Records in the whole session.
    pub records: usize,
    /// Where the record under the cursor stands now.
    pub cursor: Option<usize>,
}

/// How much of a view is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// So many so far; the search goes on.
    AtLeast(usize),
    All(usize),
}

impl Found {
    #[must_use]
    pub const fn count(self) -> usize {
        match self {
            Self::AtLeast(count) | Self::All(count) => count,
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, PartialEq)]
pub struct RowSummary {
    pub id: RecordId,
    pub status: Status,
    pub split: Option<String>,
    pub label: Option<String>,
    pub tags: Vec<String>,
    pub tokens: Option<u32>,
    pub score: Option<f64>,
    pub characters: u32,
    pub turns: u32,
    pub source: String,
    /// The beginning of the prompt and of the answer, on one line.
    pub prompt: String,
    pub answer: String,
    pub edited: bool,
}

/// A whole record.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    pub record: Record,
    pub tokens: Option<u32>,
    pub history: Vec<RecordChange>,
    /// What checks have found in it: their names and words.
    pub findings: Vec<(String, String)>,
}

/// What an import would read and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportPlan {
    pub files: Vec<PlannedFile>,
    /// Of all files, where they have the same; otherwise each file keeps the mapping that is found for it.
    pub columns: Vec<String>,
    /// Every part of a record with its column.
    pub parts: Vec<(&'static str, Option<String>)>,
    /// The mapping is the one that was used last for such columns.
    pub remembered: bool,
    /// What the first rows would become, or why not.
    pub examples: Vec<Result<Example, String>>,
}

/// One file of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedFile {
    pub name: String,
    pub format: &'static str,
    pub bytes: u64,
    /// What its rows become: `questions and answers`.
    pub read_as: &'static str,
}

/// The beginning of what a row would become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    pub prompt: String,
    pub answer: String,
    pub label: Option<String>,
}

/// A token as text, and whether it is trained on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenPiece {
    /// One; several where they make one character together.
    pub ids: Vec<u32>,
    pub text: String,
    pub trained: Trained,
}

/// Whether the loss reads a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trained {
    Yes,
    No,
}
