//! What a run trains on: the records that a filter matches, and a note of exactly which versions those were.

use std::io::{BufRead, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{Result, Session, SessionError, View, content, export};
use crate::domain::filter::{Filter, parse};
use crate::domain::record::{ContentHash, Record, RecordId};
use crate::domain::view::Order;

/// The file in a run folder that says what it saw.
pub const SEEN_FILE: &str = "records.jsonl";

/// One line of [`SEEN_FILE`]: a record and which version of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    pub id: RecordId,
    /// Of the content and label, as [`super::version_of`] has it.
    pub version: ContentHash,
    pub source: String,
    pub line: u64,
}

/// Whether a record is still what a run saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Since {
    Same,
    Changed,
    Gone,
}

/// The records of a filter, as they are now.
pub struct TrainingSet {
    session: Session,
    view: View,
}

impl TrainingSet {
    /// What a recipe's `data.train = "session:FILTER"` names: the text after the colon, for an open session.
    ///
    /// # Errors
    /// Where the filter is wrong or the file can't be read.
    pub fn open(session: Session, filter: &str) -> Result<Self> {
        let filter: Filter = parse(filter)?;
        let view = session.view(&filter, Order::default())?;
        Ok(Self { session, view })
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.view.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.view.is_empty()
    }

    /// Gives every record to `each` in the order of their numbers, and writes down in the run's folder which
    /// versions they were.
    ///
    /// # Errors
    /// Where the session can't be read, the note can't be written, or what `each` says.
    pub fn read(&self, run: &Path, mut each: impl FnMut(RecordId, Record) -> Result<()>) -> Result<()> {
        export::write_lines(&run.join(SEEN_FILE), |out| {
            self.session.for_each(&self.view, |id, record| {
                let seen = Seen {
                    id: RecordId(id),
                    version: content::version_of(&record)?,
                    source: record.provenance.source.clone(),
                    line: record.provenance.line,
                };
                serde_json::to_writer(&mut *out, &seen)?;
                out.write_all(b"\n")?;
                each(RecordId(id), record)
            })
        })
    }
}

/// What a run was trained on, as its folder says, and what became of each record since.
///
/// # Errors
/// Where the run's folder has no such note, or the session can't be read.
pub fn what_a_run_saw(session: &Session, run: &Path) -> Result<Vec<(Seen, Since)>> {
    let file = std::io::BufReader::new(std::fs::File::open(run.join(SEEN_FILE))?);
    let mut found = Vec::new();
    for line in file.lines() {
        let seen: Seen = serde_json::from_str(&line?)?;
        let since = match session.record(seen.id) {
            Ok(record) if content::version_of(&record)? == seen.version => Since::Same,
            Ok(_) => Since::Changed,
            Err(SessionError::NoSuchRecord(_)) => Since::Gone,
            Err(error) => return Err(error),
        };
        found.push((seen, since));
    }
    Ok(found)
}
