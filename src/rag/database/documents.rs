//! Documents: put in whole, replaced whole, taken out whole.

use anyhow::{Context, Result};
use rusqlite::{OptionalExtension, Row, Transaction, TransactionBehavior, params};

use super::{LibraryDatabase, TextHash};
use crate::domain::library::{DocumentChunk, DocumentFacts};
use crate::domain::retrieval::LibraryCounts;
use crate::ground::clock;

/// What tells a source's present state from an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSource {
    pub source: String,
    /// Of its bytes, or of its words if it is no file.
    pub hash: TextHash,
    pub bytes: u64,
    /// Milliseconds since 1970; 0 if it is no file.
    pub modified: i64,
    /// When the file system saw it change last, in nanoseconds since 1970: no program sets that back, as it may what is
    /// above. 0 if it is no file, or nobody knows.
    pub changed: i64,
}

/// A document that goes into the library.
#[derive(Debug, Clone, PartialEq)]
pub struct NewDocument {
    pub from: DocumentSource,
    pub title: String,
    pub facts: DocumentFacts,
    pub context: Option<String>,
    pub notices: Vec<String>,
    pub chunks: Vec<NewChunk>,
}

/// A chunk of a document that goes into the library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChunk {
    pub chunk: DocumentChunk,
    /// Its words as BM25 counts them.
    pub terms: u32,
    /// The hash of what is embedded for it.
    pub embedded: TextHash,
}

/// A document as the library has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDocument {
    pub id: u64,
    pub from: DocumentSource,
    pub title: String,
    pub facts: DocumentFacts,
    pub context: Option<String>,
}

const STORED: &str =
    "SELECT id, source, hash, bytes, modified, title, facts, context, changed FROM documents";

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredDocument> {
    let facts: String = row.get(6)?;
    Ok(StoredDocument {
        id: row.get::<_, i64>(0)? as u64,
        from: DocumentSource {
            source: row.get(1)?,
            hash: TextHash(row.get(2)?),
            bytes: row.get::<_, i64>(3)? as u64,
            modified: row.get(4)?,
            changed: row.get(8)?,
        },
        title: row.get(5)?,
        // Facts of a later version may say more than this one knows.
        facts: serde_json::from_str(&facts).unwrap_or_default(),
        context: row.get(7)?,
    })
}

impl LibraryDatabase {
    /// Puts a document in, in the place of the one from the same source.
    ///
    /// # Errors
    /// Where the disk is full or another process writes for too long; nothing has changed then.
    pub fn put(&mut self, document: &NewDocument) -> Result<()> {
        let mut put = || -> Result<()> {
            let change = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            take_out(&change, &document.from.source)?;
            let chunks = document.chunks.iter().map(|chunk| (None, chunk));
            insert(&change, document, (None, clock::milliseconds()), chunks)?;
            change.commit()?;
            Ok(())
        };
        put().with_context(|| format!("put {} into the library", document.from.source))
    }

    /// Takes the document of a source out; whether there was one.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn remove(&mut self, source: &str) -> Result<bool> {
        let mut remove = || -> Result<bool> {
            let change = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let was_there = take_out(&change, source)?;
            change.commit()?;
            Ok(was_there)
        };
        remove().with_context(|| format!("take {source} out of the library"))
    }

    /// Says anew of an unchanged document when its file was written and changed.
    ///
    /// # Errors
    /// As [`Self::put`].
    pub fn touch(&mut self, from: &DocumentSource) -> Result<()> {
        let touched = self.connection.execute(
            "UPDATE documents SET modified = ?, changed = ?, bytes = ? WHERE source = ?",
            params![from.modified, from.changed, from.bytes as i64, from.source],
        );
        touched.map(|_| ()).context("write the library")
    }

    /// # Errors
    /// Where the database can't be read.
    pub fn document(&self, source: &str) -> Result<Option<StoredDocument>> {
        let sql = format!("{STORED} WHERE source = ?");
        let found = self.connection.prepare_cached(&sql)?.query_row([source], stored).optional();
        found.context("read the library")
    }

    /// All documents, by their sources.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn documents(&self) -> Result<Vec<StoredDocument>> {
        let mut asked = self.connection.prepare_cached(&format!("{STORED} ORDER BY source"))?;
        let rows = asked.query_map([], stored)?.collect::<rusqlite::Result<_>>();
        rows.context("read the library's documents")
    }

    /// ISO 639-1 of the languages that documents are in.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn languages(&self) -> Result<Vec<String>> {
        let sql = "SELECT DISTINCT language FROM documents WHERE language IS NOT NULL ORDER BY language";
        let mut asked = self.connection.prepare_cached(sql)?;
        let rows = asked.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>();
        rows.context("read the library's languages")
    }

    /// Words of a chunk as BM25 counts them, on average; 0 if there are no chunks.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn average_terms(&self) -> Result<f64> {
        let sql = "SELECT coalesce(avg(terms), 0.0) FROM chunks";
        self.connection.query_row(sql, [], |row| row.get(0)).context("read the library's chunks")
    }

    /// Documents, chunks, tokens and embeddings; the rest of the counts is left at nothing.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn counts(&self) -> Result<LibraryCounts> {
        let number = |sql: &str| -> rusqlite::Result<u64> {
            self.connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|number| number as u64)
        };
        Ok(LibraryCounts {
            documents: number("SELECT count(*) FROM documents")?,
            chunks: number("SELECT count(*) FROM chunks")?,
            tokens: number("SELECT coalesce(sum(tokens), 0) FROM chunks")?,
            embeddings: number("SELECT count(*) FROM embeddings")?,
            ..LibraryCounts::default()
        })
    }
}

/// Under numbers that are given, or the next ones.
pub(super) fn insert<'c>(
    change: &Transaction<'_>,
    document: &NewDocument,
    (id, added): (Option<u64>, i64),
    chunks: impl Iterator<Item = (Option<u64>, &'c NewChunk)>,
) -> Result<()> {
    let NewDocument { from, title, facts, context, notices, chunks: _ } = document;
    change.prepare_cached("INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?.execute(
        params![
            id.map(|id| id as i64),
            from.source,
            from.hash.0,
            from.bytes as i64,
            from.modified,
            title,
            serde_json::to_string(facts)?,
            facts.language,
            context,
            serde_json::to_string(notices)?,
            added,
            from.changed,
        ],
    )?;
    let id = change.last_insert_rowid();
    let mut add = change.prepare_cached("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")?;
    for (number, NewChunk { chunk, terms, embedded }) in chunks {
        add.execute(params![
            number.map(|number| number as i64),
            id,
            chunk.ordinal,
            serde_json::to_string(&chunk.section)?,
            chunk.pages.map(|(first, _)| first),
            chunk.pages.map(|(_, last)| last),
            chunk.tokens,
            terms,
            chunk.text,
            embedded.0,
        ])?;
    }
    Ok(())
}

fn take_out(change: &Transaction<'_>, source: &str) -> Result<bool> {
    let id: Option<i64> = change
        .query_row("SELECT id FROM documents WHERE source = ?", [source], |row| row.get(0))
        .optional()?;
    let Some(id) = id else { return Ok(false) };
    change.execute("INSERT INTO removals (chunk) SELECT id FROM chunks WHERE document = ?", [id])?;
    change.execute("DELETE FROM chunks WHERE document = ?", [id])?;
    change.execute("DELETE FROM documents WHERE id = ?", [id])?;
    Ok(true)
}
