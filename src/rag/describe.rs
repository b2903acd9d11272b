//! What is said of a document, said anew: its context is embedded and counted with every chunk, its tags are not. The
//! file is not read again.

use anyhow::{Context, Result};

use super::add::{AddHost, AddProgress, Adder};
use super::database::{LibraryRoot, NewChunk, NewDocument, TextHash, text_hash};
use super::embedding::TextEmbedder;
use super::library::{ChunkWords, Library};
use super::terms::{self, Bm25Settings};
use super::vectors::{Embedding, embed_lacking};

/// Gives a document the context and the tags that are said of its path, and remembers them for when its file changes.
/// With the library's own embedder, unless it has no embeddings. False when the host wanted to stop; nothing has changed
/// then.
///
/// # Errors
/// Where there is no such document, a text can't be embedded, or the disk is full.
pub fn describe(
    library: &mut Library,
    embedder: Option<&dyn TextEmbedder>,
    said: &LibraryRoot,
    host: &mut dyn AddHost,
) -> Result<bool> {
    let source = &said.path;
    let document =
        library.database().document(source)?.with_context(|| format!("the library has no {source}"))?;
    if document.context != said.context && !replace_context(library, embedder, said, host)? {
        return Ok(false);
    }
    library.database.set_tags(source, &said.tags)?;
    library.remember(said)?;
    Ok(true)
}

/// Puts the document in anew, with the same chunks under another context.
fn replace_context(
    library: &mut Library,
    embedder: Option<&dyn TextEmbedder>,
    said: &LibraryRoot,
    host: &mut dyn AddHost,
) -> Result<bool> {
    let source = &said.path;
    let document = library.database.document(source)?.with_context(|| format!("read {source}"))?;
    let notices = library.database.document_row(source)?.map(|row| row.notices).unwrap_or_default();
    let language = document.facts.language.clone();
    let stored = library.database.chunks_of(&document)?;
    let (mut chunks, mut texts): (Vec<NewChunk>, Vec<(TextHash, String)>) = (Vec::new(), Vec::new());
    for one in stored {
        let words = ChunkWords {
            title: &document.title,
            context: said.context.as_deref(),
            section: &one.chunk.section,
            text: &one.chunk.text,
        };
        let text = words.embedded();
        let counts = words.terms(&mut library.terms, language.as_deref(), Bm25Settings::default())?;
        let (terms, embedded) = (terms::length(&counts) as u32, text_hash(text.as_bytes()));
        chunks.push(NewChunk { chunk: one.chunk, terms, embedded });
        texts.push((embedded, text));
    }
    if let Some(embedder) = embedder {
        let number = Adder::model_of(library, embedder)?;
        let texts = texts.iter().map(|(hash, text)| (*hash, text.as_str())).collect();
        let mut progress = AddProgress { cut: chunks.len() as u64, ..AddProgress::default() };
        let done = embed_lacking(library, embedder, number, texts, &mut |embedded, kept| {
            progress.embedded += embedded;
            progress.kept += kept;
            host.goes_on(&progress)
        })?;
        if done == Embedding::Stopped {
            return Ok(false);
        }
    }
    let new = NewDocument {
        from: document.from,
        title: document.title,
        facts: document.facts,
        context: said.context.clone(),
        notices,
        chunks,
    };
    library.database.put(&new)?;
    Ok(true)
}
