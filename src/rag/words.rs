//! A chunk's words as they are embedded and counted: its text, and what stands above it.

use anyhow::Result;

use super::database::StoredChunk;
use super::terms::{Bm25Settings, TermCounts, TermReader};

/// The terms of a chunk that is in a library.
pub(super) fn chunk_terms(
    reader: &mut TermReader,
    stored: &StoredChunk,
    bm25: Bm25Settings,
) -> Result<TermCounts> {
    ChunkWords::of(stored).terms(reader, stored.language.as_deref(), bm25)
}

/// A chunk's text, and what stands above it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ChunkWords<'a> {
    pub(super) title: &'a str,
    pub(super) context: Option<&'a str>,
    pub(super) section: &'a [String],
    pub(super) text: &'a str,
}

impl<'a> ChunkWords<'a> {
    /// Those of a chunk that is in a library.
    pub(super) fn of(stored: &'a StoredChunk) -> Self {
        Self {
            title: &stored.title,
            context: stored.context.as_deref(),
            section: &stored.chunk.section,
            text: &stored.chunk.text,
        }
    }

    /// What stands above the text: the context, the title, the headings. None of it twice.
    pub(super) fn head(&self) -> String {
        let mut parts: Vec<&str> = self.context.into_iter().chain([self.title]).collect();
        parts.extend(self.section.iter().map(String::as_str).filter(|heading| *heading != self.title));
        parts.retain(|part| !part.trim().is_empty());
        parts.join(" > ")
    }

    /// What is embedded.
    pub(super) fn embedded(&self) -> String {
        let head = self.head();
        if head.is_empty() { self.text.to_owned() } else { format!("{head}\n{}", self.text) }
    }

    /// What BM25 counts.
    pub(super) fn terms(
        &self,
        reader: &mut TermReader,
        language: Option<&str>,
        bm25: Bm25Settings,
    ) -> Result<TermCounts> {
        let mut counts = TermCounts::new();
        reader.count(self.text, language, 1.0, &mut counts)?;
        reader.count(self.title, language, bm25.title, &mut counts)?;
        for above in self.context.into_iter().chain(self.section.iter().map(String::as_str)) {
            if above != self.title {
                reader.count(above, language, 1.0, &mut counts)?;
            }
        }
        Ok(counts)
    }
}
