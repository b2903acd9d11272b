//! A library that many questions are asked of, with the model that embeds them: each is opened when it is first asked
//! for, and the index is let go after every question, since other processes want to add to it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::embedder::{EmbedderOpening, OpenEmbedder, open_embedder};
use crate::config::Folders;
use crate::engine::hub::{Network, Silent};
use crate::rag::embedding::TextEmbedder;
use crate::rag::library::Library;

/// Whether a question is embedded, if the library has embeddings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::app) enum QuestionVectors {
    Wanted,
    NotNeeded,
}

pub(in crate::app) struct OpenLibrary {
    folders: Folders,
    folder: PathBuf,
    library: Option<Library>,
    embedder: Option<OpenEmbedder>,
}

impl OpenLibrary {
    /// The library in a folder; its model is looked for in the settings and among those of this machine.
    pub(in crate::app) const fn new(folders: Folders, folder: PathBuf) -> Self {
        Self { folders, folder, library: None, embedder: None }
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

    /// Asks it something, with its embedding model if that is wanted and it has embeddings. A model that is not on this
    /// machine is not fetched: somebody waits for an answer.
    ///
    /// # Errors
    /// Where the library or the model can't be opened, or what is asked fails.
    pub(in crate::app) fn ask<T>(
        &mut self,
        vectors: QuestionVectors,
        ask: impl FnOnce(&mut Library, Option<&dyn TextEmbedder>) -> Result<T>,
    ) -> Result<T> {
        let model = self.library()?.database().model()?.map(|(_, model)| model);
        let wanted = model.filter(|_| vectors == QuestionVectors::Wanted);
        if let Some(model) = &wanted
            && self.embedder.as_ref().is_none_or(|embedder| embedder.model() != model)
        {
            let opening = EmbedderOpening {
                folders: &self.folders,
                network: Network::Offline,
                progress: &mut Silent,
                known: Some(model),
                stop: Arc::default(),
            };
            self.embedder = Some(open_embedder(&model.name, opening)?);
        }
        let embedder = self.embedder.as_ref().filter(|_| wanted.is_some());
        let library = self.library.as_mut().context("open the library")?;
        let answer = ask(library, embedder.map(|embedder| -> &dyn TextEmbedder { embedder.as_ref() }));
        library.release();
        answer
    }
}
