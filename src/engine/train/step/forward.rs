//! The forward pass, layer by layer.

use rayon::prelude::*;

use std::time::Instant;

use super::activations::{Activations, LayerActivations};
use super::buffer::Buffer;
use super::heads::HeadNorms;
use super::profile::{Profile, StepPart};
use super::sites::LayerSites;
use super::weights::{DecoderWeights, LayerWeights};
use super::whole::WholeParts;
use super::{StepScratch, attention_shape};
use crate::kernels::attention::{AttentionShape, attention};
use crate::kernels::gemm::Write;
use crate::kernels::glu::glu;
use crate::kernels::norm::rms_norm;
use crate::kernels::rope::{Heads, RotationDirection};
use crate::model::ModelConfig;
use crate::train::course::{ATTENTION, Course, FEED_FORWARD, QUERIES};
use dojo_core::domain::batch::PackedBatch;

/// What one pass over a batch works with.
pub(super) struct StepPass<'a> {
    pub(super) config: &'a ModelConfig,
    pub(super) weights: &'a DecoderWeights,
    pub(super) scratch: &'a mut StepScratch,
    pub(super) profile: &'a mut Profile,
    pub(super) batch: &'a PackedBatch,
    pub(super) sites: &'a [LayerSites],
    pub(super) whole: &'a WholeParts,
}

