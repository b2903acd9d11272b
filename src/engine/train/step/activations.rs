//! What the forward pass keeps for the backward: everything where memory allows, else each layer's input only.

use super::buffer::Buffer;
use super::linear::SavedActivations;
use super::sites::LayerSites;
use crate::model::ModelConfig;
use dojo_core::domain::recipe::ActivationMemory;
use dojo_core::ground::memory;

/// Share of the free memory that activations may take before `Auto` recomputes.
pub(in crate::train) const SHARE_OF_FREE: f64 = 0.6;

/// One layer's values: (tokens, ...) each.
#[derive(Default)]
pub(super) struct LayerActivations {
    pub(super) attention_inverse: Buffer,
    /// Queries, keys and values, normalised and rotated.
    pub(super) qkv: Buffer,
    /// Queries and keys before their norms, and those norms' inverses (`heads + kv_heads` each token).
    pub(super) raw_heads: Buffer,
    pub(super) head_inverse: Buffer,
    pub(super) out: Buffer,
    pub(super) log_sums: Buffer,
    /// The attention block's output before its own norm (Gemma 3), and that norm's inverse.
    pub(super) raw_attention: Buffer,
    pub(super) raw_attention_inverse: Buffer,
    /// The residual stream between the two blocks.
    pub(super) middle: Buffer,
    pub(super) feed_inverse: Buffer,
    pub(super) gate_up: Buffer,
    pub(super) raw_feed: Buffer,
    pub(super) raw_feed_inverse: Buffer,
    pub(super) qkv_kept: SavedActivations,
    pub(super) output_kept: SavedActivations,
    pub(super) gate_up_kept: SavedActivations,
    pub(super) down_kept: SavedActivations,
}

/// Every layer's input and the last one's output, and the activations of all layers, or of one at a time.
#[derive(Default)]
pub(super) struct Activations {
    inputs: Vec<Buffer>,
    layers: Vec<LayerActivations>,
    keeps: bool,
}

impl Activations {
    /// Decides whether to keep, and makes room.
    pub(super) fn plan(
        &mut self,
        config: &ModelConfig,
        sites: &[LayerSites],
        tokens: usize,
        memory: ActivationMemory,
    ) {
        self.keeps = match memory {
            ActivationMemory::Keep => true,
            ActivationMemory::Recompute => false,
            ActivationMemory::Auto => {
                let bytes = floats_per_token(config, sites) * config.layers * tokens * size_of::<f32>();
                self.layers.len() == config.layers || fits(bytes)
            }
        };
        let layers = if self.keeps { config.layers } else { 1 };
        // Not shrunk: an evaluation between two steps needs one layer, the next step all of them again.
        if self.layers.len() < layers {
            self.layers.resize_with(layers, LayerActivations::default);
        }
        self.inputs.resize_with(config.layers + 1, Buffer::default);
    }

    /// The first layer's input.
    pub(super) fn first(&mut self) -> &mut Buffer {
        &mut self.inputs[0]
    }

    /// The last layer's output: (tokens, hidden).
    pub(super) fn output(&self) -> &[f32] {
        self.inputs.last().map_or(&[], Buffer::slice)
    }

    pub(super) const fn keeps(&self) -> bool {
        self.keeps
    }

    /// A layer's input, its activations (shared by all layers where they are not kept), and where its output goes.
    pub(super) fn layer(&mut self, layer: usize) -> (&Buffer, &mut LayerActivations, &mut Buffer) {
        let slot = if self.keeps { layer } else { 0 };
        let (before, after) = self.inputs.split_at_mut(layer + 1);
        (&before[layer], &mut self.layers[slot], &mut after[0])
    }
}

/// Floats that a token keeps in one layer.
pub(in crate::train) fn floats_per_token(config: &ModelConfig, sites: &[LayerSites]) -> usize {
    let of_sites = sites.iter().map(LayerSites::kept).max().unwrap_or(0);
    let heads = config.query_width() + 2 * config.kv_width();
    let raw = if config.layer.head_norms.is_some() { config.query_width() + config.kv_width() } else { 0 }
        + if config.layer.attention.after.is_some() { 2 * config.hidden } else { 0 };
    2 * config.hidden
        + heads
        + config.query_width()
        + config.heads
        + 2 * config.intermediate
        + of_sites
        + raw
        + 4
}

fn fits(bytes: usize) -> bool {
    memory::free_bytes().is_some_and(|free| (bytes as f64) < SHARE_OF_FREE * free as f64)
}
