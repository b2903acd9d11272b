//! What a run trains on: the records that a filter matches, and a note of exactly which versions those were.

use std::io::{BufRead, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Result, Session, SessionError, content, export};
use crate::domain::filter::parse;
use crate::domain::record::{ContentHash, Record, RecordId};
use crate::domain::view::SortOrder;

/// The file in a run folder that says what it saw.
pub const SEEN_FILE: &str = "records.jsonl";

/// One line of [`SEEN_FILE`]: a record, which version of it, and what for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Its number in the session; none for a record of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RecordId>,
    /// Of the content and label, as [`super::version_of`] has it.
    pub version: ContentHash,
    pub source: String,
    pub line: u64,
    pub purpose: Purpose,
    /// Where a row of a review's set comes from: student and thought, teacher, judge, reviewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<Value>,
}

/// What a run did with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    Train,
    Eval,
}

impl Purpose {
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Eval => "eval",
        }
    }
}

impl Seen {
    /// # Errors
    /// As [`super::version_of`].
    pub fn of(id: Option<RecordId>, record: &Record, purpose: Purpose) -> Result<Self> {
        let version = content::version_of(record)?;
        let (source, line) = (record.provenance.source.clone(), record.provenance.line);
        Ok(Self { id, version, source, line, purpose, provenance: None })
    }

    /// Whether both mean the same content for the same purpose, whatever was noted beside it.
    #[must_use]
    pub fn is_of(&self, other: &Self) -> bool {
        (self.id, self.version, self.purpose) == (other.id, other.version, other.purpose)
    }
}

/// Whether a record is still what a run saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Since {
    Same,
    Changed,
    Gone,
}

impl Session {
    /// The records that a recipe's `data.train = "session:FILTER"` names (the text after the colon), as they are now,
    /// in the order of their numbers.
    ///
    /// # Errors
    /// Where the filter is wrong or the file can't be read.
    pub fn training_set(&self, filter: &str) -> Result<Vec<(RecordId, Record)>> {
        let view = self.view(&parse(filter)?, SortOrder::default())?;
        let mut records = Vec::with_capacity(view.len());
        self.for_each(&view, |id, record| {
            records.push((RecordId(id), record));
            Ok(())
        })?;
        Ok(records)
    }
}

/// Writes down in a run's folder what it trains on and is evaluated on.
///
/// # Errors
/// Where the note can't be written.
pub fn note_what_a_run_sees(run: &Path, seen: &[Seen]) -> Result<()> {
    export::write_lines(&run.join(SEEN_FILE), |out| {
        seen.iter().try_for_each(|one| {
            serde_json::to_writer(&mut *out, one)?;
            Ok(out.write_all(b"\n")?)
        })
    })
}

/// What a run was trained and evaluated on, as its folder says; nothing where it has not come that far.
///
/// # Errors
/// Where the note can't be read.
pub fn what_a_run_saw(run: &Path) -> Result<Option<Vec<Seen>>> {
    let file = match std::fs::File::open(run.join(SEEN_FILE)) {
        Ok(file) => std::io::BufReader::new(file),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    file.lines().map(|line| Ok(serde_json::from_str(&line?)?)).collect::<Result<_>>().map(Some)
}

/// What became of a record since a run saw it.
///
/// # Errors
/// Where the session can't be read.
pub fn since(session: &Session, seen: &Seen) -> Result<Since> {
    let Some(id) = seen.id else { return Ok(Since::Gone) };
    match session.record(id) {
        Ok(record) if content::version_of(&record)? == seen.version => Ok(Since::Same),
        Ok(_) => Ok(Since::Changed),
        Err(SessionError::NoSuchRecord(_)) => Ok(Since::Gone),
        Err(error) => Err(error),
    }
}
