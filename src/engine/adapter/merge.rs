//! A model with an adapter in its weights: nothing is added for each token, and nothing of the base is left to answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::dora::{norm, tensor};
use super::{Adapter, Module, Slot, TokenRows};
use crate::kernels::gemm::{GemmOutput, Matrix, ProductTerm, Write, matmul};
use crate::model::weights::Stored;
use crate::model::{OpenModel, Weights};

const EMBEDDING: &str = "model.embed_tokens.weight";
const OUTPUT: &str = "lm_head.weight";

impl Adapter {
    /// A model whose weights have this adapter in them, computed as each is read. Plain weights keep their format;
    /// quantised ones that change are rounded to 8 bits (`Q8_0`), others stay as they are.
    ///
    /// # Errors
    /// Where the adapter doesn't fit the model.
    pub fn merged_into(self, model: OpenModel) -> Result<OpenModel> {
        let mut config = model.config.clone();
        let mut changes = BTreeMap::new();
        for slot in &self.slots {
            let fits =
                slot.layer < config.layers && (slot.outputs, slot.inputs) == slot.projection.shape(&config);
            ensure!(fits, "the adapter is for another model: {} has another shape there", tensor(slot));
            changes.insert(tensor(slot), TensorChange::LowRank(slot.clone()));
        }
        let outer = self.modules.iter().any(|it| matches!(it.module, Module::Embedding | Module::Output));
        if outer && config.tied_embeddings {
            config.tied_embeddings = false;
            changes.insert(OUTPUT.to_owned(), TensorChange::Untied);
        }
        for it in &self.modules {
            // If the model's file has its norms whole, an offset from one becomes such a norm.
            let shift = it.module.shift_in_file(&config);
            let change = TensorChange::Whole { start: it.start, length: it.length, shift };
            changes.insert(format!("{}.weight", it.module.path()), change);
        }
        for rows in &self.rows {
            changes.insert(format!("{}.weight", rows.module.path()), TensorChange::Rows(rows.clone()));
        }
        let weights = Merged { inner: Arc::clone(&model.weights), adapter: self, changes };
        Ok(model.over(config, Arc::new(weights)))
    }
}

/// What becomes of a tensor.
enum TensorChange {
    /// `W + scale B A`, its rows scaled to their magnitudes where there are any.
    LowRank(Slot),
    /// The adapter's own numbers in its place.
    Whole { start: usize, length: usize, shift: f32 },
    /// Some of its rows are the adapter's.
    Rows(TokenRows),
    /// The output layer that was the embedding until that, or the output layer itself, was trained whole.
    Untied,
}

struct Merged {
    inner: Arc<dyn Weights>,
    adapter: Adapter,
    /// By the tensor's name.
    changes: BTreeMap<String, TensorChange>,
}

impl Weights for Merged {
    fn has(&self, name: &str) -> bool {
        self.changes.contains_key(name) || self.inner.has(name)
    }

    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        match self.changes.get(name) {
            None => self.inner.f32(name, shape),
            Some(TensorChange::Untied) => self.inner.f32(EMBEDDING, shape),
            Some(TensorChange::Whole { start, length, shift }) => {
                let numbers = self.adapter.part(*start, *length);
                ensure!(
                    numbers.len() == shape.iter().product::<usize>(),
                    "the adapter is for another model: {name} has {length} values there"
                );
                Ok(numbers.iter().map(|number| number + shift).collect())
            }
            Some(TensorChange::Rows(rows)) => {
                let mut numbers = self.inner.f32(name, shape)?;
                let own = self.adapter.part(rows.start, rows.length()).chunks_exact(rows.width);
                for (&token, row) in rows.tokens.iter().zip(own) {
                    let place = numbers.chunks_exact_mut(rows.width).nth(token as usize);
                    place
                        .with_context(|| format!("{name} has no row for token {token}"))?
                        .copy_from_slice(row);
                }
                Ok(numbers)
            }
            Some(TensorChange::LowRank(slot)) => {
                let mut numbers = self.inner.f32(name, shape)?;
                self.adapter.add_to(&mut numbers, slot);
                Ok(numbers)
            }
        }
    }

    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored> {
        match self.changes.get(name) {
            None => self.inner.stored(name, shape),
            Some(TensorChange::Untied) => self.inner.stored(EMBEDDING, shape),
            Some(TensorChange::LowRank(_) | TensorChange::Rows(_) | TensorChange::Whole { .. }) => {
                let known = if self.inner.has(name) { name } else { EMBEDDING };
                let format = match self.inner.stored(known, shape)?.format {
                    plain @ (GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16) => plain,
                    _ => GgmlDType::Q8_0,
                };
                let tensor = Tensor::from_vec(self.f32(name, shape)?, shape, &Device::Cpu)?;
                let rounded = QTensor::quantize(&tensor, format);
                let rounded = rounded.with_context(|| format!("round {name} to {format:?}"))?;
                Ok(Stored { format, bytes: rounded.data()?.into_owned() })
            }
        }
    }
}

impl Adapter {
    /// Adds what a slot adds to its weight, (outputs, inputs).
    fn add_to(&self, weight: &mut [f32], slot: &Slot) {
        let (rank, inputs) = (self.config.r, slot.inputs);
        let a = Matrix::new(self.part(slot.a, rank * inputs), rank, inputs);
        let b = Matrix::new(self.part(slot.b, slot.outputs * rank), slot.outputs, rank);
        let output = GemmOutput { data: weight, stride: inputs, write: Write::Add };
        matmul(output, self.config.scale(), &[ProductTerm::new(b, a)]);
        let Some(start) = slot.magnitudes else { return };
        let magnitudes = self.part(start, slot.outputs);
        weight.par_chunks_mut(inputs).zip(magnitudes).for_each(|(row, magnitude)| {
            let length = norm(row);
            let gain = if length > 0.0 { magnitude / length } else { 0.0 };
            row.iter_mut().for_each(|number| *number *= gain);
        });
    }
}
