//! What the tools work on: a library, its embedding model, and the folders of runs and records. Each is opened when it
//! is first asked for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::app::library::{DEFAULT_MODEL, LocalEmbedder};
use crate::config::Folders;
use crate::engine::hub::{self, Network, Silent};
use crate::rag::library::Library;
use crate::session::{Access, Session};

/// What the tools work on.
pub struct McpDesk {
    pub(super) folders: Folders,
    /// The library's folder.
    folder: PathBuf,
    library: Option<Library>,
    embedder: Option<LocalEmbedder>,
}

impl McpDesk {
    /// For the library in a folder.
    #[must_use]
    pub const fn new(folders: Folders, folder: PathBuf) -> Self {
        Self { folders, folder, library: None, embedder: None }
    }

    /// What an assistant is told before it asks: what can be searched.
    pub(super) fn instructions(&self) -> String {
        let holds = Library::open(&self.folder).and_then(|library| library.counts());
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
        if self.library.is_none() {
            self.library = Some(Library::open(&self.folder)?);
        }
        self.library.as_mut().context("open the library")
    }

    /// The library, with its embedding model if it has embeddings and they are asked for. What is not on this machine is
    /// not fetched: an assistant waits for an answer.
    ///
    /// # Errors
    /// Where the library or the model can't be opened.
    pub(super) fn with_embedder(&mut self, wanted: bool) -> Result<(&mut Library, Option<&LocalEmbedder>)> {
        let model = self.library()?.database().model()?.map(|(_, model)| model.name);
        if wanted && model.is_some() && self.embedder.is_none() {
            let name = model.as_deref().unwrap_or(DEFAULT_MODEL);
            let files = hub::resolve(&self.folders.models(), name, Network::Offline, &mut Silent)
                .with_context(|| format!("open the library's embedding model {name}"))?;
            self.embedder = Some(LocalEmbedder::open(&files)?);
        }
        let library = self.library.as_mut().context("open the library")?;
        Ok((library, self.embedder.as_ref().filter(|_| wanted && model.is_some())))
    }

    /// The session that the library belongs to.
    ///
    /// # Errors
    /// Where the library is no session's.
    pub(super) fn session(&self) -> Result<Session> {
        let folder = self.folder.parent().unwrap_or(Path::new("."));
        let opened = Session::open(folder, Access::Read);
        opened.with_context(|| format!("open the session of the library {}", self.folder.display()))
    }
}
