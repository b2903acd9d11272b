//! The innermost part of a matrix product: one thread's share of the output, tile by tile in registers.
//!
//! A tile is up to 8 rows by three registers of columns (8 x 48 with AVX-512: 24 accumulators). Each step of `k` loads
//! three registers of B and broadcasts one number of A per row, so that arithmetic, not loading, is the limit.

use super::vector::{Arithmetic, F32Lanes, Portable, Vector};
#[cfg(target_arch = "x86_64")]
use super::vector::{Avx2, Avx512, Bf16Pairs};
use crate::kernels::isa::Isa;

/// Rows of a tile.
pub(super) const TILE_ROWS: usize = 8;

/// Columns of a tile: three registers.
pub(super) fn tile_columns() -> usize {
    3 * match Isa::detected() {
        Isa::Avx512 => 16,
        Isa::Avx2 | Isa::Portable => 8,
    }
}

/// `C = alpha * sum of A B over the segments`, or added to C. All strides are in floats.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) segments: &'a [Segment],
    /// Element (i, j) is at `c + i * c_row + j`.
    pub(super) c: *mut f32,
    pub(super) c_row: usize,
    pub(super) alpha: f32,
    /// Add to what is there, instead of replacing it.
    pub(super) add: bool,
    /// The segments hold pairs of bf16 numbers where they otherwise hold floats; depths count pairs.
    pub(super) pairs: bool,
}

/// One product's share of the depth.
#[derive(Clone, Copy)]
pub(super) struct Segment {
    pub(super) depth: usize,
    /// Element (i, k) is at `a + i * a_row + k * a_depth`.
    pub(super) a: *const f32,
    pub(super) a_row: usize,
    pub(super) a_depth: usize,
    /// Element (k, j) is at `b + k * b_depth + (j / width) * b_panel + j % width`, width being [`tile_columns`].
    pub(super) b: *const f32,
    pub(super) b_depth: usize,
    pub(super) b_panel: usize,
}

