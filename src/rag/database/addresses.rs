//! What was asked for over the network, what document came of it, and what the server said of its state.

use anyhow::{Context, Result};
use rusqlite::{OptionalExtension, Row, params};

use super::LibraryDatabase;

/// What came of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAddress {
    /// The root that it was asked for because of: itself, or a search.
    pub root: String,
    /// As it is asked for again: `https://...`, or `arxiv:ID`.
    pub asked: String,
    /// The document: the same, or a version of it (`arxiv:IDv2`).
    pub source: String,
    /// What the server gave to tell later whether it has changed.
    pub etag: Option<String>,
    pub modified: Option<String>,
}

const KNOWN: &str = "SELECT root, asked, source, etag, modified FROM addresses";

fn known(row: &Row<'_>) -> rusqlite::Result<KnownAddress> {
    Ok(KnownAddress {
        root: row.get(0)?,
        asked: row.get(1)?,
        source: row.get(2)?,
        etag: row.get(3)?,
        modified: row.get(4)?,
    })
}

impl LibraryDatabase {
    /// What came of an address that was asked for because of a root.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn address(&self, root: &str, asked: &str) -> Result<Option<KnownAddress>> {
        let sql = format!("{KNOWN} WHERE root = ? AND asked = ?");
        let found = self.connection.query_row(&sql, [root, asked], known).optional();
        found.context("read the library's addresses")
    }

    /// What came of a root.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn addresses_of(&self, root: &str) -> Result<Vec<KnownAddress>> {
        let mut asked = self.connection.prepare(&format!("{KNOWN} WHERE root = ? ORDER BY asked"))?;
        let rows = asked.query_map([root], known)?.collect::<rusqlite::Result<_>>();
        rows.context("read the library's addresses")
    }

    /// Whatever was asked for under a name, or gave the document of that name.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn addresses_named(&self, name: &str) -> Result<Vec<KnownAddress>> {
        let mut asked = self.connection.prepare(&format!("{KNOWN} WHERE asked = ?1 OR source = ?1"))?;
        let rows = asked.query_map([name], known)?.collect::<rusqlite::Result<_>>();
        rows.context("read the library's addresses")
    }

    /// Remembers what came of an address, in the place of what came before; gives the document of before, if nothing
    /// leads to it any more.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn set_address(&mut self, address: &KnownAddress) -> Result<Option<String>> {
        let KnownAddress { root, asked, source, etag, modified } = address;
        let before = self.address(root, asked)?.map(|before| before.source);
        let set = self.connection.execute(
            "INSERT OR REPLACE INTO addresses VALUES (?, ?, ?, ?, ?)",
            params![root, asked, source, etag, modified],
        );
        set.context("write the library")?;
        let Some(left) = before.filter(|before| before != source) else { return Ok(None) };
        Ok(self.addresses_named(&left)?.is_empty().then_some(left))
    }

    /// Forgets an address.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn forget_address(&mut self, address: &KnownAddress) -> Result<()> {
        let sql = "DELETE FROM addresses WHERE root = ? AND asked = ?";
        let removed = self.connection.execute(sql, [&address.root, &address.asked]);
        removed.map(|_| ()).context("write the library")
    }
}
