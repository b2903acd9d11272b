//! What an adapter puts in place of weights for one pass: modules trained whole, and trained tokens' rows.

use std::collections::BTreeMap;

use anyhow::Result;
use candle_core::{DType, Device, Tensor};

use super::weights::DeviceWeights;
use crate::adapter::{Adapter, Module, TokenRows};
use crate::model::ModelConfig;
use crate::model::layer::LayerNorm;

/// The weights that can be trained, as one pass sees them.
pub(super) struct Tuned {
    /// (vocabulary, hidden)
    pub(super) embedding: Tensor,
    /// The output layer: (vocabulary, hidden).
    pub(super) head: Tensor,
    /// The last norm.
    pub(super) norm: Tensor,
    norms: BTreeMap<(usize, LayerNorm), Tensor>,
}

impl Tuned {
    pub(super) fn new(
        config: &ModelConfig,
        weights: &DeviceWeights,
        adapter: &Adapter,
        (device, dtype): (&Device, DType),
    ) -> Result<Self> {
        let outer = |module: Module| matches!(module, Module::Embedding | Module::Output);
        let mut embedding = weights.embedding.clone();
        let mut head = weights.output.clone();
        // Whole modules are copies: one that is trained leaves the other as it was.
        if config.tied_embeddings && adapter.modules.iter().any(|it| outer(it.module)) {
            head = Some(embedding.clone());
        }
        let (mut norm, mut norms) = (weights.norm.clone(), BTreeMap::new());
        for it in &adapter.modules {
            let numbers = adapter.part(it.start, it.length).iter();
            let numbers: Vec<f32> = numbers.map(|number| it.module.computed(*number, config)).collect();
            let shape = it.module.shape(config);
            let place = || Tensor::from_slice(&numbers, shape.as_slice(), device);
            match it.module {
                Module::Embedding => embedding = place()?.to_dtype(dtype)?,
                Module::Output => head = Some(place()?.to_dtype(dtype)?),
                Module::Norm => norm = place()?,
                Module::LayerNorm(layer, name) => drop(norms.insert((layer, name), place()?)),
            }
        }
        for rows in &adapter.rows {
            let numbers = adapter.part(rows.start, rows.length());
            match (rows.module, &head) {
                (Module::Output, Some(table)) => head = Some(with_rows(table, rows, numbers)?),
                _ => embedding = with_rows(&embedding, rows, numbers)?,
            }
        }
        Ok(Self { head: head.unwrap_or_else(|| embedding.clone()), embedding, norm, norms })
    }

    /// A layer's norm: the one that is trained, or else the frozen one.
    pub(super) fn layer_norm<'a>(&'a self, layer: usize, name: LayerNorm, frozen: &'a Tensor) -> &'a Tensor {
        self.norms.get(&(layer, name)).unwrap_or(frozen)
    }
}

/// A copy of a table with some rows replaced.
fn with_rows(table: &Tensor, rows: &TokenRows, numbers: &[f32]) -> candle_core::Result<Tensor> {
    let copy = table.copy()?;
    let shape = (rows.tokens.len(), rows.width);
    let new = Tensor::from_slice(numbers, shape, table.device())?.to_dtype(table.dtype())?;
    for (place, &token) in rows.tokens.iter().enumerate() {
        copy.slice_set(&new.narrow(0, place, 1)?, 0, token as usize)?;
    }
    Ok(copy)
}
