//! A document as the library has it, whole: its chunks in their order, without what two of them share.

use anyhow::{Context, Result};

use super::database::LibraryDatabase;
use super::joining::shared;
use crate::domain::protocol::library::{ReadDocument, ReadPart};

/// # Errors
/// Where the library has no such document, or can't be read.
pub fn read_document(database: &LibraryDatabase, source: &str) -> Result<ReadDocument> {
    let gone = || format!("the library has no {source} any more");
    let document = database.document(source)?.with_context(gone)?;
    let row = database.document_row(source)?.with_context(gone)?;
    let mut before = String::new();
    let mut parts = Vec::new();
    for stored in database.chunks_of(&document)? {
        let chunk = stored.chunk;
        let text = chunk.text.get(shared(&before, &chunk.text)..).unwrap_or_default().trim_matches('\n');
        parts.push(ReadPart {
            ordinal: chunk.ordinal,
            section: chunk.section,
            pages: chunk.pages,
            text: text.to_owned(),
        });
        before = chunk.text;
    }
    Ok(ReadDocument { row, parts })
}
