//! Norms of adapted weights, for DoRA (Liu et al. 2024).

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::{Adapter, Slot};
use crate::kernels::gemm::{GemmOutput, Matrix, ProductTerm, Write, matmul};
use crate::kernels::math::sum2;
use crate::model::{Frozen, Weights};
use dojo_core::domain::recipe::BaseFormat;

/// Rows that are worked on at once.
const ROWS: usize = 256;

/// A low-rank matrix `scale * B A`: B is (outputs, rank), A (rank, inputs).
#[derive(Clone, Copy)]
pub(crate) struct Product<'a> {
    pub(crate) a: &'a [f32],
    pub(crate) b: &'a [f32],
    pub(crate) rank: usize,
    pub(crate) scale: f32,
}

/// The Euclidean norm of each row of `W + scale B A`; `weight` is (outputs, inputs).
pub(crate) fn row_norms(weight: &[f32], inputs: usize, low: Product<'_>) -> Vec<f32> {
    let a = Matrix::new(low.a, low.rank, inputs);
    let mut norms = Vec::with_capacity(weight.len() / inputs.max(1));
    let mut rows = Vec::new();
    for (weight, b) in weight.chunks(ROWS * inputs).zip(low.b.chunks(ROWS * low.rank)) {
        rows.clear();
        rows.extend_from_slice(weight);
        let b = Matrix::new(b, b.len() / low.rank, low.rank);
        matmul(
            GemmOutput { data: &mut rows, stride: inputs, write: Write::Add },
            low.scale,
            &[ProductTerm::new(b, a)],
        );
        norms.par_extend(rows.par_chunks(inputs).map(norm));
    }
    norms
}

/// The Euclidean norm.
pub(super) fn norm(row: &[f32]) -> f32 {
    sum2(row, row, |a, b| a * b).sqrt()
}

impl Adapter {
    /// Sets all magnitudes to the norms of the weights' rows, adapter included: then the adapter computes what it would
    /// without them, which is where PEFT begins. The weights count as they are held.
    ///
    /// # Errors
    /// Where a tensor is missing or damaged.
    pub fn measure_magnitudes(&mut self, weights: &dyn Weights, format: BaseFormat) -> Result<()> {
        let mut buffer = Vec::new();
        for slot in self.slots.iter().filter(|slot| slot.magnitudes.is_some()) {
            let frozen = Frozen::read(weights, &[(tensor(slot), [slot.outputs, slot.inputs])], format)?;
            let rank = self.config.r;
            let low = Product {
                a: self.part(slot.a, rank * slot.inputs),
                b: self.part(slot.b, slot.outputs * rank),
                rank,
                scale: self.config.scale(),
            };
            let norms = row_norms(frozen.numbers(&mut buffer), slot.inputs, low);
            let start = slot.magnitudes.unwrap_or_default();
            let place = self.values.get_mut(start..start + norms.len());
            place.context("the magnitudes' place is too small")?.copy_from_slice(&norms);
        }
        Ok(())
    }
}

/// The name of the weight that a slot changes.
pub(super) fn tensor(slot: &Slot) -> String {
    format!("model.layers.{}.{}.{}.weight", slot.layer, slot.projection.block(), slot.projection.name())
}
