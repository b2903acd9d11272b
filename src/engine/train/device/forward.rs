//! The forward pass, layer by layer.

use candle_core::{DType, Device, Result, Tensor};

use super::site::{DeviceLayerSites, SavedActivations};
use super::tuned::Tuned;
use super::weights::{BatchAngles, DeviceWeights};
use crate::device::kernels::{AttentionShape, Kernels, Turning};
use crate::kernels::rope::RotationDirection;
use crate::model::ModelConfig;
use crate::model::layer::LayerNorm;
use crate::train::step::attention_shape;
use crate::train::step::whole::WholeParts;
use dojo_core::domain::batch::PackedBatch;

/// What one pass over a batch works with.
pub(super) struct DevicePass<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) device: &'a Device,
    pub(super) kernels: &'a dyn Kernels,
    pub(super) weights: &'a DeviceWeights,
    pub(super) tuned: &'a Tuned,
    pub(super) whole: &'a WholeParts,
    pub(super) sites: &'a [DeviceLayerSites],
    pub(super) angles: &'a BatchAngles,
    pub(super) batch: &'a PackedBatch,
    /// What logits are divided by.
    pub(super) temperature: f32,
}

/// One layer's values that the backward needs: (tokens, ...) each.
pub(super) struct LayerValues {
    pub(super) attention_inverse: Tensor,
    /// Queries, keys and values, normalised and rotated.
    pub(super) qkv: Tensor,
    /// Of queries and of keys, where they have norms.
    pub(super) raw_heads: Option<[Raw; 2]>,
    pub(super) out: Tensor,
    pub(super) log_sums: Tensor,
    /// The attention block's output before its own norm (Gemma 3).
    pub(super) raw_attention: Option<Raw>,
    /// The residual stream between the two blocks.
    pub(super) middle: Tensor,
    pub(super) feed_inverse: Tensor,
    pub(super) gate_up: Tensor,
    pub(super) raw_feed: Option<Raw>,
    pub(super) qkv_kept: SavedActivations,
    pub(super) output_kept: SavedActivations,
    pub(super) gate_up_kept: SavedActivations,
    pub(super) down_kept: SavedActivations,
}

/// What stood before a norm, and the norm's inverses.
pub(super) struct Raw {
    pub(super) x: Tensor,
    pub(super) inverse: Tensor,
}

