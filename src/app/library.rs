//! Libraries of a person: where they are, what embeds for them, and what is brought into them from where.

pub mod adding;
pub mod answer;
mod background;
pub mod embedder;
pub mod expand;
pub mod grounded;
mod named;
pub(in crate::app) mod open;
pub mod rerank;
pub mod roots;
pub mod search_models;
pub mod served;
pub mod web;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::sessions;
use crate::config::Folders;
use crate::domain::session::FILE;
use crate::engine::embed::Embedder;
use crate::engine::hub;
use crate::engine::model::ModelFiles;
use crate::rag::database;
use crate::rag::embedding::{EmbeddedAs, EmbeddingModel, TextEmbedder};

/// The library's folder within a session's.
const FOLDER: &str = "library";

/// The model that embeds unless another is named: small, and quick on a processor.
pub const DEFAULT_MODEL: &str = "all-minilm-l6-v2";

/// The library's folder within that of a session.
#[must_use]
pub fn of_session(session: &Path) -> PathBuf {
    session.join(FOLDER)
}

/// The folder of the library that a person means: that of a session (its name, a sample's, or its folder), or a folder
/// of its own; without a name, that of the session that was open last.
///
/// # Errors
/// Where there is no such session.
pub fn folder(folders: &Folders, name: Option<&str>) -> Result<PathBuf> {
    let Some(name) = name else {
        let session = sessions::open_last(folders)
            .context("no session was open; say --library NAME or --library FOLDER, or make a session with `dojo new NAME`")?;
        return Ok(session.path.join(FOLDER));
    };
    let path = Path::new(name);
    if path.join(database::FILE).is_file() {
        return Ok(path.to_path_buf());
    }
    // A path is a folder of its own, unless it is a session's.
    if path.components().count() > 1 && !path.join(FILE).is_file() {
        if path.is_file() {
            bail!("{name} is a file: a library is a folder");
        }
        return Ok(path.to_path_buf());
    }
    Ok(sessions::open_named(folders, name)?.path.join(FOLDER))
}

/// Where the library of a collection that is measured on is kept, so that measuring again embeds nothing twice.
#[must_use]
pub fn measured_folder(folders: &Folders, collection: &Path) -> PathBuf {
    let path = collection.canonicalize().unwrap_or_else(|_| collection.to_path_buf());
    let name =
        path.file_name().map_or_else(|| "collection".to_owned(), |name| name.to_string_lossy().into_owned());
    let hash = crate::ground::hash::of_bytes(path.as_os_str().as_encoded_bytes());
    folders.cache.join("measured").join(format!("{name}-{hash:016x}"))
}

/// A sentence model on this machine.
pub struct LocalEmbedder {
    embedder: Embedder,
    model: EmbeddingModel,
}

impl LocalEmbedder {
    /// Loads a model.
    ///
    /// # Errors
    /// Where it is damaged or gives no embeddings.
    pub fn open(files: &ModelFiles) -> Result<Self> {
        let embedder = Embedder::open(files)?;
        let prefixes = match embedder.prefixes() {
            none if none.is_empty() => hub::prefixes_of(embedder.name()),
            own => own.clone(),
        };
        let model = EmbeddingModel {
            name: embedder.name().to_owned(),
            dimensions: embedder.dimensions(),
            passage_prefix: prefixes.passage,
            query_prefix: prefixes.query,
        };
        Ok(Self { embedder, model })
    }
}

impl TextEmbedder for LocalEmbedder {
    fn model(&self) -> &EmbeddingModel {
        &self.model
    }

    fn embed(&self, texts: &[&str], embedded_as: EmbeddedAs) -> Result<Vec<Vec<f32>>> {
        let prefix = match embedded_as {
            EmbeddedAs::Passage => &self.model.passage_prefix,
            EmbeddedAs::Query => &self.model.query_prefix,
        };
        if prefix.is_empty() {
            return Ok(self.embedder.embed(texts)?.vectors);
        }
        let said: Vec<String> = texts.iter().map(|text| format!("{prefix}{text}")).collect();
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        Ok(self.embedder.embed(&said)?.vectors)
    }

    fn tokens(&self, text: &str) -> Result<usize> {
        self.embedder.tokens(text)
    }

    fn longest(&self) -> usize {
        let prefix = self.embedder.tokens(&self.model.passage_prefix).unwrap_or_default();
        self.embedder.longest().saturating_sub(prefix)
    }
}
