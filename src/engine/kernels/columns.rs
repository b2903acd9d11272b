//! Sums over rows, column by column: gradients of what multiplies each column. Always in the same order.

use rayon::prelude::*;

use super::isa::by_isa;

/// Columns that one task takes.
const COLUMNS: usize = 64;

/// `sums[i] += sum over rows of a[row, i] * b[row, i] * factors[row]`; rows are as wide as `sums`.
///
/// # Panics
/// Where `a` and `b` don't have as many rows as there are factors.
pub fn add_products(a: &[f32], b: &[f32], factors: &[f32], sums: &mut [f32]) {
    let width = sums.len();
    assert!(a.len() == factors.len() * width && b.len() == a.len(), "column sums of rows that don't fit");
    sums.par_chunks_mut(COLUMNS)
        .enumerate()
        .for_each(|(task, sums)| add_block(a, b, factors, (task * COLUMNS, width), sums));
}

by_isa! {
    fn add_block(a: &[f32], b: &[f32], factors: &[f32], place: (usize, usize), sums: &mut [f32]) {
        let (first, width) = place;
        let mut block = [0.0f32; COLUMNS];
        let count = sums.len();
        for ((a, b), factor) in a.chunks_exact(width).zip(b.chunks_exact(width)).zip(factors) {
            let (a, b) = (&a[first..first + count], &b[first..first + count]);
            for ((sum, a), b) in block.iter_mut().zip(a).zip(b) {
                *sum += a * b * factor;
            }
        }
        for (sum, block) in sums.iter_mut().zip(block) {
            *sum += block;
        }
    }
}
