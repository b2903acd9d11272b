//! A model's weights, laid out for generation.

use std::sync::Arc;

use anyhow::{Context, Result};

use crate::kernels::quant::{Packed, WeightFormat};
use crate::model::layer::{LayerNorm, final_norm, layer_norm, qkv_bias};
use crate::model::{ModelConfig, Weights};

/// What the arithmetic is done with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// Weights as they are stored; activations rounded to 8 bits against quantised weights, as llama.cpp does.
    #[default]
    Stored,
    /// Every weight as f32: the reference, and what training sees.
    Full,
    /// Every weight's exact number, in the smallest form that has it: the same numbers as [`Precision::Full`].
    Exact,
    /// Plain weights rounded to 8 bits when they are loaded; quantised ones as they are stored.
    Compact,
}

impl Precision {
    /// Whether every weight is its exact number.
    pub(in crate::generate) const fn is_exact(self) -> bool {
        matches!(self, Self::Full | Self::Exact)
    }
}

/// A decoder, ready to run. Shared by any number of generators.
pub struct Decoder {
    pub(crate) config: ModelConfig,
    pub(crate) embedding: Packed,
    /// None where it is the embedding's transpose.
    pub(crate) output: Option<Packed>,
    pub(crate) final_norm: Vec<f32>,
    pub(crate) layers: Vec<HostLayer>,
    pub(super) precision: Precision,
}

pub(crate) struct HostLayer {
    pub input_norm: Vec<f32>,
    pub q: Arc<Packed>,
    pub k: Arc<Packed>,
    pub v: Arc<Packed>,
    /// Of q, k and v, one behind the other; empty where there is none.
    pub bias: Vec<f32>,
    /// (`head_dim`), where q and k are normalised.
    pub head_norms: Option<[Vec<f32>; 2]>,
    pub o: Arc<Packed>,
    /// On what attention adds, where the architecture has it.
    pub post_attention_norm: Option<Vec<f32>>,
    pub feed_forward_norm: Vec<f32>,
    pub gate: Arc<Packed>,
    pub up: Arc<Packed>,
    pub down: Arc<Packed>,
    /// On what the feed-forward block adds, where the architecture has it.
    pub post_feed_forward_norm: Option<Vec<f32>>,
}

struct WeightReader<'a> {
    config: &'a ModelConfig,
    weights: &'a dyn Weights,
    precision: Precision,
}

impl WeightReader<'_> {
    fn matrix(&self, name: &str, rows: usize, columns: usize) -> Result<Packed> {
        let shape = [rows, columns];
        let packed = if self.precision == Precision::Full {
            Packed::from_f32(&self.weights.f32(name, &shape)?, rows, columns, WeightFormat::F32)
        } else {
            let stored = self.weights.stored(name, &shape)?;
            let plain = WeightFormat::of(stored.format).is_some_and(WeightFormat::is_dense);
            if self.precision == Precision::Exact && !plain {
                Packed::from_f32(&self.weights.f32(name, &shape)?, rows, columns, WeightFormat::F32)
            } else if plain && self.precision == Precision::Compact && columns.is_multiple_of(32) {
                Packed::from_f32(&self.weights.f32(name, &shape)?, rows, columns, WeightFormat::Q8)
            } else {
                Packed::new(&stored, rows, columns)
            }
        };
        packed.with_context(|| format!("lay out tensor {name}"))
    }

    fn layer(&self, index: usize) -> Result<HostLayer> {
        let config = self.config;
        let (hidden, inner) = (config.hidden, config.intermediate);
        let (query, kv) = (config.query_width(), config.kv_width());
        let name = |part: &str| format!("model.layers.{index}.{part}.weight");
        let matrix = |part: &str, rows, columns| self.matrix(&name(part), rows, columns).map(Arc::new);
        let norm = |norm: LayerNorm| layer_norm(config, self.weights, index, norm);
        let plan = &config.layer;
        Ok(HostLayer {
            input_norm: norm(plan.attention.before)?,
            q: matrix("self_attn.q_proj", query, hidden)?,
            k: matrix("self_attn.k_proj", kv, hidden)?,
            v: matrix("self_attn.v_proj", kv, hidden)?,
            bias: qkv_bias(config, self.weights, index)?.unwrap_or_default(),
            head_norms: match plan.head_norms {
                Some([query, key]) => Some([norm(query)?, norm(key)?]),
                None => None,
            },
            o: matrix("self_attn.o_proj", hidden, query)?,
            post_attention_norm: plan.attention.after.map(norm).transpose()?,
            feed_forward_norm: norm(plan.feed_forward.before)?,
            gate: matrix("mlp.gate_proj", inner, hidden)?,
            up: matrix("mlp.up_proj", inner, hidden)?,
            down: matrix("mlp.down_proj", hidden, inner)?,
            post_feed_forward_norm: plan.feed_forward.after.map(norm).transpose()?,
        })
    }
}

/// The embedding alone.
///
/// # Errors
/// Where the tensor is missing or misshapen.
pub(in crate::generate) fn embedding(
    config: &ModelConfig,
    weights: &dyn Weights,
    precision: Precision,
) -> Result<Packed> {
    let reader = WeightReader { config, weights, precision };
    reader.matrix("model.embed_tokens.weight", config.vocabulary, config.hidden)
}

impl Decoder {
    /// Reads and lays out every weight.
    ///
    /// # Errors
    /// Where a tensor is missing or misshapen; the message names it.
    pub fn load(config: &ModelConfig, weights: &dyn Weights, precision: Precision) -> Result<Self> {
        let reader = WeightReader { config, weights, precision };
        let embedding = embedding(config, weights, precision)?;
        let output = if config.tied_embeddings {
            None
        } else {
            Some(reader.matrix("lm_head.weight", config.vocabulary, config.hidden)?)
        };
        Ok(Self {
            embedding,
            output,
            final_norm: final_norm(config, weights)?,
            layers: (0..config.layers).map(|index| reader.layer(index)).collect::<Result<_>>()?,
            config: config.clone(),
            precision,
        })
    }

    pub const fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// Bytes of weights in memory.
    pub fn bytes(&self) -> usize {
        let layers = self
            .layers
            .iter()
            .flat_map(|layer| [&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down]);
        let outer = std::iter::once(&self.embedding).chain(&self.output);
        outer.map(Packed::bytes).sum::<usize>() + layers.map(|matrix| matrix.bytes()).sum::<usize>()
    }

    /// Whether keys and values are cached as f32 (else as half floats).
    pub(crate) fn full_cache(&self) -> bool {
        self.precision.is_exact()
    }

    pub(crate) fn output(&self) -> &Packed {
        self.output.as_ref().unwrap_or(&self.embedding)
    }
}
