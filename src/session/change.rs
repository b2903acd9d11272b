//! Changing records: each call is one transaction, one entry in the history, one undo, however many records it meets.
//!
//! What a change did is written by the database itself, set by set, so a hundred thousand records take a moment.

use rusqlite::types::Value;
use rusqlite::{Connection, Transaction, params, params_from_iter};

use super::body::put_body;
use super::content::{self, Prepared};
use super::item_field::{CONTENT, EXISTS, LABEL, SPLIT, STATUS, TAG};
use super::names::{self, NameKind};
use super::{Durability, Result, Session, index, insert, query};
use crate::domain::change::{Body, Change, Selection};
use crate::domain::filter::Filter;
use crate::domain::record::{Record, RecordId};
use crate::ground::clock;

/// What a row of `changes` is; an import has no items, since its records say which change brought them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeKind {
    Edit = 0,
    Import = 1,
}

impl Session {
    /// Does something to a selection of records; says how many it changed (those that were so already don't count).
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is changed.
    pub fn apply(&mut self, selection: &Selection, change: &Change) -> Result<u64> {
        let who = self.who.clone();
        let what = change.words();
        self.write(&what, Durability::EveryChange, |transaction| {
            select(transaction, selection)?;
            let id = open(transaction, &who, ChangeKind::Edit, &what)?;
            apply_to_selected(transaction, id, change)?;
            close(transaction, id)
        })
    }

    /// Gives each record a split of its own, as one change.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is changed.
    pub fn assign_splits(&mut self, what: &str, splits: &[(RecordId, String)]) -> Result<u64> {
        let who = self.who.clone();
        self.write(what, Durability::EveryChange, |transaction| {
            transaction.execute_batch(
                "CREATE TEMP TABLE IF NOT EXISTS assigned (id INTEGER PRIMARY KEY, value INTEGER);
                 DELETE FROM assigned;",
            )?;
            let mut names = names::NameCache::default();
            let mut insert = transaction.prepare_cached("INSERT OR REPLACE INTO assigned VALUES (?1, ?2)")?;
            for (record, split) in splits {
                let split = names.optional(transaction, NameKind::Split, Some(split))?;
                insert.execute(params![record.0, split])?;
            }
            let id = open(transaction, &who, ChangeKind::Edit, what)?;
            transaction.execute(
                "INSERT INTO change_items SELECT ?1, records.id, ?2, 0, records.split, assigned.value
                 FROM assigned CROSS JOIN records USING (id) WHERE records.split IS NOT assigned.value",
                params![id, SPLIT],
            )?;
            set_column(transaction, id, SPLIT, "split", ChangeSide::After)?;
            close(transaction, id)
        })
    }

    /// Gives records new content, as one change. The imported row stays as it was.
    ///
    /// # Errors
    /// Where a record doesn't exist or the session can't be written; then nothing is changed.
    pub fn edit(&mut self, what: &str, edits: &[(RecordId, Body)]) -> Result<u64> {
        let who = self.who.clone();
        self.write(what, Durability::EveryChange, |transaction| {
            let id = open(transaction, &who, ChangeKind::Edit, what)?;
            for (record, body) in edits {
                put_body(transaction, id, *record, body)?;
            }
            let count = close(transaction, id)?;
            mark_edited(transaction, id)?;
            Ok(count)
        })
    }

    /// Adds records that were written here, as one change, and says their numbers.
    ///
    /// # Errors
    /// Where the session can't be written; then nothing is changed.
    pub fn add(&mut self, what: &str, records: Vec<Record>) -> Result<Vec<RecordId>> {
        let who = self.who.clone();
        let prepared = records.into_iter().map(Prepared::of).collect::<Result<Vec<_>>>()?;
        self.write(what, Durability::EveryChange, |transaction| {
            let id = open(transaction, &who, ChangeKind::Edit, what)?;
            let first = insert::next_record(transaction)?;
            let all: Vec<&Prepared> = prepared.iter().collect();
            insert::insert_records(transaction, id, first, &all)?;
            let numbers = first..first + prepared.len() as i64;
            insert::set_next_record(transaction, numbers.end)?;
            for (number, record) in numbers.clone().zip(&prepared) {
                transaction
                    .prepare_cached("INSERT INTO change_items VALUES (?1, ?2, ?3, 0, 0, 1)")?
                    .execute(params![id, number, EXISTS])?;
                let text = content::searchable(&record.fields, record.body.as_deref());
                index::replace(transaction, number, &text)?;
            }
            close(transaction, id)?;
            Ok(numbers.map(RecordId).collect())
        })
    }

