//! A product small enough for one thread and its caches, with B read where it lies.

use super::block::{Block, Segment, tile_columns};

/// `c (=|+=) alpha * a b`; a is (rows, depth) with any strides, b (depth, columns) and c (rows, columns) row by row.
pub(crate) struct Small<'a> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) depth: usize,
    pub(crate) a: &'a [f32],
    /// From row to row, and from column to column.
    pub(crate) a_strides: (usize, usize),
    pub(crate) b: &'a [f32],
    pub(crate) b_stride: usize,
    pub(crate) c: &'a mut [f32],
    pub(crate) c_stride: usize,
    pub(crate) alpha: f32,
    pub(crate) add: bool,
}

/// Runs on the calling thread.
///
/// # Panics
/// Where a slice is shorter than its sizes and strides say.
pub(crate) fn product(small: Small<'_>) {
    let Small { rows, columns, depth, a, a_strides, b, b_stride, c, c_stride, alpha, add } = small;
    if rows == 0 || columns == 0 || depth == 0 {
        return;
    }
    assert!(a.len() > (rows - 1) * a_strides.0 + (depth - 1) * a_strides.1);
    assert!(b.len() >= (depth - 1) * b_stride + columns);
    assert!(c.len() >= (rows - 1) * c_stride + columns);
    let segment = Segment {
        depth,
        a: a.as_ptr(),
        a_row: a_strides.0,
        a_depth: a_strides.1,
        b: b.as_ptr(),
        b_depth: b_stride,
        b_panel: tile_columns(),
    };
    let c = c.as_mut_ptr();
    // SAFETY: the extents were just checked, and `c` is borrowed for writing.
    unsafe {
        Block { rows, columns, segments: &[segment], c, c_row: c_stride, alpha, add, pairs: false }.run();
    };
}
