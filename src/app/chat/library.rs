//! The library of a chat's session: passages for a question, and the prompt that shows them. Opened when it is first
//! asked for.

use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::app::library;
use crate::app::library::answer::{self, LibraryPrompts, near};
use crate::app::library::open::OpenLibrary;
use crate::config::Folders;
use crate::domain::cited::{SourceMark, SourceMarks};
use crate::domain::retrieval::{FoundPassage, FoundPassages, LibraryFilter};

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

    /// Passages that are worth an answer, those of pinned documents first; excluded ones are never looked in. Each pinned
    /// search gives its best passage in any case: a person has said that the answer is there.
    pub(super) fn find(&mut self, question: &str, top: usize, marks: &SourceMarks) -> Result<FoundPassages> {
        let marked = |wanted: SourceMark| -> Vec<String> {
            marks.iter().filter(|(_, mark)| **mark == wanted).map(|(source, _)| source.clone()).collect()
        };
        let (pinned, excluded) = (marked(SourceMark::Pinned), marked(SourceMark::Excluded));
        let without = LibraryFilter { without: excluded, ..LibraryFilter::default() };
        let mut found = self.search(question, top, without)?;
        found.passages = near(found.passages);
        if !pinned.is_empty() {
            let only = LibraryFilter { only: pinned, ..LibraryFilter::default() };
            let first = self.search(question, top.div_ceil(2), only)?;
            found.trace.times.total_ms += first.trace.times.total_ms;
            found.passages = pinned_first(first.passages, found.passages, top);
        }
        Ok(found)
    }

    /// A library without embeddings is searched by its words.
    fn search(&mut self, question: &str, top: usize, filter: LibraryFilter) -> Result<FoundPassages> {
        self.open.library().context("this session has no documents yet: `dojo rag add PATH` adds them")?;
        answer::find(&mut self.open, question, (top, filter))
    }

    /// The languages of its documents.
    pub(super) fn languages(&mut self) -> Result<Vec<String>> {
        self.open.library()?.database().languages()
    }
}

/// The passages of pinned documents that are near, the best of them in any case, then those of all, none twice.
fn pinned_first(pinned: Vec<FoundPassage>, all: Vec<FoundPassage>, top: usize) -> Vec<FoundPassage> {
    let best = pinned.first().cloned();
    let mut passages = near(pinned);
    if passages.is_empty() {
        passages.extend(best);
    }
    let repeats = |passages: &[FoundPassage], other: &FoundPassage| {
        passages.iter().any(|known| {
            known.source == other.source
                && known.chunks.0 <= other.chunks.1
                && other.chunks.0 <= known.chunks.1
        })
    };
    for other in all {
        if !repeats(&passages, &other) {
            passages.push(other);
        }
    }
    passages.truncate(top);
    for (rank, passage) in (1..).zip(&mut passages) {
        passage.rank = rank;
    }
    passages
}
