//! What happens between the matrix products, row by row: norms, rotation, activation, sums over the vocabulary.

#![expect(
    clippy::inline_always,
    reason = "kernels are compiled with the instructions of the function around them"
)]

use crate::engine::kernels::quant::lanes::{Kernel, Lanes, exponential};
use crate::engine::model::config::Activation;

/// `out = x / sqrt(mean(x^2) + epsilon) * weight` (Zhang and Sennrich 2019).
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
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
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
        }
    }
}

/// `to += from`, both (width).
pub(crate) struct AddInto {
    pub from: *const f32,
    pub to: *mut f32,
    pub width: usize,
}

impl Kernel for AddInto {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let whole = self.width / 16 * 16;
        // SAFETY: the caller promises `width` valid values at each address.
        unsafe {
            for at in (0..whole).step_by(16) {
                L::store(self.to.add(at), L::add(L::load(self.to.add(at)), L::load(self.from.add(at))));
            }
            for at in whole..self.width {
                *self.to.add(at) += *self.from.add(at);
            }
        }
    }
}

/// Rotates one head in place: value `i` pairs with `i + half` (Su et al. 2021, in Hugging Face's layout).
pub(crate) struct Rotate {
    /// (at least 2 * half)
    pub head: *mut f32,
    /// (half) each
    pub cosines: *const f32,
    pub sines: *const f32,
    pub half: usize,
}

impl Kernel for Rotate {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let whole = self.half / 16 * 16;
        // SAFETY: the caller promises the lengths named above.
        unsafe {
            let (low, high) = (self.head, self.head.add(self.half));
            for at in (0..whole).step_by(16) {
                let (a, b) = (L::load(low.add(at)), L::load(high.add(at)));
                let (cos, sin) = (L::load(self.cosines.add(at)), L::load(self.sines.add(at)));
                let minus = L::multiply(sin, L::splat(-1.0));
                L::store(low.add(at), L::fused(b, minus, L::multiply(a, cos)));
                L::store(high.add(at), L::fused(a, sin, L::multiply(b, cos)));
            }
            for at in whole..self.half {
                let (a, b) = (*low.add(at), *high.add(at));
                let (cos, sin) = (*self.cosines.add(at), *self.sines.add(at));
                *low.add(at) = a * cos - b * sin;
                *high.add(at) = b * cos + a * sin;
            }
        }
    }
}

/// `out = activation(x) * up` (Shazeer 2020).
pub(crate) struct Gate {
    pub x: *const f32,
    pub up: *const f32,
    pub out: *mut f32,
    /// A multiple of 16, or all three may be read and written up to one.
    pub width: usize,
    pub activation: Activation,
}

impl Kernel for Gate {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the caller promises `width` valid values at each address.
        unsafe {
            for at in (0..self.width).step_by(16) {
                let (gate, up) = (L::load(self.x.add(at)), L::load(self.up.add(at)));
                // silu(x) = x * sigmoid(x); gelu's tanh form is x * sigmoid(2 * sqrt(2 / pi) * (x + 0.044715 x^3)).
                let slope = match self.activation {
                    Activation::SwiGlu => gate,
                    Activation::GeGlu => {
                        let cube = L::multiply(L::multiply(gate, gate), gate);
                        let inner = L::fused(cube, L::splat(0.044_715), gate);
                        L::multiply(inner, L::splat(1.595_769))
                    }
                };
                let decay = exponential::<L>(L::multiply(slope, L::splat(-1.0)));
                let value = L::divide(gate, L::add(L::splat(1.0), decay));
                L::store(self.out.add(at), L::multiply(value, up));
            }
        }
    }
}

/// The largest of some values.
pub(crate) struct Largest<'a>(pub &'a [f32]);

impl Kernel for Largest<'_> {
    type Output = f32;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> f32 {
        let (chunks, rest) = self.0.as_chunks::<16>();
        // SAFETY: each chunk holds 16 values.
        let whole = unsafe {
            let mut largest = L::splat(f32::NEG_INFINITY);
            for chunk in chunks {
                largest = L::maximum(largest, L::load(chunk.as_ptr()));
            }
            L::largest(largest)
        };
        rest.iter().copied().fold(whole, f32::max)
    }
}

/// The sum of `exp((value - largest) * factor)`.
pub(crate) struct SumOfExponentials<'a> {
    pub values: &'a [f32],
    pub largest: f32,
    pub factor: f32,
}

impl Kernel for SumOfExponentials<'_> {
    type Output = f32;

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) -> f32 {
        let (chunks, rest) = self.values.as_chunks::<16>();
        // SAFETY: each chunk holds 16 values.
        let whole = unsafe {
            let mut sum = L::splat(0.0);
            let shift = L::splat(-self.largest);
            for chunk in chunks {
                let shifted = L::add(L::load(chunk.as_ptr()), shift);
                sum = L::add(sum, exponential::<L>(L::multiply(shifted, L::splat(self.factor))));
            }
            L::sum(sum)
        };
        whole + rest.iter().map(|value| ((value - self.largest) * self.factor).exp()).sum::<f32>()
    }
}

/// `cap * tanh(value / cap)`, in place.
pub(crate) fn soft_cap(values: &mut [f32], cap: f32) {
    for value in values {
        *value = cap * (*value / cap).tanh();
    }
}
