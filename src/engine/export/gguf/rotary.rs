//! The tensors and keys of a scaled rotation: a divisor for each frequency (Llama 3.1 and later), or short and long ones
//! (Phi-3's `LongRoPE`).

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value};

use super::keys::prefix;
use super::write::Entries;
use crate::model::architecture::GgufRotation;
use crate::model::config::{Rope, RopeScaling};
use crate::model::files::ModelStorage;
use crate::model::gguf::{GgufFile, GgufValue};
use crate::model::weights::TensorRows;
use crate::model::{OpenModel, hf};

const FREQUENCIES: &str = "rope_freqs.weight";
const SHORT: &str = "rope_factors_short.weight";
const LONG: &str = "rope_factors_long.weight";

/// Tensors by their names, and keys.
#[derive(Default)]
pub(super) struct RotaryParts {
    pub(super) tensors: Vec<(String, Vec<f32>)>,
    pub(super) entries: Entries,
}

/// # Errors
/// If llama.cpp has no such scaling for the architecture, or the base's files can't be read.
pub(super) fn of(model: &OpenModel) -> Result<RotaryParts> {
    let rope = &model.config.rope;
    let name = prefix(&model.config);
    let architecture = model.config.architecture;
    let has = |least: GgufRotation, what: &str| {
        ensure!(architecture.gguf_rotation >= least, "llama.cpp has no {what} for {}", architecture.name);
        Ok(())
    };
    match &rope.scaling {
        RopeScaling::None | RopeScaling::Linear(_) => Ok(RotaryParts::default()),
        RopeScaling::Llama3 { .. } => {
            has(GgufRotation::Divisors, "rotation scaled as Llama 3.1's is")?;
            let tensors = vec![(FREQUENCIES.to_owned(), divisors(rope))];
            Ok(RotaryParts { tensors, entries: Vec::new() })
        }
        RopeScaling::PerFrequency { divisors, attention_factor } => match &model.files.form {
            ModelStorage::Gguf(path) => copied(path, name),
            ModelStorage::HuggingFace(folder) => {
                has(GgufRotation::Factors, "rotation scaled as LongRoPE does it")?;
                long(folder, divisors, *attention_factor, name)
            }
        },
    }
}

/// What each plain frequency is divided by.
fn divisors(rope: &Rope) -> Vec<f32> {
    let plain = Rope { scaling: RopeScaling::None, ..rope.clone() }.frequencies().0;
    let scaled = rope.frequencies().0;
    plain.iter().zip(&scaled).map(|(plain, scaled)| plain / scaled).collect()
}

/// A GGUF's own, the ones for long texts too.
fn copied(path: &Path, prefix: &str) -> Result<RotaryParts> {
    let file = GgufFile::open(path)?;
    let header = file.header();
    let mut parts = RotaryParts::default();
    for name in [FREQUENCIES, SHORT, LONG] {
        if let Some(entry) = header.tensors.get(name) {
            let numbers = file.mapped(entry).expand(&TensorRows::All, &entry.shape)?;
            parts.tensors.push((name.to_owned(), numbers));
        }
    }
    for end in [
        "rope.scaling.type",
        "rope.scaling.factor",
        "rope.scaling.attn_factor",
        "rope.scaling.original_context_length",
        "context_length",
    ] {
        let key = format!("{prefix}.{end}");
        parts.entries.extend(header.metadata.get(&key).map(|value| (key, value.clone())));
    }
    Ok(parts)
}

/// A folder's `longrope`: short factors as they are computed with here, long ones from its configuration.
fn long(folder: &Path, short: &[f32], attention_factor: f32, prefix: &str) -> Result<RotaryParts> {
    let config: Map<String, Value> = hf::json(&folder.join("config.json"))?;
    let scaling = ["rope_scaling", "rope_parameters"].iter().find_map(|key| config.get(*key)?.as_object());
    let scaling = scaling.context("config.json has no rope_scaling")?;
    let long =
        scaling.get("long_factor").and_then(Value::as_array).context("rope_scaling has no long_factor")?;
    let long: Vec<f32> = long.iter().filter_map(|factor| Some(factor.as_f64()? as f32)).collect();
    ensure!(
        long.len() == short.len(),
        "rope_scaling.long_factor has {} numbers, short_factor {}",
        long.len(),
        short.len()
    );
    let original = "original_max_position_embeddings";
    let original = config.get(original).or_else(|| scaling.get(original)).and_then(Value::as_i64);
    let original = original.context("original_max_position_embeddings is missing")?;
    let longest = config.get("max_position_embeddings").and_then(Value::as_i64).unwrap_or(original);
    let key = |name: &str| format!("{prefix}.{name}");
    Ok(RotaryParts {
        tensors: vec![(SHORT.to_owned(), short.to_vec()), (LONG.to_owned(), long)],
        entries: vec![
            (key("rope.scaling.type"), GgufValue::Text("longrope".to_owned())),
            (key("rope.scaling.attn_factor"), GgufValue::Float(f64::from(attention_factor))),
            (key("rope.scaling.original_context_length"), GgufValue::Integer(original)),
            // The model's own length: what is read here ends before, at the original one.
            (key("context_length"), GgufValue::Integer(longest)),
        ],
    })
}
