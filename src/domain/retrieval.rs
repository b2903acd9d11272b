//! What is asked of a library and what it answers: passages with every list, rank and score that led to them. Plain
//! data.

use serde::{Deserialize, Serialize};

/// Which lists are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchMode {
    /// Words, stemmed.
    Bm25,
    /// Embeddings.
    Dense,
    /// Both, fused.
    #[default]
    Hybrid,
}

impl SearchMode {
    /// All of them, in the order of a table.
    pub const ALL: [Self; 3] = [Self::Bm25, Self::Dense, Self::Hybrid];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bm25 => "bm25",
            Self::Dense => "dense",
            Self::Hybrid => "hybrid",
        }
    }

    #[must_use]
    pub const fn asks_words(self) -> bool {
        matches!(self, Self::Bm25 | Self::Hybrid)
    }

    #[must_use]
    pub const fn asks_embeddings(self) -> bool {
        matches!(self, Self::Dense | Self::Hybrid)
    }
}

/// How two lists become one.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum Fusion {
    /// Reciprocal rank fusion (Cormack et al. 2009): the sum of `weight / (k + rank)`.
    Ranks { k: f64, bm25: f64, dense: f64 },
    /// The weighted sum of the scores, each list's scaled to its best candidate (BM25) or left as cosines (dense).
    Scores { bm25: f64, dense: f64 },
}

impl Fusion {
    /// As it was published.
    pub const RANKS: Self = Self::Ranks { k: 60.0, bm25: 1.0, dense: 1.0 };
    /// The best that was found on `SciFact`'s training queries: nDCG@10 0.744 there, where ranks give 0.717.
    pub const SCORES: Self = Self::Scores { bm25: 1.0, dense: 2.25 };

    /// "by ranks (k 60, bm25 1, dense 1)".
    #[must_use]
    pub fn in_words(self) -> String {
        match self {
            Self::Ranks { k, bm25, dense } => format!("by ranks (k {k}, bm25 {bm25}, dense {dense})"),
            Self::Scores { bm25, dense } => format!("by scores (bm25 {bm25}, dense {dense})"),
        }
    }
}

impl Default for Fusion {
    fn default() -> Self {
        Self::SCORES
    }
}

/// What is searched for, and how.
#[derive(Debug, Clone, PartialEq)]
pub struct PassageQuery {
    pub words: String,
    pub mode: SearchMode,
    /// Passages at most.
    pub top: usize,
    pub filter: LibraryFilter,
    pub fusion: Fusion,
    /// Weight of relevance against difference from what is above (MMR's lambda); none leaves the order as it is.
    pub diversity: Option<f64>,
    pub neighbours: Neighbours,
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

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FoundPassage {
    /// From 1.
    pub rank: u32,
    /// What the order is by: the fused score, or that of the one list.
    pub score: f64,
    pub bm25: Option<ListPlace>,
    pub dense: Option<ListPlace>,
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

/// Milliseconds that each step took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SearchTimes {
    pub embed_ms: f64,
    pub bm25_ms: f64,
    pub dense_ms: f64,
    pub fuse_ms: f64,
    /// Reading the passages' words.
    pub read_ms: f64,
    pub total_ms: f64,
}

/// How an answer came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SearchTrace {
    pub mode: SearchMode,
    /// What fused the lists, if there were two.
    pub fusion: Option<Fusion>,
    /// Candidates that each list gave.
    pub bm25_candidates: usize,
    pub dense_candidates: usize,
    /// Documents that the filter left, if there was one.
    pub filtered_to: Option<usize>,
    pub times: SearchTimes,
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
