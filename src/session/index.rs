//! The full-text index: kept beside the records, built after them, a stretch at a time, by whoever has time.
//!
//! Records up to a number are in it; those after it are read one by one when something is searched for, so a search
//! is complete at any time, only slower.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, params};

use super::{Durability, JobLock, Result, Session, content, insert, lock, read};

/// How much text goes into the index in one transaction, and how long it may take: a person's change waits for it.
const STRETCH_BYTES: usize = 4 << 20;
const STRETCH_TIME: Duration = Duration::from_millis(10);

/// How far the index is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct IndexState {
    /// Records that were read into it; removed ones among them.
    pub done: u64,
    pub total: u64,
}

impl IndexState {
    #[must_use]
    pub const fn complete(self) -> bool {
        self.done >= self.total
    }
}

impl Session {
    /// How far the index is.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn index_state(&self) -> Result<IndexState> {
        let total = insert::next_record(&self.connection)? - 1;
        Ok(IndexState { done: indexed_up_to(&self.connection)? as u64, total: total as u64 })
    }

    /// Brings the index up to date, asking after every stretch whether to go on. Whole stretches stay.
    ///
    /// # Errors
    /// Where another process is building it, or the file can't be written.
    pub fn build_index(&mut self, mut go_on: impl FnMut(IndexState) -> bool) -> Result<IndexState> {
        let _lock = JobLock::take(&self.folder, "index", "dojo data index")?;
        loop {
            let state = self.index_state()?;
            if state.complete() || !go_on(state) {
                return Ok(state);
            }
            self.write("dojo data index", Durability::WholeJobs, |transaction| {
                index_stretch(transaction, STRETCH_BYTES)
            })?;
            lock::give_way();
        }
    }
}

/// The last record that is in the index.
pub(super) fn indexed_up_to(connection: &Connection) -> Result<i64> {
    Ok(connection
        .prepare_cached("SELECT value FROM meta WHERE key = 'indexed_up_to'")?
        .query_row([], |row| row.get(0))?)
}

/// Whether there are records that the index does not hold.
pub(super) fn is_behind(connection: &Connection, indexed_up_to: i64) -> Result<bool> {
    Ok(insert::next_record(connection)? - 1 > indexed_up_to)
}

fn index_stretch(transaction: &Transaction<'_>, bytes: usize) -> Result<()> {
    let start = indexed_up_to(transaction)?;
    let mut last = start;
    let (begun, mut read, mut full) = (Instant::now(), 0, false);
    {
        let mut select =
            transaction.prepare_cached("SELECT id, fields, body FROM contents WHERE id > ?1 ORDER BY id")?;
        let mut insert = transaction.prepare_cached("INSERT INTO search (rowid, text) VALUES (?1, ?2)")?;
        let mut rows = select.query([start])?;
        while let Some(row) = rows.next()? {
            let text = content::searchable(read::text(row, 1)?.unwrap_or_default(), read::text(row, 2)?);
            last = row.get(0)?;
            read += text.len();
            insert.execute(params![last, text])?;
            if read >= bytes || begun.elapsed() >= STRETCH_TIME {
                full = true;
                break;
            }
        }
    }
    if !full {
        last = insert::next_record(transaction)? - 1;
    }
    set_indexed_up_to(transaction, last)
}

fn set_indexed_up_to(connection: &Connection, last: i64) -> Result<()> {
    connection.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'indexed_up_to'")?.execute([last])?;
    Ok(())
}

/// Tells the index that a record's text is another now. Cheap; does nothing for records that it does not hold yet.
pub(super) fn replace(connection: &Connection, record: i64, text: &str) -> Result<()> {
    let up_to = indexed_up_to(connection)?;
    if record > up_to + 1 {
        return Ok(());
    }
    if record == up_to + 1 {
        set_indexed_up_to(connection, record)?;
    } else {
        connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([record])?;
    }
    connection
        .prepare_cached("INSERT INTO search (rowid, text) VALUES (?1, ?2)")?
        .execute(params![record, text])?;
    Ok(())
}
