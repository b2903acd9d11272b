//! How a search came about: every list, what was added to the question, what was reranked, what was passed over and
//! why, and how long each step took. Plain data.

use serde::{Deserialize, Serialize};

use super::search_query::{Fusion, LineKind, QueryLine, SearchMode};

/// Milliseconds that each step took.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct SearchTimes {
    pub embed_ms: f64,
    pub bm25_ms: f64,
    pub dense_ms: f64,
    /// Waiting for the model that expands.
    #[serde(default)]
    pub expand_ms: f64,
    pub fuse_ms: f64,
    /// Waiting for the model that reranks.
    #[serde(default)]
    pub rerank_ms: f64,
    /// Reading the passages' words.
    pub read_ms: f64,
    pub total_ms: f64,
}

/// One list that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListTrace {
    /// Its kind of line; none for the question itself.
    pub line: Option<LineKind>,
    /// Whether it is of embeddings, else of words.
    pub is_dense: bool,
    /// Whether a model's expansion brought it, else who asked.
    pub is_expansion: bool,
    pub text: String,
    /// How often it counts beside the others.
    pub weight: f64,
    /// Chunks that it found, and the best one's score.
    pub candidates: usize,
    pub best: Option<f32>,
    pub embed_ms: f64,
    pub find_ms: f64,
}

/// A line that was not searched for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedOverLine {
    pub line: QueryLine,
    pub why: String,
}

/// What a model was asked to add to a question.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ExpansionTrace {
    pub model: String,
    /// Lines that were searched for.
    pub added: usize,
    /// Lines that were not, and why.
    pub passed_over_lines: Vec<PassedOverLine>,
    /// Why the model wasn't asked.
    pub passed_over: Option<String>,
    /// What went wrong, or was cut short.
    pub notice: Option<String>,
}

/// What a model was asked to put in order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RerankTrace {
    pub model: String,
    /// Milliseconds that it had.
    pub budget_ms: f64,
    /// Chunks that it was to score, and those that it did in time; the others are after these, in their fused order.
    pub candidates: usize,
    pub reached: usize,
    /// What went wrong, or was cut short.
    pub notice: Option<String>,
}

/// How an answer came about.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SearchTrace {
    pub mode: SearchMode,
    pub intent: Option<String>,
    /// In the order in which they were searched.
    pub lists: Vec<ListTrace>,
    pub expansion: Option<ExpansionTrace>,
    /// What fused the lists, if there was more than one.
    pub fusion: Option<Fusion>,
    pub rerank: Option<RerankTrace>,
    /// Documents that the filter left, if there was one.
    pub filtered_to: Option<usize>,
    /// What was asked for and changed nothing.
    pub notices: Vec<String>,
    pub times: SearchTimes,
}

impl SearchTrace {
    /// All that somebody who asked should be told beside the passages.
    pub fn all_notices(&self) -> impl Iterator<Item = &str> {
        let expansion = self.expansion.as_ref().and_then(|expansion| expansion.notice.as_deref());
        let rerank = self.rerank.as_ref().and_then(|rerank| rerank.notice.as_deref());
        expansion.into_iter().chain(rerank).chain(self.notices.iter().map(String::as_str))
    }
}
