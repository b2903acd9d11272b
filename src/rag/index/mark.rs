//! What an index was made from, and how far: kept with the index, so that it is never taken for another's.

use serde::{Deserialize, Serialize};

use crate::rag::database::LibraryRoot;
use crate::rag::embedding::EmbeddingModel;

/// What makes an index of another version be made again.
pub(in crate::rag) const LAYOUT: u32 = 2;

/// Dimensions of an index without embeddings.
const NO_DIMENSIONS: usize = 1;

/// What an index was made from, and how far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IndexMark {
    pub layout: u32,
    /// The library's identity.
    pub library: String,
    pub model: Option<EmbeddingModel>,
    /// k1, b, and so often a word of the title counts.
    pub bm25: (f64, f64, f32),
    /// Terms of a chunk on average, as its weights were computed with.
    pub average_terms: f64,
    /// The highest chunk and the last removal that it knows.
    pub chunk: u64,
    pub removal: u64,
    /// Whether it holds what the library held then, and not a part of it.
    pub whole: bool,
    /// Which bringing up to date this was: tells copies of a library apart that write to one server.
    pub turn: Option<String>,
    /// What was added to the library, for one that is made again from a server.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub roots: Vec<LibraryRoot>,
}

impl IndexMark {
    /// Whether an index that was made so serves for what is wanted now.
    #[must_use]
    pub fn serves(&self, wanted: &Self) -> bool {
        let Self { chunk, removal, whole, turn, roots, .. } = wanted.clone();
        Self { chunk, removal, whole, turn, roots, ..self.clone() } == *wanted
    }

    /// Of the dense vectors.
    #[must_use]
    pub fn dimensions(&self) -> usize {
        self.model.as_ref().map_or(NO_DIMENSIONS, |model| model.dimensions)
    }
}
