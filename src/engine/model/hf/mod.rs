//! Hugging Face folders: `config.json`, safetensors in one file or several, `tokenizer.json`, chat template.

pub(crate) mod config;
mod rope;
pub(crate) mod tokenizer;
mod weights;

use std::path::Path;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;

pub(crate) use weights::SafetensorsWeights;

/// Larger JSON files than this are no model's: a tokenizer's is some tens of megabytes.
const MOST_JSON: u64 = 256 << 20;

/// Reads a JSON file of a model.
fn json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let read = || -> Result<T> {
        let size = std::fs::metadata(path)?.len();
        anyhow::ensure!(size <= MOST_JSON, "it has {size} bytes, more than any model's");
        Ok(serde_json::from_slice(&std::fs::read(path)?)?)
    };
    read().with_context(|| format!("read {}", path.display()))
}

/// As [`json`], where the file may be missing.
fn optional_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>> {
    if path.is_file() { json(path).map(Some) } else { Ok(None) }
}
