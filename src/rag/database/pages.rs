//! Chunks as the index and the answers need them: what is new, what is gone, and what stands in one.

use std::collections::HashMap;

use anyhow::{Context, Result};
use rusqlite::{OptionalExtension, Row, params};

use super::LibraryDatabase;
use super::documents::StoredDocument;
use super::kept::{ModelNumber, TextHash, vector_of};
use crate::domain::library::{DocumentChunk, DocumentFacts};

/// A chunk with what its document says.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredChunk {
    pub id: u64,
    pub document: u64,
    pub chunk: DocumentChunk,
    pub source: String,
    pub title: String,
    pub context: Option<String>,
    pub language: Option<String>,
    /// The hash of what is embedded for it.
    pub embedded: TextHash,
    /// Its words as BM25 counts them.
    pub terms: u32,
    /// By the model that was asked for.
    pub vector: Option<Vec<f32>>,
}

const CHUNK: &str =
    "SELECT chunks.id, chunks.document, ordinal, section, first_page, last_page, tokens, chunks.text,
        source, title, context, facts, embedded, terms";

fn stored(row: &Row<'_>) -> rusqlite::Result<StoredChunk> {
    let (section, facts): (String, String) = (row.get(3)?, row.get(11)?);
    let facts: DocumentFacts = serde_json::from_str(&facts).unwrap_or_default();
    let first: Option<u32> = row.get(4)?;
    Ok(StoredChunk {
        id: row.get::<_, i64>(0)? as u64,
        document: row.get::<_, i64>(1)? as u64,
        chunk: DocumentChunk {
            ordinal: row.get(2)?,
            section: serde_json::from_str(&section).unwrap_or_default(),
            pages: first.zip(row.get(5)?),
            tokens: row.get(6)?,
            text: row.get(7)?,
        },
        source: row.get(8)?,
        title: row.get(9)?,
        context: row.get(10)?,
        language: facts.language,
        embedded: row.get(12)?,
        terms: row.get(13)?,
        vector: None,
    })
}

impl LibraryDatabase {
    /// The next chunks after a number, in the order of their numbers, with their kept vectors.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn chunks_after(
        &self,
        after: u64,
        limit: usize,
        model: Option<ModelNumber>,
    ) -> Result<Vec<StoredChunk>> {
        let sql = format!(
            "{CHUNK}, vector FROM chunks JOIN documents ON documents.id = chunks.document
             LEFT JOIN embeddings ON embeddings.model = ? AND embeddings.text = chunks.embedded
             WHERE chunks.id > ? ORDER BY chunks.id LIMIT ?"
        );
        let mut asked = self.connection.prepare_cached(&sql)?;
        let row = |row: &Row<'_>| {
            let vector: Option<Vec<u8>> = row.get(14)?;
            Ok(StoredChunk { vector: vector.map(|bytes| vector_of(&bytes)), ..stored(row)? })
        };
        let bound = params![model.map(|model| model.0), after as i64, limit as i64];
        asked.query_map(bound, row)?.collect::<rusqlite::Result<_>>().context("read the library's chunks")
    }

    /// One chunk, if it is still there.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn chunk(&self, id: u64) -> Result<Option<StoredChunk>> {
        let sql = format!(
            "{CHUNK} FROM chunks JOIN documents ON documents.id = chunks.document WHERE chunks.id = ?"
        );
        let found = self.connection.prepare_cached(&sql)?.query_row([id as i64], stored).optional();
        found.context("read a chunk of the library")
    }

    /// All chunks of a document, in their order.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn chunks_of(&self, document: &StoredDocument) -> Result<Vec<StoredChunk>> {
        let sql = format!(
            "{CHUNK} FROM chunks JOIN documents ON documents.id = chunks.document
             WHERE chunks.document = ? ORDER BY ordinal"
        );
        let mut asked = self.connection.prepare_cached(&sql)?;
        let rows = asked.query_map([document.id as i64], stored)?.collect::<rusqlite::Result<_>>();
        rows.context("read the library's chunks")
    }

    /// The source of every chunk.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn chunk_sources(&self) -> Result<HashMap<u64, String>> {
        let mut asked = self.connection.prepare_cached(
            "SELECT chunks.id, source FROM chunks JOIN documents ON documents.id = chunks.document",
        )?;
        let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)? as u64, row.get(1)?));
        let rows = asked.query_map([], row)?.collect::<rusqlite::Result<_>>();
        rows.context("read the library's chunks")
    }

    /// Chunks that are gone, after a number of the list of removals: the list's number and the chunk's.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn removals_after(&self, after: u64) -> Result<Vec<(u64, u64)>> {
        let mut asked =
            self.connection.prepare_cached("SELECT id, chunk FROM removals WHERE id > ? ORDER BY id")?;
        let row = |row: &Row<'_>| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64));
        let rows = asked.query_map([after as i64], row)?.collect::<rusqlite::Result<_>>();
        rows.context("read what left the library")
    }

    /// How many chunks have a number above another.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn chunk_count_after(&self, after: u64) -> Result<u64> {
        let mut asked = self.connection.prepare_cached("SELECT count(*) FROM chunks WHERE id > ?")?;
        let counted = asked.query_row([after as i64], |row| row.get::<_, i64>(0));
        counted.map(|count| count as u64).context("count the library's chunks")
    }

    /// Chunks without a vector by a model.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn without_vector(&self, model: ModelNumber, limit: usize) -> Result<Vec<StoredChunk>> {
        let sql = format!(
            "{CHUNK} FROM chunks JOIN documents ON documents.id = chunks.document
             WHERE NOT EXISTS (SELECT 1 FROM embeddings WHERE model = ? AND embeddings.text = chunks.embedded)
             ORDER BY chunks.id LIMIT ?"
        );
        let mut asked = self.connection.prepare_cached(&sql)?;
        let rows = asked.query_map(params![model.0, limit as i64], stored)?.collect::<rusqlite::Result<_>>();
        rows.context("read the library's chunks")
    }
}
