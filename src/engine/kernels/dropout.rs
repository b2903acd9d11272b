//! Dropout whose mask is a function of (seed, row, column): nothing is stored, and a resumed run draws the same.

use rayon::prelude::*;

use super::isa::by_isa;
use dojo_core::ground::hash::mix;

/// Which numbers to drop, and how often.
#[derive(Debug, Clone, Copy)]
pub struct Dropout {
    pub seed: u64,
    /// Share that is dropped, in 0..1; what stays is divided by `1 - rate`.
    pub rate: f32,
}

impl Dropout {
    /// Another mask of the same rate, for another place in the model.
    #[must_use]
    pub fn at(self, place: u64) -> Self {
        Self { seed: mix(self.seed ^ mix(place.wrapping_add(0x9e37_79b9_7f4a_7c15))), rate: self.rate }
    }

    /// `y = mask(x) / (1 - rate)`, rows of `width`.
    pub fn apply(self, x: &[f32], width: usize, y: &mut [f32]) {
        let (threshold, scale) = self.threshold();
        x.par_chunks(width).zip(y.par_chunks_mut(width)).enumerate().for_each(|(row, (x, y))| {
            masked_row(x, mix(self.seed ^ row as u64) as u32, threshold, scale, y);
        });
    }

    /// `y += mask(x) / (1 - rate)`: the same mask for the gradient.
    pub fn add(self, x: &[f32], width: usize, y: &mut [f32]) {
        let (threshold, scale) = self.threshold();
        x.par_chunks(width).zip(y.par_chunks_mut(width)).enumerate().for_each(|(row, (x, y))| {
            add_masked_row(x, mix(self.seed ^ row as u64) as u32, threshold, scale, y);
        });
    }

    /// What `apply` multiplies by, as numbers: 0 or `1 / (1 - rate)`, (rows, width).
    pub fn mask(self, rows: usize, width: usize) -> Vec<f32> {
        let (ones, mut mask) = (vec![1.0; rows * width], vec![0.0; rows * width]);
        self.apply(&ones, width, &mut mask);
        mask
    }

    /// Hashes below the first are dropped; what stays is multiplied by the second.
    pub(crate) fn threshold(self) -> (u32, f32) {
        ((f64::from(self.rate) * 4_294_967_296.0) as u32, 1.0 / (1.0 - self.rate))
    }
}

/// `MurmurHash3`'s finaliser over a column and its row's key.
#[inline(always)]
fn hash(key: u32, column: u32) -> u32 {
    let mut h = key ^ column.wrapping_mul(0x9e37_79b9);
    h = (h ^ (h >> 16)).wrapping_mul(0x85eb_ca6b);
    h = (h ^ (h >> 13)).wrapping_mul(0xc2b2_ae35);
    h ^ (h >> 16)
}

by_isa! {
    fn masked_row(x: &[f32], key: u32, threshold: u32, scale: f32, y: &mut [f32]) {
        for (column, (x, y)) in (0u32..).zip(x.iter().zip(y)) {
            *y = if hash(key, column) < threshold { 0.0 } else { x * scale };
        }
    }
}

by_isa! {
    fn add_masked_row(x: &[f32], key: u32, threshold: u32, scale: f32, y: &mut [f32]) {
        for (column, (x, y)) in (0u32..).zip(x.iter().zip(y)) {
            *y += if hash(key, column) < threshold { 0.0 } else { x * scale };
        }
    }
}
