//! Bringing rows in: batches of prepared records, each one transaction, counted and recognised. Reads no file.
//!
//! A row's identity is its hash and how many equal rows came before it in the same import. One whose identity the
//! session knows was imported before and is left out; so an interrupted import is resumed by running it again.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::change::{self, ChangeKind};
use super::content::Prepared;
use super::insert::{insert_records, next_record, set_next_record};
use super::names;
use super::{Durability, JobLock, Result, Session, lock};

/// A line that could not be read as a record: kept with its reason, so that nothing is lost silently.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Reject {
    pub source: String,
    pub line: u64,
    pub reason: String,
    /// The beginning of the line as it was.
    pub start: String,
}

/// What became of the rows so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct ImportCounts {
    pub added: u64,
    /// Were in the session before.
    pub repeated: u64,
    pub rejected: u64,
}

/// Whether an import came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportState {
    Unfinished,
    Done,
}

/// One import of the session's past.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ImportSummary {
    pub id: i64,
    pub path: String,
    pub state: ImportState,
    #[serde(flatten)]
    pub counts: ImportCounts,
}

/// An import in progress. Dropping it leaves what was committed, to be resumed by importing the same path again.
pub struct Importer<'s> {
    session: &'s mut Session,
    id: i64,
    change: i64,
    path: String,
    known: KnownHashes,
    /// Known because an interrupted run of this import brought them.
    brought: KnownHashes,
    next_record: i64,
    counts: ImportCounts,
    _lock: JobLock,
}

impl<'s> Importer<'s> {
    /// Starts an import of a path with a mapping (TOML or JSON, as the reader wrote it), or takes up the unfinished one.
    ///
    /// # Errors
    /// Where another import is at work in this session, or the session can't be written.
    pub fn begin(session: &'s mut Session, path: &str, mapping: &str) -> Result<Self> {
        let what = format!("dojo data import {path}");
        let lock = JobLock::take(session.folder(), "import", &what)?;
        let who = session.who.clone();
        let (id, change) = session
            .write(&what, Durability::WholeJobs, |transaction| start(transaction, path, mapping, &who))?;
        let (known, brought) = known_rows(&session.connection, change)?;
        let next_record = next_record(&session.connection)?;
        let counts = ImportCounts { added: brought.len() as u64, ..ImportCounts::default() };
        Ok(Self {
            session,
            id,
            change,
            path: path.to_owned(),
            known,
            brought,
            next_record,
            counts,
            _lock: lock,
        })
    }

    /// Writes a batch, whole or not at all. Ten thousand records at a time keep others waiting for a quarter second.
    ///
    /// # Errors
    /// Where the session can't be written; what earlier batches brought stays.
    pub fn add(&mut self, batch: &[Prepared], rejects: &[Reject]) -> Result<ImportCounts> {
        let mut counts = self.counts;
        let mut fresh: Vec<&Prepared> = Vec::with_capacity(batch.len());
        for record in batch {
            let key = identity(record.hash.0, record.occurrence);
            if self.known.insert(key) {
                fresh.push(record);
            } else if !self.brought.remove(&key) {
                counts.repeated += 1;
            }
        }
        counts.added += fresh.len() as u64;
        counts.rejected += rejects.len() as u64;
        let (id, change, first) = (self.id, self.change, self.next_record);
        let what = format!("dojo data import {}", self.path);
        let written = self.session.write(&what, Durability::WholeJobs, |transaction| {
            insert_records(transaction, change, first, &fresh)?;
            insert_rejects(transaction, id, rejects)?;
            set_next_record(transaction, first + fresh.len() as i64)?;
            save_counts(transaction, id, change, counts)
        });
        if let Err(error) = written {
            for record in fresh {
                self.known.remove(&identity(record.hash.0, record.occurrence));
            }
            return Err(error);
        }
        self.next_record += fresh.len() as i64;
        self.counts = counts;
        lock::give_way();
        Ok(counts)
    }

    /// What became of the rows so far.
    #[must_use]
    pub const fn counts(&self) -> ImportCounts {
        self.counts
    }

    /// Marks the import as complete.
    ///
    /// # Errors
    /// Where the session can't be written.
    pub fn finish(self) -> Result<ImportCounts> {
        let (id, change, counts) = (self.id, self.change, self.counts);
        self.session.write("dojo data import", Durability::EveryChange, |transaction| {
            transaction.execute("UPDATE imports SET state = 1 WHERE id = ?1", [id])?;
            if counts.added == 0 {
                // Nothing came in, so there is nothing to undo.
                transaction.execute("DELETE FROM changes WHERE id = ?1", [change])?;
            }
            Ok(())
        })?;
        Ok(counts)
    }
}

