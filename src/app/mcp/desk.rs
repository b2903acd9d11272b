//! What the tools work on: a library, its embedding model, and the folders of runs and records. Each is opened when it
//! is first asked for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::app::library::open::{OpenLibrary, QuestionVectors};
use crate::app::library::search_models::SearchModels;
use crate::config::Folders;
use crate::domain::retrieval::{FoundPassages, PassageQuery, SearchMode};
use crate::domain::settings::SearchSettings;
use crate::rag::library::Library;
use crate::session::{Access, Session};

/// What the tools work on.
pub struct McpDesk {
    pub(super) folders: Folders,
    open: OpenLibrary,
    models: SearchModels,
}

/// Whether a search is reranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reranking {
    AsSet,
    Left,
}

impl McpDesk {
    /// For the library in a folder.
    #[must_use]
    pub fn new(folders: Folders, folder: PathBuf) -> Self {
        let open = OpenLibrary::new(folders.clone(), folder);
        Self { folders, open, models: SearchModels::default() }
    }

    /// What an assistant is told before it asks: what can be searched.
    pub(super) fn instructions(&self) -> String {
        let holds = Library::open(self.open.folder()).and_then(|library| library.counts());
        let holds = match holds {
            Ok(counts) => format!("It holds {} documents in {} passages.", counts.documents, counts.chunks),
            Err(_) => "It holds nothing yet: `dojo rag add PATH` adds documents.".to_owned(),
        };
        format!(
            "Dojo's library of documents, its records and its training runs, to read. {holds} `query` finds passages, \
             `get` and `multi_get` read documents, `status` says what there is."
        )
    }

    /// The library.
    ///
    /// # Errors
    /// Where there is none in the folder.
    pub(super) fn library(&mut self) -> Result<&mut Library> {
        self.open.library()
    }

    /// Finds passages, with the models that the settings name. A library without embeddings is searched by its words.
    ///
    /// # Errors
    /// Where the library or its model can't be opened, or can't be searched.
    pub(super) fn search(
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
        notices.extend(self.models.keep_up(&self.folders, self.open.folder(), &kept));
        let Self { open, models, .. } = self;
        open.ask(vectors, |library, embedder| {
            let without = query.lines.is_empty() && embedder.is_none();
            let mode = if without { SearchMode::Bm25 } else { SearchMode::Hybrid };
            let mut tools = models.tools(embedder);
            tools.reranking = tools.reranking.filter(|_| !is_left);
            let mut found = library.search_with(&PassageQuery { mode, ..query }, &mut tools)?;
            found.trace.notices.extend(notices);
            Ok(found)
        })
    }

    /// Whether the settings name a model that reranks.
    pub(super) fn reranks(&self) -> bool {
        self.folders.read_settings().0.search.rerank.is_some()
    }

    /// The session that the library belongs to.
    ///
    /// # Errors
    /// Where the library is no session's.
    pub(super) fn session(&self) -> Result<Session> {
        let folder = self.open.folder().parent().unwrap_or(Path::new("."));
        let opened = Session::open(folder, Access::Read);
        opened.with_context(|| format!("open the session of the library {}", self.open.folder().display()))
    }
}
