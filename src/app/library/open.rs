//! A library that many questions are asked of, with the models that embed, expand and rerank: each is opened when it is
//! first asked for, and the index is let go after every question or when another process wants it, since others add to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::embedder::{EmbedderOpening, OpenEmbedder, open_for};
use super::search_models::SearchModels;
use crate::config::Folders;
use crate::domain::retrieval::{FoundPassages, PassageQuery, SearchMode};
use crate::domain::settings::SearchSettings;
use crate::engine::hub::{Network, Silent};
use crate::rag::embedding::{EmbeddingModel, TextEmbedder};
use crate::rag::library::Library;

/// Whether a question is embedded, if the library has embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum QuestionVectors {
    Wanted,
    NotNeeded,
}

/// Whether a search is reranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum Reranking {
    AsSet,
    Left,
}

pub(in crate::app) struct OpenLibrary {
    folders: Folders,
    folder: PathBuf,
    library: Option<Library>,
    embedder: Option<OpenEmbedder>,
    models: SearchModels,
}

impl OpenLibrary {
    /// The library in a folder; its model is looked for in the settings and among those of this machine.
    pub(in crate::app) fn new(folders: Folders, folder: PathBuf) -> Self {
        Self { folders, folder, library: None, embedder: None, models: SearchModels::default() }
    }

    /// Another library may be in the place of the one that is open.
    pub(in crate::app) fn forget(&mut self) {
        (self.library, self.embedder) = (None, None);
    }

    pub(in crate::app) fn folder(&self) -> &Path {
        &self.folder
    }

    /// # Errors
    /// Where there is none in the folder.
    pub(in crate::app) fn library(&mut self) -> Result<&mut Library> {
        if self.library.is_none() {
            self.library = Some(Library::open(&self.folder)?);
        }
        self.library.as_mut().context("open the library")
    }

    /// Asks it something, with its embedding model if that is wanted and it has embeddings, and lets the index go. A model
    /// that is not on this machine is not fetched: somebody waits for an answer.
    ///
    /// # Errors
    /// Where the library or the model can't be opened, or what is asked fails.
    pub(in crate::app) fn ask<T>(
        &mut self,
        vectors: QuestionVectors,
        ask: impl FnOnce(&mut Library, Option<&dyn TextEmbedder>) -> Result<T>,
    ) -> Result<T> {
        let answer = self.ask_and_keep(vectors, ask);
        self.let_go();
        answer
    }

    /// Lets other processes have the index.
    pub(in crate::app) fn let_go(&mut self) {
        self.library.iter_mut().for_each(Library::release);
    }

    /// As [`Self::ask`], but the index stays open for the next question: whoever asks so calls
    /// [`Self::let_go_if_wanted`] several times a second.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(in crate::app) fn ask_and_keep<T>(
        &mut self,
        vectors: QuestionVectors,
        ask: impl FnOnce(&mut Library, Option<&dyn TextEmbedder>) -> Result<T>,
    ) -> Result<T> {
        let library = self.library()?;
        let wanted = match vectors {
            QuestionVectors::Wanted => library.database().model()?.map(|(_, model)| model),
            QuestionVectors::NotNeeded => None,
        };
        let mut library = self.library.take().context("open the library")?;
        let answer = self.with_model(wanted.as_ref(), &mut library).and_then(|()| {
            let embedder = self.embedder.as_ref().filter(|_| wanted.is_some());
            ask(&mut library, embedder.map(|embedder| -> &dyn TextEmbedder { embedder.as_ref() }))
        });
        self.library = Some(library);
        answer
    }

    /// Finds passages, with the models that the settings name, and keeps the index open. A library without embeddings is
    /// searched by its words, unless there are lines that say otherwise.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub(in crate::app) fn search(
        &mut self,
        vectors: QuestionVectors,
        query: PassageQuery,
        reranking: Reranking,
    ) -> Result<FoundPassages> {
        let (settings, left_out) = self.folders.read_settings();
        let wanted = match reranking {
            Reranking::AsSet => settings.search,
            Reranking::Left => SearchSettings { rerank: None, ..settings.search },
        };
        let mut notices: Vec<String> = left_out.into_iter().filter(|said| said.contains("search")).collect();
        // A model that this search doesn't want is kept for the next one.
        let is_left = wanted.rerank.is_none();
        let kept =
            SearchSettings { rerank: wanted.rerank.clone().or_else(|| self.models.reranks_by()), ..wanted };
        notices.extend(self.models.keep_up(&self.folders, &self.folder, &kept));
        let mut models = std::mem::take(&mut self.models);
        let found = self.ask_and_keep(vectors, |library, embedder| {
            let without = query.lines.is_empty() && embedder.is_none();
            let mode = if without { SearchMode::Bm25 } else { query.mode };
            let mut tools = models.tools(embedder);
            tools.reranking = tools.reranking.filter(|_| !is_left);
            let mut found = library.search_with(&PassageQuery { mode, ..query }, &mut tools)?;
            found.trace.notices.extend(notices);
            Ok(found)
        });
        self.models = models;
        found
    }

    /// Opens the model that is wanted, unless it is open.
    fn with_model(&mut self, wanted: Option<&EmbeddingModel>, library: &mut Library) -> Result<()> {
        let Some(model) = wanted else { return Ok(()) };
        if self.embedder.as_ref().is_some_and(|embedder| embedder.model() == model) {
            return Ok(());
        }
        // An endpoint may take its time.
        library.release();
        let opening = EmbedderOpening {
            folders: &self.folders,
            network: Network::Offline,
            progress: &mut Silent,
            stop: Arc::default(),
        };
        self.embedder = Some(open_for(library, None, opening)?);
        Ok(())
    }

    /// Lets another process have the index if one waits for it; whether it is still open here.
    pub(in crate::app) fn let_go_if_wanted(&mut self) -> bool {
        self.library.as_mut().is_some_and(Library::release_if_wanted)
    }
}
