//! Libraries of a person: where they are, what embeds for them, and what is brought into them from where.

pub mod adding;
pub mod answer;
mod background;
pub mod embedder;
mod endpoint;
pub mod expand;
pub mod grounded;
mod local;
mod named;
pub(in crate::app) mod open;
pub mod rerank;
pub mod roots;
pub mod search_models;
pub mod served;
pub mod web;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

pub use endpoint::EndpointEmbedder;
pub use local::LocalEmbedder;

use super::sessions;
use crate::config::Folders;
use crate::domain::session::FILE;
use crate::rag::database;

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
