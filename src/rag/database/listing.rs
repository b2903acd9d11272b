//! The documents as a list shows them: all of them, or those in sight.

use std::ops::Range;

use anyhow::{Context, Result};
use rusqlite::{OptionalExtension, Row, params};

use super::{LibraryDatabase, ModelNumber};
use crate::domain::library::DocumentFacts;
use crate::domain::retrieval::DocumentRow;

const LISTED: &str = "SELECT source, title, context, facts, notices, added,
        (SELECT count(*) FROM chunks WHERE document = documents.id),
        (SELECT coalesce(sum(tokens), 0) FROM chunks WHERE document = documents.id)
    FROM documents";

fn listed(row: &Row<'_>) -> rusqlite::Result<DocumentRow> {
    let (facts, notices): (String, String) = (row.get(3)?, row.get(4)?);
    let facts: DocumentFacts = serde_json::from_str(&facts).unwrap_or_default();
    Ok(DocumentRow {
        source: row.get(0)?,
        title: row.get(1)?,
        context: row.get(2)?,
        authors: facts.authors,
        date: facts.date,
        language: facts.language,
        pages: facts.pages,
        tags: facts.tags,
        link: facts.link,
        summary: facts.summary,
        chunks: row.get::<_, i64>(6)? as u64,
        tokens: row.get::<_, i64>(7)? as u64,
        notices: serde_json::from_str(&notices).unwrap_or_default(),
        added: row.get(5)?,
    })
}

impl LibraryDatabase {
    /// All documents with what they come to, by their sources.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn document_rows(&self) -> Result<Vec<DocumentRow>> {
        let mut asked = self.connection.prepare_cached(&format!("{LISTED} ORDER BY source"))?;
        let rows = asked.query_map([], listed)?.collect::<rusqlite::Result<_>>();
        rows.context("read the library's documents")
    }

    /// Those at some positions of that list.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn document_page(&self, positions: Range<usize>) -> Result<Vec<DocumentRow>> {
        let sql = format!("{LISTED} ORDER BY source LIMIT ? OFFSET ?");
        let mut asked = self.connection.prepare_cached(&sql)?;
        let bound = params![positions.len() as i64, positions.start as i64];
        let rows = asked.query_map(bound, listed)?.collect::<rusqlite::Result<_>>();
        rows.context("read the library's documents")
    }

    /// One document with what it comes to.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn document_row(&self, source: &str) -> Result<Option<DocumentRow>> {
        let sql = format!("{LISTED} WHERE source = ?");
        let found = self.connection.prepare_cached(&sql)?.query_row([source], listed).optional();
        found.context("read the library")
    }

    /// Where a document is in the list by sources; nothing if it isn't there.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn position(&self, source: &str) -> Result<Option<usize>> {
        let sql = "SELECT count(*) FROM documents WHERE source < ?1
                   HAVING EXISTS (SELECT 1 FROM documents WHERE source = ?1)";
        let found: Option<i64> =
            self.connection.prepare_cached(sql)?.query_row([source], |row| row.get(0)).optional()?;
        Ok(found.map(|before| before as usize))
    }

    /// Chunks without an embedding by a model; all of them if there is no model.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn unembedded(&self, model: Option<ModelNumber>) -> Result<u64> {
        let sql = "SELECT count(*) FROM chunks WHERE NOT EXISTS
                   (SELECT 1 FROM embeddings WHERE model = ? AND embeddings.text = chunks.embedded)";
        let mut asked = self.connection.prepare_cached(sql)?;
        let counted = asked.query_row([model.map(|model| model.0)], |row| row.get::<_, i64>(0));
        counted.map(|count| count as u64).context("count the library's chunks")
    }

    /// Moves whenever somebody else has written; this connection's own writing doesn't count.
    ///
    /// # Errors
    /// Where the database can't be read.
    pub fn changes_elsewhere(&self) -> Result<i64> {
        let version = self.connection.pragma_query_value(None, "data_version", |row| row.get(0));
        version.context("read the library")
    }

    /// Gives a document other tags, which none of its chunks has in its words.
    ///
    /// # Errors
    /// Where the database can't be written.
    pub fn set_tags(&mut self, source: &str, tags: &[String]) -> Result<()> {
        let Some(document) = self.document(source)? else { return Ok(()) };
        let facts = serde_json::to_string(&DocumentFacts { tags: tags.to_vec(), ..document.facts })?;
        let sql = "UPDATE documents SET facts = ? WHERE source = ?";
        let set = self.connection.execute(sql, params![facts, source]);
        set.map(|_| ()).context("write the library")
    }
}
