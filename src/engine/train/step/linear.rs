//! A frozen projection with its adapters, forward and backward: base and low-rank products are one pass over the
//! output. What magnitudes (DoRA) change stands in `dora`.

use super::buffer::Buffer;
use super::sites::{Site, SitePart};
use crate::kernels::gemm::{GemmOutput, Matrix, ProductTerm, Write, matmul};

/// What a site's forward keeps for its backward.
#[derive(Default)]
pub(super) struct SavedActivations {
    /// `scale * dropout(x) A^T`: (rows, ranks).
    pub(super) inner: Buffer,
    /// The product before magnitudes, `W dropout(x) + scale B A dropout(x)`: (rows, outputs); empty without them.
    pub(super) direction: Buffer,
}

/// What a projection's backward reads and adds to.
pub(super) struct LinearBackward<'a> {
    /// (rows, inputs)
    pub(super) x: &'a [f32],
    /// (rows, outputs)
    pub(super) grad_y: &'a [f32],
    pub(super) kept: &'a SavedActivations,
    pub(super) gradients: &'a mut [f32],
    pub(super) scratch: &'a mut LinearScratch,
}

/// Buffers that all sites share.
#[derive(Default)]
pub(super) struct LinearScratch {
    /// An adapter's input after dropout, or its gradient before: (rows, widest input).
    pub(super) dropped: Buffer,
    /// Gradient of the inner values: (rows, ranks of a site).
    pub(super) grad_inner: Buffer,
    /// An adapter's gradient before it is added: (ranks, widest).
    pub(super) grad_adapter: Buffer,
    /// The output's gradient times the gains (DoRA): (rows, widest output).
    pub(super) scaled: Buffer,
    /// What dropout took from the input, or from the output's gradient (DoRA): (rows, widest).
    pub(super) rest: Buffer,
}

impl Site {
    /// `y (=|+=) x W^T + scale * dropout(x) A^T B^T`, with magnitudes as they change it.
    pub(super) fn forward(
        &self,
        weight: &[f32],
        x: &[f32],
        y: &mut [f32],
        write: Write,
        kept: &mut SavedActivations,
        scratch: &mut LinearScratch,
    ) {
        self.project(x, kept, scratch);
        if self.is_dora() {
            self.forward_scaled(weight, x, y, write, kept, scratch);
        } else {
            self.products(weight, x, kept.inner.slice(), y, write);
        }
    }

    /// `y (=|+=) x W^T + inner B^T`
    pub(super) fn products(&self, weight: &[f32], x: &[f32], inner: &[f32], y: &mut [f32], write: Write) {
        let (rows, outputs) = (x.len() / self.inputs, self.outputs());
        for part in &self.parts {
            let frozen = self.frozen(weight, part);
            let mut terms = vec![ProductTerm::new(Matrix::new(x, rows, self.inputs), frozen.transposed())];
            if let Some(adapter) = &part.adapter {
                let b = Matrix::new(&adapter.b, part.outputs, self.rank);
                terms.push(ProductTerm::new(self.ranks_of(inner, adapter.first_rank, rows), b.transposed()));
            }
            let output = GemmOutput { data: &mut y[part.first..], stride: outputs, write };
            self.products.matmul(output, 1.0, &terms);
        }
    }

    /// The adapters' inner values alone.
    pub(super) fn project(&self, x: &[f32], kept: &mut SavedActivations, scratch: &mut LinearScratch) {
        let rows = x.len() / self.inputs;
        let inner = kept.inner.of(rows * self.ranks);
        if self.ranks == 0 {
            return;
        }
        let x = self.adapter_input(x, &mut scratch.dropped);
        let a = Matrix::new(&self.a, self.ranks, self.inputs);
        matmul(
            GemmOutput { data: inner, stride: self.ranks, write: Write::Replace },
            self.scale,
            &[ProductTerm::new(Matrix::new(x, rows, self.inputs), a.transposed())],
        );
    }

    pub(super) fn adapter_input<'a>(&self, x: &'a [f32], dropped: &'a mut Buffer) -> &'a [f32] {
        let Some(dropout) = self.dropout else { return x };
        let out = dropped.of(x.len());
        dropout.apply(x, self.inputs, out);
        out
    }

