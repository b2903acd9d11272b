//! A decoder's frozen weights, laid out for the step: what is multiplied with the same input stands together.

use anyhow::Result;

use super::whole::Tuned;
use crate::kernels::rope::Rotation;
use crate::model::config::Rope;
use crate::model::layer::{LayerNorm, LayerPlan, final_norm, layer_norm, qkv_bias};
use crate::model::{Frozen, ModelConfig, Weights};
use dojo_core::domain::batch::PackedBatch;
use dojo_core::domain::recipe::BaseFormat;

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

pub(in crate::train) struct LayerWeights {
    plan: LayerPlan,
    pub(in crate::train) attention_norm: Vec<f32>,
    pub(in crate::train) feed_norm: Vec<f32>,
    /// After attention and after the feed-forward block (Gemma 3).
    pub(in crate::train) post_norms: Option<(Vec<f32>, Vec<f32>)>,
    /// Of queries and keys, (`head_dim`) each (Qwen3, Gemma 3).
    pub(in crate::train) head_norms: Option<(Vec<f32>, Vec<f32>)>,
    /// Queries, keys, values below one another: (query width + 2 kv width, hidden).
    pub(in crate::train) qkv: Frozen,
    pub(in crate::train) qkv_bias: Option<Vec<f32>>,
    /// (hidden, query width)
    pub(in crate::train) output: Frozen,
    /// Gate and up below one another: (2 intermediate, hidden).
    pub(in crate::train) gate_up: Frozen,
    /// (hidden, intermediate)
    pub(in crate::train) down: Frozen,
}

impl DecoderWeights {
    pub(super) fn read(config: &ModelConfig, weights: &dyn Weights, format: BaseFormat) -> Result<Self> {
        let table = [config.vocabulary, config.hidden];
        Ok(Self {
            embedding: weights.f32("model.embed_tokens.weight", &table)?,
            output: if config.tied_embeddings { None } else { Some(weights.f32("lm_head.weight", &table)?) },
            norm: final_norm(config, weights)?,
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
        let longest = batch.longest();
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
    pub(in crate::train) fn read(
        config: &ModelConfig,
        weights: &dyn Weights,
        layer: usize,
        format: BaseFormat,
    ) -> Result<Self> {
        let name = |part: &str| format!("model.layers.{layer}.{part}");
        let attention = |projection: &str| name(&format!("self_attn.{projection}.weight"));
        let feed = |projection: &str| name(&format!("mlp.{projection}.weight"));
        let norm = |norm: LayerNorm| layer_norm(config, weights, layer, norm);
        let plan = config.layer;
        let (hidden, inner) = (config.hidden, config.intermediate);
        let (query, kv) = (config.query_width(), config.kv_width());
        let frozen = |tensors: &[(String, [usize; 2])]| Frozen::read(weights, tensors, format);
        let head_norms = match plan.head_norms {
            Some([query, key]) => Some((norm(query)?, norm(key)?)),
            None => None,
        };
        let post_norms = match (plan.attention.after, plan.feed_forward.after) {
            (Some(attention), Some(feed_forward)) => Some((norm(attention)?, norm(feed_forward)?)),
            _ => None,
        };
        Ok(Self {
            plan: config.layer,
            attention_norm: norm(plan.attention.before)?,
            feed_norm: norm(plan.feed_forward.before)?,
            post_norms,
            head_norms,
            qkv: frozen(&[
                (attention("q_proj"), [query, hidden]),
                (attention("k_proj"), [kv, hidden]),
                (attention("v_proj"), [kv, hidden]),
            ])?,
            qkv_bias: qkv_bias(config, weights, layer)?,
            output: frozen(&[(attention("o_proj"), [hidden, query])])?,
            gate_up: frozen(&[(feed("gate_proj"), [inner, hidden]), (feed("up_proj"), [inner, hidden])])?,
            down: frozen(&[(feed("down_proj"), [hidden, inner])])?,
        })
    }
}

impl LayerWeights {
    /// A norm's weight, where the layer has it.
    pub(super) fn norm(&mut self, norm: LayerNorm) -> Option<&mut [f32]> {
        let LayerPlan { attention, feed_forward, head_norms, .. } = self.plan;
        let is = |other: Option<LayerNorm>| other == Some(norm);
        let weight = match norm {
            _ if is(Some(attention.before)) => &mut self.attention_norm,
            _ if is(Some(feed_forward.before)) => &mut self.feed_norm,
            _ if is(attention.after) => &mut self.post_norms.as_mut()?.0,
            _ if is(feed_forward.after) => &mut self.post_norms.as_mut()?.1,
            _ if is(head_norms.map(|norms| norms[0])) => &mut self.head_norms.as_mut()?.0,
            _ if is(head_norms.map(|norms| norms[1])) => &mut self.head_norms.as_mut()?.1,
            _ => return None,
        };
        Some(weight)
    }
}
