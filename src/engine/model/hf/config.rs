//! `config.json` -> what the decoder looks like. Keys and their defaults are transformers', version 4 and 5.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::rope::Ropes;
use super::{json, optional_json};
use crate::model::architecture::{ActivationKey, Architecture, RotaryLayers, Scales, Windows};
use crate::model::config::{Activation, ModelConfig};
use crate::model::scales::{Multipliers, Scaled};
use dojo_core::domain::name::{one_line, shown};

/// The keys that matter, as they may stand in the file.
#[derive(Debug, Deserialize)]
pub(super) struct HfKeys {
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
    embedding_multiplier: Option<f32>,
    residual_multiplier: Option<f32>,
    attention_multiplier: Option<f32>,
    logits_scaling: Option<f32>,
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
        let keys: HfKeys = serde_json::from_value(with_defaults(raw, architecture))
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

fn architecture(raw: &Value) -> Result<&'static Architecture> {
    let known = Architecture::known;
    let name = raw.get("model_type").and_then(Value::as_str);
    let name = name.with_context(|| format!("model_type is missing (known architectures: {})", known()))?;
    Architecture::of_model_type(name).with_context(|| {
        format!("its architecture, {}, isn't one that Dojo knows ({})", shown(name), known())
    })
}

/// What an architecture takes for a key that the file doesn't have, where that isn't what the others take.
fn with_defaults(mut raw: Value, architecture: &Architecture) -> Value {
    if let Some(keys) = raw.as_object_mut() {
        for (key, value) in architecture.defaults {
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

impl HfKeys {
    fn config(&self, architecture: &'static Architecture) -> Result<ModelConfig> {
        let heads = self.num_attention_heads;
        let layers = self.num_hidden_layers;
        ensure!(heads > 0, "num_attention_heads is 0");
        ensure!(layers < 1 << 16, "num_hidden_layers is {layers}");
        let head_dim = self.head_dim.unwrap_or(self.hidden_size / heads);
        let ropes = Ropes::read(self, architecture, head_dim)?;
        self.refuse_biases(architecture)?;
        let scales = self.scales(architecture, head_dim)?;
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
            norm_epsilon: scales.norm_epsilon,
            rope: ropes.whole,
            local_rope: ropes.local,
            windows: self.windows(architecture)?,
            rotary_layers: self.rotary_layers(architecture),
            activation: self.activation(architecture)?,
            layer: architecture.layer,
            embedding_scale: scales.embedding,
            attention_scale: scales.attention,
            // Gemma 3 has the key, and transformers doesn't apply it.
            attention_softcap: None,
            logit_softcap: self.final_logit_softcapping.filter(|_| architecture.scales == Scales::Gemma),
            logit_scale: scales.logits,
            tied_embeddings: self.tie_word_embeddings.unwrap_or(architecture.is_tied),
            bos: self.bos_token_id.as_ref().and_then(|ids| ids.list().first().copied()),
            eos: self.eos_token_id.as_ref().map(|ids| ids.list().to_vec()).unwrap_or_default(),
        })
    }

    fn scales(&self, architecture: &Architecture, head_dim: usize) -> Result<Scaled> {
        let epsilon = self.rms_norm_eps.unwrap_or(1e-6);
        let by_head = 1.0 / (head_dim as f32).sqrt();
        match architecture.scales {
            Scales::Usual => Ok(Scaled::usual(epsilon, by_head)),
            Scales::Gemma => {
                let attention = self.query_pre_attn_scalar.map_or(by_head, |by| 1.0 / by.sqrt());
                let embedding = (self.hidden_size as f32).sqrt();
                Ok(Scaled { embedding, ..Scaled::usual(epsilon, attention) })
            }
            Scales::Multipliers => {
                let given = Multipliers {
                    embedding: self.embedding_multiplier.unwrap_or(1.0),
                    residual: self.residual_multiplier.unwrap_or(1.0),
                    attention: self.attention_multiplier.unwrap_or(1.0),
                    logits: self.logits_scaling.unwrap_or(1.0),
                };
                given.scaled(epsilon)
            }
        }
    }

    fn refuse_biases(&self, architecture: &Architecture) -> Result<()> {
        if !architecture.layer.qkv_bias && self.attention_bias == Some(true) {
            bail!("attention_bias is true, which Dojo doesn't support for {}", architecture.name);
        }
        ensure!(self.mlp_bias != Some(true), "mlp_bias is true, which Dojo doesn't support");
        Ok(())
    }

    fn activation(&self, architecture: &Architecture) -> Result<Activation> {
        let named = match architecture.activation_key {
            ActivationKey::HiddenAct => &self.hidden_act,
            ActivationKey::HiddenActivation => &self.hidden_activation,
        };
        Ok(match named.as_deref() {
            None => architecture.activation,
            Some("gelu_pytorch_tanh") => Activation::GeGlu,
            Some("silu") => Activation::SwiGlu,
            Some(other) => {
                bail!("its activation, {other}, isn't supported (known: silu, gelu_pytorch_tanh)")
            }
        })
    }

    fn windows(&self, architecture: &Architecture) -> Result<Vec<Option<usize>>> {
        let layers = 0..self.num_hidden_layers;
        let asked = self.use_sliding_window == Some(true);
        let if_asked = matches!(architecture.windows, Windows::From(_));
        let window = self.sliding_window.filter(|_| !if_asked || asked);
        if let Some(types) = self.layer_types.as_ref().filter(|_| architecture.reads_layer_types) {
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
        let slides = |layer: usize| match architecture.windows {
            Windows::None => false,
            Windows::All => true,
            Windows::From(first) => layer >= self.max_window_layers.unwrap_or(first),
            Windows::AllBut { every } => {
                let pattern = self.sliding_window_pattern.or(self.hidden_window_pattern).unwrap_or(every);
                !(layer + 1).is_multiple_of(pattern.max(1))
            }
            Windows::WithoutRotation => asked && rotates.get(layer) == Some(&false),
        };
        Ok(layers.map(|layer| window.filter(|_| slides(layer))).collect())
    }

    fn rotary_layers(&self, architecture: &Architecture) -> Vec<bool> {
        let rotates = |layer: usize| match (architecture.rotary_layers, &self.no_rope_layers) {
            (RotaryLayers::All, _) => true,
            // Despite its name, 1 in the list means that the layer rotates.
            (RotaryLayers::AllBut { .. }, Some(flags)) => flags.get(layer).is_none_or(|&flag| flag != 0),
            (RotaryLayers::AllBut { every }, None) => {
                !(layer + 1).is_multiple_of(self.no_rope_layer_interval.unwrap_or(every).max(1))
            }
        };
        (0..self.num_hidden_layers).map(rotates).collect()
    }
}
