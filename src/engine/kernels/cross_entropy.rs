//! The output layer and its loss, a few rows at a time: the logits of all positions are never in memory.

use rayon::prelude::*;

use super::gemm::{GemmOutput, MatmulPrecision, Matrix, ProductTerm, Write, matmul};
use super::isa::by_isa;
use super::math::{exp, max};

/// Rows of logits that are in memory at once.
pub const CHUNK: usize = 384;

/// What one row's distribution says of its target.
#[derive(Debug, Clone, Copy, Default)]
pub struct RowLoss {
    /// Negative log-likelihood in nats.
    pub nll: f32,
    /// Entropy of the distribution in nats.
    pub entropy: f32,
    /// Whether the likeliest token is the target.
    pub correct: bool,
}

/// The output layer: (vocabulary, width), row by row, the soft cap of its logits, if any, and how to multiply by it.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    pub weight: &'a [f32],
    pub vocabulary: usize,
    pub width: usize,
    pub softcap: Option<f32>,
    pub products: MatmulPrecision,
}

/// What the gradient of each row's negative log-likelihood is multiplied by.
#[derive(Debug, Clone, Copy)]
pub enum RowScale<'a> {
    All(f32),
    /// (rows)
    Each(&'a [f32]),
}

impl RowScale<'_> {
    const fn of(self, row: usize) -> f32 {
        match self {
            Self::All(scale) => scale,
            Self::Each(scales) => scales[row],
        }
    }
}

/// Where the gradient of the output layer's own weight is added, if it is trained.
pub enum WeightGradient<'a> {
    None,
    /// (vocabulary, width)
    Whole(&'a mut [f32]),
    /// Of some tokens: (tokens, width).
    Rows {
        tokens: &'a [u32],
        sums: &'a mut [f32],
    },
}

impl WeightGradient<'_> {
    /// Adds `logits^T x` of some rows.
    fn add(&mut self, logits: Matrix<'_>, x: &[f32], width: usize) {
        match self {
            Self::None => {}
            Self::Whole(sums) => matmul(
                GemmOutput { data: sums, stride: width, write: Write::Add },
                1.0,
                &[ProductTerm::new(logits.transposed(), Matrix::new(x, logits.rows, width))],
            ),
            Self::Rows { tokens, sums } => {
                for (&token, sum) in tokens.iter().zip(sums.chunks_exact_mut(width)) {
                    for (row, x) in logits.data.chunks(logits.row_stride).zip(x.chunks_exact(width)) {
                        let slope = row[token as usize];
                        for (sum, x) in sum.iter_mut().zip(x) {
                            *sum += slope * x;
                        }
                    }
                }
            }
        }
    }
}

