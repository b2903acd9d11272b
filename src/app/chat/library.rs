//! The library of a chat's session: passages for a question, and the prompt that shows them. Opened when it is first
//! asked for.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::app::library::answer::LibraryPrompts;
use crate::app::library::{self, DEFAULT_MODEL, LocalEmbedder};
use crate::config::Folders;
use crate::domain::retrieval::{FoundPassages, Fusion, LibraryFilter, Neighbours, PassageQuery, SearchMode};
use crate::engine::hub::{self, Network, Silent};
use crate::rag::embedding::TextEmbedder;
use crate::rag::library::Library;

pub(super) struct ChatLibrary {
    folders: Folders,
    session: PathBuf,
    library: Option<Library>,
    embedder: Option<LocalEmbedder>,
}

impl ChatLibrary {
    pub(super) const fn new(folders: Folders, session: PathBuf) -> Self {
        Self { folders, session, library: None, embedder: None }
    }

    /// The prompts that its questions are asked with.
    pub(super) fn prompts(&self) -> Result<LibraryPrompts> {
        LibraryPrompts::load(&self.folders, &self.session)
    }

    /// Passages for a question. A library without embeddings is searched by its words.
    pub(super) fn find(&mut self, question: &str, top: usize) -> Result<FoundPassages> {
        if self.library.is_none() {
            let folder = library::of_session(&self.session);
            let opened = Library::open(&folder);
            self.library =
                Some(opened.context("this session has no documents yet: `dojo rag add PATH` adds them")?);
        }
        let library = self.library.as_mut().context("open the library")?;
        let model = library.database().model()?.map(|(_, model)| model.name);
        if let Some(name) = &model
            && self.embedder.as_ref().is_none_or(|embedder| embedder.model().name != *name)
        {
            let files = hub::resolve(&self.folders.models(), name, Network::Offline, &mut Silent)
                .with_context(|| format!("open the library's embedding model; `dojo pull {DEFAULT_MODEL}` fetches the usual one"))?;
            self.embedder = Some(LocalEmbedder::open(&files)?);
        }
        let embedder = self.embedder.as_ref().filter(|_| model.is_some());
        let query = PassageQuery {
            words: question.to_owned(),
            mode: if embedder.is_some() { SearchMode::Hybrid } else { SearchMode::Bm25 },
            top,
            filter: LibraryFilter::default(),
            fusion: Fusion::default(),
            diversity: None,
            neighbours: Neighbours::Joined,
        };
        let found = library.search(&query, embedder.map(|embedder| -> &dyn TextEmbedder { embedder }));
        // Another process may want to add to it.
        library.release();
        found
    }

    /// The languages of its documents.
    pub(super) fn languages(&self) -> Result<Vec<String>> {
        self.library.as_ref().map_or_else(|| Ok(Vec::new()), |library| library.database().languages())
    }
}
