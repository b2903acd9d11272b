//! Names of splits, labels and tags, as the small numbers that records hold.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

use super::Result;

/// What a name names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum NameKind {
    Split = 1,
    Label = 2,
    Tag = 3,
    /// Of which tokens were counted.
    Model = 4,
}

/// The number of a name, made where it is new.
pub(super) fn intern(connection: &Connection, kind: NameKind, name: &str) -> Result<i64> {
    if let Some(id) = find(connection, kind, name)? {
        return Ok(id);
    }
    connection
        .prepare_cached("INSERT INTO names (kind, name) VALUES (?1, ?2)")?
        .execute(params![kind as i64, name])?;
    Ok(connection.last_insert_rowid())
}

/// The number of a name, where there is one.
pub(super) fn find(connection: &Connection, kind: NameKind, name: &str) -> Result<Option<i64>> {
    Ok(connection
        .prepare_cached("SELECT id FROM names WHERE kind = ?1 AND name = ?2")?
        .query_row(params![kind as i64, name], |row| row.get(0))
        .optional()?)
}

/// The number of a source, made where it is new.
pub(super) fn intern_source(connection: &Connection, name: &str) -> Result<i64> {
    let found = connection
        .prepare_cached("SELECT id FROM sources WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    connection.prepare_cached("INSERT INTO sources (name) VALUES (?1)")?.execute([name])?;
    Ok(connection.last_insert_rowid())
}

/// The name of a number.
pub(super) fn name(connection: &Connection, id: i64) -> Result<Option<String>> {
    Ok(connection
        .prepare_cached("SELECT name FROM names WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?)
}

/// Numbers of names that were asked for in this transaction: an import names the same few again and again.
#[derive(Default)]
pub(super) struct NameCache {
    names: HashMap<(NameKind, String), i64>,
    /// Rows come in the order of their files.
    last_source: Option<(String, i64)>,
}

impl NameCache {
    pub(super) fn optional(
        &mut self,
        connection: &Connection,
        kind: NameKind,
        name: Option<&str>,
    ) -> Result<Option<i64>> {
        let Some(name) = name else { return Ok(None) };
        if let Some(&id) = self.names.get(&(kind, name.to_owned())) {
            return Ok(Some(id));
        }
        let id = intern(connection, kind, name)?;
        if self.names.len() < CACHED {
            self.names.insert((kind, name.to_owned()), id);
        }
        Ok(Some(id))
    }

    pub(super) fn source(&mut self, connection: &Connection, name: &str) -> Result<i64> {
        match &self.last_source {
            Some((last, id)) if last == name => Ok(*id),
            _ => {
                let id = intern_source(connection, name)?;
                self.last_source = Some((name.to_owned(), id));
                Ok(id)
            }
        }
    }
}

/// So many names are kept; a data set with more different labels asks the database for the rest.
const CACHED: usize = 4096;
