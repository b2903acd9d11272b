//! Magnitudes (DoRA, Liu et al. 2024) as PEFT defines them: `y = g * (W + scale B A) x`, row by row, where the gain `g` is
//! the magnitude over the row's norm of `W + scale B A`; that norm counts as a constant in the backward.
//!
//! With dropout, PEFT leaves the base product of the full input in place: `y = W (x - x') + g * (W + scale B A) x'` with
//! `x' = dropout(x)`.

use rayon::prelude::*;

use super::buffer::Buffer;
use super::linear::{LinearScratch, SavedActivations};
use super::sites::Site;
use crate::adapter::dora::{Product, row_norms};
use crate::kernels::columns;
use crate::kernels::gemm::{GemmOutput, Matrix, ProductTerm, Write, matmul};

/// What each output is multiplied by.
pub(super) struct Gains {
    /// Magnitude over norm; 1 where a projection has none: (outputs).
    factors: Vec<f32>,
    /// 1 over the norm: (outputs).
    inverse_norms: Vec<f32>,
}

impl Gains {
    fn measure(site: &Site, weight: &[f32]) -> Self {
        let outputs = site.outputs();
        let (mut factors, mut inverse_norms) = (vec![1.0; outputs], vec![0.0; outputs]);
        for part in &site.parts {
            let Some((adapter, magnitudes)) =
                part.adapter.as_ref().and_then(|it| Some((it, it.magnitudes.as_ref()?)))
            else {
                continue;
            };
            let rows = &weight[part.first * site.inputs..(part.first + part.outputs) * site.inputs];
            let a = &site.a[adapter.first_rank * site.inputs..][..site.rank * site.inputs];
            let low = Product { a, b: &adapter.b, rank: site.rank, scale: site.scale };
            let norms = row_norms(rows, site.inputs, low);
            for ((place, norm), magnitude) in (part.first..).zip(norms).zip(magnitudes) {
                // A row of zeros stays one.
                inverse_norms[place] = if norm > 0.0 { 1.0 / norm } else { 0.0 };
                factors[place] = magnitude * inverse_norms[place];
            }
        }
        Self { factors, inverse_norms }
    }
}

impl Site {
    fn gains(&self, weight: &[f32]) -> &Gains {
        self.gains.get_or_init(|| Gains::measure(self, weight))
    }

    /// The product before magnitudes, from the inner values.
    pub(super) fn direct(
        &self,
        weight: &[f32],
        x: &[f32],
        kept: &mut SavedActivations,
        scratch: &mut LinearScratch,
    ) {
        let direction = kept.direction.of(x.len() / self.inputs * self.outputs());
        let dropped = self.adapter_input(x, &mut scratch.dropped);
        self.products(weight, dropped, kept.inner.slice(), direction, Write::Replace);
    }

    /// The forward with magnitudes, from the inner values.
    pub(super) fn forward_scaled(
        &self,
        weight: &[f32],
        x: &[f32],
        y: &mut [f32],
        write: Write,
        kept: &mut SavedActivations,
        scratch: &mut LinearScratch,
    ) {
        self.direct(weight, x, kept, scratch);
        let (outputs, factors) = (self.outputs(), &self.gains(weight).factors);
        let rows = y.par_chunks_mut(outputs).zip(kept.direction.slice().par_chunks(outputs));
        rows.for_each(|(y, direction)| {
            for ((y, direction), factor) in y.iter_mut().zip(direction).zip(factors) {
                let value = direction * factor;
                *y = if write == Write::Add { *y + value } else { value };
            }
        });
        if self.dropout.is_some() {
            let rest = difference(x, scratch.dropped.slice(), &mut scratch.rest);
            let rest = Matrix::new(rest, x.len() / self.inputs, self.inputs);
            let weight = Matrix::new(weight, outputs, self.inputs).transposed();
            let output = GemmOutput { data: y, stride: outputs, write: Write::Add };
            matmul(output, 1.0, &[ProductTerm::new(rest, weight)]);
        }
    }

    /// The output's gradient times the gains.
    pub(super) fn scale_gradient<'a>(
        &self,
        weight: &[f32],
        grad_y: &[f32],
        scaled: &'a mut Buffer,
    ) -> &'a mut [f32] {
        let (outputs, factors) = (self.outputs(), &self.gains(weight).factors);
        let scaled = scaled.of(grad_y.len());
        scaled.par_chunks_mut(outputs).zip(grad_y.par_chunks(outputs)).for_each(|(to, from)| {
            for ((to, from), factor) in to.iter_mut().zip(from).zip(factors) {
                *to = from * factor;
            }
        });
        scaled
    }

    /// `grad m += sum over rows of grad_y * direction / norm`
    pub(super) fn grad_magnitudes(
        &self,
        weight: &[f32],
        grad_y: &[f32],
        direction: &[f32],
        gradients: &mut [f32],
    ) {
        let outputs = self.outputs();
        let mut sums = vec![0.0; outputs];
        let ones = vec![1.0; grad_y.len() / outputs];
        columns::add_products(grad_y, direction, &ones, &mut sums);
        let inverse_norms = &self.gains(weight).inverse_norms;
        for part in &self.parts {
            let start = part.adapter.as_ref().and_then(|adapter| adapter.slot.magnitudes);
            let Some(start) = start else { continue };
            let from = sums[part.first..].iter().zip(&inverse_norms[part.first..]);
            for (to, (sum, inverse)) in gradients[start..start + part.outputs].iter_mut().zip(from) {
                *to += sum * inverse;
            }
        }
    }
}

/// `a - b`, into a buffer.
pub(super) fn difference<'a>(a: &[f32], b: &[f32], into: &'a mut Buffer) -> &'a [f32] {
    let out = into.of(a.len());
    let chunk = 16 * 1024;
    out.par_chunks_mut(chunk).zip(a.par_chunks(chunk).zip(b.par_chunks(chunk))).for_each(|(out, (a, b))| {
        for ((out, a), b) in out.iter_mut().zip(a).zip(b) {
            *out = a - b;
        }
    });
    out
}
