//! Matrix products on the CPU: sums of products written in one place, so that a frozen layer and its low-rank
//! adapter are one pass over the output.
//!
//! B is packed once per call, in slices that fit the caches, by all threads; then each thread takes blocks of rows.
//! Every output is summed in the same order whatever the threads do, so that results repeat bit for bit.

mod block;
mod pack;
pub(crate) mod small;
mod transpose;
mod vector;

use std::cell::RefCell;

use rayon::prelude::*;

use block::{Block, Segment};

/// A view of a matrix in a slice: element (i, j) is at `i * row_stride + j * column_stride`.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    pub data: &'a [f32],
    pub rows: usize,
    pub columns: usize,
    pub row_stride: usize,
    pub column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row by row, without gaps.
    pub fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Row by row, rows `stride` apart.
    ///
    /// # Panics
    /// Where the slice is too short.
    pub fn strided(data: &'a [f32], rows: usize, columns: usize, stride: usize) -> Self {
        assert!(rows == 0 || data.len() >= (rows - 1) * stride + columns, "matrix view outside its data");
        Self { data, rows, columns, row_stride: stride, column_stride: 1 }
    }

    /// A pointer to element (row, column).
    fn from(&self, row: usize, column: usize) -> *const f32 {
        self.data[row * self.row_stride + column * self.column_stride..].as_ptr()
    }

    /// The same numbers, rows and columns exchanged.
    #[must_use]
    pub const fn transposed(self) -> Self {
        Self {
            data: self.data,
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// Where a product goes: (rows, columns), rows `stride` apart.
pub struct Output<'a> {
    pub data: &'a mut [f32],
    pub stride: usize,
    pub write: Write,
}

/// Whether a product replaces what is there or is added to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Write {
    Replace,
    Add,
}

/// `a b`
#[derive(Clone, Copy)]
pub struct Term<'a> {
    pub a: Matrix<'a>,
    pub b: Matrix<'a>,
}

impl<'a> Term<'a> {
    pub const fn new(a: Matrix<'a>, b: Matrix<'a>) -> Self {
        Self { a, b }
    }
}

/// Columns of B that are packed at once.
const WIDTH: usize = 3072;
/// Depth that is packed at once: a panel of B of this depth stays in the second-level cache.
const DEPTH: usize = 640;
/// Rows of C that one task takes.
const ROWS: usize = 64;
/// With no more rows than this, B is read where it lies instead of packed.
const FEW_ROWS: usize = 64;

thread_local! {
    static PANELS: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// `output (=|+=) alpha * sum of a b` over the terms; each `a` is (rows, depth), each `b` (depth, columns).
///
/// # Panics
/// Where shapes don't fit.
#[expect(clippy::needless_pass_by_value, reason = "an output is a borrow, handed over for one product")]
pub fn matmul(output: Output<'_>, alpha: f32, terms: &[Term<'_>]) {
    let Some(first) = terms.first() else { return };
    let (rows, columns) = (first.a.rows, first.b.columns);
    if rows == 0 || columns == 0 {
        return;
    }
    assert!(output.data.len() >= (rows - 1) * output.stride + columns, "matrix product outside its output");
    for term in terms {
        assert!(
            term.a.rows == rows && term.b.columns == columns && term.a.columns == term.b.rows,
            "matrix shapes don't fit: ({}, {}) x ({}, {})",
            term.a.rows,
            term.a.columns,
            term.b.rows,
            term.b.columns
        );
    }
    let product = Product { rows, columns, c: Shared(output.data.as_mut_ptr()), c_row: output.stride, alpha };
    let mut add = output.write == Write::Add;
    let in_place = rows <= FEW_ROWS && terms.iter().all(|term| term.b.column_stride == 1);
    for pass in passes(terms) {
        if in_place {
            product.few_rows(&pass, add);
        } else {
            product.many_rows(&pass, add);
        }
        add = true;
    }
}

/// A part of a term's depth.
#[derive(Clone, Copy)]
struct Slice<'a> {
    term: Term<'a>,
    first: usize,
    depth: usize,
}

/// Divides the terms' depth into passes over the output, each at most [`DEPTH`] deep; a thin term shares its pass.
fn passes<'a>(terms: &[Term<'a>]) -> Vec<Vec<Slice<'a>>> {
    let mut passes: Vec<Vec<Slice<'a>>> = Vec::new();
    let mut room = 0;
    for &term in terms {
        for (first, depth) in slices(term.b.rows, DEPTH) {
            if depth > room || passes.is_empty() {
                passes.push(Vec::new());
                room = DEPTH;
            }
            if let Some(pass) = passes.last_mut() {
                pass.push(Slice { term, first, depth });
            }
            room -= depth;
        }
    }
    passes
}

