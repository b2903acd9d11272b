//! Whether a model only turns texts into vectors: its files say so before anything is loaded.

use std::path::Path;

use serde_json::Value;

use crate::model::ModelFiles;
use crate::model::files::ModelStorage;
use crate::model::gguf::GgufFile;
use crate::model::hf::MOST_JSON;
use dojo_core::data::regular;

/// Files that sentence-transformers writes beside a model.
const MARKS: [&str; 2] = ["modules.json", "config_sentence_transformers.json"];

/// Whether a model of this name embeds only: by the table of short names while it isn't here, else by its files. What
/// can't be read is for whoever opens it to say.
#[must_use]
pub fn embeds_only(name: &str, files: Option<&ModelFiles>) -> bool {
    match files.map(|files| &files.form) {
        None => super::aliases().iter().any(|alias| alias.name == name && alias.embeds),
        Some(ModelStorage::HuggingFace(folder)) => {
            MARKS.iter().any(|mark| regular::is_there(&folder.join(mark))) || has_no_head(folder)
        }
        Some(ModelStorage::Gguf(path)) => GgufFile::open(path).is_ok_and(|file| {
            let metadata = &file.header().metadata;
            // llama.cpp writes how the vectors of a text's tokens become one.
            metadata.keys().any(|key| key.ends_with(".pooling_type"))
        }),
    }
}

/// Whether a configuration names a model without an output layer: `BertModel`, and not `LlamaForCausalLM`.
fn has_no_head(folder: &Path) -> bool {
    let config = regular::text(&folder.join("config.json"), MOST_JSON)
        .ok()
        .and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let Some(config) = config else { return false };
    let classes = config.get("architectures").and_then(Value::as_array).cloned().unwrap_or_default();
    let is_bare = |class: &Value| {
        class.as_str().is_some_and(|class| class.ends_with("Model") && !class.ends_with("LMHeadModel"))
    };
    let is_encoder =
        config.get("model_type").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("bert"));
    is_encoder || !classes.is_empty() && classes.iter().all(is_bare)
}