impl DevicePass<'_> {
    /// The first layer's input.
    pub(super) fn embed(&self) -> Result<Tensor> {
        let tokens = Tensor::from_slice(&self.batch.tokens, self.batch.tokens.len(), self.device)?;
        let rows = self.tuned.embedding.index_select(&tokens, 0)?;
        scaled(&rows, self.config.embedding_scale)
    }

    /// One layer: its output, and what its backward needs.
    pub(super) fn layer(&self, layer: usize, x: &Tensor) -> Result<(Tensor, LayerValues)> {
        let weights = &self.weights.layers[layer];
        let plan = self.config.layer;
        let norm = self.tuned.layer_norm(layer, plan.attention.before, &weights.attention_norm);
        let (normed, attention_inverse) = self.kernels.rms_norm(x, norm, self.config.norm_epsilon)?;
        let qkv_weight = weights.qkv.numbers()?;
        let (qkv, qkv_kept) = self.sites[layer].qkv.forward(self.kernels, &qkv_weight, &normed)?;
        let (qkv, raw_heads) = self.prepare_heads(layer, qkv)?;
        let (out, log_sums) = self.kernels.attention(self.shape(layer), &qkv)?;
        let output_weight = weights.output.numbers()?;
        let (mixed, output_kept) = self.sites[layer].output.forward(self.kernels, &output_weight, &out)?;
        let after = self.norm_after(layer, plan.attention.after);
        let (middle, raw_attention) = self.leave(x, mixed, after)?;
        let norm = self.tuned.layer_norm(layer, plan.feed_forward.before, &weights.feed_norm);
        let (normed, feed_inverse) = self.kernels.rms_norm(&middle, norm, self.config.norm_epsilon)?;
        let gate_up_weight = weights.gate_up.numbers()?;
        let (gate_up, gate_up_kept) =
            self.sites[layer].gate_up.forward(self.kernels, &gate_up_weight, &normed)?;
        let inner = self.kernels.glu(self.config.activation, &gate_up)?;
        let down_weight = weights.down.numbers()?;
        let (fed, down_kept) = self.sites[layer].down.forward(self.kernels, &down_weight, &inner)?;
        let after = self.norm_after(layer, plan.feed_forward.after);
        let (next, raw_feed) = self.leave(&middle, fed, after)?;
        let values = LayerValues {
            attention_inverse,
            qkv,
            raw_heads,
            out,
            log_sums,
            raw_attention,
            middle,
            feed_inverse,
            gate_up,
            raw_feed,
            qkv_kept,
            output_kept,
            gate_up_kept,
            down_kept,
        };
        Ok((next, values))
    }

    /// Adds a block's output to the residual stream, through the block's own norm where it has one.
    fn leave(&self, x: &Tensor, block: Tensor, norm: Option<&Tensor>) -> Result<(Tensor, Option<Raw>)> {
        let Some(norm) = norm else { return Ok(((x + block)?, None)) };
        let (normed, inverse) = self.kernels.rms_norm(&block, norm, self.config.norm_epsilon)?;
        Ok(((x + normed)?, Some(Raw { x: block, inverse })))
    }

    /// The norm after a block, where the architecture has one.
    pub(super) fn norm_after(&self, layer: usize, name: Option<LayerNorm>) -> Option<&Tensor> {
        let (attention, feed) = self.weights.layers[layer].post_norms.as_ref()?;
        let frozen = if name == self.config.layer.attention.after { attention } else { feed };
        Some(self.tuned.layer_norm(layer, name?, frozen))
    }

    /// Norms of queries and keys.
    pub(super) fn head_norms(&self, layer: usize) -> Option<[&Tensor; 2]> {
        let (query, key) = self.weights.layers[layer].head_norms.as_ref()?;
        let [of_queries, of_keys] = self.config.layer.head_norms?;
        Some([self.tuned.layer_norm(layer, of_queries, query), self.tuned.layer_norm(layer, of_keys, key)])
    }

    /// Bias, norms and rotation of queries and keys.
    fn prepare_heads(&self, layer: usize, mut qkv: Tensor) -> Result<(Tensor, Option<[Raw; 2]>)> {
        if let Some(bias) = &self.weights.layers[layer].qkv_bias {
            qkv = qkv.to_dtype(DType::F32)?.broadcast_add(bias)?.to_dtype(qkv.dtype())?;
        }
        let mut raw_heads = None;
        if let Some(norms) = self.head_norms(layer) {
            let [query, key, value] = self.split_heads(&qkv)?;
            let epsilon = self.config.norm_epsilon;
            let (new_query, query_inverse) = self.kernels.rms_norm(&query, norms[0], epsilon)?;
            let (new_key, key_inverse) = self.kernels.rms_norm(&key, norms[1], epsilon)?;
            qkv = self.join_heads([&new_query, &new_key, &value])?;
            raw_heads =
                Some([Raw { x: query, inverse: query_inverse }, Raw { x: key, inverse: key_inverse }]);
        }
        Ok((self.rotate(layer, qkv, RotationDirection::Forward)?, raw_heads))
    }

    /// Queries, keys and values, a head in each row: (tokens * heads, dim).
    pub(super) fn split_heads(&self, qkv: &Tensor) -> Result<[Tensor; 3]> {
        let (query, kv, dim) = (self.config.query_width(), self.config.kv_width(), self.config.head_dim);
        let part = |first: usize, width: usize| {
            qkv.narrow(1, first, width)?.contiguous()?.reshape((qkv.dim(0)? * width / dim, dim))
        };
        Ok([part(0, query)?, part(query, kv)?, part(query + kv, kv)?])
    }

    /// The other way round.
    pub(super) fn join_heads(&self, parts: [&Tensor; 3]) -> Result<Tensor> {
        let tokens = self.batch.tokens.len();
        let wide = parts.map(|part| part.reshape((tokens, part.elem_count() / tokens.max(1))));
        Tensor::cat(&wide.into_iter().collect::<Result<Vec<_>>>()?, 1)
    }

    /// Turns queries and keys in rows of queries, keys and values.
    pub(super) fn rotate(&self, layer: usize, qkv: Tensor, turn: RotationDirection) -> Result<Tensor> {
        let Some(angles) = self.angles.of(self.config, layer) else { return Ok(qkv) };
        let heads = self.config.heads + self.config.kv_heads;
        self.kernels.rotate(&qkv, Turning { angles, heads, dim: self.config.head_dim, turn })
    }

    pub(super) fn shape(&self, layer: usize) -> AttentionShape<'_> {
        attention_shape(self.config, layer, self.batch)
    }
}

/// Times a number that is usually 1.
pub(super) fn scaled(x: &Tensor, by: f32) -> Result<Tensor> {
    #[expect(clippy::float_cmp, reason = "exactly 1 is what models without a scale have")]
    if by == 1.0 {
        return Ok(x.clone());
    }
    (x.to_dtype(DType::F32)? * f64::from(by))?.to_dtype(x.dtype())
}