impl Block<'_> {
    /// # Safety
    /// Every element that the sizes and strides name must be readable (writable for C), and no one else may write C
    /// meanwhile.
    pub(super) unsafe fn run(&self) {
        match Isa::detected() {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: pairs are only packed where the processor was found to have their instructions.
            Isa::Avx512 if self.pairs => unsafe { avx512_bf16(self) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the processor was found to have these instructions; pointers by the caller's word.
            Isa::Avx512 => unsafe { avx512(self) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: AVX2 was found, which these instructions are; pointers by the caller's word.
            Isa::Avx2 => unsafe { avx2(self) },
            // SAFETY: pointers by the caller's word.
            _ => unsafe { tiles::<Portable, F32Lanes>(self) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
unsafe fn avx512(block: &Block<'_>) {
    // SAFETY: the caller's word.
    unsafe { tiles::<Avx512, F32Lanes>(block) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
unsafe fn avx512_bf16(block: &Block<'_>) {
    // SAFETY: the caller's word.
    unsafe { tiles::<Avx512, Bf16Pairs>(block) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(block: &Block<'_>) {
    // SAFETY: the caller's word.
    unsafe { tiles::<Avx2, F32Lanes>(block) }
}

/// A tile's place in its block.
#[derive(Clone, Copy)]
struct Tile<'a> {
    block: &'a Block<'a>,
    row: usize,
    rows: usize,
    panel: usize,
    columns: usize,
}

/// Goes through the panels of B, and for each through the rows.
#[inline(always)]
unsafe fn tiles<V: Vector, M: Arithmetic<V>>(block: &Block<'_>) {
    let width = 3 * V::LANES;
    for panel in 0..block.columns.div_ceil(width) {
        let columns = (block.columns - panel * width).min(width);
        let mut row = 0;
        while row < block.rows {
            let rows = (block.rows - row).min(TILE_ROWS);
            // SAFETY: inside the block, whose elements the caller vouches for.
            unsafe { any_tile::<V, M>(&Tile { block, row, rows, panel, columns }) };
            row += rows;
        }
    }
}

/// Picks the compiled tile of this many rows and registers.
#[inline(always)]
unsafe fn any_tile<V: Vector, M: Arithmetic<V>>(tile: &Tile<'_>) {
    let registers = tile.columns.div_ceil(V::LANES);
    // SAFETY: the caller's word, in every arm.
    unsafe {
        match (tile.rows, registers) {
            (8, 3) if tile.columns == 3 * V::LANES => product::<V, M, 8, 3, false>(tile),
            (8, 3) => product::<V, M, 8, 3, true>(tile),
            (8, 2) => product::<V, M, 8, 2, true>(tile),
            (8, _) => product::<V, M, 8, 1, true>(tile),
            (rows, registers) => few_rows::<V, M>(tile, rows, registers),
        }
    }
}

/// The rows at the bottom edge: four or one at a time.
#[inline(always)]
unsafe fn few_rows<V: Vector, M: Arithmetic<V>>(tile: &Tile<'_>, rows: usize, registers: usize) {
    let mut done = 0;
    while done < rows {
        let step = if rows - done >= 4 { 4 } else { 1 };
        let part = Tile { row: tile.row + done, rows: step, ..*tile };
        // SAFETY: the caller's word.
        unsafe {
            match (step, registers) {
                (4, 3) => product::<V, M, 4, 3, true>(&part),
                (4, 2) => product::<V, M, 4, 2, true>(&part),
                (4, _) => product::<V, M, 4, 1, true>(&part),
                (_, 3) => product::<V, M, 1, 3, true>(&part),
                (_, 2) => product::<V, M, 1, 2, true>(&part),
                (_, _) => product::<V, M, 1, 1, true>(&part),
            }
        }
        done += step;
    }
}

/// One tile of exactly `ROWS` rows and `REGISTERS` registers; with `EDGE` the last register may be partly used.
#[inline(always)]
unsafe fn product<
    V: Vector,
    M: Arithmetic<V>,
    const ROWS: usize,
    const REGISTERS: usize,
    const EDGE: bool,
>(
    tile: &Tile<'_>,
) {
    let last = tile.columns - (REGISTERS - 1) * V::LANES;
    let block = tile.block;
    // SAFETY: the caller's word for all pointers; lanes past the edge are not touched.
    unsafe {
        let mut sums = [[V::zero(); REGISTERS]; ROWS];
        for segment in block.segments {
            let mut a = segment.a.add(tile.row * segment.a_row);
            let mut b = segment.b.add(tile.panel * segment.b_panel);
            for _ in 0..segment.depth {
                let mut row_of_b = [V::zero(); REGISTERS];
                for (r, register) in row_of_b.iter_mut().enumerate() {
                    let from = b.add(r * V::LANES);
                    let partial = EDGE && r + 1 == REGISTERS;
                    *register = if partial { V::load_first(from, last) } else { V::load(from) };
                }
                for (i, sums) in sums.iter_mut().enumerate() {
                    let factor = V::splat(a.add(i * segment.a_row));
                    for (sum, register) in sums.iter_mut().zip(row_of_b) {
                        *sum = M::add_product(factor, register, *sum);
                    }
                }
                a = a.add(segment.a_depth);
                b = b.add(segment.b_depth);
            }
        }
        let alpha = V::broadcast(block.alpha);
        let c = block.c.add(tile.row * block.c_row + tile.panel * 3 * V::LANES);
        for (i, sums) in sums.into_iter().enumerate() {
            for (r, sum) in sums.into_iter().enumerate() {
                let to = c.add(i * block.c_row + r * V::LANES);
                let partial = EDGE && r + 1 == REGISTERS;
                let before = match (block.add, partial) {
                    (false, _) => V::zero(),
                    (true, true) => V::load_first(to, last),
                    (true, false) => V::load(to),
                };
                let after = sum.mul_add(alpha, before);
                if partial { after.store_first(to, last) } else { after.store(to) }
            }
        }
    }
}
