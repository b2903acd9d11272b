//! A library made from what another one pushed to a server: the same documents, chunks, numbers and embeddings, so that it
//! ranks alike. Only whole documents go in, and a stopped or killed pull goes on where it was.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::database::{DocumentSource, MovedChunk, MovedDocument, MovedEnd, NewChunk, NewDocument, TextHash};
use super::index::IndexMark;
use super::index::server::{ReturnedChunk, ServerAccess, ServerReader};
use super::library::Library;
use crate::domain::library::{DocumentChunk, DocumentFacts};

/// Chunks that are asked for at once.
const PAGE: u32 = 256;

/// How far pulling is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct PullReport {
    pub documents: u64,
    pub chunks: u64,
    /// Chunks that the collection has.
    pub all: u64,
    /// Whether the host wanted to stop.
    pub stopped: bool,
}

/// Makes a library in a folder from a collection. The host is told how far it is, and says whether to go on.
///
/// # Errors
/// Where the server can't be asked, the collection is no library's or changes meanwhile, or the folder has a library.
pub fn pull(
    folder: &Path,
    access: &ServerAccess,
    collection: &str,
    host: &mut dyn FnMut(PullReport) -> bool,
) -> Result<PullReport> {
    let reader = ServerReader::new(access, collection)?;
    let (mark, all) = reader.mark()?;
    ensure!(
        mark.whole,
        "{} is not whole: a `dojo rag push` to it is under way or was stopped; let it end, and pull again",
        reader.place()
    );
    let mut library = Library::create(folder)?;
    let place = format!("{} {collection} {}", access.url(), mark.turn.as_deref().unwrap_or_default());
    library.database_mut().begin_moving(&place)?;
    let mut report = PullReport { all, ..PullReport::default() };
    report.chunks = library.database().counts()?.chunks;
    fill(&mut library, &reader, &mark, &mut report, host)?;
    if report.stopped {
        return Ok(report);
    }
    let (now, _) = reader.mark()?;
    ensure!(
        now == mark,
        "{} was changed while it was pulled: remove {} and pull again",
        reader.place(),
        folder.display()
    );
    let database = library.database_mut();
    if let Some(turn) = &mark.turn {
        database.remember_turn(access.url(), collection, turn)?;
    }
    database.end_moving(&MovedEnd {
        identity: mark.library,
        model: mark.model,
        average_terms: mark.average_terms,
        chunk: mark.chunk,
        removal: mark.removal,
    })?;
    for root in &mark.roots {
        library.remember(root)?;
    }
    library.index()?;
    Ok(report)
}

/// Brings in document after document. A document's chunks have numbers that follow each other.
fn fill(
    library: &mut Library,
    reader: &ServerReader,
    mark: &IndexMark,
    report: &mut PullReport,
    host: &mut dyn FnMut(PullReport) -> bool,
) -> Result<()> {
    let model = mark.model.as_ref().map(|model| library.database().model_number(model)).transpose()?;
    let mut after = library.database().last_chunk()?;
    let mut waiting: Vec<ReturnedChunk> = Vec::new();
    loop {
        if !host(*report) {
            report.stopped = true;
            return Ok(());
        }
        let page = reader.chunks_after(after, PAGE).with_context(|| format!("pull {}", reader.place()))?;
        let is_last = page.is_empty();
        after = page.last().map_or(after, |chunk| chunk.id);
        waiting.extend(page);
        while let Some(first) = waiting.first() {
            let document = first.payload.document;
            let end = waiting.iter().position(|chunk| chunk.payload.document != document);
            // What comes last may go on in the next page.
            let Some(end) = end.or(is_last.then_some(waiting.len())) else { break };
            let chunks: Vec<ReturnedChunk> = waiting.drain(..end).collect();
            let (moved, chunks) = restored(chunks)?;
            library.database_mut().restore(&moved, &chunks, model)?;
            report.documents += 1;
            report.chunks += chunks.len() as u64;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// A document and its chunks as the library had them.
fn restored(returned: Vec<ReturnedChunk>) -> Result<(MovedDocument, Vec<MovedChunk>)> {
    let payload = &returned.first().context("a document has no chunk")?.payload;
    let hash = |digits: &str| TextHash::from_hex(digits).context("a chunk's hash can't be read");
    let own = &payload.dojo;
    let document = NewDocument {
        from: DocumentSource {
            source: payload.source.clone(),
            hash: hash(&own.hash)?,
            bytes: own.bytes,
            modified: own.modified,
            changed: 0,
        },
        title: payload.title.clone(),
        facts: DocumentFacts {
            authors: payload.authors.clone(),
            date: payload.date.clone(),
            language: payload.language.clone(),
            pages: own.pages,
            tags: payload.tags.clone(),
            ..DocumentFacts::default()
        },
        context: payload.context.clone(),
        notices: own.notices.clone(),
        chunks: Vec::new(),
    };
    let moved = MovedDocument { id: payload.document, document, added: own.added };
    let chunks = returned.into_iter().map(|ReturnedChunk { id, dense, payload }| {
        let chunk = DocumentChunk {
            ordinal: payload.chunk,
            section: payload.section,
            pages: payload.page.zip(payload.last_page),
            text: payload.text,
            tokens: payload.dojo.tokens,
        };
        let embedded = hash(&payload.dojo.embedded)?;
        let chunk = NewChunk { chunk, terms: payload.dojo.terms, embedded };
        Ok(MovedChunk { id, chunk, vector: dense })
    });
    Ok((moved, chunks.collect::<Result<_>>()?))
}