/// Splits a length into slices of nearly equal size, none longer than `most`: (start, length).
fn slices(length: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let count = length.div_ceil(most).max(1);
    let size = length.div_ceil(count).next_multiple_of(8).clamp(1, most);
    (0..length).step_by(size).map(move |start| (start, size.min(length - start)))
}

/// What all tasks of a product share.
struct Product {
    rows: usize,
    columns: usize,
    c: Shared,
    c_row: usize,
    alpha: f32,
}

impl Product {
    /// B is used too little to be worth packing: every task takes some columns, for all rows.
    fn few_rows(&self, pass: &[Slice<'_>], add: bool) {
        let width = block::tile_columns();
        (0..self.columns.div_ceil(width)).into_par_iter().for_each(|task| {
            let left = task * width;
            let segments: Vec<Segment> = pass
                .iter()
                .map(|slice| {
                    let Term { a, b } = slice.term;
                    Segment {
                        depth: slice.depth,
                        a: a.from(0, slice.first),
                        a_row: a.row_stride,
                        a_depth: a.column_stride,
                        b: b.from(slice.first, left),
                        b_depth: b.row_stride,
                        b_panel: width,
                    }
                })
                .collect();
            self.block(&segments, (0, self.rows), (left, width.min(self.columns - left)), add);
        });
    }

    /// B is packed in slices that fit the cache; every task takes some rows.
    fn many_rows(&self, pass: &[Slice<'_>], add: bool) {
        let width = block::tile_columns();
        let depth: usize = pass.iter().map(|slice| slice.depth).sum();
        let mut kept = PANELS.with(|panels| std::mem::take(&mut *panels.borrow_mut()));
        for left in (0..self.columns).step_by(WIDTH) {
            let columns = WIDTH.min(self.columns - left);
            let count = columns.div_ceil(width);
            if kept.len() < count * width * depth {
                kept.resize(count * width * depth, 0.0);
            }
            let panels = &mut kept[..count * width * depth];
            panels.par_chunks_mut(depth * width).enumerate().for_each(|(p, panel)| {
                let mut rest = panel;
                for slice in pass {
                    let (part, behind) = rest.split_at_mut(slice.depth * width);
                    let from = left + p * width;
                    pack::panel(
                        slice.term.b,
                        slice.first,
                        from..(from + width).min(left + columns),
                        width,
                        part,
                    );
                    rest = behind;
                }
            });
            self.packed(pass, panels, depth, (left, columns), add);
        }
        PANELS.with(|panels| *panels.borrow_mut() = kept);
    }

    fn packed(&self, pass: &[Slice<'_>], panels: &[f32], depth: usize, across: (usize, usize), add: bool) {
        let (left, columns) = across;
        let width = block::tile_columns();
        let count = columns.div_ceil(width);
        let row_tasks = self.rows.div_ceil(ROWS);
        let column_tasks = count.min(8usize.div_ceil(row_tasks));
        let panels_each = count.div_ceil(column_tasks);
        (0..row_tasks * column_tasks).into_par_iter().for_each(|task| {
            let top = task / column_tasks * ROWS;
            let first_panel = task % column_tasks * panels_each;
            if first_panel >= count {
                return;
            }
            let mut behind = 0;
            let segments: Vec<Segment> = pass
                .iter()
                .map(|slice| {
                    let a = slice.term.a;
                    let b = panels[first_panel * width * depth + behind * width..].as_ptr();
                    behind += slice.depth;
                    Segment {
                        depth: slice.depth,
                        a: a.from(top, slice.first),
                        a_row: a.row_stride,
                        a_depth: a.column_stride,
                        b,
                        b_depth: width,
                        b_panel: width * depth,
                    }
                })
                .collect();
            let start = first_panel * width;
            let part = (left + start, (columns - start).min(panels_each * width));
            self.block(&segments, (top, ROWS.min(self.rows - top)), part, add);
        });
    }

    fn block(&self, segments: &[Segment], down: (usize, usize), across: (usize, usize), add: bool) {
        let ((top, rows), (left, columns)) = (down, across);
        // SAFETY: `Matrix` and `matmul` checked the extents; every task writes rows and columns of its own.
        unsafe {
            let c = self.c.at(top * self.c_row + left);
            Block { rows, columns, segments, c, c_row: self.c_row, alpha: self.alpha, add }.run();
        }
    }
}

/// A pointer that tasks share; each writes places of its own.
#[derive(Clone, Copy)]
struct Shared(*mut f32);

// SAFETY: the tasks of a product write disjoint places.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    /// # Safety
    /// The offset must be inside the output.
    unsafe fn at(self, offset: usize) -> *mut f32 {
        // SAFETY: the caller's word.
        unsafe { self.0.add(offset) }
    }
}
