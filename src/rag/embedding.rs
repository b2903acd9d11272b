//! What turns texts into vectors, handed in by whoever has a model or an endpoint.

use std::borrow::Cow;
use std::time::Duration;

use anyhow::Result;
use serde::{Deserialize, Serialize};

/// What a text is to its model: some have a prefix for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddedAs {
    Passage,
    Query,
}

/// Which vectors can be compared: those of one model with the same prefixes, from the same place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddingModel {
    pub name: String,
    pub dimensions: usize,
    /// Said before a passage, as the model's files have it; mostly nothing.
    pub passage_prefix: String,
    pub query_prefix: String,
    /// The address of the endpoint that computes them; nothing for a model of this machine. Two servers may mean different
    /// models by one name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub endpoint: String,
}

impl EmbeddingModel {
    /// What is embedded of a text: the text after its prefix.
    #[must_use]
    pub fn said<'t>(&self, text: &'t str, embedded_as: EmbeddedAs) -> Cow<'t, str> {
        let prefix = match embedded_as {
            EmbeddedAs::Passage => &self.passage_prefix,
            EmbeddedAs::Query => &self.query_prefix,
        };
        if prefix.is_empty() { Cow::Borrowed(text) } else { Cow::Owned(format!("{prefix}{text}")) }
    }

    /// Whether it is the same but for the place: only its vectors can tell then.
    #[must_use]
    pub fn is_moved(&self, to: &Self) -> bool {
        self.endpoint != to.endpoint && *to == Self { endpoint: to.endpoint.clone(), ..self.clone() }
    }

    /// Why what is embedded with another can't be compared with a library of this one, and what to do.
    #[must_use]
    pub fn mismatch(&self, other: &Self) -> String {
        let name = &other.name;
        let anew = format!("`dojo rag embed --model {name}` embeds it anew");
        if self.name != *name {
            let (own, theirs) = (self.in_words(), other.in_words());
            return format!(
                "this library is embedded with {own}, and not with {theirs}: name {}, or {anew}",
                self.name
            );
        }
        let why = if self.dimensions != other.dimensions {
            format!("had {} dimensions then, and has {} now", self.dimensions, other.dimensions)
        } else if self.endpoint != other.endpoint {
            let place = |endpoint: &str| match endpoint {
                "" => "another place".to_owned(),
                endpoint => endpoint.to_owned(),
            };
            let (then, now) = (place(&self.endpoint), place(&other.endpoint));
            format!("was asked at {then} then, and gives other vectors at {now} now")
        } else {
            "had other prefixes before its texts then".to_owned()
        };
        format!("this library is embedded with {name}, which {why}: {anew}")
    }

    /// "near:bert (16 dimensions)".
    fn in_words(&self) -> String {
        format!("{} ({} dimensions)", self.name, self.dimensions)
    }
}

/// How many texts are given to an embedder at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextsTogether {
    /// As many as take about half a second: nobody can stop it before they are done.
    ByTime,
    /// So many. It sees by itself that a person wants to stop.
    Count(usize),
}

/// Whether others should not have to wait while it embeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmbeddingPace {
    /// A question takes some milliseconds.
    Quick,
    /// It may take seconds, and may not come at all.
    Slow,
}

/// Why no vectors came: a person wanted to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("embedding was stopped")]
pub struct EmbeddingStopped;

/// Why a question has no vectors: its endpoint refuses, can't be reached, or takes too long. A search goes on by words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct EmbedderAway(pub String);

/// A model that turns texts into vectors of length 1.
pub trait TextEmbedder {
    fn model(&self) -> &EmbeddingModel;

    /// Embeds texts, one vector for each in their order: (dimensions). Prefixes are the embedder's to add.
    ///
    /// # Errors
    /// Where a text can't be tokenised, or an endpoint doesn't answer; [`EmbeddingStopped`] when a person wanted to stop.
    fn embed(&self, texts: &[&str], embedded_as: EmbeddedAs) -> Result<Vec<Vec<f32>>>;

    /// Embeds for somebody who waits, no longer than this for an endpoint.
    ///
    /// # Errors
    /// As [`Self::embed`]; [`EmbedderAway`] for what is the endpoint's matter.
    fn embed_within(
        &self,
        texts: &[&str],
        embedded_as: EmbeddedAs,
        _within: Duration,
    ) -> Result<Vec<Vec<f32>>> {
        self.embed(texts, embedded_as)
    }

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

    fn pace(&self) -> EmbeddingPace {
        EmbeddingPace::Quick
    }
}
