//! Matrix products on the CPU: sums of products written in one place, so that a frozen layer and its low-rank
//! adapter are one pass over the output.
//!
//! B is packed once per call, in slices that fit the caches, by all threads; then each thread takes blocks of rows.
//! Every output is summed in the same order whatever the threads do, so that results repeat bit for bit.

mod block;
mod pack;
mod pairs;
pub(crate) mod small;
mod transpose;
mod vector;

use std::cell::RefCell;

use rayon::prelude::*;

use block::{Block, Segment};

use super::isa::has_bf16_products;

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
pub struct GemmOutput<'a> {
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
pub struct ProductTerm<'a> {
    pub a: Matrix<'a>,
    pub b: Matrix<'a>,
}

impl<'a> ProductTerm<'a> {
    pub const fn new(a: Matrix<'a>, b: Matrix<'a>) -> Self {
        Self { a, b }
    }
}

/// The number format of a product's factors; sums are f32 always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MatmulPrecision {
    #[default]
    F32,
    /// Rounded to bf16, where [`has_bf16_products`](super::isa::has_bf16_products) says that the processor can.
    Bf16,
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
    static ROWS_OF_A: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// `output (=|+=) alpha * sum of a b` over the terms in f32; see [`MatmulPrecision::matmul`].
///
/// # Panics
/// Where shapes don't fit.
pub fn matmul(output: GemmOutput<'_>, alpha: f32, terms: &[ProductTerm<'_>]) {
    MatmulPrecision::F32.matmul(output, alpha, terms);
}

impl MatmulPrecision {
    /// `output (=|+=) alpha * sum of a b` over the terms; each `a` is (rows, depth), each `b` (depth, columns).
    ///
    /// Products of few rows, and those that a processor has no bf16 instructions for, are in f32 whatever was asked.
    ///
    /// # Panics
    /// Where shapes don't fit.
    #[expect(clippy::needless_pass_by_value, reason = "an output is a borrow, handed over for one product")]
    pub fn matmul(self, output: GemmOutput<'_>, alpha: f32, terms: &[ProductTerm<'_>]) {
        let Some(first) = terms.first() else { return };
        let (rows, columns) = (first.a.rows, first.b.columns);
        if rows == 0 || columns == 0 {
            return;
        }
        assert!(
            output.data.len() >= (rows - 1) * output.stride + columns,
            "matrix product outside its output"
        );
        for ProductTerm { a, b } in terms {
            assert!(
                a.rows == rows && b.columns == columns && a.columns == b.rows,
                "matrix shapes don't fit: ({}, {}) x ({}, {})",
                a.rows,
                a.columns,
                b.rows,
                b.columns
            );
        }
        let in_place = rows <= FEW_ROWS && terms.iter().all(|term| term.b.column_stride == 1);
        let pairs = self == Self::Bf16 && !in_place && has_bf16_products();
        let c = SharedPointer(output.data.as_mut_ptr());
        let product = Product { rows, columns, c, c_row: output.stride, alpha, pairs };
        let mut add = output.write == Write::Add;
        for pass in passes(terms, if pairs { 2 * DEPTH } else { DEPTH }) {
            if in_place {
                product.few_rows(&pass, add);
            } else {
                product.many_rows(&pass, add);
            }
            add = true;
        }
    }
}

/// A part of a term's depth.
#[derive(Clone, Copy)]
struct Slice<'a> {
    term: ProductTerm<'a>,
    first: usize,
    depth: usize,
}

