//! Editing one record over what was seen of it: what somebody else has made of it meanwhile is not written over
//! unseen.

use rusqlite::OptionalExtension;

use super::body::put_body;
use super::change::{ChangeKind, close, mark_edited, open};
use super::{Durability, Result, Session, read};
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
