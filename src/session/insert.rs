//! New records: their numbers, and the rows that they become.

use rusqlite::{Connection, Transaction, params};

use super::Result;
use super::content::Prepared;
use super::names::{self, NameKind};

/// The number that the next record gets; numbers are never used twice.
pub(super) fn next_record(connection: &Connection) -> Result<i64> {
    Ok(connection.query_row("SELECT value FROM meta WHERE key = 'next_record'", [], |row| row.get(0))?)
}

pub(super) fn set_next_record(connection: &Connection, next: i64) -> Result<()> {
    connection.prepare_cached("UPDATE meta SET value = ?1 WHERE key = 'next_record'")?.execute([next])?;
    Ok(())
}

pub(super) fn insert_records(
    transaction: &Transaction<'_>,
    change: i64,
    first: i64,
    records: &[&Prepared],
) -> Result<()> {
    let mut narrow = transaction.prepare_cached(
        "INSERT INTO records VALUES (?1, ?2, ?3, ?4, ?5, ?6, NULL, NULL, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?;
    let mut wide = transaction.prepare_cached("INSERT INTO contents VALUES (?1, ?2, ?3)")?;
    let mut tagging = transaction.prepare_cached("INSERT OR IGNORE INTO record_tags VALUES (?1, ?2)")?;
    let mut names = super::names::NameCache::default();
    for (id, record) in (first..).zip(records) {
        let split = names.optional(transaction, NameKind::Split, record.split.as_deref())?;
        let label = names.optional(transaction, NameKind::Label, record.label.as_deref())?;
        narrow.execute(params![
            id,
            names.source(transaction, &record.source)?,
            record.line,
            record.status as i64,
            split,
            label,
            record.derived.characters,
            record.derived.turns,
            record.flags,
            record.occurrence,
            record.derived.prompt,
            change,
            record.hash.0,
        ])?;
        wide.execute(params![id, record.fields, record.body])?;
        for tag in &record.tags {
            tagging.execute(params![id, names::intern(transaction, NameKind::Tag, tag)?])?;
        }
    }
    Ok(())
}
