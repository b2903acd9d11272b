//! What turns texts into vectors, handed in by whoever has a model or an endpoint.

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// What a text is to its model: some have a prefix for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddedAs {
    Passage,
    Query,
}

/// Which vectors can be compared: those of one model with the same prefixes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingModel {
    pub name: String,
    pub dimensions: usize,
    /// Said before a passage, as the model's files have it; mostly nothing.
    pub passage_prefix: String,
    pub query_prefix: String,
}

/// How many texts are given to an embedder at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextsTogether {
    /// As many as take about half a second: nobody can stop it before they are done.
    ByTime,
    /// So many. It sees by itself that a person wants to stop.
    Count(usize),
}

/// Why no vectors came: a person wanted to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("embedding was stopped")]
pub struct EmbeddingStopped;

/// A model that turns texts into vectors of length 1.
pub trait TextEmbedder {
    fn model(&self) -> &EmbeddingModel;

    /// Embeds texts, one vector for each in their order: (dimensions). Prefixes are the embedder's to add.
    ///
    /// # Errors
    /// Where a text can't be tokenised, or an endpoint doesn't answer; [`EmbeddingStopped`] when a person wanted to stop.
    fn embed(&self, texts: &[&str], embedded_as: EmbeddedAs) -> Result<Vec<Vec<f32>>>;

    /// Tokens of a text, so that chunks fit the model.
    ///
    /// # Errors
    /// Where it can't be tokenised.
    fn tokens(&self, text: &str) -> Result<usize>;

    /// Tokens that it reads of a text at most.
    fn longest(&self) -> usize;

    /// What was spent so far, in words, if it costs something.
    fn spent(&self) -> Option<String> {
        None
    }

    /// How many texts it is given at once.
    fn together(&self) -> TextsTogether {
        TextsTogether::ByTime
    }
}
