//! The content of a record: how it is put in place, alone and as part of a change.

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::content::{self, Derived};
use super::item_field::CONTENT;
use super::{Result, SessionError, index, read, tokens};
use crate::domain::change::Body;
use crate::domain::record::{Record, RecordId};

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
            .execute(params![change, record.0, CONTENT, before, after])?;
        store_body(transaction, record.0, &changed, after.as_deref())?;
    }
    Ok(())
}

/// Puts a body and what follows from it in place.
pub(super) fn store_body(
    connection: &Connection,
    id: i64,
    record: &Record,
    body: Option<&str>,
) -> Result<()> {
    let derived = Derived::of(record);
    let pair = if record.preference.is_some() { content::PREFERENCE } else { 0 };
    connection.prepare_cached("UPDATE contents SET body = ?2 WHERE id = ?1")?.execute(params![id, body])?;
    connection
        .prepare_cached(
            "UPDATE records SET characters = ?2, turns = ?3, prompt = ?4, tokens = NULL, score = NULL,
             flags = (flags & ~5) | ?5 WHERE id = ?1",
        )?
        .execute(params![id, derived.characters, derived.turns, derived.prompt, pair])?;
    tokens::forget(connection, id)?;
    index::replace(connection, id, &content::searchable_of(record))
}
