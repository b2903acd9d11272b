//! What `config.json` says of a BERT, and what of it is refused.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::model::hf::MOST_JSON;
use dojo_core::data::regular;

/// Its name in a `config.json`.
const MODEL_TYPE: &str = "bert";

/// The model's sizes.
#[derive(Debug, Clone, Deserialize)]
pub(in crate::embed) struct BertConfig {
    pub(in crate::embed) vocab_size: usize,
    #[serde(rename = "hidden_size")]
    pub(super) width: usize,
    #[serde(rename = "num_hidden_layers")]
    pub(super) layers: usize,
    #[serde(rename = "num_attention_heads")]
    pub(super) heads: usize,
    #[serde(rename = "intermediate_size")]
    pub(super) inner: usize,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "absolute")]
    position_embedding_type: String,
    #[serde(rename = "max_position_embeddings")]
    pub(in crate::embed) positions: usize,
    pub(super) type_vocab_size: usize,
    pub(super) layer_norm_eps: f32,
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn absolute() -> String {
    "absolute".to_owned()
}

impl BertConfig {
    /// Reads a folder's `config.json`.
    ///
    /// # Errors
    /// If it is missing, the model is something else than a BERT, or a BERT of a kind that isn't computed here.
    pub(in crate::embed) fn read(folder: &Path) -> Result<Self> {
        let path = folder.join("config.json");
        let text = regular::text(&path, MOST_JSON).with_context(|| format!("read {}", path.display()))?;
        let value: serde_json::Value =
            serde_json::from_str(&text).with_context(|| format!("read {}", path.display()))?;
        let kind = value.get("model_type").and_then(serde_json::Value::as_str).unwrap_or("unnamed");
        if kind != MODEL_TYPE {
            bail!("its architecture is {kind}, and {MODEL_TYPE} is read here: use all-minilm-l6-v2");
        }
        let shape: Self =
            serde_json::from_value(value).with_context(|| format!("read {}", path.display()))?;
        shape.check()?;
        Ok(shape)
    }

    fn check(&self) -> Result<()> {
        ensure!(
            self.hidden_act == "gelu",
            "its activation is {}, and bert models are read with gelu",
            self.hidden_act
        );
        ensure!(
            self.position_embedding_type == "absolute",
            "its positions are {}, and bert models are read with absolute ones",
            self.position_embedding_type
        );
        let whole = self.heads > 0 && self.width.is_multiple_of(self.heads);
        ensure!(whole, "its width {} can't be split into {} heads", self.width, self.heads);
        let sizes = [self.vocab_size, self.positions, self.width, self.inner, self.type_vocab_size];
        ensure!(sizes.iter().all(|&size| size > 0), "one of its sizes is 0");
        Ok(())
    }
}
