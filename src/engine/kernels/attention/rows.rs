//! What happens to a row of scores.

use crate::kernels::isa::by_isa;
use crate::kernels::math::{exp, max};

by_isa! {
    /// Raises a running maximum by a row of scores, turns the scores into `exp(score - maximum)` in place, and returns
    /// (new maximum, sum of the row, what earlier sums must be multiplied by). Only `seen` counts; the rest becomes 0.
    pub(super) fn softmax_step(row: &mut [f32], seen: (usize, usize), maximum: f32) -> (f32, f32, f32) {
        let (first, behind) = seen;
        row[..first].fill(0.0);
        row[behind..].fill(0.0);
        let row = &mut row[first..behind];
        let top = max(row).max(maximum);
        let mut lanes = [0.0f32; 16];
        let (blocks, rest) = row.as_chunks_mut::<16>();
        for block in blocks {
            for i in 0..16 {
                block[i] = exp(block[i] - top);
                lanes[i] += block[i];
            }
        }
        let mut sum = lanes.iter().sum::<f32>();
        for x in rest {
            *x = exp(*x - top);
            sum += *x;
        }
        (top, sum, if maximum == f32::NEG_INFINITY { 0.0 } else { exp(maximum - top) })
    }
}

by_isa! {
    /// Scores become probabilities in place, and the gradients of the probabilities those of the scores:
    /// `p = exp(score - log_sum)`, `g = p * (g - along) * scale`. Outside `seen` both become 0. Scores are capped ones
    /// where there is a cap above 0, and gradients go through it.
    pub(super) fn softmax_backward(
        scores: &mut [f32],
        gradients: &mut [f32],
        seen: (usize, usize),
        log_sum: f32,
        along: f32,
        scale: f32,
        cap: f32,
    ) {
        let (first, behind) = seen;
        for row in [&mut *scores, &mut *gradients] {
            row[..first].fill(0.0);
            row[behind..].fill(0.0);
        }
        for (score, gradient) in scores[first..behind].iter_mut().zip(&mut gradients[first..behind]) {
            let p = exp(*score - log_sum);
            let slope = if cap > 0.0 { 1.0 - (*score / cap) * (*score / cap) } else { 1.0 };
            *score = p;
            *gradient = p * (*gradient - along) * (scale * slope);
        }
    }
}

by_isa! {
    pub(super) fn multiply(row: &mut [f32], factor: f32) {
        for x in row {
            *x *= factor;
        }
    }
}
