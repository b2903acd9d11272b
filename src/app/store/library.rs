//! What is known of the library: what it holds, the rows in sight, what a search found, the document that is read.

use std::sync::Arc;

use crate::domain::protocol::LibraryEvent;
use crate::domain::protocol::library::{
    AddedFiles, LibraryGeneration, LibraryState, ReadDocument, SearchedPassages,
};
use crate::domain::retrieval::{DocumentRow, SearchMode};

/// Facts of the session's library.
#[derive(Debug, Default)]
pub struct LibraryStore {
    /// `None` until it was looked at.
    pub state: Option<LibraryState>,
    /// The rows that were read last.
    pub page: DocumentPage,
    /// What the last files came to that were brought in.
    pub added: Option<AddedFiles>,
    /// What the newest search found so far.
    pub searched: Option<SearchedPassages>,
    /// Why the newest search was not asked by meaning.
    pub words_only: Option<String>,
    /// The document that was asked for last, or why it can't be shown.
    pub read: Option<(String, Result<Arc<ReadDocument>, String>)>,
}

/// Rows of the list, from a position on.
#[derive(Debug, Default)]
pub struct DocumentPage {
    pub generation: LibraryGeneration,
    pub start: usize,
    pub rows: Vec<DocumentRow>,
    /// Where the document is that was chosen when this was asked for.
    pub chosen: Option<usize>,
}

impl LibraryStore {
    /// Documents in the list.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state.as_ref().map_or(0, |state| state.counts.documents as usize)
    }

    /// The row at a position, if it was read.
    #[must_use]
    pub fn row(&self, position: usize) -> Option<&DocumentRow> {
        self.page.rows.get(position.checked_sub(self.page.start)?)
    }

    pub(super) fn apply(&mut self, event: LibraryEvent) {
        match event {
            LibraryEvent::Looked(state) => self.state = Some(*state),
            LibraryEvent::PageRead { generation, start, rows, chosen } => {
                self.page = DocumentPage { generation, start, rows, chosen };
            }
            LibraryEvent::Added(added) => self.added = Some(*added),
            LibraryEvent::Searched(searched) => self.take_searched(*searched),
            LibraryEvent::DocumentRead { source, read } => self.read = Some((source, read)),
        }
    }

    /// What an older search found is of no use any more, and words don't take the place of meaning.
    fn take_searched(&mut self, found: SearchedPassages) {
        if let Some(known) = &self.searched {
            let is_older = known.search > found.search;
            let is_less = known.search == found.search
                && known.mode != SearchMode::Bm25
                && found.mode == SearchMode::Bm25;
            if is_older || is_less {
                return;
            }
        }
        match &found.failed {
            // What words found stays.
            Some(why) if found.mode != SearchMode::Bm25 => self.words_only = Some(why.clone()),
            Some(_) | None => {
                if found.mode != SearchMode::Bm25 {
                    self.words_only = None;
                }
                self.searched = Some(found);
            }
        }
    }
}