    /// How many records a selection holds just now.
    ///
    /// # Errors
    /// Where the file can't be read.
    pub fn count(&self, selection: &Selection) -> Result<u64> {
        match selection {
            Selection::Records(records) => Ok(records.len() as u64),
            Selection::Matching(filter) => {
                let query = query::build(&self.connection, filter, "0")?;
                let sql = format!("SELECT count(*) FROM ({})", query.sql);
                let parameters = params_from_iter(query.parameters);
                let count: i64 =
                    self.connection.prepare_cached(&sql)?.query_row(parameters, |row| row.get(0))?;
                Ok(count as u64)
            }
            Selection::AllBut(..) => Ok(self.selected(selection)?.len() as u64),
        }
    }
}

/// Puts the selection's records into a table of this connection.
fn select(connection: &Connection, selection: &Selection) -> Result<()> {
    connection.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS selected (id INTEGER PRIMARY KEY); DELETE FROM selected;",
    )?;
    match selection {
        Selection::Records(records) => {
            let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO selected VALUES (?1)")?;
            for record in records {
                insert.execute([record.0])?;
            }
        }
        Selection::Matching(filter) => select_matching(connection, filter)?,
        Selection::AllBut(filter, left_out) => {
            select_matching(connection, filter)?;
            let mut delete = connection.prepare_cached("DELETE FROM selected WHERE id = ?1")?;
            for record in left_out {
                delete.execute([record.0])?;
            }
        }
    }
    Ok(())
}

fn select_matching(connection: &Connection, filter: &Filter) -> Result<()> {
    let query = query::build(connection, filter, "0")?;
    let sql = format!("INSERT OR IGNORE INTO selected SELECT id FROM ({})", named_id(&query.sql));
    connection.prepare_cached(&sql)?.execute(params_from_iter(query.parameters))?;
    Ok(())
}

/// The first column of a filter's query, by a name that doesn't depend on the query's form.
fn named_id(sql: &str) -> String {
    format!("WITH matching (id, key) AS ({sql}) SELECT id FROM matching")
}

fn apply_to_selected(transaction: &Transaction<'_>, id: i64, change: &Change) -> Result<()> {
    match change {
        Change::SetStatus(status) => {
            set_selected(transaction, id, STATUS, "status", &Value::Integer(*status as i64))
        }
        Change::SetSplit(split) => {
            let value = number_of(transaction, NameKind::Split, split.as_deref())?;
            set_selected(transaction, id, SPLIT, "split", &value)
        }
        Change::SetLabel(label) => {
            let value = number_of(transaction, NameKind::Label, label.as_deref())?;
            set_selected(transaction, id, LABEL, "label", &value)
        }
        Change::AddTag(tag) => {
            let tag = names::intern(transaction, NameKind::Tag, tag)?;
            transaction.execute(
                "INSERT INTO change_items SELECT ?1, records.id, ?2, ?3, 0, 1
                 FROM selected CROSS JOIN records USING (id) WHERE NOT EXISTS
                 (SELECT 1 FROM record_tags WHERE record = records.id AND tag = ?3)",
                params![id, TAG, tag],
            )?;
            set_tags(transaction, id, ChangeSide::After)
        }
        Change::RemoveTag(tag) => {
            let tag = names::find(transaction, NameKind::Tag, tag)?;
            transaction.execute(
                "INSERT INTO change_items SELECT ?1, record, ?2, tag, 1, 0
                 FROM record_tags JOIN selected ON selected.id = record JOIN records ON records.id = record
                 WHERE tag = ?3",
                params![id, TAG, tag],
            )?;
            set_tags(transaction, id, ChangeSide::After)
        }
        Change::Remove => {
            transaction.execute(
                "INSERT INTO change_items SELECT ?1, records.id, ?2, 0, 1, 0
                 FROM selected CROSS JOIN records USING (id)",
                params![id, EXISTS],
            )?;
            set_existence(transaction, id, ChangeSide::After)
        }
    }
}

fn number_of(connection: &Connection, kind: NameKind, name: Option<&str>) -> Result<Value> {
    Ok(match name {
        Some(name) => Value::Integer(names::intern(connection, kind, name)?),
        None => Value::Null,
    })
}

fn set_selected(
    transaction: &Transaction<'_>,
    id: i64,
    field: i64,
    column: &str,
    value: &Value,
) -> Result<()> {
    transaction.execute(
        &format!(
            "INSERT INTO change_items SELECT ?1, records.id, ?2, 0, records.{column}, ?3
             FROM selected CROSS JOIN records USING (id) WHERE records.{column} IS NOT ?3"
        ),
        params![id, field, value],
    )?;
    set_column(transaction, id, field, column, ChangeSide::After)
}

