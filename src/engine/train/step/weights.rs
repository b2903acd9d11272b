//! A decoder's frozen weights, laid out for the step: what is multiplied with the same input stands together.

use anyhow::Result;

use super::whole::Tuned;
use crate::domain::batch::PackedBatch;
use crate::engine::adapter::whole::LayerNorm;
use crate::engine::kernels::rope::Rotation;
use crate::engine::model::config::Rope;
use crate::engine::model::{BaseFormat, Frozen, ModelConfig, Weights};

pub(super) struct DecoderWeights {
    /// (vocabulary, hidden)
    pub(super) embedding: Vec<f32>,
    /// The output layer where it isn't the embedding: (vocabulary, hidden).
    pub(super) output: Option<Vec<f32>>,
    /// The last norm: (hidden).
    pub(super) norm: Vec<f32>,
    pub(super) layers: Vec<LayerWeights>,
    rotation: Option<Rotation>,
    local_rotation: Option<Rotation>,
    pub(super) tuned: Tuned,
}

pub(in crate::engine::train) struct LayerWeights {
    pub(in crate::engine::train) attention_norm: Vec<f32>,
    pub(in crate::engine::train) feed_norm: Vec<f32>,
    /// After attention and after the feed-forward block (Gemma 3).
    pub(in crate::engine::train) post_norms: Option<(Vec<f32>, Vec<f32>)>,
    /// Of queries and keys, (`head_dim`) each (Qwen3, Gemma 3).
    pub(in crate::engine::train) head_norms: Option<(Vec<f32>, Vec<f32>)>,
    /// Queries, keys, values below one another: (query width + 2 kv width, hidden).
    pub(in crate::engine::train) qkv: Frozen,
    pub(in crate::engine::train) qkv_bias: Option<Vec<f32>>,
    /// (hidden, query width)
    pub(in crate::engine::train) output: Frozen,
    /// Gate and up below one another: (2 intermediate, hidden).
    pub(in crate::engine::train) gate_up: Frozen,
    /// (hidden, intermediate)
    pub(in crate::engine::train) down: Frozen,
}

impl DecoderWeights {
    pub(super) fn read(config: &ModelConfig, weights: &dyn Weights, format: BaseFormat) -> Result<Self> {
        let table = [config.vocabulary, config.hidden];
        Ok(Self {
            embedding: weights.f32("model.embed_tokens.weight", &table)?,
            output: if config.tied_embeddings { None } else { Some(weights.f32("lm_head.weight", &table)?) },
            norm: norm(config, weights, "model.norm.weight", config.hidden)?,
            layers: (0..config.layers)
                .map(|layer| LayerWeights::read(config, weights, layer, format))
                .collect::<Result<_>>()?,
            rotation: None,
            local_rotation: None,
            tuned: Tuned::default(),
        })
    }

    /// The output layer: (vocabulary, hidden).
    pub(super) fn head(&self) -> &[f32] {
        self.output.as_ref().unwrap_or(&self.embedding)
    }

    /// Makes the rotation tables long enough for a batch.
    pub(super) fn prepare(&mut self, config: &ModelConfig, batch: &PackedBatch) {
        let longest = batch.borders.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let extend = |table: &mut Option<Rotation>, rope: &Rope| {
            if table.as_ref().is_none_or(|table| table.positions() < longest) {
                let (frequencies, factor) = rope.frequencies();
                *table = Some(Rotation::new(&frequencies, factor, longest.next_power_of_two()));
            }
        };
        extend(&mut self.rotation, &config.rope);
        if let Some(rope) = &config.local_rope {
            extend(&mut self.local_rotation, rope);
        }
    }

    /// A layer's rotation, if it rotates.
    pub(super) fn rotation(&self, config: &ModelConfig, layer: usize) -> Option<&Rotation> {
        let rope = config.layer_rope(layer)?;
        if config.is_local(rope) { self.local_rotation.as_ref() } else { self.rotation.as_ref() }
    }
}