/// Divides the terms' depth into passes over the output, each at most `most` deep; a thin term shares its pass.
fn passes<'a>(terms: &[ProductTerm<'a>], most: usize) -> Vec<Vec<Slice<'a>>> {
    let mut passes: Vec<Vec<Slice<'a>>> = Vec::new();
    let mut room = 0;
    for &term in terms {
        for (first, depth) in slices(term.b.rows, most) {
            if depth > room || passes.is_empty() {
                passes.push(Vec::new());
                room = most;
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
    c: SharedPointer,
    c_row: usize,
    alpha: f32,
    pairs: bool,
}

impl Product {
    /// Words of four bytes that a slice's depth takes where it is packed.
    fn words(&self, slice: &Slice<'_>) -> usize {
        if self.pairs { slice.depth.div_ceil(2) } else { slice.depth }
    }

    /// B is used too little to be worth packing: every task takes some columns, for all rows.
    fn few_rows(&self, pass: &[Slice<'_>], add: bool) {
        let width = block::tile_columns();
        (0..self.columns.div_ceil(width)).into_par_iter().for_each(|task| {
            let left = task * width;
            let segments: Vec<Segment> = pass
                .iter()
                .map(|slice| {
                    let ProductTerm { a, b } = slice.term;
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
        let depth: usize = pass.iter().map(|slice| self.words(slice)).sum();
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
                    let (part, behind) = rest.split_at_mut(self.words(slice) * width);
                    let from = left + p * width;
                    let columns = from..(from + width).min(left + columns);
                    if self.pairs {
                        pairs::panel(slice, columns, width, part);
                    } else {
                        pack::panel(slice.term.b, slice.first, columns, width, part);
                    }
                    rest = behind;
                }
            });
            self.packed(pass, panels, depth, (left, columns), add);
        }
        PANELS.with(|panels| *panels.borrow_mut() = kept);
    }

    fn packed(
        &self,
        pass: &[Slice<'_>],
        panels: &[f32],
        depth_of_all: usize,
        across: (usize, usize),
        add: bool,
    ) {
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
            let rows = ROWS.min(self.rows - top);
            let mut packed = Vec::new();
            if self.pairs {
                packed = ROWS_OF_A.take();
                pairs::rows(pass, top..top + rows, &mut packed);
            }
            let mut behind = 0;
            let segments: Vec<Segment> = pass
                .iter()
                .map(|slice| {
                    let depth = self.words(slice);
                    let b = panels[first_panel * width * depth_of_all + behind * width..].as_ptr();
                    let (a, a_row, a_depth) = if self.pairs {
                        (packed[behind * rows..].as_ptr(), depth, 1)
                    } else {
                        let a = slice.term.a;
                        (a.from(top, slice.first), a.row_stride, a.column_stride)
                    };
                    behind += depth;
                    let b_panel = width * depth_of_all;
                    Segment { depth, a, a_row, a_depth, b, b_depth: width, b_panel }
                })
                .collect();
            let start = first_panel * width;
            let part = (left + start, (columns - start).min(panels_each * width));
            self.block(&segments, (top, rows), part, add);
            if self.pairs {
                ROWS_OF_A.set(packed);
            }
        });
    }

    fn block(&self, segments: &[Segment], down: (usize, usize), across: (usize, usize), add: bool) {
        let ((top, rows), (left, columns)) = (down, across);
        // SAFETY: `Matrix` and `matmul` checked the extents; every task writes rows and columns of its own.
        unsafe {
            let c = self.c.at(top * self.c_row + left);
            Block {
                rows,
                columns,
                segments,
                c,
                c_row: self.c_row,
                alpha: self.alpha,
                add,
                pairs: self.pairs,
            }
            .run();
        }
    }
}

/// A pointer that tasks share; each writes places of its own.
#[derive(Clone, Copy)]
struct SharedPointer(*mut f32);

// SAFETY: the tasks of a product write disjoint places.
unsafe impl Send for SharedPointer {}
// SAFETY: a shared one only gives places away, which are disjoint as those that are sent.
unsafe impl Sync for SharedPointer {}

impl SharedPointer {
    /// # Safety
    /// The offset must be inside the output.
    unsafe fn at(self, offset: usize) -> *mut f32 {
        // SAFETY: the caller's word.
        unsafe { self.0.add(offset) }
    }
}
