//! Packs factors as pairs of bf16 numbers that follow one another along the depth, two to a word: the form that the
//! processor's paired products read. An odd depth ends with a zero.

use std::ops::Range;

use super::{Matrix, Slice, transpose};
use crate::kernels::isa::by_isa;

/// Words turned at once.
const SIDE: usize = 16;

/// Rounds to the nearest bf16, ties to even; what is not a number stays so.
#[inline(always)]
fn round(x: f32) -> u32 {
    let bits = x.to_bits();
    let rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
    if x.is_nan() { 0x7fc0 } else { rounded }
}

/// Two numbers in one word, the first in its low half.
#[inline(always)]
fn pair(first: f32, second: f32) -> f32 {
    f32::from_bits(round(first) | (round(second) << 16))
}

by_isa! {
    /// Pairs up numbers that lie side by side.
    fn along(from: &[f32], words: &mut [f32]) {
        let (pairs, rest) = from.as_chunks::<2>();
        for (&[first, second], word) in pairs.iter().zip(words.iter_mut()) {
            *word = pair(first, second);
        }
        if let ([last], Some(word)) = (rest, words.get_mut(pairs.len())) {
            *word = pair(*last, 0.0);
        }
    }
}

by_isa! {
    /// Pairs up numbers of two rows, column by column.
    fn across(first: &[f32], second: &[f32], words: &mut [f32]) {
        for ((&first, &second), word) in first.iter().zip(second).zip(words) {
            *word = pair(first, second);
        }
    }
}

by_isa! {
    /// Pairs up the last row of an odd depth with zeros.
    fn alone(row: &[f32], words: &mut [f32]) {
        for (&x, word) in row.iter().zip(words) {
            *word = pair(x, 0.0);
        }
    }
}

/// Packs some columns of a slice of B into one panel of (words of depth, width); columns past the edge are zero.
pub(super) fn panel(slice: &Slice<'_>, columns: Range<usize>, width: usize, panel: &mut [f32]) {
    let (b, used) = (slice.term.b, columns.len());
    if b.column_stride == 1 {
        let row = |k: usize| &b.data[(slice.first + k) * b.row_stride + columns.start..][..used];
        for (word, to) in panel.chunks_exact_mut(width).enumerate() {
            let (left, right) = to.split_at_mut(used);
            if 2 * word + 1 < slice.depth {
                across(row(2 * word), row(2 * word + 1), left);
            } else {
                alone(row(2 * word), left);
            }
            right.fill(0.0);
        }
        return;
    }
    for left in (0..width).step_by(SIDE) {
        let within = used.saturating_sub(left).min(SIDE);
        let some = columns.start + left..columns.start + left + within;
        turned(b, (slice.first, slice.depth), some, &mut panel[left..], width);
    }
}

/// Up to 16 columns of a transposed view: each lies along memory, is paired there, and turned to lie across.
fn turned(b: Matrix<'_>, down: (usize, usize), columns: Range<usize>, panel: &mut [f32], width: usize) {
    let (first, depth) = down;
    let words = depth.div_ceil(2);
    let mut square = [0.0; SIDE * SIDE];
    for top in (0..words).step_by(SIDE) {
        let rows = SIDE.min(words - top);
        let numbers = (2 * SIDE).min(depth - 2 * top);
        square.fill(0.0);
        for (line, column) in square.chunks_exact_mut(SIDE).zip(columns.clone()) {
            line_of(b.transposed(), column, first + 2 * top..first + 2 * top + numbers, line);
        }
        let to = &mut panel[top * width..];
        if rows == SIDE {
            transpose::square(&square, SIDE, to, width);
            continue;
        }
        for (k, to) in to.chunks_mut(width).take(rows).enumerate() {
            for (j, to) in to.iter_mut().take(SIDE).enumerate() {
                *to = square[j * SIDE + k];
            }
        }
    }
}

/// Some numbers of one row as words.
fn line_of(matrix: Matrix<'_>, row: usize, depth: Range<usize>, words: &mut [f32]) {
    let start = row * matrix.row_stride + depth.start * matrix.column_stride;
    if matrix.column_stride == 1 {
        along(&matrix.data[start..start + depth.len()], words);
        return;
    }
    let at = |k: usize| matrix.data[start + k * matrix.column_stride];
    for (word, to) in words.iter_mut().enumerate().take(depth.len().div_ceil(2)) {
        let second = if 2 * word + 1 < depth.len() { at(2 * word + 1) } else { 0.0 };
        *to = pair(at(2 * word), second);
    }
}

/// Packs some rows of A, slice behind slice, each (rows, words of depth).
pub(super) fn rows(pass: &[Slice<'_>], rows: Range<usize>, packed: &mut Vec<f32>) {
    let words: usize = pass.iter().map(|slice| slice.depth.div_ceil(2)).sum();
    if packed.len() < words * rows.len() {
        packed.resize(words * rows.len(), 0.0);
    }
    let mut rest = &mut packed[..];
    for slice in pass {
        let words = slice.depth.div_ceil(2);
        let (part, behind) = rest.split_at_mut(words * rows.len());
        for (row, line) in rows.clone().zip(part.chunks_exact_mut(words)) {
            line_of(slice.term.a, row, slice.first..slice.first + slice.depth, line);
        }
        rest = behind;
    }
}