/// Which of an item's two values is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChangeSide {
    Before,
    After,
}

impl ChangeSide {
    pub(super) const fn column(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// Gives the records of a change their value of before or after it.
pub(super) fn set_column(
    transaction: &Transaction<'_>,
    change: i64,
    field: i64,
    column: &str,
    side: ChangeSide,
) -> Result<()> {
    let side = side.column();
    transaction.execute(
        &format!(
            "UPDATE records SET {column} = (SELECT {side} FROM change_items
                 WHERE change = ?1 AND record = records.id AND field = ?2 AND key = 0)
             WHERE id IN (SELECT record FROM change_items WHERE change = ?1 AND field = ?2)"
        ),
        params![change, field],
    )?;
    Ok(())
}

pub(super) fn set_tags(transaction: &Transaction<'_>, change: i64, side: ChangeSide) -> Result<()> {
    let side = side.column();
    transaction.execute(
        &format!(
            "DELETE FROM record_tags WHERE (record, tag) IN
             (SELECT record, key FROM change_items WHERE change = ?1 AND field = ?2 AND {side} = 0)"
        ),
        params![change, TAG],
    )?;
    transaction.execute(
        &format!(
            "INSERT OR IGNORE INTO record_tags
             SELECT record, key FROM change_items WHERE change = ?1 AND field = ?2 AND {side} = 1"
        ),
        params![change, TAG],
    )?;
    Ok(())
}

pub(super) fn set_existence(transaction: &Transaction<'_>, change: i64, side: ChangeSide) -> Result<()> {
    let side = side.column();
    let gone = format!("SELECT record FROM change_items WHERE change = ?1 AND field = 6 AND {side} = 0");
    let back = format!("SELECT record FROM change_items WHERE change = ?1 AND field = 6 AND {side} = 1");
    transaction
        .execute(&format!("INSERT INTO removed SELECT *, ?1 FROM records WHERE id IN ({gone})"), [change])?;
    transaction.execute(&format!("DELETE FROM records WHERE id IN ({gone})"), [change])?;
    transaction.execute(
        &format!("INSERT INTO records SELECT {RECORD_COLUMNS} FROM removed WHERE id IN ({back})"),
        [change],
    )?;
    transaction.execute(&format!("DELETE FROM removed WHERE id IN ({back})"), [change])?;
    Ok(())
}

/// The columns of `records`, in their order.
pub(super) const RECORD_COLUMNS: &str = "id, source, line, status, split, label, tokens, score, characters, turns, \
     flags, occurrence, prompt, change, hash";

/// Says of each record whose content a change met whether an edit of it stands.
pub(super) fn mark_edited(connection: &Connection, change: i64) -> Result<()> {
    connection.execute(
        &format!(
            "UPDATE records SET flags = (flags & ~{edited}) | {edited} * EXISTS (
                 SELECT 1 FROM change_items AS item JOIN changes ON changes.id = item.change
                 WHERE item.record = records.id AND item.field = {CONTENT} AND changes.state = 0)
             WHERE id IN (SELECT record FROM change_items WHERE change = ?1 AND field = {CONTENT})",
            edited = content::EDITED
        ),
        [change],
    )?;
    Ok(())
}

/// Begins an entry in the history.
pub(super) fn open(transaction: &Transaction<'_>, who: &str, kind: ChangeKind, what: &str) -> Result<i64> {
    transaction.execute(
        "INSERT INTO changes (at, who, kind, what, records, state) VALUES (?1, ?2, ?3, ?4, 0, 0)",
        params![clock::milliseconds(), who, kind as i64, what],
    )?;
    let id = transaction.last_insert_rowid();
    if kind == ChangeKind::Import {
        abandon_undone(transaction)?;
    }
    Ok(id)
}

/// Ends an entry: counts its records, and takes it back where there are none.
pub(super) fn close(transaction: &Transaction<'_>, id: i64) -> Result<u64> {
    let records: i64 = transaction.query_row(
        "SELECT count(DISTINCT record) FROM change_items WHERE change = ?1",
        [id],
        |row| row.get(0),
    )?;
    if records == 0 {
        transaction.execute("DELETE FROM changes WHERE id = ?1", [id])?;
    } else {
        transaction.execute("UPDATE changes SET records = ?2 WHERE id = ?1", params![id, records])?;
        abandon_undone(transaction)?;
    }
    Ok(records as u64)
}

/// After something new, what was undone can't be redone.
fn abandon_undone(connection: &Connection) -> Result<()> {
    connection.execute("UPDATE changes SET state = 2 WHERE state = 1", [])?;
    Ok(())
}
