//! What is asked of a library and what it answers: passages with every list, rank and score that led to them. Plain
//! data.

use serde::{Deserialize, Serialize};

pub use super::search_query::{Fusion, LineKind, QueryLine, SearchMode};
pub use super::search_trace::{
    ExpansionTrace, ListTrace, PassedOverLine, RerankTrace, SearchTimes, SearchTrace,
};

/// What is searched for, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageQuery {
    /// The question. Not read if there are lines.
    pub words: String,
    /// Lines for BM25 and for the embeddings instead of a question; the first counts double.
    pub lines: Vec<QueryLine>,
    /// What is meant. It is embedded beside the question with half its weight, and expansion and reranking read it; BM25
    /// doesn't, since its words would find other documents.
    pub intent: Option<String>,
    pub mode: SearchMode,
    /// Passages at most.
    pub top: usize,
    /// Only so many of the fused order are kept, and reranked; otherwise all are kept, and the first are reranked.
    pub candidates: Option<usize>,
    pub filter: LibraryFilter,
    pub fusion: Fusion,
    /// Weight of relevance against difference from what is above (MMR's lambda); none leaves the order as it is.
    pub diversity: Option<f64>,
    pub neighbours: Neighbours,
}

impl Default for PassageQuery {
    /// Asks for nothing yet: ten passages of both lists.
    fn default() -> Self {
        Self {
            words: String::new(),
            lines: Vec::new(),
            intent: None,
            mode: SearchMode::default(),
            top: 10,
            candidates: None,
            filter: LibraryFilter::default(),
            fusion: Fusion::default(),
            diversity: None,
            neighbours: Neighbours::default(),
        }
    }
}

/// What is done with hits that follow each other in one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Neighbours {
    /// They become one passage, at the place of the best.
    #[default]
    Joined,
    Apart,
}

/// Which documents are looked in; all that is said must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LibraryFilter {
    /// Each holds if the source or the title has it, whatever the case.
    pub documents: Vec<String>,
    /// Each must be among the document's tags.
    pub tags: Vec<String>,
    /// Patterns of sources, as `.gitignore` has them (`notes/**`).
    pub paths: Vec<String>,
    /// No earlier date than this: a year, a month or a day (`2024-05`).
    pub from: Option<String>,
    /// No later date than this; a year means its end.
    pub until: Option<String>,
    /// If any are named, those sources alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// None of those sources.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<String>,
}

impl LibraryFilter {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a list has a chunk, and with which score of its own kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ListPlace {
    /// From 1.
    pub rank: u32,
    pub score: f32,
}

/// Where one of a search's lists has a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PlaceInList {
    /// The list's place in the trace, from 0.
    pub list: usize,
    pub rank: u32,
    pub score: f32,
}

/// What a reranker made of a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RerankPlace {
    /// The model's own score, as it gives it.
    pub score: f64,
    /// Its place in the fused order, and in the reranked one, from 1.
    pub before: u32,
    pub after: u32,
}

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundPassage {
    /// From 1.
    pub rank: u32,
    /// The fused score, or that of the one list: what the order is by before it is reranked.
    pub score: f64,
    /// Its place in the question's own list of words or, if only lines of an expansion found it, the best of theirs.
    pub bm25: Option<ListPlace>,
    /// The same of the embeddings.
    pub dense: Option<ListPlace>,
    /// Its place in each list, if there are more than two.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lists: Vec<PlaceInList>,
    /// None if nothing reranked it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reranked: Option<RerankPlace>,
    pub source: String,
    pub title: String,
    /// The sentence that says what its document is.
    pub context: Option<String>,
    pub section: Vec<String>,
    /// First and last page, from 1.
    pub pages: Option<(u32, u32)>,
    /// Its chunks in the document, first and last, from 0.
    pub chunks: (u32, u32),
    pub text: String,
    /// The library's own number of the chunk that was found.
    pub id: u64,
}

/// Passages, and how they were found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundPassages {
    pub passages: Vec<FoundPassage>,
    pub trace: SearchTrace,
}

/// A document as a list of a library's shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentRow {
    pub source: String,
    pub title: String,
    pub context: Option<String>,
    pub authors: Vec<String>,
    pub date: Option<String>,
    pub language: Option<String>,
    pub pages: Option<u32>,
    pub tags: Vec<String>,
    /// Where people read it, and its abstract: of papers from a catalogue.
    pub link: Option<String>,
    pub summary: Option<String>,
    pub chunks: u64,
    pub tokens: u64,
    pub notices: Vec<String>,
    /// Milliseconds since 1970.
    pub added: i64,
}

/// What a library holds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LibraryCounts {
    pub documents: u64,
    pub chunks: u64,
    pub tokens: u64,
    pub embeddings: u64,
    /// Bytes of the database and of the index.
    pub database_bytes: u64,
    pub index_bytes: u64,
    /// The embedding model, if one has been used.
    pub model: Option<String>,
    pub dimensions: Option<usize>,
    /// Chunks that the index still lacks.
    pub behind: u64,
}
