//! Taking changes back and doing them again, one entry of the history at a time, across restarts.

use std::path::Path;

use rusqlite::{OptionalExtension, Transaction, params};

use super::body::store_body;
use super::change::{
    ChangeKind, ChangeSide, RECORD_COLUMNS, mark_edited, set_column, set_existence, set_tags,
};
use super::item_field::{CONTENT, EXISTS, LABEL, SPLIT, STATUS, TAG};
use super::{Durability, JobLock, Result, Session, SessionError, content, history, read};
use crate::domain::change::HistoryEntry;
use crate::ground::clock;

const LAST: &str = "SELECT id FROM changes WHERE state = 0 ORDER BY id DESC LIMIT 1";

impl Session {
    /// What [`Session::undo`] would take back.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn last_change(&self) -> Result<Option<HistoryEntry>> {
        let id = self.connection.query_row(LAST, [], |row| row.get(0)).optional()?;
        id.map(|id| history::entry(&self.connection, id)).transpose()
    }

    /// Takes the last change back, whoever made it, and says which it was.
    ///
    /// # Errors
    /// Where there is none, or the session can't be written; then nothing is changed.
    pub fn undo(&mut self) -> Result<HistoryEntry> {
        let undone = self.take_back(None)?;
        undone.ok_or(SessionError::NothingLeft("undo"))
    }

    /// Takes this change back if it is still the last; says nothing when another one is.
    ///
    /// # Errors
    /// Where there is none, or the session can't be written; then nothing is changed.
    pub fn undo_only(&mut self, change: i64) -> Result<Option<HistoryEntry>> {
        self.take_back(Some(change))
    }

    fn take_back(&mut self, only: Option<i64>) -> Result<Option<HistoryEntry>> {
        let who = self.who.clone();
        let folder = self.folder.clone();
        self.write("undo", Durability::EveryChange, |transaction| {
            let id = one(transaction, LAST)?.ok_or(SessionError::NothingLeft("undo"))?;
            if only.is_some_and(|only| only != id) {
                return Ok(None);
            }
            end_import(transaction, &folder, id)?;
            transaction.execute(
                "UPDATE changes SET state = 1, undone_at = ?2, undone_by = ?3 WHERE id = ?1",
                params![id, clock::milliseconds(), who],
            )?;
            replay(transaction, id, ChangeSide::Before)?;
            history::entry(transaction, id).map(Some)
        })
    }

    /// Does again what was undone last.
    ///
    /// # Errors
    /// Where there is nothing, or the session can't be written; then nothing is changed.
    pub fn redo(&mut self) -> Result<HistoryEntry> {
        self.write("redo", Durability::EveryChange, |transaction| {
            let first = "SELECT id FROM changes WHERE state = 1 ORDER BY id LIMIT 1";
            let id = one(transaction, first)?.ok_or(SessionError::NothingLeft("redo"))?;
            transaction.execute(
                "UPDATE changes SET state = 0, undone_at = NULL, undone_by = NULL WHERE id = ?1",
                [id],
            )?;
            replay(transaction, id, ChangeSide::After)?;
            history::entry(transaction, id)
        })
    }
}

fn one(transaction: &Transaction<'_>, query: &str) -> Result<Option<i64>> {
    Ok(transaction.query_row(query, [], |row| row.get(0)).optional()?)
}

/// An unfinished import that is undone counts as ended, so that importing again starts anew. One that is still
/// running is refused: its process would go on adding.
fn end_import(transaction: &Transaction<'_>, folder: &Path, change: i64) -> Result<()> {
    let unfinished: Option<i64> = transaction
        .query_row("SELECT id FROM imports WHERE change = ?1 AND state = 0", [change], |row| row.get(0))
        .optional()?;
    if let Some(import) = unfinished {
        let _not_running = JobLock::take(folder, "import", "undo")?;
        transaction.execute("UPDATE imports SET state = 1 WHERE id = ?1", [import])?;
    }
    Ok(())
}

fn replay(transaction: &Transaction<'_>, change: i64, side: ChangeSide) -> Result<()> {
    let kind: i64 =
        transaction.query_row("SELECT kind FROM changes WHERE id = ?1", [change], |row| row.get(0))?;
    if kind == ChangeKind::Import as i64 {
        return replay_import(transaction, change, side);
    }
    let fields: Vec<i64> = {
        let mut statement =
            transaction.prepare_cached("SELECT DISTINCT field FROM change_items WHERE change = ?1")?;
        let rows = statement.query_map([change], |row| row.get(0))?;
        rows.collect::<rusqlite::Result<_>>()?
    };
    for field in fields {
        match field {
            STATUS => set_column(transaction, change, field, "status", side)?,
            SPLIT => set_column(transaction, change, field, "split", side)?,
            LABEL => set_column(transaction, change, field, "label", side)?,
            TAG => set_tags(transaction, change, side)?,
            CONTENT => replay_content(transaction, change, side)?,
            EXISTS => set_existence(transaction, change, side)?,
            other => return Err(SessionError::Damaged(format!("a change of the unknown field {other}"))),
        }
    }
    Ok(())
}

fn replay_import(transaction: &Transaction<'_>, change: i64, side: ChangeSide) -> Result<()> {
    match side {
        ChangeSide::Before => {
            transaction
                .execute("INSERT INTO removed SELECT *, ?1 FROM records WHERE change = ?1", [change])?;
            transaction.execute("DELETE FROM records WHERE change = ?1", [change])?;
        }
        ChangeSide::After => {
            transaction.execute(
                &format!(
                    "INSERT INTO records SELECT {RECORD_COLUMNS} FROM removed
                     WHERE change = ?1 AND removed_by = ?1"
                ),
                [change],
            )?;
            transaction.execute("DELETE FROM removed WHERE change = ?1 AND removed_by = ?1", [change])?;
        }
    }
    Ok(())
}

fn replay_content(transaction: &Transaction<'_>, change: i64, side: ChangeSide) -> Result<()> {
    let mut statement = transaction.prepare(&format!(
        "SELECT record, {} FROM change_items WHERE change = ?1 AND field = {CONTENT}",
        side.column()
    ))?;
    let mut rows = statement.query([change])?;
    while let Some(row) = rows.next()? {
        let (id, body): (i64, Option<String>) = (row.get(0)?, row.get(1)?);
        let mut record = read::record(transaction, id)?;
        content::read_body(&record.fields, body.as_deref())?.put(&mut record);
        store_body(transaction, id, &record, body.as_deref())?;
    }
    mark_edited(transaction, change)
}
