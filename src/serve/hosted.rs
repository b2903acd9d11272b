//! Models that answer: one that generates, with its adapters and the thread that computes, or one that embeds texts.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Result;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::embeddings::SharedEmbedder;
use super::error::ApiError;
use super::metrics::Metrics;
use super::options::Options;
use super::parts::split;
use super::shelf::LoadedModel;
use super::words::ModelTokens;
use super::worker::{Queue, ServeWorker};
use crate::engine::generate::{AdapterId, Event, GenerateRequest, Prompter};

/// A model that is loaded.
#[derive(Clone)]
pub(crate) enum Hosted {
    Generates(Arc<Generates>),
    Embeds(SharedEmbedder),
}

/// A model that answers prompts.
pub(crate) struct Generates {
    /// What clients call it.
    pub name: String,
    pub adapters: BTreeMap<String, AdapterId>,
    pub prompter: Prompter,
    pub words: ModelTokens,
    context: usize,
    /// Positions of all sequences together.
    positions: usize,
    worker: ServeWorker,
}

impl Hosted {
    pub(crate) fn start(
        name: &str,
        loaded: LoadedModel,
        queue: Queue,
        metrics: Arc<Metrics>,
    ) -> Result<Self> {
        match loaded {
            LoadedModel::Embedder(embedder) => Ok(Self::Embeds(Arc::new(tokio::sync::Mutex::new(*embedder)))),
            LoadedModel::Generator { generator, prompter, adapters } => {
                Ok(Self::Generates(Arc::new(Generates {
                    name: name.to_owned(),
                    adapters,
                    prompter: *prompter,
                    words: ModelTokens::new(Arc::clone(generator.tokenizer())),
                    context: generator.context(),
                    positions: generator.positions(),
                    worker: ServeWorker::start(*generator, queue, metrics)?,
                })))
            }
        }
    }

    pub(crate) fn is_alive(&self) -> bool {
        match self {
            Self::Generates(model) => model.worker.is_alive(),
            Self::Embeds(_) => true,
        }
    }

    /// Lets go of its memory, if nobody uses it any more; takes as long as that takes.
    pub(crate) fn end(self) {
        match self {
            Self::Generates(model) => {
                if let Some(model) = Arc::into_inner(model) {
                    model.worker.end();
                }
            }
            Self::Embeds(desk) => drop(desk),
        }
    }
}

impl Generates {
    /// Tokens of a prompt and its answer at most.
    pub(crate) const fn context(&self) -> usize {
        self.context
    }

    /// How many tokens fit after a prompt; at least one does.
    pub(crate) fn room(&self, prompt: &[u32], field: &'static str) -> Result<usize, ApiError> {
        match self.context.saturating_sub(prompt.len()) {
            0 => Err(ApiError::too_long(prompt.len(), self.context, field)),
            room => Ok(room),
        }
    }

    /// Hands requests over together: the choices of each come after those of the ones before it. `field` holds their
    /// prompts.
    pub(crate) async fn start(
        &self,
        requests: Vec<GenerateRequest>,
        field: &'static str,
        options: &Options,
    ) -> Result<UnboundedReceiver<Event>, ApiError> {
        #[expect(clippy::disallowed_methods, reason = "bounded by the answer's length")]
        let (events, receiver) = unbounded_channel();
        let fields = (field, options.constraint_field().unwrap_or("response_format"));
        let parts = split(requests, self.positions, self.context);
        self.worker.submit(parts, events, fields).await?;
        Ok(receiver)
    }
}
