//! A session as text: one line a record, sorted, so that two states of a session compare well under version control.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use super::{Result, Session, View};
use crate::domain::record::Record;
use crate::ground::files::{Readers, WholeFile, remove_partial_files};

/// So many records are in memory at once.
const PAGE: usize = 1000;

impl Session {
    /// Calls `each` with every record of a view, in its order. Stops at the first error.
    ///
    /// # Errors
    /// Where the file can't be read, or what `each` says.
    pub fn for_each(&self, view: &View, mut each: impl FnMut(i64, Record) -> Result<()>) -> Result<()> {
        for ids in view.ids().chunks(PAGE) {
            for row in self.rows(ids)? {
                each(row.id.0, row.record)?;
            }
        }
        Ok(())
    }
}

/// Writes `records.jsonl` and `history.jsonl` into a folder: every record in the order of source, line and hash with
/// sorted keys, and every change. The same session gives the same bytes; both files appear whole or not at all.
///
/// # Errors
/// Where the folder can't be written or the session can't be read.
pub fn export_all(session: &Session, folder: &Path) -> Result<u64> {
    std::fs::create_dir_all(folder)?;
    remove_partial_files(folder);
    let ids = sorted_ids(session)?;
    write_lines(&folder.join("records.jsonl"), |out| {
        for ids in ids.chunks(PAGE) {
            for row in session.rows(ids)? {
                line(out, &text_form(&row.record)?)?;
            }
        }
        Ok(())
    })?;
    write_lines(&folder.join("history.jsonl"), |out| {
        let mut history = session.history(usize::MAX >> 1)?;
        history.reverse();
        history.iter().try_for_each(|entry| line(out, &sorted_keys(serde_json::to_value(entry)?)))
    })?;
    Ok(ids.len() as u64)
}

fn sorted_ids(session: &Session) -> Result<Vec<i64>> {
    let mut statement = session.connection.prepare_cached(
        "SELECT records.id FROM records JOIN sources ON sources.id = source
         ORDER BY sources.name, line, hash, occurrence, records.id",
    )?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// A record without its number, which is of this session only.
fn text_form(record: &Record) -> Result<Value> {
    let mut value = serde_json::to_value(record)?;
    if let Some(object) = value.as_object_mut() {
        // The row itself keeps the order of its columns: it is data, not ours.
        let fields = object.remove("fields").unwrap_or_default();
        let mut sorted = sorted_keys(value);
        if let Some(object) = sorted.as_object_mut() {
            object.insert("row".to_owned(), fields);
        }
        return Ok(sorted);
    }
    Ok(json!(null))
}

fn sorted_keys(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted_keys(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted_keys).collect()),
        plain => plain,
    }
}

fn line(out: &mut impl Write, value: &Value) -> Result<()> {
    serde_json::to_writer(&mut *out, value)?;
    Ok(out.write_all(b"\n")?)
}

/// Writes a file line by line so that it is there whole or not at all.
pub(super) fn write_lines(path: &Path, write: impl FnOnce(&mut WholeFile) -> Result<()>) -> Result<()> {
    let mut file = WholeFile::create(path, Readers::Anybody)?;
    write(&mut file)?;
    Ok(file.finish()?)
}