impl Session {
    /// The imports of this session, the last first.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn imports(&self) -> Result<Vec<ImportSummary>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, path, state, added, repeated, rejected FROM imports ORDER BY id DESC",
        )?;
        let rows = statement.query_map([], |row| {
            let done = row.get::<_, i64>(2)? == 1;
            let count = |index: usize| row.get::<_, i64>(index).map(|count| count as u64);
            Ok(ImportSummary {
                id: row.get(0)?,
                path: row.get(1)?,
                state: if done { ImportState::Done } else { ImportState::Unfinished },
                counts: ImportCounts { added: count(3)?, repeated: count(4)?, rejected: count(5)? },
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The lines that an import could not read.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn rejects(&self, import: i64) -> Result<Vec<Reject>> {
        self.first_rejects(import, None)
    }

    /// The first of them, at most so many.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn first_rejects(&self, import: i64, most: Option<u32>) -> Result<Vec<Reject>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT sources.name, line, reason, start FROM rejects JOIN sources ON sources.id = rejects.source
             WHERE import = ?1 ORDER BY rejects.rowid LIMIT ?2",
        )?;
        let most = most.map_or(-1, i64::from);
        let rows = statement.query_map([import, most], |row| {
            Ok(Reject {
                source: row.get(0)?,
                line: row.get::<_, i64>(1)? as u64,
                reason: row.get(2)?,
                start: row.get(3)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The mapping that was used last for files with these columns.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn remembered_mapping(&self, columns: &[String]) -> Result<Option<String>> {
        Ok(self
            .connection
            .query_row("SELECT mapping FROM mappings WHERE columns = ?1", [columns.join("\u{1f}")], |row| {
                row.get(0)
            })
            .optional()?)
    }

    /// Remembers a mapping for files with these columns.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn remember_mapping(&mut self, columns: &[String], mapping: &str) -> Result<()> {
        let key = columns.join("\u{1f}");
        self.write("remember a mapping", Durability::EveryChange, |transaction| {
            transaction.execute("INSERT OR REPLACE INTO mappings VALUES (?1, ?2)", [&key, mapping])?;
            Ok(())
        })
    }

    /// Forgets the mapping of files with these columns.
    ///
    /// # Errors
    /// Where the file can't be written.
    pub fn forget_mapping(&mut self, columns: &[String]) -> Result<()> {
        let key = columns.join("\u{1f}");
        self.write("forget a mapping", Durability::EveryChange, |transaction| {
            transaction.execute("DELETE FROM mappings WHERE columns = ?1", [&key])?;
            Ok(())
        })
    }
}

fn start(transaction: &Transaction<'_>, path: &str, mapping: &str, who: &str) -> Result<(i64, i64)> {
    let unfinished = transaction
        .query_row(
            "SELECT imports.id, imports.change FROM imports JOIN changes ON changes.id = imports.change
             WHERE path = ?1 AND imports.state = 0 AND changes.state = 0 ORDER BY imports.id DESC",
            [path],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    if let Some((id, change)) = unfinished {
        transaction.execute("DELETE FROM rejects WHERE import = ?1", [id])?;
        transaction.execute("UPDATE imports SET mapping = ?2 WHERE id = ?1", params![id, mapping])?;
        return Ok((id, change));
    }
    let change = change::open(transaction, who, ChangeKind::Import, &format!("import {path}"))?;
    transaction.execute(
        "INSERT INTO imports (change, path, mapping, state, added, repeated, rejected) VALUES (?1, ?2, ?3, 0, 0, 0, 0)",
        params![change, path, mapping],
    )?;
    Ok((transaction.last_insert_rowid(), change))
}

fn insert_rejects(transaction: &Transaction<'_>, import: i64, rejects: &[Reject]) -> Result<()> {
    let mut statement = transaction.prepare_cached("INSERT INTO rejects VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for reject in rejects {
        let source = names::intern_source(transaction, &reject.source)?;
        statement.execute(params![import, source, reject.line as i64, reject.reason, reject.start])?;
    }
    Ok(())
}

fn save_counts(transaction: &Transaction<'_>, id: i64, change: i64, counts: ImportCounts) -> Result<()> {
    transaction
        .prepare_cached("UPDATE imports SET added = ?2, repeated = ?3, rejected = ?4 WHERE id = ?1")?
        .execute(params![id, counts.added as i64, counts.repeated as i64, counts.rejected as i64])?;
    transaction
        .prepare_cached("UPDATE changes SET records = ?2 WHERE id = ?1")?
        .execute(params![change, counts.added as i64])?;
    Ok(())
}

type KnownHashes = HashSet<u128, BuildHasherDefault<AlreadyMixed>>;

/// A content hash needs no hashing again.
#[derive(Default)]
struct AlreadyMixed(u64);

impl Hasher for AlreadyMixed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = (key >> 64) as u64 ^ (key as u64);
    }
}

fn identity(hash: [u8; 16], occurrence: u32) -> u128 {
    // Odd, so that occurrences of one hash stay apart and rarely meet another's.
    let step = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835_u128;
    u128::from_be_bytes(hash).wrapping_add(step.wrapping_mul(u128::from(occurrence)))
}

/// The rows that are known: all of the session and those that a person removed, but not those of undone imports;
/// and among them those that this change brought before it was interrupted. About 35 bytes a row.
fn known_rows(connection: &Connection, change: i64) -> Result<(KnownHashes, KnownHashes)> {
    let (mut known, mut brought) = (KnownHashes::default(), KnownHashes::default());
    let mut statement = connection.prepare(
        "SELECT hash, occurrence, change FROM records
         UNION ALL SELECT hash, occurrence, change FROM removed WHERE removed_by <> change",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let key = identity(row.get(0)?, row.get(1)?);
        known.insert(key);
        if row.get::<_, i64>(2)? == change {
            brought.insert(key);
        }
    }
    Ok((known, brought))
}
