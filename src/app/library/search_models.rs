//! The models that a search asks beside the one that embeds: begun once, asked many times.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::expand::BackgroundExpander;
use super::named::NamePlaces;
use super::rerank::BackgroundReranker;
use crate::config::Folders;
use crate::domain::settings::SearchSettings;
use crate::engine::hub::{Network, PullProgress, Silent};
use crate::rag::embedding::TextEmbedder;
use crate::rag::search::{ExpansionStep, PassageReranker, QueryExpander, RerankStep, SearchTools};

/// Models that expand and rerank, if they are wanted, and how long each is waited for.
#[derive(Default)]
pub struct SearchModels {
    expander: Option<BackgroundExpander>,
    expand_within: Duration,
    reranker: Option<BackgroundReranker>,
    budget: Duration,
}

impl SearchModels {
    /// Begins to load what is wanted for the library in a folder. Those that are not here yet are fetched first, if the
    /// network may be used.
    ///
    /// # Errors
    /// Where there is no model of a name, or it can't do what it is wanted for.
    pub fn start(
        folders: &Folders,
        library: &Path,
        wanted: &SearchSettings,
        network: Network,
        progress: &mut dyn PullProgress,
    ) -> Result<Self> {
        let places = NamePlaces { folders, library, network };
        let expander = wanted.expand.as_deref();
        let reranker = wanted.rerank.as_deref();
        Ok(Self {
            expander: expander.map(|name| BackgroundExpander::start(&places, name, progress)).transpose()?,
            expand_within: time(wanted.expand_ms),
            reranker: reranker.map(|name| BackgroundReranker::start(&places, name, progress)).transpose()?,
            budget: time(wanted.rerank_ms),
        })
    }

    /// Begins what isn't begun yet of what is wanted now. Those that can't be are told of in sentences, since somebody
    /// waits for passages; nothing is fetched.
    pub(in crate::app) fn keep_up(
        &mut self,
        folders: &Folders,
        library: &Path,
        wanted: &SearchSettings,
    ) -> Vec<String> {
        let places = NamePlaces { folders, library, network: Network::Offline };
        let mut notices = Vec::new();
        if self.expander.as_ref().map(QueryExpander::name) != wanted.expand.as_deref() {
            let started = wanted
                .expand
                .as_deref()
                .map(|name| BackgroundExpander::start(&places, name, &mut Silent))
                .transpose();
            self.expander =
                started.map_err(|error| notices.push(format!("not expanded: {error:#}"))).unwrap_or_default();
        }
        if self.reranker.as_ref().map(PassageReranker::name) != wanted.rerank.as_deref() {
            let started = wanted
                .rerank
                .as_deref()
                .map(|name| BackgroundReranker::start(&places, name, &mut Silent))
                .transpose();
            self.reranker =
                started.map_err(|error| notices.push(format!("not reranked: {error:#}"))).unwrap_or_default();
        }
        self.expand_within = time(wanted.expand_ms);
        self.budget = time(wanted.rerank_ms);
        notices
    }

    /// The model that reranks, if one was begun.
    pub(in crate::app) fn reranks_by(&self) -> Option<String> {
        self.reranker.as_ref().map(|reranker| reranker.name().to_owned())
    }

    /// Waits until all are loaded: for measurements, which are to have them from the first question on.
    ///
    /// # Errors
    /// Where one can't be loaded.
    pub fn wait_until_loaded(&self) -> Result<()> {
        self.expander.as_ref().map_or(Ok(()), BackgroundExpander::wait_until_loaded)?;
        self.reranker.as_ref().map_or(Ok(()), BackgroundReranker::wait_until_loaded)
    }

    /// What a search is handed.
    pub fn tools<'t>(&'t mut self, embedder: Option<&'t dyn TextEmbedder>) -> SearchTools<'t> {
        let (within, budget) = (self.expand_within, self.budget);
        let expansion = self.expander.as_mut().map(|expander| ExpansionStep { expander, within });
        let reranking = self.reranker.as_mut().map(|reranker| RerankStep { reranker, budget });
        SearchTools { embedder, expansion, reranking }
    }
}

/// A day at most: nobody waits longer, and a clock can't be set to any number.
fn time(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds).min(Duration::from_hours(24))
}
