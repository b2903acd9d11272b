//! Attention of a few queries of one key/value head over cached pages. Each query's numbers don't depend on which
//! others are computed beside it.

use crate::kernels::lanes::{AsF16, AsF32, Element, Kernel, Lanes, exponential};
use crate::kernels::softmax::soft_cap;

/// Positions of a page.
pub(crate) const PAGE: usize = 32;
/// Queries computed together at most.
pub(crate) const QUERIES: usize = 8;

/// Calls a function with the number of queries as a constant. Results are padded to [`QUERIES`].
macro_rules! by_count {
    ($count:expr, $function:ident::<$l:ty, $e:ty>($($argument:expr),*)) => {
        match $count {
            1 => $function::<$l, $e, 1>($($argument),*),
            2 => $function::<$l, $e, 2>($($argument),*),
            3 => $function::<$l, $e, 3>($($argument),*),
            4 => $function::<$l, $e, 4>($($argument),*),
            5 => $function::<$l, $e, 5>($($argument),*),
            6 => $function::<$l, $e, 6>($($argument),*),
            7 => $function::<$l, $e, 7>($($argument),*),
            _ => $function::<$l, $e, 8>($($argument),*),
        }
    };
}
/// One query: where it is, how far it sees, and where its output goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AttentionQuery {
    /// (`head_dim`)
    pub from: *const f32,
    /// (`head_dim`)
    pub to: *mut f32,
    /// Positions `start..end` are seen.
    pub start: usize,
    pub end: usize,
}

/// Queries of one sequence that share a key/value head.
pub(crate) struct PagedAttention<'a> {
    /// At most [`QUERIES`].
    pub queries: &'a [AttentionQuery],
    /// The sequence's pages.
    pub pages: &'a [*mut u32],
    /// Cached numbers are f32 (else half floats).
    pub full: bool,
    /// Where the keys and values begin in a page, in elements.
    pub keys: usize,
    pub values: usize,
    pub head_dim: usize,
    /// `head_dim` in whole vectors.
    pub width: usize,
    pub scale: f32,
    pub soft_cap: Option<f32>,
    pub scratch: &'a mut Vec<f32>,
}

impl Kernel for PagedAttention<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the caller promises pages up to the last position seen, of the element named.
        unsafe {
            if self.full {
                self.attend::<L, AsF32>();
            } else {
                self.attend::<L, AsF16>();
            }
        }
    }
}

impl PagedAttention<'_> {
    #[inline(always)]
    unsafe fn attend<L: Lanes, E: Element>(self) {
        let first = self.queries.iter().map(|query| query.start).min().unwrap_or(0) / PAGE;
        let end = self.queries.iter().map(|query| query.end).max().unwrap_or(0).div_ceil(PAGE);
        let span = (end - first) * PAGE;
        let count = self.queries.len();
        let needed = count * (self.width + span);
        if self.scratch.len() < needed {
            self.scratch.resize(needed, 0.0);
        }
        let (queries, scores) = self.scratch.split_at_mut(count * self.width);
        let pages = &self.pages[first..end];
        // SAFETY: the scratch was sized above; pages hold `width * PAGE` elements at both places.
        unsafe {
            for (query, row) in self.queries.iter().zip(queries.chunks_exact_mut(self.width)) {
                row.fill(0.0);
                for (dimension, place) in row.iter_mut().enumerate().take(self.head_dim) {
                    *place = *query.from.add(dimension) * self.scale;
                }
            }
            let (keys, values) = (self.keys, self.values);
            for (index, &page) in pages.iter().enumerate() {
                let keys = page.cast::<E::Bits>().add(keys).cast_const();
                let to = scores.as_mut_ptr().add(index * PAGE);
                by_count!(count, score_page::<L, E>(queries.as_ptr(), self.width, keys, to, span));
            }
            for (query, row) in self.queries.iter().zip(scores.chunks_exact_mut(span)) {
                let seen = query.start - first * PAGE..query.end - first * PAGE;
                soft_max::<L>(row, seen, self.soft_cap);
            }
            for dimension in (0..self.width).step_by(16) {
                let place = PageValues { values: values + dimension, width: self.width };
                let outs = by_count!(count, gather::<L, E>(pages, place, scores.as_ptr(), span));
                for (query, out) in self.queries.iter().zip(outs) {
                    let left = self.head_dim - dimension;
                    if left >= 16 {
                        L::store(query.to.add(dimension), out);
                    } else {
                        let mut all = [0.0; 16];
                        L::store(all.as_mut_ptr(), out);
                        query.to.add(dimension).copy_from_nonoverlapping(all.as_ptr(), left);
                    }
                }
            }
        }
    }
}

/// Scores of `R` queries against the 32 positions of a page.
#[inline(always)]
unsafe fn score_page<L: Lanes, E: Element, const R: usize>(
    queries: *const f32,
    width: usize,
    keys: *const E::Bits,
    to: *mut f32,
    stride: usize,
) {
    // SAFETY: the caller promises `R` queries of `width` values, keys of `width * PAGE` elements, `R` rows of scores.
    unsafe {
        let mut sums = [[L::splat(0.0); 2]; R];
        for dimension in 0..width {
            let at = keys.add(dimension * PAGE);
            let (low, high) = (E::load::<L>(at), E::load::<L>(at.add(16)));
            for (row, [first, second]) in sums.iter_mut().enumerate() {
                let query = L::splat(*queries.add(row * width + dimension));
                *first = L::fused(query, low, *first);
                *second = L::fused(query, high, *second);
            }
        }
        for (row, [first, second]) in sums.into_iter().enumerate() {
            L::store(to.add(row * stride), first);
            L::store(to.add(row * stride + 16), second);
        }
    }
}

