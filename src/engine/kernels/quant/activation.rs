//! What goes into a matrix product: rows of f32, and the same rounded to 8 bits for quantised weights.

#![expect(
    clippy::inline_always,
    reason = "kernels are compiled with the instructions of the function around them"
)]

use crate::kernels::lanes::{Kernel, LaneIsa, Lanes};

/// Rows of activations, (rows, columns). Filled in place by several threads at once, each its own rows or groups.
pub struct Activations {
    columns: usize,
    capacity: usize,
    values: Vec<f32>,
    quants: Vec<i8>,
    scales: Vec<f32>,
    /// Minus the sum of the quants, for each half group of 16.
    minus_halves: Vec<i32>,
    /// Minus the sum of the quants, for each group.
    minus_sums: Vec<i32>,
    /// `scale * sum of the quants`, for each group.
    totals: Vec<f32>,
}

/// Where each part of [`Activations`] lies: what kernels take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ActivationsAt {
    /// (rows, columns)
    pub values: *mut f32,
    /// (rows, columns)
    pub quants: *mut i8,
    /// (rows, columns / 32)
    pub scales: *mut f32,
    /// (rows, columns / 16)
    pub minus_halves: *mut i32,
    /// (rows, columns / 32)
    pub minus_sums: *mut i32,
    /// (rows, columns / 32)
    pub totals: *mut f32,
    pub columns: usize,
}

// SAFETY: it is an address book; who writes where is settled by the callers, phase by phase.
unsafe impl Send for ActivationsAt {}
// SAFETY: two threads may hold the addresses; that both write to one is for the callers to rule out.
unsafe impl Sync for ActivationsAt {}

impl ActivationsAt {
    /// Rows of plain values, not quantised.
    pub(crate) const fn plain(values: *mut f32, columns: usize) -> Self {
        Self {
            values,
            quants: std::ptr::null_mut(),
            scales: std::ptr::null_mut(),
            minus_halves: std::ptr::null_mut(),
            minus_sums: std::ptr::null_mut(),
            totals: std::ptr::null_mut(),
            columns,
        }
    }

    /// The rows from `row` on.
    pub(crate) const fn rows_from(self, row: usize) -> Self {
        let groups = self.columns / 32;
        Self {
            values: self.values.wrapping_add(row * self.columns),
            quants: self.quants.wrapping_add(row * self.columns),
            scales: self.scales.wrapping_add(row * groups),
            minus_halves: self.minus_halves.wrapping_add(2 * row * groups),
            minus_sums: self.minus_sums.wrapping_add(row * groups),
            totals: self.totals.wrapping_add(row * groups),
            columns: self.columns,
        }
    }
}

impl Activations {
    /// Room for this many rows.
    pub fn new(rows: usize, columns: usize) -> Self {
        let groups = rows * columns.div_ceil(32);
        Self {
            columns,
            capacity: rows,
            values: vec![0.0; rows * columns],
            quants: vec![0; rows * columns + 32],
            scales: vec![0.0; groups],
            minus_halves: vec![0; 2 * groups],
            minus_sums: vec![0; groups],
            totals: vec![0.0; groups],
        }
    }

    /// From plain values, quantised too.
    pub fn from_values(values: &[f32], columns: usize, isa: LaneIsa) -> Self {
        let rows = values.len() / columns.max(1);
        let mut activations = Self::new(rows, columns);
        activations.values.copy_from_slice(&values[..rows * columns]);
        let at = activations.at();
        if columns.is_multiple_of(32) {
            // SAFETY: the addresses are of `activations`, which is borrowed alone; all rows lie inside.
            unsafe { isa.run(Quantise { at, groups: 0..rows * columns / 32 }) };
        }
        activations
    }

    pub const fn rows(&self) -> usize {
        self.capacity
    }

    pub const fn columns(&self) -> usize {
        self.columns
    }

    pub(crate) const fn at(&mut self) -> ActivationsAt {
        ActivationsAt {
            values: self.values.as_mut_ptr(),
            quants: self.quants.as_mut_ptr(),
            scales: self.scales.as_mut_ptr(),
            minus_halves: self.minus_halves.as_mut_ptr(),
            minus_sums: self.minus_sums.as_mut_ptr(),
            totals: self.totals.as_mut_ptr(),
            columns: self.columns,
        }
    }
}

/// Rounds groups of 32 values to 8 bits, as ggml's `Q8_1` does: the largest magnitude becomes 127.
pub(crate) struct Quantise {
    pub at: ActivationsAt,
    /// Which groups, counted through all rows. Columns are a multiple of 32.
    pub groups: std::ops::Range<usize>,
}

impl Kernel for Quantise {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        for group in self.groups {
            // SAFETY: the caller promises that the groups lie inside the buffers and belong to it alone.
            unsafe {
                let values = self.at.values.add(32 * group);
                let (low, high) = (L::load(values), L::load(values.add(16)));
                let largest = L::largest(L::maximum(L::absolute(low), L::absolute(high)));
                let scale = largest / 127.0;
                let inverse = L::splat(if largest > 0.0 { 127.0 / largest } else { 0.0 });
                let quants = self.at.quants.add(32 * group);
                let first = L::narrow(quants, L::multiply(low, inverse));
                let second = L::narrow(quants.add(16), L::multiply(high, inverse));
                *self.at.scales.add(group) = scale;
                *self.at.minus_halves.add(2 * group) = -first;
                *self.at.minus_halves.add(2 * group + 1) = -second;
                *self.at.minus_sums.add(group) = -(first + second);
                *self.at.totals.add(group) = scale * (first + second) as f32;
            }
        }
    }
}
