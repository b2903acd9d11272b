//! Reading records by their numbers: rows for a table, and whole records.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};

use super::{Result, Session, SessionError, content};
use crate::data::rows::parse_row;
use crate::domain::record::{ContentHash, Fields, Provenance, Record, RecordId, Status};

pub(super) fn status(number: i64) -> Option<Status> {
    Status::ALL.into_iter().find(|status| *status as i64 == number)
}

/// One row of the table: what is shown of a record before it is opened.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordRow {
    pub id: RecordId,
    pub record: Record,
    /// Counted with the session's tokenizer; not yet for some.
    pub tokens: Option<u32>,
    /// What a judge gave its newest judged correction.
    pub score: Option<f64>,
    pub characters: u32,
    pub edited: bool,
}

impl Session {
    /// A whole record.
    ///
    /// # Errors
    /// Where there is no such record, or the file can't be read.
    pub fn record(&self, id: RecordId) -> Result<Record> {
        record(&self.connection, id.0)
    }

    /// The records of these numbers, in their order; those that are gone are left out.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn rows(&self, ids: &[i64]) -> Result<Vec<RecordRow>> {
        let mut rows = Vec::with_capacity(ids.len());
        for &id in ids {
            rows.extend(row(&self.connection, id)?);
        }
        Ok(rows)
    }
}

/// A record with what is known of it, where it is there.
pub(super) fn row(connection: &Connection, id: i64) -> Result<Option<RecordRow>> {
    let mut statement = connection.prepare_cached(
        "SELECT sources.name, line, status, split.name, label.name, tokens, score, characters, flags, occurrence,
         hash, fields, body FROM records JOIN contents USING (id) JOIN sources ON sources.id = records.source
         LEFT JOIN names AS split ON split.id = records.split
         LEFT JOIN names AS label ON label.id = records.label WHERE records.id = ?1",
    )?;
    let mut rows = statement.query([id])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let (fields, numbers) = parse_row(text(row, 11)?.unwrap_or("{}"))?;
    let body = content::read_body(&fields, text(row, 12)?)?;
    let mut record = Record {
        fields,
        numbers,
        label: row.get(4)?,
        split: row.get(3)?,
        tags: tags(connection, id)?,
        status: status(row.get(2)?).unwrap_or_default(),
        provenance: Provenance {
            source: row.get(0)?,
            line: row.get::<_, i64>(1)? as u64,
            hash: ContentHash(row.get(10)?),
            occurrence: row.get(9)?,
        },
        ..Record::default()
    };
    body.put(&mut record);
    Ok(Some(RecordRow {
        id: RecordId(id),
        record,
        tokens: row.get(5)?,
        score: row.get(6)?,
        characters: row.get(7)?,
        edited: row.get::<_, i64>(8)? & content::EDITED != 0,
    }))
}

/// A column's text, borrowed from the database.
pub(super) fn text<'r>(row: &'r rusqlite::Row<'_>, column: usize) -> Result<Option<&'r str>> {
    let value = row.get_ref(column)?;
    value.as_str_or_null().map_err(|error| SessionError::Damaged(format!("a text that is none: {error}")))
}

fn tags(connection: &Connection, id: i64) -> Result<BTreeSet<String>> {
    let mut statement = connection
        .prepare_cached("SELECT name FROM record_tags JOIN names ON names.id = tag WHERE record = ?1")?;
    let rows = statement.query_map([id], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(super) fn record(connection: &Connection, id: i64) -> Result<Record> {
    row(connection, id)?.map(|row| row.record).ok_or(SessionError::NoSuchRecord(id))
}

/// The row as it was imported, also of a removed record.
pub(super) fn fields(connection: &Connection, id: i64) -> Result<Fields> {
    let text: Option<String> = connection
        .prepare_cached("SELECT fields FROM contents WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    Ok(parse_row(&text.ok_or(SessionError::NoSuchRecord(id))?)?.0)
}