impl StepPass<'_> {
    /// Fills the activations; the last layer's output is theirs too. Nothing where the course is to end.
    pub(super) fn forward(&mut self, activations: &mut Activations, course: &Course<'_>) -> Option<()> {
        self.embed(activations.first());
        for layer in 0..self.config.layers {
            let (input, values, next) = activations.layer(layer);
            let next = next.of(input.slice().len());
            self.layer(layer, input.slice(), (values, Some(next)), course)?;
        }
        Some(())
    }

    fn embed(&self, into: &mut Buffer) {
        let hidden = self.config.hidden;
        let (table, scale) = (&self.weights.embedding, self.config.embedding_scale);
        let out = into.of(self.batch.tokens.len() * hidden);
        out.par_chunks_mut(hidden).zip(&self.batch.tokens).for_each(|(row, &token)| {
            let from = &table[token as usize * hidden..][..hidden];
            for (to, from) in row.iter_mut().zip(from) {
                *to = from * scale;
            }
        });
    }

    /// One layer. Without `next`, only what the backward needs is computed.
    pub(super) fn layer(
        &mut self,
        layer: usize,
        x: &[f32],
        (values, next): (&mut LayerActivations, Option<&mut [f32]>),
        course: &Course<'_>,
    ) -> Option<()> {
        course.enter(QUERIES)?;
        self.queries_keys_values(layer, x, values);
        course.enter(ATTENTION)?;
        self.attend(layer, values);
        self.leave_attention(layer, x, values);
        course.enter(FEED_FORWARD)?;
        self.feed_forward(layer, values, next);
        Some(())
    }

    fn queries_keys_values(&mut self, layer: usize, x: &[f32], values: &mut LayerActivations) {
        let (weights, sites) = (&self.weights.layers[layer], &self.sites[layer]);
        let tokens = self.batch.tokens.len();
        let clock = Instant::now();
        let normed = self.scratch.normed.of(x.len());
        let inverse = values.attention_inverse.of(tokens);
        rms_norm(x, &weights.attention_norm, self.config.norm_epsilon, normed, inverse);
        self.profile.add(StepPart::Elementwise, clock);
        let clock = Instant::now();
        let qkv = values.qkv.of(tokens * sites.qkv.outputs());
        let weight = weights.qkv.numbers(&mut self.scratch.expanded);
        let (kept, linear) = (&mut values.qkv_kept, &mut self.scratch.linear);
        sites.qkv.forward(weight, normed, qkv, Write::Replace, kept, linear);
        self.profile.add(StepPart::Products, clock);
        let clock = Instant::now();
        self.prepare_heads(layer, weights, values);
        self.profile.add(StepPart::Elementwise, clock);
    }

    /// Bias, norms and rotation of queries and keys.
    fn prepare_heads(&self, layer: usize, weights: &LayerWeights, values: &mut LayerActivations) {
        let tokens = self.batch.tokens.len();
        let qkv = values.qkv.slice_mut();
        if let Some(bias) = &weights.qkv_bias {
            qkv.par_chunks_mut(bias.len()).for_each(|row| {
                for (value, bias) in row.iter_mut().zip(bias) {
                    *value += bias;
                }
            });
        }
        if let Some(norms) = &weights.head_norms {
            let norms = HeadNorms::new(self.config, norms);
            let (width, heads) = norms.sizes();
            norms.forward(qkv, values.raw_heads.of(tokens * width), values.head_inverse.of(tokens * heads));
        }
        self.rotate(layer, qkv, RotationDirection::Forward);
    }

    /// Turns queries and keys in rows of queries, keys and values.
    pub(super) fn rotate(&self, layer: usize, qkv: &mut [f32], turn: RotationDirection) {
        let Some(rotation) = self.weights.rotation(self.config, layer) else { return };
        let heads = Heads {
            row: self.config.query_width() + 2 * self.config.kv_width(),
            first: 0,
            count: self.config.heads + self.config.kv_heads,
            width: self.config.head_dim,
        };
        rotation.apply(qkv, heads, &self.batch.positions(), turn);
    }

    pub(super) fn shape(&self, layer: usize) -> AttentionShape<'_> {
        attention_shape(self.config, layer, self.batch)
    }

    fn attend(&mut self, layer: usize, values: &mut LayerActivations) {
        let clock = Instant::now();
        let tokens = self.batch.tokens.len();
        let out = values.out.of(tokens * self.config.query_width());
        let sums = values.log_sums.of(tokens * self.config.heads);
        let mut keys = std::mem::take(&mut self.scratch.keys);
        attention(self.shape(layer), values.qkv.slice(), out, sums, &mut keys);
        self.scratch.keys = keys;
        self.profile.add(StepPart::Attention, clock);
    }

    fn leave_attention(&mut self, layer: usize, x: &[f32], values: &mut LayerActivations) {
        let (weights, sites) = (&self.weights.layers[layer], &self.sites[layer]);
        let tokens = self.batch.tokens.len();
        let clock = Instant::now();
        let weight = weights.output.numbers(&mut self.scratch.expanded);
        let middle = values.middle.of(x.len());
        middle.copy_from_slice(x);
        let (out, kept, linear) = (values.out.slice(), &mut values.output_kept, &mut self.scratch.linear);
        if let Some((norm, _)) = &weights.post_norms {
            let raw = values.raw_attention.of(x.len());
            sites.output.forward(weight, out, raw, Write::Replace, kept, linear);
            let inverse = values.raw_attention_inverse.of(tokens);
            add_normed(raw, norm, self.config.norm_epsilon, inverse, &mut self.scratch.normed, middle);
        } else {
            sites.output.forward(weight, out, middle, Write::Add, kept, linear);
        }
        self.profile.add(StepPart::Products, clock);
    }

    fn feed_forward(&mut self, layer: usize, values: &mut LayerActivations, next: Option<&mut [f32]>) {
        let (weights, sites) = (&self.weights.layers[layer], &self.sites[layer]);
        let (tokens, epsilon) = (self.batch.tokens.len(), self.config.norm_epsilon);
        let middle = values.middle.slice();
        let clock = Instant::now();
        let normed = self.scratch.normed.of(middle.len());
        rms_norm(middle, &weights.feed_norm, epsilon, normed, values.feed_inverse.of(tokens));
        self.profile.add(StepPart::Elementwise, clock);
        let clock = Instant::now();
        let gate_up = values.gate_up.of(tokens * sites.gate_up.outputs());
        let weight = weights.gate_up.numbers(&mut self.scratch.expanded);
        let (kept, linear) = (&mut values.gate_up_kept, &mut self.scratch.linear);
        sites.gate_up.forward(weight, normed, gate_up, Write::Replace, kept, linear);
        self.profile.add(StepPart::Products, clock);
        let clock = Instant::now();
        let width = self.config.intermediate;
        let product = self.scratch.inner.of(tokens * width);
        glu(self.config.activation, gate_up, width, product);
        self.profile.add(StepPart::Elementwise, clock);
        let clock = Instant::now();
        self.down(layer, values, next);
        self.profile.add(StepPart::Products, clock);
    }

    /// From the feed-forward block's inner values, in the scratch space, to the layer's output.
    fn down(&mut self, layer: usize, values: &mut LayerActivations, next: Option<&mut [f32]>) {
        let (weights, site) = (&self.weights.layers[layer], &self.sites[layer].down);
        let StepScratch { inner: product, linear, expanded, normed, .. } = &mut *self.scratch;
        let (middle, kept, product) = (values.middle.slice(), &mut values.down_kept, product.slice());
        if let Some((_, norm)) = &weights.post_norms {
            let raw = values.raw_feed.of(middle.len());
            let inverse = values.raw_feed_inverse.of(self.batch.tokens.len());
            site.forward(weights.down.numbers(expanded), product, raw, Write::Replace, kept, linear);
            let epsilon = self.config.norm_epsilon;
            if let Some(next) = next {
                next.copy_from_slice(middle);
                add_normed(raw, norm, epsilon, inverse, normed, next);
            } else {
                rms_norm(raw, norm, epsilon, normed.of(raw.len()), inverse);
            }
        } else if let Some(next) = next {
            next.copy_from_slice(middle);
            site.forward(weights.down.numbers(expanded), product, next, Write::Add, kept, linear);
        } else {
            site.project(product, kept, linear);
            if site.is_dora() {
                site.direct(weights.down.numbers(expanded), product, kept, linear);
            }
        }
    }
}

/// `sum += norm(raw)`
fn add_normed(
    raw: &[f32],
    norm: &[f32],
    epsilon: f32,
    inverse: &mut [f32],
    normed: &mut Buffer,
    sum: &mut [f32],
) {
    let normed = normed.of(raw.len());
    rms_norm(raw, norm, epsilon, normed, inverse);
    sum.par_chunks_mut(norm.len()).zip(normed.par_chunks(norm.len())).for_each(|(sum, normed)| {
        for (sum, normed) in sum.iter_mut().zip(normed) {
            *sum += normed;
        }
    });
}
