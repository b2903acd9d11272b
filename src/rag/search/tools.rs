//! What a search may be handed: a model that embeds, one that expands questions, one that puts passages in order. All
//! of them are somebody else's; none is waited for longer than is said here.

use std::time::Duration;

use crate::domain::retrieval::QueryLine;
use crate::rag::embedding::TextEmbedder;

/// What a search may use.
#[derive(Default)]
pub struct SearchTools<'t> {
    /// Needed unless words alone are asked for.
    pub embedder: Option<&'t dyn TextEmbedder>,
    pub expansion: Option<ExpansionStep<'t>>,
    pub reranking: Option<RerankStep<'t>>,
}

/// A model that writes lines for a question, and how long it may take.
pub struct ExpansionStep<'t> {
    pub expander: &'t mut dyn QueryExpander,
    pub within: Duration,
}

/// A model that scores passages, and how long it may take for all of them.
pub struct RerankStep<'t> {
    pub reranker: &'t mut dyn PassageReranker,
    pub budget: Duration,
}

impl<'t> SearchTools<'t> {
    /// Embeddings alone.
    #[must_use]
    pub const fn embedding(embedder: Option<&'t dyn TextEmbedder>) -> Self {
        Self { embedder, expansion: None, reranking: None }
    }
}

/// What a model wrote for a question.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expansion {
    pub lines: Vec<QueryLine>,
    /// What went wrong, or was cut short, in a sentence.
    pub notice: Option<String>,
}

/// Writes lines for a question.
pub trait QueryExpander {
    fn name(&self) -> &str;

    /// Lines for a question, within a time. What goes wrong is told in the notice: a search goes on without.
    fn expand(&mut self, question: &str, intent: Option<&str>, within: Duration) -> Expansion;
}

/// What a model made of passages.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RerankScores {
    /// One for each passage, the higher the better; none for those that it didn't come to.
    pub scores: Vec<Option<f64>>,
    /// What went wrong, or was cut short, in a sentence.
    pub notice: Option<String>,
}

/// Scores passages against a question.
pub trait PassageReranker {
    fn name(&self) -> &str;

    /// Scores as many of the passages as it can within a time, the first ones first. What goes wrong is told in the
    /// notice: a search goes on with the order that it has.
    fn score(&mut self, question: &str, passages: Vec<String>, budget: Duration) -> RerankScores;
}

/// A question with what is meant by it, for models that read both.
#[must_use]
pub(super) fn with_intent(question: &str, intent: Option<&str>) -> String {
    intent.map_or_else(|| question.to_owned(), |intent| format!("{question} ({intent})"))
}
