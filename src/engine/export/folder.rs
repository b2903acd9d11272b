//! A merged model as a Hugging Face folder.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use candle_core::quantized::GgmlDType;
use serde_json::{Map, Value, json};

use super::config_json::{self, copy_beside};
use super::progress::ExportProgress;
use super::safetensors::ModelShards;
use super::tensors;
use super::trained::TrainedModel;
use crate::model::files::ModelStorage;
use crate::model::{ModelConfig, OpenModel, hf};
use dojo_core::ground::files::write_atomically;

/// How a folder's numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FolderType {
    F32,
    F16,
    Bf16,
}

impl FolderType {
    pub const ALL: [Self; 3] = [Self::F32, Self::F16, Self::Bf16];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        }
    }

    /// torch's name of it.
    const fn dtype(self) -> &'static str {
        match self {
            Self::F32 => "float32",
            Self::F16 => "float16",
            Self::Bf16 => "bfloat16",
        }
    }

    pub(super) const fn format(self) -> GgmlDType {
        match self {
            Self::F32 => GgmlDType::F32,
            Self::F16 => GgmlDType::F16,
            Self::Bf16 => GgmlDType::BF16,
        }
    }
}

/// Bytes of a folder's weights.
pub(super) fn bytes(model: &OpenModel, kind: FolderType) -> Result<u64> {
    ModelShards::of(model, kind.format())?.bytes()
}

/// The format of each tensor of the model, by the name that `Weights` knows.
pub(super) fn formats(config: &ModelConfig, kind: FolderType) -> BTreeMap<String, GgmlDType> {
    let parts = tensors::all(config).into_iter().flat_map(|tensor| tensor.parts);
    parts.map(|part| (part.name, kind.format())).collect()
}

/// Writes the folder.
///
/// # Errors
/// If a tensor can't be read, the disk is full, or no `config.json` says what the model is.
pub(super) fn write(
    trained: &TrainedModel,
    kind: FolderType,
    folder: &Path,
    progress: &mut dyn ExportProgress,
) -> Result<()> {
    let model = &trained.merged;
    let json =
        |name: &str, value: &Value| write_atomically(&folder.join(name), &serde_json::to_vec_pretty(value)?);
    json("config.json", &config_json::of(model, kind.dtype())?)?;
    json("generation_config.json", &config_json::generation(model)?)?;
    tokenizer(trained, folder).context("write the tokenizer")?;
    ModelShards::of(model, kind.format())?.write(model, folder, progress)
}

/// The base's own files, with the tokens that training added; made anew if the base is a GGUF.
fn tokenizer(trained: &TrainedModel, folder: &Path) -> Result<()> {
    let model = &trained.merged;
    let ModelStorage::HuggingFace(base) = &model.files.form else {
        return model.save_tokenizer(folder);
    };
    copy_beside(base, folder)?;
    if !trained.has_own_tokens {
        return Ok(());
    }
    model.save_tokenizer_json(folder)?;
    describe_added(model, &folder.join("tokenizer_config.json"))
}

/// Where a folder's tokens are described one by one, the new ones are, too.
fn describe_added(model: &OpenModel, path: &Path) -> Result<()> {
    let Some(mut config) = hf::optional_json::<Map<String, Value>>(path)? else { return Ok(()) };
    let Some(Value::Object(decoder)) = config.get_mut("added_tokens_decoder") else { return Ok(()) };
    for (id, token) in model.tokenizer.get_added_tokens_decoder() {
        decoder.entry(id.to_string()).or_insert_with(|| {
            json!({
                "content": token.content,
                "lstrip": token.lstrip,
                "normalized": token.normalized,
                "rstrip": token.rstrip,
                "single_word": token.single_word,
                "special": token.special,
            })
        });
    }
    write_atomically(path, &serde_json::to_vec_pretty(&Value::Object(config))?)
}
