//! Reading what was done to a session: by whom, when, and what it changed.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, params};

use super::item_field::{CONTENT, EXISTS, LABEL, SPLIT, STATUS, TAG};
use super::{Result, Session, SessionError, content, names, read};
use crate::domain::change::{Body, ChangeState, HistoryEntry, RecordChange};
use crate::domain::record::{Fields, RecordId, Status};

const ENTRY: &str = "changes.id, at, who, what, records, state, undone_at, undone_by";

impl Session {
    /// The last changes of the session, the newest first.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn history(&self, most: usize) -> Result<Vec<HistoryEntry>> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {ENTRY} FROM changes ORDER BY id DESC LIMIT ?1"))?;
        let rows = statement.query_map([most as i64], read_entry)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Everything that was done to one record, the oldest first, beginning with what brought it.
    ///
    /// # Errors
    /// Where there is no such record, or the file can't be read.
    pub fn history_of(&self, record: RecordId) -> Result<Vec<RecordChange>> {
        let connection = &self.connection;
        let mut found = vec![self.origin(record)?];
        let fields = read::fields(connection, record.0)?;
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {ENTRY}, field, key, before, after FROM change_items
             JOIN changes ON changes.id = change_items.change
             WHERE record = ?1 AND NOT (field = {EXISTS} AND before = 0) ORDER BY changes.id, field, key"
        ))?;
        let mut rows = statement.query([record.0])?;
        while let Some(row) = rows.next()? {
            found.push(read_item(connection, row, &fields)?);
        }
        Ok(found)
    }

    fn origin(&self, record: RecordId) -> Result<RecordChange> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {ENTRY} FROM changes WHERE changes.id = coalesce(
                 (SELECT change FROM records WHERE id = ?1), (SELECT change FROM removed WHERE id = ?1))"
        ))?;
        let mut rows = statement.query([record.0])?;
        let row = rows.next()?.ok_or(SessionError::NoSuchRecord(record.0))?;
        Ok(RecordChange {
            entry: read_entry(row)?,
            field: "record",
            before: None,
            after: Some("added".to_owned()),
        })
    }
}

/// One entry.
pub(super) fn entry(connection: &Connection, id: i64) -> Result<HistoryEntry> {
    Ok(connection.query_row(
        &format!("SELECT {ENTRY} FROM changes WHERE id = ?1"),
        params![id],
        read_entry,
    )?)
}

fn read_entry(row: &Row<'_>) -> rusqlite::Result<HistoryEntry> {
    Ok(HistoryEntry {
        id: row.get(0)?,
        at: row.get(1)?,
        who: row.get(2)?,
        what: row.get(3)?,
        records: row.get::<_, i64>(4)? as u64,
        state: match row.get::<_, i64>(5)? {
            0 => ChangeState::Done,
            1 => ChangeState::Undone,
            _ => ChangeState::Abandoned,
        },
        undone_at: row.get(6)?,
        undone_by: row.get(7)?,
    })
}

fn read_item(connection: &Connection, row: &Row<'_>, fields: &Fields) -> Result<RecordChange> {
    let (field, key): (i64, i64) = (row.get(8)?, row.get(9)?);
    let (before, after): (Value, Value) = (row.get(10)?, row.get(11)?);
    let shown = |value: Value| -> Result<Option<String>> {
        Ok(match (field, value) {
            (STATUS, Value::Integer(number)) => read::status(number).map(|status| status.name().to_owned()),
            (SPLIT | LABEL, Value::Integer(number)) => names::name(connection, number)?,
            (TAG, Value::Integer(1)) => names::name(connection, key)?,
            (EXISTS, Value::Integer(1)) => Some("present".to_owned()),
            (EXISTS, Value::Integer(_)) => Some("deleted".to_owned()),
            (CONTENT, Value::Text(body)) => Some(plain(&content::read_body(fields, Some(&body))?)),
            (CONTENT, Value::Null) => Some(plain(&content::read_body(fields, None)?)),
            _ => None,
        })
    };
    let field_name = match field {
        STATUS => "status",
        SPLIT => "split",
        LABEL => "label",
        TAG => "tag",
        CONTENT => "content",
        _ => "record",
    };
    Ok(RecordChange {
        entry: read_entry(row)?,
        field: field_name,
        before: shown(before)?,
        after: shown(after)?,
    })
}

/// A content as text with the speakers' names.
fn plain(body: &Body) -> String {
    let mut parts: Vec<String> =
        body.messages.iter().map(|message| format!("{}: {}", message.role.name(), message.text())).collect();
    if let Some(pair) = &body.preference {
        parts.extend(pair.chosen.iter().map(|message| format!("chosen: {}", message.text())));
        parts.extend(pair.rejected.iter().map(|message| format!("rejected: {}", message.text())));
    }
    parts.extend(body.text.clone());
    parts.join("\n")
}

/// The numbers that files hold: another order of the variants would change their meaning.
const _: () =
    assert!(Status::New as i64 == 0 && Status::Approved as i64 == 1 && Status::Rejected as i64 == 2);