impl LayerWeights {
    /// One layer's.
    ///
    /// # Errors
    /// Where a tensor is missing or damaged.
    pub(in crate::engine::train) fn read(
        config: &ModelConfig,
        weights: &dyn Weights,
        layer: usize,
        format: BaseFormat,
    ) -> Result<Self> {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        let attention = |projection: &str| name(&format!("self_attn.{projection}.weight"));
        let feed = |projection: &str| name(&format!("mlp.{projection}.weight"));
        let norm_of = |part: &str, width| norm(config, weights, &name(part), width);
        let (hidden, inner) = (config.hidden, config.intermediate);
        let (query, kv) = (config.query_width(), config.kv_width());
        let frozen = |tensors: &[(String, [usize; 2])]| Frozen::read(weights, tensors, format);
        let head_norms = if config.qk_norm {
            let width = config.head_dim;
            Some((norm_of("self_attn.q_norm.weight", width)?, norm_of("self_attn.k_norm.weight", width)?))
        } else {
            None
        };
        // Gemma names four norms; in the others, the one before the feed-forward block is called the one after
        // attention.
        let (feed_norm, post_norms) = if config.post_norms {
            let after = norm_of("post_attention_layernorm.weight", hidden)?;
            let last = norm_of("post_feedforward_layernorm.weight", hidden)?;
            (norm_of("pre_feedforward_layernorm.weight", hidden)?, Some((after, last)))
        } else {
            (norm_of("post_attention_layernorm.weight", hidden)?, None)
        };
        Ok(Self {
            attention_norm: norm_of("input_layernorm.weight", hidden)?,
            feed_norm,
            post_norms,
            head_norms,
            qkv: frozen(&[
                (attention("q_proj"), [query, hidden]),
                (attention("k_proj"), [kv, hidden]),
                (attention("v_proj"), [kv, hidden]),
            ])?,
            qkv_bias: if config.qkv_bias {
                Some(bias(weights, &name("self_attn"), query, kv)?)
            } else {
                None
            },
            output: frozen(&[(attention("o_proj"), [hidden, query])])?,
            gate_up: frozen(&[(feed("gate_proj"), [inner, hidden]), (feed("up_proj"), [inner, hidden])])?,
            down: frozen(&[(feed("down_proj"), [hidden, inner])])?,
        })
    }
}

impl LayerWeights {
    /// A norm's weight by its Hugging Face name, where the layer has it.
    pub(super) fn norm(&mut self, norm: LayerNorm) -> Option<&mut [f32]> {
        let post = self.post_norms.as_mut();
        let heads = self.head_norms.as_mut();
        let weight = match norm {
            LayerNorm::Input => &mut self.attention_norm,
            LayerNorm::PostAttention => post.map_or(&mut self.feed_norm, |post| &mut post.0),
            LayerNorm::PreFeedForward => post.map(|_| &mut self.feed_norm)?,
            LayerNorm::PostFeedForward => post.map(|post| &mut post.1)?,
            LayerNorm::Query => heads.map(|heads| &mut heads.0)?,
            LayerNorm::Key => heads.map(|heads| &mut heads.1)?,
        };
        Some(weight)
    }
}

fn bias(weights: &dyn Weights, block: &str, query: usize, kv: usize) -> Result<Vec<f32>> {
    let mut bias = weights.f32(&format!("{block}.q_proj.bias"), &[query])?;
    bias.extend(weights.f32(&format!("{block}.k_proj.bias"), &[kv])?);
    bias.extend(weights.f32(&format!("{block}.v_proj.bias"), &[kv])?);
    Ok(bias)
}

/// A norm's weight, with one added where the file holds the offset from it.
pub(in crate::engine::train) fn norm(
    config: &ModelConfig,
    weights: &dyn Weights,
    name: &str,
    width: usize,
) -> Result<Vec<f32>> {
    let mut weight = weights.f32(name, &[width])?;
    if config.norm_offset {
        for weight in &mut weight {
            *weight += 1.0;
        }
    }
    Ok(weight)
}
