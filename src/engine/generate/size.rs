//! What a model takes in memory, known before it is loaded.

use super::cache::PAGE;
use super::generator::Limits;
use super::host::{CacheShape, Precision};
use crate::model::{ModelConfig, OpenModel};

/// Bytes of a loaded model at most, as far as they can be told before: of weights, those of its files (four for each
/// number where all are made f32); of keys and values, those that the limits grant.
#[must_use]
pub fn bytes(model: &OpenModel, precision: Precision, limits: &Limits) -> u64 {
    let weights = match precision {
        Precision::Stored | Precision::Compact => model.files.weight_bytes(),
        Precision::Full | Precision::Exact => 4 * parameters(&model.config) as u64,
    };
    weights + cache_bytes(&model.config, precision, limits) as u64
}

fn cache_bytes(config: &ModelConfig, precision: Precision, limits: &Limits) -> usize {
    let page = CacheShape::new(config, precision.is_exact()).bytes();
    limits.pages(config.context, page) * page
}

/// Numbers of the matrices; those of norms and biases are too few to count.
fn parameters(config: &ModelConfig) -> usize {
    let embeddings = if config.tied_embeddings { 1 } else { 2 } * config.vocabulary * config.hidden;
    embeddings + config.layers * config.layer_weights()
}

impl Limits {
    /// The longest sequence of a model that was made for `longest` tokens.
    #[must_use]
    pub fn context_of(&self, longest: usize) -> usize {
        if self.context == 0 { longest } else { self.context.min(longest) }
    }

    /// Pages of keys and values at most, for a page of so many bytes: one whole context at least.
    pub(super) fn pages(&self, longest: usize, page: usize) -> usize {
        (self.cache_bytes / page.max(1)).max(self.context_of(longest).div_ceil(PAGE) + 1)
    }
}
