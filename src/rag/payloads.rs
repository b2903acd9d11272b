//! What an index that others read says of a chunk: gathered from the database.

use anyhow::Result;

use super::database::{LibraryDatabase, MovedDocument, StoredChunk};
use super::index::{ChunkPayload, LibraryPayload};

/// The document of a chunk, if it is still there; mostly that of the one before.
pub(super) fn of_chunk<'d>(
    database: &LibraryDatabase,
    chunk: &StoredChunk,
    last: &'d mut Option<MovedDocument>,
) -> Result<Option<&'d MovedDocument>> {
    if last.as_ref().is_none_or(|document| document.id != chunk.document) {
        *last = database.moved(chunk.document)?;
    }
    Ok(last.as_ref())
}

/// A chunk with what its document says.
pub(super) fn payload(stored: &StoredChunk, moved: &MovedDocument) -> ChunkPayload {
    let document = &moved.document;
    ChunkPayload {
        document: stored.document,
        source: stored.source.clone(),
        title: stored.title.clone(),
        context: stored.context.clone(),
        section: stored.chunk.section.clone(),
        page: stored.chunk.pages.map(|(first, _)| first),
        last_page: stored.chunk.pages.map(|(_, last)| last),
        chunk: stored.chunk.ordinal,
        text: stored.chunk.text.clone(),
        tags: document.facts.tags.clone(),
        authors: document.facts.authors.clone(),
        date: document.facts.date.clone(),
        language: document.facts.language.clone(),
        dojo: LibraryPayload {
            tokens: stored.chunk.tokens,
            terms: stored.terms,
            embedded: stored.embedded.to_hex(),
            hash: document.from.hash.to_hex(),
            bytes: document.from.bytes,
            modified: document.from.modified,
            added: moved.added,
            pages: document.facts.pages,
            notices: document.notices.clone(),
        },
    }
}
