//! Hugging Face folders: `config.json`, safetensors in one file or several, `tokenizer.json`, chat template.

mod added;
pub(crate) mod asked;
mod bounds;
mod charsmap;
pub(crate) mod config;
mod rope;
pub(crate) mod special;
pub(crate) mod tokenizer;
mod weights;

use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use serde::de::DeserializeOwned;

use super::on_disk::ModelFile;
use dojo_core::data::regular::is_there;
use dojo_core::domain::name::one_line;

pub(crate) use weights::SafetensorsWeights;

/// Larger JSON files than this are no model's, and would take gigabytes once they are read.
pub const MOST_JSON: u64 = 32 << 20;

/// Reads a JSON file of a model.
pub(crate) fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let read = || -> Result<T> {
        let bytes = read_bounded(path, MOST_JSON)?;
        serde_json::from_slice(&bytes).map_err(|error| anyhow!(one_line(&error.to_string())))
    };
    read().with_context(|| format!("read {}", path.display()))
}

/// A file's bytes, where they are no more than that.
pub(crate) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>> {
    let file = ModelFile::open(path)?;
    let size = file.length();
    ensure!(size <= most, "it has {size} bytes, more than any model's ({most})");
    file.read(0, size as usize)
}

/// As [`json`], where the file may be missing.
pub(crate) fn optional_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if is_there(path) { json(path).map(Some) } else { Ok(None) }
}

/// Whether a folder's configuration and tensors can be read, and its tokenizer where it has one.
pub(crate) fn verify(folder: &Path) -> Result<()> {
    json::<serde_json::Map<String, serde_json::Value>>(&folder.join("config.json"))?;
    weights::open_files(folder)?;
    if is_there(&folder.join(tokenizer::FILE)) {
        tokenizer::read(folder)?;
    }
    Ok(())
}