    /// Adds the adapters' gradients and, where `grad_x` is given, replaces it by the gradient of x.
    pub(super) fn backward(&self, weight: &[f32], given: LinearBackward<'_>, grad_x: Option<&mut [f32]>) {
        let LinearBackward { x, grad_y, kept, gradients, scratch } = given;
        let LinearScratch { dropped, grad_inner, grad_adapter, scaled, rest } = scratch;
        let (rows, outputs) = (x.len() / self.inputs, self.outputs());
        // What reaches the adapters and, without dropout, the base.
        let reaching = if self.is_dora() {
            self.grad_magnitudes(weight, grad_y, kept.direction.slice(), gradients);
            &*self.scale_gradient(weight, grad_y, scaled)
        } else {
            grad_y
        };
        let grad_inner = grad_inner.of(rows * self.ranks);
        self.grad_b(reaching, rows, kept.inner.slice(), grad_inner, grad_adapter, gradients);
        self.grad_a(x, grad_inner, dropped, grad_adapter, gradients);
        let Some(grad_x) = grad_x else { return };
        let through = |grad_y| {
            ProductTerm::new(Matrix::new(grad_y, rows, outputs), Matrix::new(weight, outputs, self.inputs))
        };
        let output = |data| GemmOutput { data, stride: self.inputs, write: Write::Replace };
        if self.ranks == 0 {
            self.products.matmul(output(grad_x), 1.0, &[through(grad_y)]);
            return;
        }
        let low = ProductTerm::new(
            Matrix::new(grad_inner, rows, self.ranks),
            Matrix::new(&self.a, self.ranks, self.inputs),
        );
        let Some(dropout) = self.dropout else {
            self.products.matmul(output(grad_x), 1.0, &[through(reaching), low]);
            return;
        };
        self.products.matmul(output(grad_x), 1.0, &[through(grad_y)]);
        let before = dropped.of(rows * self.inputs);
        if self.is_dora() {
            let rest = super::dora::difference(reaching, grad_y, rest);
            self.products.matmul(output(before), 1.0, &[through(rest), low]);
        } else {
            matmul(output(before), 1.0, &[low]);
        }
        dropout.add(before, self.inputs, grad_x);
    }

    /// `grad B += grad_y^T inner`, and `grad_inner = scale * grad_y B`.
    fn grad_b(
        &self,
        grad_y: &[f32],
        rows: usize,
        inner: &[f32],
        grad_inner: &mut [f32],
        turned: &mut Buffer,
        gradients: &mut [f32],
    ) {
        let outputs = self.outputs();
        for part in &self.parts {
            let Some(adapter) = &part.adapter else { continue };
            let grad_part = Matrix::strided(&grad_y[part.first..], rows, part.outputs, outputs);
            let b = Matrix::new(&adapter.b, part.outputs, self.rank);
            let data = &mut grad_inner[adapter.first_rank..];
            let output = GemmOutput { data, stride: self.ranks, write: Write::Replace };
            matmul(output, self.scale, &[ProductTerm::new(grad_part, b)]);
            // As (rank, outputs), so that the long side is the one that vectors run along.
            let turned = turned.of(self.rank * part.outputs);
            let output = GemmOutput { data: turned, stride: part.outputs, write: Write::Replace };
            let inner = self.ranks_of(inner, adapter.first_rank, rows).transposed();
            matmul(output, 1.0, &[ProductTerm::new(inner, grad_part)]);
            let slot = &adapter.slot;
            let to = &mut gradients[slot.b..slot.b + part.outputs * self.rank];
            for (i, to) in to.chunks_exact_mut(self.rank).enumerate() {
                for (r, to) in to.iter_mut().enumerate() {
                    *to += turned[r * part.outputs + i];
                }
            }
        }
    }

    /// `grad A += grad_inner^T dropout(x)`
    fn grad_a(
        &self,
        x: &[f32],
        grad_inner: &[f32],
        dropped: &mut Buffer,
        sum: &mut Buffer,
        gradients: &mut [f32],
    ) {
        if self.ranks == 0 {
            return;
        }
        let rows = x.len() / self.inputs;
        let x = self.adapter_input(x, dropped);
        let sum = sum.of(self.ranks * self.inputs);
        matmul(
            GemmOutput { data: sum, stride: self.inputs, write: Write::Replace },
            1.0,
            &[ProductTerm::new(
                Matrix::new(grad_inner, rows, self.ranks).transposed(),
                Matrix::new(x, rows, self.inputs),
            )],
        );
        for adapter in self.parts.iter().filter_map(|part| part.adapter.as_ref()) {
            let length = self.rank * self.inputs;
            let to = &mut gradients[adapter.slot.a..adapter.slot.a + length];
            let from = &sum[adapter.first_rank * self.inputs..][..length];
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
    }

    /// A part's rows of the frozen weight: (outputs, inputs).
    fn frozen<'a>(&self, weight: &'a [f32], part: &SitePart) -> Matrix<'a> {
        let start = part.first * self.inputs;
        Matrix::new(&weight[start..start + part.outputs * self.inputs], part.outputs, self.inputs)
    }

    /// One adapter's columns of the inner values: (rows, rank).
    fn ranks_of<'a>(&self, inner: &'a [f32], first_rank: usize, rows: usize) -> Matrix<'a> {
        Matrix::strided(&inner[first_rank..], rows, self.rank, self.ranks)
    }
}
