//! A sentence model of this machine that embeds for a library.

use std::borrow::Cow;

use anyhow::Result;

use crate::engine::embed::Embedder;
use crate::engine::hub;
use crate::engine::model::ModelFiles;
use crate::rag::embedding::{EmbeddedAs, EmbeddingModel, TextEmbedder};

/// A sentence model on this machine.
pub struct LocalEmbedder {
    embedder: Embedder,
    model: EmbeddingModel,
}

impl LocalEmbedder {
    /// Loads a model.
    ///
    /// # Errors
    /// Where it is damaged or gives no embeddings.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        let embedder = Embedder::open(files)?;
        let prefixes = match embedder.prefixes() {
            none if none.is_empty() => hub::prefixes_of(embedder.name()),
            own => own.clone(),
        };
        let model = EmbeddingModel {
            name: embedder.name().to_owned(),
            dimensions: embedder.dimensions(),
            passage_prefix: prefixes.passage,
            query_prefix: prefixes.query,
            endpoint: String::new(),
        };
        Ok(Self { embedder, model })
    }
}

impl TextEmbedder for LocalEmbedder {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    fn embed(&self, texts: &[&str], embedded_as: EmbeddedAs) -> Result<Vec<Vec<f32>>> {
        let said: Vec<Cow<'_, str>> = texts.iter().map(|text| self.model.said(text, embedded_as)).collect();
        let said: Vec<&str> = said.iter().map(AsRef::as_ref).collect();
        Ok(self.embedder.embed(&said)?.vectors)
    }

    fn tokens(&self, text: &str) -> Result<usize> {
        self.embedder.tokens(text)
    }

    fn longest(&self) -> usize {
        let prefix = self.embedder.tokens(&self.model.passage_prefix).unwrap_or_default();
        self.embedder.longest().saturating_sub(prefix)
    }
}
