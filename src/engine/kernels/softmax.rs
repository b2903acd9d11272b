//! What a softmax over one row is made of, and soft caps of its inputs.

use super::isa::by_isa;
use super::lanes::{Kernel, Lanes, exponential};
use super::math::tanh;

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

by_isa! {
    /// `cap * tanh(value / cap)`, in place.
    pub(crate) fn soft_cap(values: &mut [f32], cap: f32) {
        for value in values {
            *value = cap * tanh(*value / cap);
        }
    }
}
