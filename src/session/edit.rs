//! Editing one record over what was seen of it: what somebody else has made of it meanwhile is not written over
//! unseen.

use rusqlite::{OptionalExtension, Transaction};

use super::change::{CONTENT, ChangeKind, close, mark_edited, open, store_body};
use super::{Durability, Result, Session, SessionError, content, read};
use crate::domain::change::{Body, HistoryEntry};
use crate::domain::record::RecordId;

/// What came of an edit.
#[derive(Debug, Clone, PartialEq)]
pub enum EditOutcome {
    /// It is on the disk: so many records were changed.
    Done(u64),
    /// The record says something else than what was edited; and who changed it last, if that is known.
    Moved(Box<Body>, Option<HistoryEntry>),
    /// The record isn't there any more.
    Gone,
}

impl Session {
    /// Gives a record new content if it still says what the editing began with.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is changed.
    pub fn edit_over(
        &mut self,
        what: &str,
        record: RecordId,
        over: &Body,
        body: &Body,
    ) -> Result<EditOutcome> {
        let who = self.who.clone();
        let outcome = self.write(what, Durability::EveryChange, |transaction| {
            let found = transaction
                .query_row("SELECT 1 FROM records WHERE id = ?1", [record.0], |_| Ok(()))
                .optional()?;
            if found.is_none() {
                return Ok(EditOutcome::Gone);
            }
            let now = Body::of(&read::record(transaction, record.0)?);
            if now != *over && now != *body {
                return Ok(EditOutcome::Moved(Box::new(now), None));
            }
            let id = open(transaction, &who, ChangeKind::Edit, what)?;
            put_body(transaction, id, record, body)?;
            let count = close(transaction, id)?;
            mark_edited(transaction, id)?;
            Ok(EditOutcome::Done(count))
        })?;
        Ok(match outcome {
            EditOutcome::Moved(now, _) => EditOutcome::Moved(now, self.last_content_change(record)?),
            EditOutcome::Done(_) | EditOutcome::Gone => outcome,
        })
    }

    /// The change that gave a record its content as it is now.
    fn last_content_change(&self, record: RecordId) -> Result<Option<HistoryEntry>> {
        let history = self.history_of(record)?;
        let last = history.into_iter().filter(|change| change.field == "content");
        Ok(last.max_by_key(|change| change.entry.undone_at.unwrap_or(change.entry.at)).map(|c| c.entry))
    }
}

/// Gives a record new content, as part of a change.
pub(super) fn put_body(
    transaction: &Transaction<'_>,
    change: i64,
    record: RecordId,
    body: &Body,
) -> Result<()> {
    let before: Option<Option<String>> = transaction
        .prepare_cached("SELECT body FROM contents WHERE id = (SELECT id FROM records WHERE id = ?1)")?
        .query_row([record.0], |row| row.get(0))
        .optional()?;
    let before = before.ok_or(SessionError::NoSuchRecord(record.0))?;
    let mut changed = read::record(transaction, record.0)?;
    body.clone().put(&mut changed);
    let after = content::stored_body(&changed)?;
    if before != after {
        transaction
            .prepare_cached("INSERT INTO change_items VALUES (?1, ?2, ?3, 0, ?4, ?5)")?
            .execute(rusqlite::params![change, record.0, CONTENT, before, after])?;
        store_body(transaction, record.0, &changed, after.as_deref())?;
    }
    Ok(())
}
