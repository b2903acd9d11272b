//! The library of the open session: its documents, what is done to them, and passages that are searched for.

use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::retrieval::{DocumentRow, FoundPassage, LibraryCounts, SearchMode};

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LibraryCommand {
    /// Read what it holds; told anew from then on whenever that changes.
    Look,
    /// Read rows of the list of documents, and where one of them is in it.
    Page { generation: LibraryGeneration, positions: Range<usize>, chosen: Option<String> },
    /// What files and folders a path that is being typed may become.
    Complete(String),
    /// Bring in a file, or a folder with all under it.
    Add(PathBuf),
    /// Bring all that was added up to date.
    Update,
    /// Compute the embeddings that are missing by a model, and find by them; the library's own model if none is named.
    Embed(Option<String>),
    /// Say anew what a document is.
    Describe { source: String, context: Option<String>, tags: Vec<String> },
    /// Take a document out.
    Delete(String),
    /// Read a document as the library has it.
    Read(String),
    /// Find passages: by words at once, by meaning after a pause.
    Search { search: LibrarySearchId, words: String },
}

/// Rises whenever the list of documents is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct LibraryGeneration(pub u64);

/// Names a search, so that an older one's passages are never shown for a newer one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct LibrarySearchId(pub u64);

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum LibraryEvent {
    Looked(Box<LibraryState>),
    PageRead {
        generation: LibraryGeneration,
        start: usize,
        rows: Vec<DocumentRow>,
        /// Where the chosen document is in the list now, if it is still there.
        chosen: Option<usize>,
    },
    /// What became of files that were brought in.
    Added(Box<AddedFiles>),
    Searched(Box<SearchedPassages>),
    /// A document as the library has it, or why it can't be shown.
    DocumentRead {
        source: String,
        read: Result<Arc<ReadDocument>, String>,
    },
}

/// What the library holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LibraryState {
    pub generation: LibraryGeneration,
    pub counts: LibraryCounts,
    /// Chunks without an embedding by the library's model.
    pub unembedded: u64,
    /// The session's own folder of documents, if there is one and nothing was added yet.
    pub own_documents: Option<PathBuf>,
    /// The model that embeds unless another is chosen.
    pub default_model: String,
}

/// What became of files that were brought in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AddedFiles {
    /// What was asked for, as a person would say it.
    pub what: String,
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub removed: u64,
    /// Files that could not be read.
    pub unread: u64,
    /// Each with its reason, as many as are kept.
    pub reasons: Vec<(String, String)>,
}

/// Passages that a search found, so far.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchedPassages {
    pub search: LibrarySearchId,
    pub words: String,
    /// How they were found; words come first.
    pub mode: SearchMode,
    pub passages: Vec<FoundPassage>,
    pub milliseconds: f64,
    /// Why it was not searched so, in a sentence; the passages found before stay.
    pub failed: Option<String>,
}

/// A document's text, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadDocument {
    pub row: DocumentRow,
    pub parts: Vec<ReadPart>,
}

/// The part of a document that one chunk has, without what the chunk before has too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPart {
    /// The chunk's place, from 0.
    pub ordinal: u32,
    /// The headings that it begins under, outermost first.
    pub section: Vec<String>,
    /// First and last page, from 1.
    pub pages: Option<(u32, u32)>,
    pub text: String,
}
