//! Records: views and pages of them, changes, statistics.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;

use crate::domain::change::{Body, Change, HistoryEntry, RecordChange, Selection};
use crate::domain::coverage::BlueprintCoverage;
use crate::domain::draft::{DraftOf, KeptDraft, OtherDraft};
use crate::domain::export::{ExportFormat, Splits};
use crate::domain::filter::{Filter, Vocabulary};
use crate::domain::record::{Record, RecordId, Status};
use crate::domain::statistics::Statistics;
use crate::domain::view::SortOrder;

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
        order: SortOrder,
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
    /// Have records compared by what they mean, and say by what they are compared now.
    Compare,
    /// Do something to records, as one change.
    Change {
        selection: Selection,
        change: Change,
    },
    /// Give a record new content, if it still says what the editing began with; else a person is asked.
    Edit {
        record: RecordId,
        over: Box<Body>,
        body: Body,
    },
    /// Keep what is written of a record or a recipe and not saved; nothing lets go of it.
    KeepDraft(DraftOf, Option<KeptDraft>),
    /// Add a record of this content: the draft of a new record is saved with it.
    Add(Body),
    /// Add what was written of a record that is gone, as a new one: the draft of that record is saved with it, and that
    /// of a new record stays.
    AddInstead(RecordId, Body),
    /// Add a copy of a record.
    Duplicate(RecordId),
    /// Take the last change back; a large one, and one that was not made here, is asked about first.
    Undo,
    /// Take this change back, whatever it is, if it is still the last.
    UndoThis(i64),
    Redo,
    /// Write records to files.
    Export(Box<ExportOrder>),
    /// The records at these positions.
    Numbers {
        view: ViewId,
        generation: Generation,
        positions: Range<usize>,
    },
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
    /// An import came to its end, and its records are on the disk; or why it didn't.
    Imported(PathBuf, Result<Imported, String>),
    /// Every record that has tokens has a count of them.
    TokensCounted,
    /// What checks have found, by name; `None`: none has run.
    FindingsRead(Option<Vec<(String, u64)>>),
    /// What is written of each blueprint that was expanded here.
    CoverageRead(Vec<BlueprintCoverage>),
    StatisticsRead(ViewId, Box<Statistics>),
    VocabularyRead(Box<Vocabulary>),
    /// A change was committed: what, and to how many records.
    Changed {
        what: String,
        records: u64,
    },
    /// A record was added by a person.
    Created(RecordId),
    /// A record's content was edited, and that is on the disk.
    Edited(RecordId),
    /// A record wasn't edited: it is not what the editing began with.
    EditMet(Box<EditMet>),
    /// The last change is large or was not made here: a person is asked before it is taken back.
    UndoAsked(HistoryEntry, MadeBy),
    /// Everything that was written in this window of the session in this folder and not saved.
    DraftsRead(PathBuf, BTreeMap<DraftOf, KeptDraft>),
    /// What was begun elsewhere and not saved.
    OtherDraftsRead(BTreeMap<DraftOf, OtherDraft>),
    /// This could not be saved, and why was said.
    NotSaved(DraftOf),
    /// A draft is on the disk, or gone from it.
    DraftKept(DraftOf, Option<KeptDraft>),
    /// Records that there are drafts of, and that aren't there any more.
    DraftsOrphaned(BTreeSet<RecordId>),
    /// Files are there already: a person is asked before they are written anew.
    ExportAsked(Box<ExportOrder>, Vec<PathBuf>),
    /// Which records are at these positions.
    NumbersRead {
        view: ViewId,
        generation: Generation,
        positions: Range<usize>,
        ids: Vec<RecordId>,
    },
    /// How many records search can find in its index, and how many there are.
    Indexed {
        done: u64,
        total: u64,
    },
}

/// An edit that met another one.
#[derive(Debug, Clone, PartialEq)]
pub struct EditMet {
    pub record: RecordId,
    /// What would have been saved.
    pub body: Body,
    /// What the record says now; nothing when it was deleted.
    pub now: Option<Body>,
    /// The change that made it so, if it is known.
    pub by: Option<HistoryEntry>,
}

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeBy {
    /// This window.
    Here,
    /// Another window, a command in a shell, another part of the program.
    Elsewhere,
}

/// A view as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewed {
    pub view: ViewId,
    pub generation: Generation,
    pub found: ViewCount,
    /// Records in the whole session.
    pub records: usize,
    /// The record that was opened last, and where it is now: a cursor that is still on it goes with it.
    pub cursor: Option<(RecordId, usize)>,
}

/// How much of a view is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewCount {
    /// So many so far; the search goes on.
    AtLeast(usize),
    All(usize),
}

impl ViewCount {
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
    /// Tool calls, and turns with thoughts.
    pub calls: u32,
    pub thoughts: u32,
    pub source: String,
    /// The beginning of the question that is answered last and of its answer, on one line.
    pub prompt: String,
    pub answer: String,
    pub edited: bool,
}

/// Characters of a prompt or an answer that a row holds.
const BEGINNING: usize = 400;

impl RowSummary {
    /// What the table shows of a record, as far as the record says it.
    #[must_use]
    pub fn of(id: RecordId, record: &Record) -> Self {
        let mut texts = (beginning(record.question()), beginning(&record.answer_shown()));
        if texts.0.is_empty() && texts.1.is_empty() {
            // Columns only: the row's first texts stand for it.
            let mut cells = record.fields.values().filter_map(serde_json::Value::as_str).map(beginning);
            texts = (cells.next().unwrap_or_default(), cells.next().unwrap_or_default());
        }
        Self {
            id,
            status: record.status,
            split: record.split.clone(),
            label: record.label.clone(),
            tags: record.tags.iter().cloned().collect(),
            tokens: None,
            score: None,
            characters: 0,
            turns: record.messages.len() as u32,
            calls: record.tool_calls() as u32,
            thoughts: record.thoughts() as u32,
            source: record.provenance.source.clone(),
            prompt: texts.0,
            answer: texts.1,
            edited: false,
        }
    }
}

/// The first line or lines of a text, on one.
#[must_use]
pub fn beginning(text: &str) -> String {
    let mut out = String::new();
    for word in text.split_whitespace() {
        if out.len() > BEGINNING {
            break;
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().take(BEGINNING));
    }
    out
}

/// Records to write to files.
#[derive(Debug, Clone, PartialEq)]
pub struct ExportOrder {
    pub selection: Selection,
    pub path: PathBuf,
    pub form: ExportFormat,
    pub splits: Splits,
    pub replace: Replace,
}

/// Whether a file that is there already may be written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// A person is asked first.
    Ask,
    Yes,
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

/// How the name of the job begins that looks a dataset of the hub up.
pub const LOOK_UP: &str = "look up ";

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
    /// No part has a column in one of the files: its rows would be kept, and nothing could be learnt of them.
    pub columns_only: bool,
    /// What of the first rows would play no part in what is learnt, in sentences.
    pub passed_over: Vec<String>,
    /// What the first rows would become, or why not.
    pub examples: Vec<Result<Example, String>>,
}

impl ImportPlan {
    /// Whether nothing is in the files that could be read or complained of.
    #[must_use]
    pub const fn has_no_row(&self) -> bool {
        self.examples.is_empty() && self.columns.is_empty()
    }
}

/// What came of an import, in rows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    pub added: u64,
    /// Were in the session before.
    pub repeated: u64,
    /// Could not be read.
    pub rejected: u64,
    /// The first of those: line and reason.
    pub unread: Vec<String>,
}

impl Imported {
    /// Whether the session has nothing of it.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.added + self.repeated == 0
    }
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
