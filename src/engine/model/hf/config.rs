//! `config.json` -> what the decoder looks like. Keys and their defaults are transformers', version 4 and 5.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::rope::Ropes;
use super::{json, optional_json};
use crate::domain::name::{one_line, shown};
use crate::engine::model::config::{Activation, Architecture, ModelConfig};
use crate::engine::model::layer::LayerPlan;

/// The keys that matter, as they may stand in the file.
#[derive(Debug, Deserialize)]
pub(super) struct Keys {
    vocab_size: usize,
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    num_key_value_heads: Option<usize>,
    head_dim: Option<usize>,
    pub(super) max_position_embeddings: Option<usize>,
    rms_norm_eps: Option<f32>,
    pub(super) rope_theta: Option<f32>,
    pub(super) rope_local_base_freq: Option<f32>,
    pub(super) rope_scaling: Option<Value>,
    pub(super) rope_parameters: Option<Value>,
    pub(super) partial_rotary_factor: Option<f32>,
    pub(super) original_max_position_embeddings: Option<usize>,
    sliding_window: Option<usize>,
    use_sliding_window: Option<bool>,
    max_window_layers: Option<usize>,
    layer_types: Option<Vec<String>>,
    sliding_window_pattern: Option<usize>,
    #[serde(rename = "_sliding_window_pattern")]
    hidden_window_pattern: Option<usize>,
    no_rope_layers: Option<Vec<u8>>,
    no_rope_layer_interval: Option<usize>,
    attention_bias: Option<bool>,
    mlp_bias: Option<bool>,
    tie_word_embeddings: Option<bool>,
    query_pre_attn_scalar: Option<f32>,
    final_logit_softcapping: Option<f32>,
    hidden_act: Option<String>,
    hidden_activation: Option<String>,
    bos_token_id: Option<Ids>,
    eos_token_id: Option<Ids>,
}

/// One token, or several.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Ids {
    One(u32),
    Several(Vec<u32>),
}

impl Ids {
    fn list(&self) -> &[u32] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Several(ids) => ids,
        }
    }
}

/// The part of `generation_config.json` that matters.
#[derive(Debug, Deserialize)]
struct Generation {
    eos_token_id: Option<Ids>,
}

/// Tokens that end a generation, at most: some models name five.
const MOST_ENDS: usize = 256;

/// Reads a folder's configuration.
///
/// # Errors
/// Where a file can't be read, the architecture isn't known, or a key is missing or makes no sense.
pub(crate) fn read(folder: &Path) -> Result<ModelConfig> {
    let path = folder.join("config.json");
    let raw: Value = json(&path)?;
    let generation: Option<Generation> = optional_json(&folder.join("generation_config.json"))?;
    let read = || -> Result<ModelConfig> {
        let architecture = architecture(&raw)?;
        refuse_other_attention(&raw)?;
        let keys: Keys = serde_json::from_value(with_defaults(raw, architecture))
            .map_err(|error| anyhow!(one_line(&error.to_string())))?;
        let mut config = keys.config(architecture)?;
        ensure!(config.eos.len() <= MOST_ENDS, "it names {} end tokens", config.eos.len());
        let ends = generation.iter().filter_map(|generation| generation.eos_token_id.as_ref());
        for &id in ends.flat_map(Ids::list).take(MOST_ENDS) {
            if !config.eos.contains(&id) {
                config.eos.push(id);
            }
        }
        config.validate()?;
        Ok(config)
    };
    read().with_context(|| format!("read the configuration {}", path.display()))
}

fn architecture(raw: &Value) -> Result<Architecture> {
    Ok(match raw.get("model_type").and_then(Value::as_str) {
        Some("llama") => Architecture::Llama,
        Some("mistral") => Architecture::Mistral,
        Some("qwen2") => Architecture::Qwen2,
        Some("qwen3") => Architecture::Qwen3,
        Some("gemma3_text") => Architecture::Gemma3,
        Some("phi3") => Architecture::Phi3,
        Some("smollm3") => Architecture::SmolLm3,
        Some(other) => {
            bail!("its architecture, {}, isn't one that Dojo knows ({})", shown(other), Architecture::KNOWN)
        }
        None => bail!("model_type is missing (known architectures: {})", Architecture::KNOWN),
    })
}

/// What an architecture takes for a key that the file doesn't have, where that isn't what the others take.
fn with_defaults(mut raw: Value, architecture: Architecture) -> Value {
    let defaults: &[(&str, f64)] = match architecture {
        Architecture::Gemma3 => {
            &[("head_dim", 256.0), ("sliding_window", 4096.0), ("query_pre_attn_scalar", 256.0)]
        }
        Architecture::Qwen3 => &[("head_dim", 128.0), ("sliding_window", 4096.0)],
        Architecture::Qwen2 | Architecture::Mistral => &[("sliding_window", 4096.0)],
        Architecture::Phi3 => &[("rms_norm_eps", 1e-5)],
        Architecture::Llama | Architecture::SmolLm3 => &[],
    };
    if let Some(keys) = raw.as_object_mut() {
        for (key, value) in defaults {
            let number = if value.fract() == 0.0 { Value::from(*value as u64) } else { Value::from(*value) };
            keys.entry(*key).or_insert(number);
        }
    }
    raw
}

/// Every token here attends to those before it, and to none behind.
fn refuse_other_attention(raw: &Value) -> Result<()> {
    ensure!(
        raw.get("is_causal") != Some(&Value::Bool(false)),
        "is_causal is false: it attends both ways, which Dojo doesn't support"
    );
    ensure!(
        raw.get("use_bidirectional_attention") != Some(&Value::Bool(true)),
        "use_bidirectional_attention is true: it attends both ways, which Dojo doesn't support"
    );
    Ok(())
}

