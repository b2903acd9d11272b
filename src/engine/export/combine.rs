//! Several adapters in one model's weights: their changes weighted and added, or by TIES (Yadav et al. 2023).
//!
//! It is done to what each adapter changes in the weights, not to its matrices, so that adapters of any rank, with
//! magnitudes or whole modules, can be put together.

use std::sync::Arc;

use anyhow::{Result, ensure};
use candle_core::quantized::GgmlDType;

use super::gguf::quantise::encode;
use crate::adapter::Adapter;
use crate::model::weights::{Stored, Weights};
use crate::model::{ModelConfig, OpenModel};

/// How the changes of several adapters become one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CombineMethod {
    /// Their weighted sum.
    Linear,
    /// Of each adapter's changes the largest share counts, and where signs differ those of the heavier side.
    Ties { density: f32 },
}

const EMBEDDING: &str = "model.embed_tokens.weight";
const OUTPUT: &str = "lm_head.weight";

/// A model with several adapters' changes.
///
/// # Errors
/// If an adapter doesn't fit the model, or the density is none.
pub(super) fn combined(
    base: &OpenModel,
    adapters: impl Iterator<Item = (Adapter, f32)>,
    method: CombineMethod,
) -> Result<OpenModel> {
    if let CombineMethod::Ties { density } = method {
        ensure!(
            density > 0.0 && density <= 1.0,
            "the density is {density}; it must be above 0 and at most 1"
        );
    }
    let mut merged = Vec::new();
    for (adapter, weight) in adapters {
        merged.push((adapter.merged_into(base.clone())?, weight));
    }
    let tied_embeddings = merged.iter().all(|(model, _)| model.config.tied_embeddings);
    let config = ModelConfig { tied_embeddings, ..base.config.clone() };
    let weights = Combined { base: base.clone(), merged, method };
    Ok(base.clone().over(config, Arc::new(weights)))
}

struct Combined {
    base: OpenModel,
    merged: Vec<(OpenModel, f32)>,
    method: CombineMethod,
}

/// A tensor of a model, whose output layer may be its embedding.
fn read(model: &OpenModel, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let tied = name == OUTPUT && model.config.tied_embeddings;
    model.weights.f32(if tied { EMBEDDING } else { name }, shape)
}

impl Weights for Combined {
    fn has(&self, name: &str) -> bool {
        self.base.weights.has(name) || self.merged.iter().any(|(model, _)| model.weights.has(name))
    }

    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let mut base = read(&self.base, name, shape)?;
        match self.method {
            CombineMethod::Linear => {
                let mut sum = vec![0.0; base.len()];
                for (model, weight) in &self.merged {
                    let changed = read(model, name, shape)?;
                    for ((sum, changed), base) in sum.iter_mut().zip(changed).zip(&base) {
                        *sum += weight * (changed - base);
                    }
                }
                base.iter_mut().zip(sum).for_each(|(base, sum)| *base += sum);
            }
            CombineMethod::Ties { density } => {
                let mut changes = Vec::new();
                for (model, weight) in &self.merged {
                    let mut change = read(model, name, shape)?;
                    change.iter_mut().zip(&base).for_each(|(change, base)| *change -= base);
                    trim(&mut change, density);
                    change.iter_mut().for_each(|change| *change *= weight);
                    changes.push(change);
                }
                for (place, base) in base.iter_mut().enumerate() {
                    *base += elected(changes.iter().filter_map(|change| change.get(place).copied()));
                }
            }
        }
        Ok(base)
    }

    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored> {
        let format = GgmlDType::F32;
        Ok(Stored { format, bytes: encode(format, &self.f32(name, shape)?)? })
    }
}

/// Keeps the largest share of some numbers and sets the others to zero.
fn trim(numbers: &mut [f32], density: f32) {
    let kept = (numbers.len() as f64 * f64::from(density)).round() as usize;
    if kept >= numbers.len() {
        return;
    }
    let mut sizes: Vec<f32> = numbers.iter().map(|number| number.abs()).collect();
    let place = sizes.len() - kept.max(1);
    let (_, least, _) = sizes.select_nth_unstable_by(place, f32::total_cmp);
    let least = *least;
    numbers.iter_mut().filter(|number| number.abs() < least).for_each(|number| *number = 0.0);
}

/// The mean of the changes of the sign whose sum is larger.
fn elected(changes: impl Iterator<Item = f32> + Clone) -> f32 {
    let sign: f32 = changes.clone().sum();
    let agreeing = changes.filter(|change| change * sign > 0.0);
    let (sum, count) = agreeing.fold((0.0, 0_u16), |(sum, count), change| (sum + change, count + 1));
    if count == 0 { 0.0 } else { sum / f32::from(count) }
}