/// Turns the scores of the positions seen into weights that sum to one; all others become zero.
#[inline(always)]
unsafe fn soft_max<L: Lanes>(row: &mut [f32], seen: std::ops::Range<usize>, cap: Option<f32>) {
    let (start, end) = (seen.start, seen.end);
    row[..start].fill(f32::NEG_INFINITY);
    row[end..].fill(f32::NEG_INFINITY);
    if let Some(cap) = cap {
        soft_cap(&mut row[start..end], cap);
    }
    // SAFETY: a row is whole pages, a multiple of 16 scores.
    unsafe {
        let chunks = row.as_chunks_mut::<16>().0;
        let mut largest = L::splat(f32::NEG_INFINITY);
        for chunk in chunks.iter() {
            largest = L::maximum(largest, L::load(chunk.as_ptr()));
        }
        let shift = L::splat(-L::largest(largest));
        let mut sum = L::splat(0.0);
        for chunk in chunks.iter_mut() {
            let weight = exponential::<L>(L::add(L::load(chunk.as_ptr()), shift));
            L::store(chunk.as_mut_ptr(), weight);
        }
        row[..start].fill(0.0);
        row[end..].fill(0.0);
        let chunks = row.as_chunks_mut::<16>().0;
        for chunk in chunks.iter() {
            sum = L::add(sum, L::load(chunk.as_ptr()));
        }
        let inverse = L::splat(1.0 / L::sum(sum));
        for chunk in chunks.iter_mut() {
            L::store(chunk.as_mut_ptr(), L::multiply(L::load(chunk.as_ptr()), inverse));
        }
    }
}

/// Where sixteen dimensions of a page's values begin, and a position's stride.
#[derive(Clone, Copy)]
struct PageValues {
    values: usize,
    width: usize,
}

/// Sixteen dimensions of the weighted values, for `R` queries.
#[inline(always)]
unsafe fn gather<L: Lanes, E: Element, const R: usize>(
    pages: &[*mut u32],
    place: PageValues,
    weights: *const f32,
    stride: usize,
) -> [L::Floats; QUERIES] {
    // SAFETY: the caller promises pages with values at `place`, and `R` rows of weights for all their positions.
    unsafe {
        let mut sums = [L::splat(0.0); R];
        for (index, &page) in pages.iter().enumerate() {
            let values = page.cast::<E::Bits>().add(place.values).cast_const();
            let weights = weights.add(index * PAGE);
            for position in 0..PAGE {
                let value = E::load::<L>(values.add(position * place.width));
                for (row, sum) in sums.iter_mut().enumerate() {
                    let weight = L::splat(*weights.add(row * stride + position));
                    *sum = L::fused(weight, value, *sum);
                }
            }
        }
        let mut all = [L::splat(0.0); QUERIES];
        all[..R].copy_from_slice(&sums);
        all
    }
}

/// Puts one position's key and value into its page.
pub(crate) struct StorePosition {
    pub key: *const f32,
    pub value: *const f32,
    pub page: *mut u32,
    pub full: bool,
    pub keys: usize,
    pub values: usize,
    pub head_dim: usize,
}

impl Kernel for StorePosition {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        // SAFETY: the caller promises a page with room for a key and a value at these places.
        unsafe {
            if self.full {
                let page = self.page.cast::<f32>();
                for dimension in 0..self.head_dim {
                    *page.add(self.keys + dimension * PAGE) = *self.key.add(dimension);
                }
                page.add(self.values).copy_from_nonoverlapping(self.value, self.head_dim);
                return;
            }
            let page = self.page.cast::<u16>();
            for at in (0..self.head_dim).step_by(16) {
                let left = (self.head_dim - at).min(16);
                let mut halves = [0u16; 16];
                narrow::<L>(self.key.add(at), left, &mut halves);
                for (dimension, half) in halves.into_iter().enumerate().take(left) {
                    *page.add(self.keys + (at + dimension) * PAGE) = half;
                }
                narrow::<L>(self.value.add(at), left, &mut halves);
                page.add(self.values + at).copy_from_nonoverlapping(halves.as_ptr(), left);
            }
        }
    }
}

/// Up to sixteen f32 as half floats.
#[inline(always)]
unsafe fn narrow<L: Lanes>(from: *const f32, count: usize, to: &mut [u16; 16]) {
    // SAFETY: the caller promises `count` values.
    unsafe {
        if count == 16 {
            return L::store_half(to.as_mut_ptr(), L::load(from));
        }
        let mut padded = [0.0f32; 16];
        padded.as_mut_ptr().copy_from_nonoverlapping(from, count);
        L::store_half(to.as_mut_ptr(), L::load(padded.as_ptr()));
    }
}