impl Keys {
    fn config(&self, architecture: Architecture) -> Result<ModelConfig> {
        let heads = self.num_attention_heads;
        let layers = self.num_hidden_layers;
        ensure!(heads > 0, "num_attention_heads is 0");
        ensure!(layers < 1 << 16, "num_hidden_layers is {layers}");
        let gemma = architecture == Architecture::Gemma3;
        let head_dim = self.head_dim.unwrap_or(if gemma { 256 } else { self.hidden_size / heads });
        let ropes = Ropes::read(self, architecture, head_dim)?;
        self.refuse_biases(architecture)?;
        Ok(ModelConfig {
            architecture,
            vocabulary: self.vocab_size,
            hidden: self.hidden_size,
            intermediate: self.intermediate_size,
            layers,
            heads,
            kv_heads: self.num_key_value_heads.unwrap_or(heads),
            head_dim,
            context: ropes.context.context("max_position_embeddings is missing")?,
            norm_epsilon: self.rms_norm_eps.unwrap_or(1e-6),
            rope: ropes.whole,
            local_rope: ropes.local,
            windows: self.windows(architecture)?,
            rotary_layers: self.rotary_layers(architecture),
            activation: self.activation(gemma)?,
            layer: LayerPlan::of(architecture),
            embedding_scale: if gemma { (self.hidden_size as f32).sqrt() } else { 1.0 },
            attention_scale: {
                let scaled_by = self.query_pre_attn_scalar.filter(|_| gemma);
                1.0 / scaled_by.unwrap_or(head_dim as f32).sqrt()
            },
            // Gemma 3 has the key, and transformers doesn't apply it.
            attention_softcap: None,
            logit_softcap: self.final_logit_softcapping.filter(|_| gemma),
            tied_embeddings: self
                .tie_word_embeddings
                .unwrap_or(matches!(architecture, Architecture::Gemma3 | Architecture::SmolLm3)),
            bos: self.bos_token_id.as_ref().and_then(|ids| ids.list().first().copied()),
            eos: self.eos_token_id.as_ref().map(|ids| ids.list().to_vec()).unwrap_or_default(),
        })
    }

    fn refuse_biases(&self, architecture: Architecture) -> Result<()> {
        if !LayerPlan::of(architecture).qkv_bias && self.attention_bias == Some(true) {
            bail!("attention_bias is true, which Dojo doesn't support for {architecture:?}");
        }
        ensure!(self.mlp_bias != Some(true), "mlp_bias is true, which Dojo doesn't support");
        Ok(())
    }

    fn activation(&self, gemma: bool) -> Result<Activation> {
        let own = if gemma { &self.hidden_activation } else { &self.hidden_act };
        Ok(match own.as_ref().map(String::as_str) {
            None if gemma => Activation::GeGlu,
            Some("gelu_pytorch_tanh") => Activation::GeGlu,
            None | Some("silu") => Activation::SwiGlu,
            Some(other) => {
                bail!("its activation, {other}, isn't supported (known: silu, gelu_pytorch_tanh)")
            }
        })
    }

    fn windows(&self, architecture: Architecture) -> Result<Vec<Option<usize>>> {
        let layers = 0..self.num_hidden_layers;
        let qwen = matches!(architecture, Architecture::Qwen2 | Architecture::Qwen3);
        let window = self.sliding_window.filter(|_| !qwen || self.use_sliding_window == Some(true));
        let typed = !matches!(architecture, Architecture::Llama | Architecture::Phi3);
        if let Some(types) = self.layer_types.as_ref().filter(|_| typed) {
            let window = |kind: &String| match kind.as_str() {
                "full_attention" => Ok(None),
                "sliding_attention" => {
                    let window =
                        window.context("layer_types names sliding_attention, without a sliding_window")?;
                    Ok(Some(window))
                }
                other => bail!("its attention, {other}, isn't supported"),
            };
            return types.iter().map(window).collect();
        }
        let rotates = self.rotary_layers(architecture);
        let slides = |layer: usize| match architecture {
            Architecture::Mistral | Architecture::Phi3 => true,
            Architecture::Gemma3 => {
                let pattern = self.sliding_window_pattern.or(self.hidden_window_pattern).unwrap_or(6);
                !(layer + 1).is_multiple_of(pattern.max(1))
            }
            Architecture::Qwen2 | Architecture::Qwen3 => layer >= self.max_window_layers.unwrap_or(28),
            Architecture::SmolLm3 => {
                self.use_sliding_window == Some(true) && rotates.get(layer) == Some(&false)
            }
            Architecture::Llama => false,
        };
        Ok(layers.map(|layer| window.filter(|_| slides(layer))).collect())
    }

    fn rotary_layers(&self, architecture: Architecture) -> Vec<bool> {
        let interval = self.no_rope_layer_interval.unwrap_or(4).max(1);
        let rotates = |layer: usize| match (&self.no_rope_layers, architecture) {
            // Despite its name, 1 in the list means that the layer rotates.
            (Some(flags), Architecture::SmolLm3) => flags.get(layer).is_none_or(|&flag| flag != 0),
            (None, Architecture::SmolLm3) => !(layer + 1).is_multiple_of(interval),
            _ => true,
        };
        (0..self.num_hidden_layers).map(rotates).collect()
    }
}
