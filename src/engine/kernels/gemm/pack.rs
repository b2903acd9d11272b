//! Lays B out in panels as wide as a tile, `k` by `k`, so that the inner loop reads it in one stream.

use std::ops::Range;

use super::{Matrix, transpose};
use crate::kernels::isa::Isa;

/// Packs some columns of `b`, as many rows from `first` on as the panel holds, into one panel (depth, width); columns
/// past the edge are zero.
pub(super) fn panel(b: Matrix<'_>, first: usize, columns: Range<usize>, width: usize, panel: &mut [f32]) {
    if b.column_stride == 1 {
        pack_rows(b, first, columns.start, columns.len(), width, panel);
    } else {
        pack_columns(b, first, columns.start, columns.len(), width, panel);
    }
}

fn pack_rows(b: Matrix<'_>, first: usize, from: usize, used: usize, width: usize, panel: &mut [f32]) {
    for (k, row) in panel.chunks_exact_mut(width).enumerate() {
        let start = (first + k) * b.row_stride + from;
        let (left, right) = row.split_at_mut(used);
        left.copy_from_slice(&b.data[start..start + used]);
        right.fill(0.0);
    }
}

/// B is a transposed view: its columns are read along memory and written across, 16 by 16 where the processor can
/// turn such a square in registers.
fn pack_columns(b: Matrix<'_>, first: usize, from: usize, used: usize, width: usize, panel: &mut [f32]) {
    const SIDE: usize = 16;
    let depth = panel.len() / width;
    let squares = b.row_stride == 1 && Isa::detected() == Isa::Avx512;
    for top in (0..depth).step_by(SIDE) {
        let rows = SIDE.min(depth - top);
        let block = &mut panel[top * width..(top + rows) * width];
        for left in (0..used).step_by(SIDE) {
            let columns = SIDE.min(used - left);
            let start = (from + left) * b.column_stride + (first + top) * b.row_stride;
            if squares && rows == SIDE && columns == SIDE {
                transpose::square(&b.data[start..], b.column_stride, &mut block[left..], width);
                continue;
            }
            for j in 0..columns {
                for k in 0..rows {
                    block[k * width + left + j] = b.data[start + j * b.column_stride + k * b.row_stride];
                }
            }
        }
        for row in block.chunks_exact_mut(width) {
            row[used..].fill(0.0);
        }
    }
}
