//! What a model's own files say beside its tensors.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::model::hf::{MOST_JSON, read_bounded};

/// A folder's `config.json`.
pub(super) fn config(folder: &Path) -> Result<Map<String, Value>> {
    json(&folder.join("config.json"))
}

/// A JSON file of a model's folder.
pub(super) fn json(path: &Path) -> Result<Map<String, Value>> {
    let read = || -> Result<_> { Ok(serde_json::from_slice(&read_bounded(path, MOST_JSON)?)?) };
    read().with_context(|| format!("read {}", path.display()))
}
