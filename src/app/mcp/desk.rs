//! What the tools work on: a library, its embedding model, and the folders of runs and records. Each is opened when it
//! is first asked for.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::app::library::open::OpenLibrary;
use crate::config::Folders;
use crate::rag::library::Library;
use crate::session::{Access, Session};

/// What the tools work on.
pub struct McpDesk {
    pub(super) folders: Folders,
    pub(super) open: OpenLibrary,
}

impl McpDesk {
    /// For the library in a folder.
    #[must_use]
    pub fn new(folders: Folders, folder: PathBuf) -> Self {
        let open = OpenLibrary::new(folders.clone(), folder);
        Self { folders, open }
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
