//! What was added: files, folders, addresses, searches, and what is said of all that comes of one.

use std::path::Path;

use anyhow::{Context, Result};
use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use super::{LibraryDatabase, StoredDocument};

/// A file, a folder, an address or a search that was added.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LibraryRoot {
    /// From the file system's root; an address as it is asked for.
    pub path: String,
    /// A sentence that says what its documents are.
    pub context: Option<String>,
    pub tags: Vec<String>,
    /// Papers at most, of a search in a catalogue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<u32>,
}

fn root(row: &Row<'_>) -> rusqlite::Result<LibraryRoot> {
    let tags: String = row.get(2)?;
    Ok(LibraryRoot {
        path: row.get(0)?,
        context: row.get(1)?,
        tags: serde_json::from_str(&tags).unwrap_or_default(),
        most: row.get(3)?,
    })
}

impl LibraryDatabase {
    /// What was added, by path.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn roots(&self) -> Result<Vec<LibraryRoot>> {
        let mut asked =
            self.connection.prepare("SELECT path, context, tags, most FROM roots ORDER BY path")?;
        let rows = asked.query_map([], root)?.collect::<rusqlite::Result<_>>();
        rows.context("read what was added to the library")
    }

    /// What was said of a path, if it was added as it is.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn root(&self, path: &str) -> Result<Option<LibraryRoot>> {
        let sql = "SELECT path, context, tags, most FROM roots WHERE path = ?";
        let found = self.connection.query_row(sql, [path], root).optional();
        found.context("read what was added to the library")
    }

    /// Remembers what is said of a path, in the place of what was said before.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn set_root(&mut self, root: &LibraryRoot) -> Result<()> {
        let set = self.connection.execute(
            "INSERT OR REPLACE INTO roots (path, context, tags, most) VALUES (?, ?, ?, ?)",
            params![root.path, root.context, serde_json::to_string(&root.tags)?, root.most],
        );
        set.map(|_| ()).context("write the library")
    }

    /// Forgets that a path was added.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn forget_root(&mut self, path: &str) -> Result<()> {
        let removed = self.connection.execute("DELETE FROM roots WHERE path = ?", [path]);
        removed.map(|_| ()).context("write the library")
    }

    /// Documents at a path or under it.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn documents_under(&self, path: &str) -> Result<Vec<StoredDocument>> {
        let documents = self.documents()?.into_iter();
        Ok(documents.filter(|one| Path::new(&one.from.source).starts_with(path)).collect())
    }
}
