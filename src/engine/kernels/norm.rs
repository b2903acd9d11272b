//! RMS normalisation (Zhang & Sennrich 2019) over rows: `y = x / sqrt(mean(x^2) + epsilon) * weight`.

use rayon::prelude::*;

use super::isa::by_isa;
use super::lanes::{Kernel, LaneIsa, Lanes};

/// Rows that one task takes.
const ROWS: usize = 32;

/// Normalises rows as wide as the weight; keeps each row's `1 / sqrt(mean(x^2) + epsilon)` in `inverse`: (rows).
pub fn rms_norm(x: &[f32], weight: &[f32], epsilon: f32, y: &mut [f32], inverse: &mut [f32]) {
    let block = ROWS * weight.len();
    x.par_chunks(block)
        .zip(y.par_chunks_mut(block))
        .zip(inverse.par_chunks_mut(ROWS))
        .for_each(|((x, y), inverse)| forward_rows(x, weight, epsilon, y, inverse));
}

/// The same rows again, from the kept inverse: cheaper than keeping the output.
pub fn rms_norm_recompute(x: &[f32], weight: &[f32], inverse: &[f32], y: &mut [f32]) {
    let block = ROWS * weight.len();
    x.par_chunks(block)
        .zip(y.par_chunks_mut(block))
        .zip(inverse.par_chunks(ROWS))
        .for_each(|((x, y), inverse)| scale_rows(x, weight, inverse, y));
}

/// Adds the gradient of the input to `grad_x`:
/// `inverse * (g - x * inverse^2 * mean(g x))` with `g = weight * grad_y`.
pub fn rms_norm_backward(x: &[f32], weight: &[f32], inverse: &[f32], grad_y: &[f32], grad_x: &mut [f32]) {
    let block = ROWS * weight.len();
    x.par_chunks(block)
        .zip(grad_y.par_chunks(block))
        .zip(grad_x.par_chunks_mut(block))
        .zip(inverse.par_chunks(ROWS))
        .for_each(|(((x, grad_y), grad_x), inverse)| backward_rows(x, weight, inverse, grad_y, grad_x));
}

/// [`rms_norm`] on this thread.
pub(crate) fn forward_rows(x: &[f32], weight: &[f32], epsilon: f32, y: &mut [f32], inverse: &mut [f32]) {
    let (width, isa) = (weight.len(), LaneIsa::best());
    for ((x, y), inverse) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(inverse) {
        let (x, weight, out) = (x.as_ptr(), weight.as_ptr(), y.as_mut_ptr());
        // SAFETY: both rows are as wide as the weight.
        *inverse = unsafe { isa.run(RmsNorm { x, weight, out, width, epsilon }) };
    }
}

/// [`rms_norm`] on this thread, when nobody needs the inverse.
///
/// # Panics
/// If the rows are not as wide as the weight.
pub fn norm_rows(x: &[f32], weight: &[f32], epsilon: f32, y: &mut [f32]) {
    assert!(x.len() == y.len() && x.len().is_multiple_of(weight.len()), "rows of another norm");
    let (width, isa) = (weight.len(), LaneIsa::best());
    for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
        let (x, weight, out) = (x.as_ptr(), weight.as_ptr(), y.as_mut_ptr());
        // SAFETY: both rows are as wide as the weight.
        unsafe { isa.run(RmsNorm { x, weight, out, width, epsilon }) };
    }
}

/// Normalises one row in place, on this thread.
///
/// # Panics
/// If the row is not as wide as the weight.
pub fn norm_in_place(row: &mut [f32], weight: &[f32], epsilon: f32) {
    assert!(row.len() == weight.len(), "a row of another norm");
    let (out, weight, width) = (row.as_mut_ptr(), weight.as_ptr(), row.len());
    // SAFETY: the row is as wide as the weight, and the kernel may write where it reads.
    unsafe { LaneIsa::best().run(RmsNorm { x: out, weight, out, width, epsilon }) };
}

by_isa! {
    pub(crate) fn scale_rows(x: &[f32], weight: &[f32], inverse: &[f32], y: &mut [f32]) {
        let width = weight.len();
        for ((x, y), inverse) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)).zip(inverse) {
            for ((y, x), weight) in y.iter_mut().zip(x).zip(weight) {
                *y = x * inverse * weight;
            }
        }
    }
}

by_isa! {
    pub(crate) fn backward_rows(x: &[f32], weight: &[f32], inverse: &[f32], grad_y: &[f32], grad_x: &mut [f32]) {
        let width = weight.len();
        let rows = x.chunks_exact(width).zip(grad_y.chunks_exact(width)).zip(grad_x.chunks_exact_mut(width));
        for (((x, grad_y), grad_x), inverse) in rows.zip(inverse) {
            let mut lanes = [0.0f32; 16];
            for ((x, g), w) in x.chunks(16).zip(grad_y.chunks(16)).zip(weight.chunks(16)) {
                for (((lane, x), g), w) in lanes.iter_mut().zip(x).zip(g).zip(w) {
                    *lane += x * g * w;
                }
            }
            let along = lanes.iter().sum::<f32>() / width as f32 * inverse * inverse * inverse;
            for (((out, x), g), w) in grad_x.iter_mut().zip(x).zip(grad_y).zip(weight) {
                *out += g * w * inverse - x * along;
            }
        }
    }
}

/// One row; what comes back is `1 / sqrt(mean(x^2) + epsilon)`.
pub(crate) struct RmsNorm {
    /// (width)
    pub x: *const f32,
    pub weight: *const f32,
    /// (width); may be `x`.
    pub out: *mut f32,
    pub width: usize,
    pub epsilon: f32,
}

impl Kernel for RmsNorm {
    type Output = f32;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> f32 {
        let whole = self.width / 16 * 16;
        // SAFETY: the caller promises `width` valid values at each address.
        unsafe {
            let mut squares = L::splat(0.0);
            for at in (0..whole).step_by(16) {
                let x = L::load(self.x.add(at));
                squares = L::fused(x, x, squares);
            }
            let mut sum = L::sum(squares);
            for at in whole..self.width {
                sum += *self.x.add(at) * *self.x.add(at);
            }
            let scale = 1.0 / (sum / self.width as f32 + self.epsilon).sqrt();
            for at in (0..whole).step_by(16) {
                let x = L::multiply(L::load(self.x.add(at)), L::splat(scale));
                L::store(self.out.add(at), L::multiply(x, L::load(self.weight.add(at))));
            }
            for at in whole..self.width {
                *self.out.add(at) = *self.x.add(at) * scale * *self.weight.add(at);
            }
            scale
        }
    }
}