impl Head<'_> {
    /// Losses of rows `x` (rows, width) against `targets` (rows). Where `gradient` is given, it becomes the gradient of
    /// `scale * (summed nll)` by x, and `logits` is scratch space.
    ///
    /// # Panics
    /// Where shapes don't fit or a target is no token.
    pub fn losses(
        &self,
        x: &[f32],
        targets: &[u32],
        gradient: Option<(&mut [f32], f32)>,
        logits: &mut Vec<f32>,
    ) -> Vec<RowLoss> {
        let gradient = gradient.map(|(gradient, scale)| (gradient, RowScale::All(scale)));
        self.losses_while((x, targets), gradient, WeightGradient::None, logits, &mut || Some(()))
            .unwrap_or_default()
    }

    /// As [`Head::losses`] of rows and their targets, with a scale for each row if they differ; with `gradient`, the
    /// gradient of the weight is added to `of_weight`, too. Nothing when `enter`, asked before each of [`Head::chunks`], says so.
    ///
    /// # Panics
    /// As [`Head::losses`].
    pub fn losses_while(
        &self,
        (x, targets): (&[f32], &[u32]),
        mut gradient: Option<(&mut [f32], RowScale<'_>)>,
        mut of_weight: WeightGradient<'_>,
        logits: &mut Vec<f32>,
        enter: &mut dyn FnMut() -> Option<()>,
    ) -> Option<Vec<RowLoss>> {
        // Rows a little more than a power of two apart, so that they don't fall into the same sets of the cache.
        let stride = self.vocabulary.next_multiple_of(16) + 16;
        let mut losses = vec![RowLoss::default(); targets.len()];
        logits.resize(stride * CHUNK.min(targets.len()), 0.0);
        for (chunk, targets) in targets.chunks(CHUNK).enumerate() {
            enter()?;
            let first = chunk * CHUNK;
            let rows = targets.len();
            let x = &x[first * self.width..(first + rows) * self.width];
            let logits = &mut logits[..stride * rows];
            let weight = Matrix::new(self.weight, self.vocabulary, self.width);
            self.products.matmul(
                GemmOutput { data: logits, stride, write: Write::Replace },
                1.0,
                &[ProductTerm::new(Matrix::new(x, rows, self.width), weight.transposed())],
            );
            let scale = gradient.as_ref().map(|(_, scale)| *scale);
            let cap = self.softcap.unwrap_or(0.0);
            logits
                .par_chunks_mut(stride)
                .zip(targets)
                .zip(&mut losses[first..first + rows])
                .enumerate()
                .for_each(|(index, ((row, &target), loss))| {
                    let row = &mut row[..self.vocabulary];
                    let of_row = scale.map_or(0.0, |scale| scale.of(first + index));
                    *loss = row_loss(row, target as usize, of_row, scale.is_some(), cap);
                });
            if let Some((gradient, _)) = &mut gradient {
                let data = &mut gradient[first * self.width..(first + rows) * self.width];
                let logits = Matrix::strided(logits, rows, self.vocabulary, stride);
                self.products.matmul(
                    GemmOutput { data, stride: self.width, write: Write::Replace },
                    1.0,
                    &[ProductTerm::new(logits, weight)],
                );
                of_weight.add(logits, x, self.width);
            }
        }
        Some(losses)
    }

    /// How many times [`Head::losses_while`] asks for so many rows.
    #[must_use]
    pub const fn chunks(rows: usize) -> usize {
        rows.div_ceil(CHUNK)
    }
}

by_isa! {
    /// The row's loss; with `backward` the logits become `scale * (softmax - one at the target)`. A cap of 0 is none.
    fn row_loss(row: &mut [f32], target: usize, scale: f32, backward: bool, cap: f32) -> RowLoss {
        if cap > 0.0 {
            for x in row.iter_mut() {
                *x = cap * super::math::tanh(*x / cap);
            }
        }
        let top = max(row);
        let (mut sums, mut moments) = ([0.0f32; 16], [0.0f32; 16]);
        let (blocks, rest) = row.as_chunks::<16>();
        for block in blocks {
            for i in 0..16 {
                let e = exp(block[i] - top);
                sums[i] += e;
                moments[i] += e * (block[i] - top);
            }
        }
        let (mut sum, mut moment) = (sums.iter().sum::<f32>(), moments.iter().sum::<f32>());
        for &x in rest {
            sum += exp(x - top);
            moment += exp(x - top) * (x - top);
        }
        let at_target = row[target];
        let log_sum = sum.ln();
        let loss = RowLoss {
            nll: log_sum - (at_target - top),
            entropy: log_sum - moment / sum,
            correct: at_target >= top,
        };
        if backward {
            let factor = scale / sum;
            for x in row.iter_mut() {
                let slope = if cap > 0.0 { 1.0 - (*x / cap) * (*x / cap) } else { 1.0 };
                *x = exp(*x - top) * factor * slope;
            }
            let slope = if cap > 0.0 { 1.0 - (at_target / cap) * (at_target / cap) } else { 1.0 };
            row[target] -= scale * slope;
        }
        loss
    }
}
