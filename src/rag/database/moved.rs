//! Documents on their way out of a library and into another, with the numbers that they have: an index knows chunks by
//! those.

use anyhow::{Context, Result, ensure};
use rusqlite::{OptionalExtension, TransactionBehavior, params};

use super::documents::insert;
use super::{DocumentSource, LibraryDatabase, ModelNumber, NewChunk, NewDocument, TextHash};
use crate::rag::embedding::EmbeddingModel;

/// What a document says besides its chunks.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedDocument {
    pub id: u64,
    /// Its chunks are apart.
    pub document: NewDocument,
    /// Milliseconds since 1970.
    pub added: i64,
}

/// A chunk with its number.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedChunk {
    pub id: u64,
    pub chunk: NewChunk,
    pub vector: Option<Vec<f32>>,
}

/// What a library that was brought from elsewhere takes over when all is in.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedEnd {
    pub identity: String,
    pub model: Option<EmbeddingModel>,
    pub average_terms: f64,
    /// No chunk and no removal gets a number up to these.
    pub chunk: u64,
    pub removal: u64,
}

/// What is being brought in here, until it is whole.
const MOVING: &str = "moving";

impl LibraryDatabase {
    /// A document by its number, if it is still there.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn moved(&self, id: u64) -> Result<Option<MovedDocument>> {
        let mut asked = self.connection.prepare_cached(
            "SELECT source, hash, bytes, modified, title, facts, context, notices, added FROM documents WHERE id = ?",
        )?;
        let row = asked.query_row([id as i64], |row| {
            let (facts, notices): (String, String) = (row.get(5)?, row.get(7)?);
            let from = DocumentSource {
                source: row.get(0)?,
                hash: TextHash(row.get(1)?),
                bytes: row.get::<_, i64>(2)? as u64,
                modified: row.get(3)?,
                changed: 0,
            };
            let document = NewDocument {
                from,
                title: row.get(4)?,
                facts: serde_json::from_str(&facts).unwrap_or_default(),
                context: row.get(6)?,
                notices: serde_json::from_str(&notices).unwrap_or_default(),
                chunks: Vec::new(),
            };
            Ok(MovedDocument { id, document, added: row.get(8)? })
        });
        row.optional().context("read a document of the library")
    }

    /// Documents without a chunk, which no index knows.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn without_chunks(&self) -> Result<u64> {
        let sql = "SELECT count(*) FROM documents WHERE NOT EXISTS (SELECT 1 FROM chunks WHERE document = documents.id)";
        let counted = self.connection.query_row(sql, [], |row| row.get::<_, i64>(0));
        counted.map(|count| count as u64).context("count the library's documents")
    }

    /// What is being brought in here from elsewhere, if that has not ended.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn moving(&self) -> Result<Option<String>> {
        self.meta(MOVING)
    }

    /// Begins to bring in what is elsewhere.
    ///
    /// # Errors
    /// Where this library holds something already, or is being filled from another place.
    pub fn begin_moving(&mut self, from: &str) -> Result<()> {
        let moving = self.moving()?;
        // One that has ever held a chunk has given its number, and perhaps taken it back.
        let used = "SELECT count(*) FROM sqlite_sequence";
        let is_fresh = self.connection.query_row(used, [], |row| row.get::<_, i64>(0))? == 0;
        ensure!(
            moving.as_deref() == Some(from) || (moving.is_none() && is_fresh),
            "{} has a library already: name another with --library FOLDER",
            self.folder.display()
        );
        self.set_meta(MOVING, from)
    }

    /// The highest number that a chunk has; 0 if there is none.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn last_chunk(&self) -> Result<u64> {
        let last = self.connection.query_row("SELECT coalesce(max(id), 0) FROM chunks", [], |row| row.get(0));
        last.map(|last: i64| last as u64).context("read the library's chunks")
    }

    /// Puts a whole document in under its numbers; its embeddings are kept with it.
    ///
    /// # Errors
    /// Where the disk is full or the numbers are taken; nothing has changed then.
    pub fn restore(
        &mut self,
        moved: &MovedDocument,
        chunks: &[MovedChunk],
        model: Option<ModelNumber>,
    ) -> Result<()> {
        let source = &moved.document.from.source;
        if let Some(model) = model {
            let vector = |chunk: &MovedChunk| Some((chunk.chunk.embedded, chunk.vector.clone()?));
            self.keep(model, &chunks.iter().filter_map(vector).collect::<Vec<_>>())?;
        }
        let mut restore = || -> Result<()> {
            let change = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            insert(
                &change,
                &moved.document,
                (Some(moved.id), moved.added),
                chunks.iter().map(|chunk| (Some(chunk.id), &chunk.chunk)),
            )?;
            change.commit()?;
            Ok(())
        };
        restore().with_context(|| format!("put {source} into the library"))
    }

    /// Takes over what the other library is, when all is in.
    ///
    /// # Errors
    /// Where the database can't be written; nothing has changed then.
    pub fn end_moving(&mut self, end: &MovedEnd) -> Result<()> {
        if let Some(model) = &end.model {
            self.choose(model)?;
        }
        self.weigh_by(end.average_terms)?;
        self.set_meta("identity", &end.identity)?;
        let change = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (table, last) in [("chunks", end.chunk), ("removals", end.removal)] {
            let known: Option<i64> = change
                .query_row("SELECT seq FROM sqlite_sequence WHERE name = ?", [table], |row| row.get(0))
                .optional()?;
            change.execute("DELETE FROM sqlite_sequence WHERE name = ?", [table])?;
            let last = known.unwrap_or_default().max(last as i64);
            change.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", params![table, last])?;
        }
        change.execute("DELETE FROM meta WHERE key = ?", [MOVING])?;
        change.commit().context("write the library")
    }
}
