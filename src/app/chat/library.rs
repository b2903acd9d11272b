//! The library of a chat's session: passages for a question, and the prompt that shows them. Opened when it is first
//! asked for.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::app::library;
use crate::app::library::answer::{self, LibraryPrompts};
use crate::app::library::open::OpenLibrary;
use crate::config::Folders;
use crate::domain::retrieval::FoundPassages;

pub(super) struct ChatLibrary {
    folders: Folders,
    session: PathBuf,
    open: OpenLibrary,
}

impl ChatLibrary {
    pub(super) fn new(folders: Folders, session: PathBuf) -> Self {
        let open = OpenLibrary::new(folders.clone(), library::of_session(&session));
        Self { folders, session, open }
    }

    /// The prompts that its questions are asked with.
    pub(super) fn prompts(&self) -> Result<LibraryPrompts> {
        LibraryPrompts::load(&self.folders, &self.session)
    }

    /// Passages for a question. A library without embeddings is searched by its words.
    pub(super) fn find(&mut self, question: &str, top: usize) -> Result<FoundPassages> {
        self.open.library().context("this session has no documents yet: `dojo rag add PATH` adds them")?;
        answer::find(&mut self.open, question, top)
    }

    /// The languages of its documents.
    pub(super) fn languages(&mut self) -> Result<Vec<String>> {
        self.open.library()?.database().languages()
    }
}
