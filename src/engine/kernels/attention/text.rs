//! Attention within one text, every token to all of its tokens as encoders have it, or to those before it as decoders
//! do; forward only, on the calling thread.

use crate::kernels::lanes::{Kernel, LaneIsa, Lanes, exponential};
use crate::kernels::linear::{Factors, LANES, Place, product};
use crate::kernels::softmax::Largest;

/// Queries whose scores are in cache together: a multiple of every tile.
const QUERIES: usize = 12;

/// Which tokens one attends to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextSight {
    Whole,
    /// Itself and those before it.
    Before,
}

/// The shape of a text's attention. Rows hold all query heads, then all key heads, then all value heads; several query
/// heads, one after the other, share a key head.
#[derive(Debug, Clone, Copy)]
pub struct TextHeads {
    pub heads: usize,
    /// A divisor of `heads`.
    pub kv_heads: usize,
    pub head_dim: usize,
    pub sight: TextSight,
}

/// Room for one head's keys, values and scores, used again for the next.
#[derive(Debug, Default)]
pub struct TextScratch {
    /// Panels of 16 keys, each (`head_dim`, 16).
    keys: Vec<f32>,
    /// Panels of 16 dimensions, each (tokens, 16).
    values: Vec<f32>,
    /// (queries, tokens rounded up to 16)
    scores: Vec<f32>,
    inverse: [f32; QUERIES],
}

impl TextHeads {
    /// As many heads for keys and values as for queries, over all of a text: what encoders have.
    #[must_use]
    pub const fn of_encoder(heads: usize, head_dim: usize) -> Self {
        Self { heads, kv_heads: heads, head_dim, sight: TextSight::Whole }
    }

    /// Floats of a token's queries, keys and values.
    #[must_use]
    pub const fn row(self) -> usize {
        (self.heads + 2 * self.kv_heads) * self.head_dim
    }

    /// Every query's sum of values, weighted by the softmax of its scores: `qkv` is (tokens, (heads + 2 x `kv_heads`) x
    /// `head_dim`), `out` (tokens, heads x `head_dim`). Scores are products of queries and keys as they are.
    ///
    /// # Panics
    /// If the slices have other sizes.
    pub fn attend(self, qkv: &[f32], out: &mut [f32], scratch: &mut TextScratch) {
        let (width, stride) = (self.heads * self.head_dim, self.row());
        let tokens = out.len() / width;
        let fits = out.len() == tokens * width && qkv.len() == tokens * stride;
        assert!(fits && self.heads.is_multiple_of(self.kv_heads), "rows of another attention");
        if tokens == 0 {
            return;
        }
        let padded = tokens.next_multiple_of(LANES);
        scratch.keys.resize(padded * self.head_dim, 0.0);
        scratch.values.resize(tokens * self.head_dim.next_multiple_of(LANES), 0.0);
        scratch.scores.resize(QUERIES * padded, 0.0);
        let isa = LaneIsa::best();
        let group = self.heads / self.kv_heads;
        for kv in 0..self.kv_heads {
            let (keys, values) = (self.heads + kv, self.heads + self.kv_heads + kv);
            scratch.turn_keys(&qkv[keys * self.head_dim..], stride, self.head_dim, tokens);
            scratch.take_values(&qkv[values * self.head_dim..], stride, self.head_dim, tokens);
            for head in kv * group..(kv + 1) * group {
                let column = head * self.head_dim;
                // SAFETY: the sizes were just checked, and the scratch was made to fit them.
                unsafe {
                    isa.run(Head { heads: self, tokens, column, qkv, out: out.as_mut_ptr(), scratch });
                }
            }
        }
    }
}

impl TextScratch {
    /// Lays a head's keys out by panels; keys past the last are zero.
    fn turn_keys(&mut self, rows: &[f32], stride: usize, dim: usize, tokens: usize) {
        for (first, panel) in (0..tokens).step_by(LANES).zip(self.keys.chunks_exact_mut(LANES * dim)) {
            let count = LANES.min(tokens - first);
            if count < LANES {
                panel.fill(0.0);
            }
            for lane in 0..count {
                let key = &rows[(first + lane) * stride..][..dim];
                for (to, value) in panel[lane..].iter_mut().step_by(LANES).zip(key) {
                    *to = *value;
                }
            }
        }
    }

    fn take_values(&mut self, rows: &[f32], stride: usize, dim: usize, tokens: usize) {
        for (first, panel) in (0..dim).step_by(LANES).zip(self.values.chunks_exact_mut(LANES * tokens)) {
            let count = LANES.min(dim - first);
            for (row, to) in rows.chunks(stride).zip(panel.as_chunks_mut::<LANES>().0) {
                to[..count].copy_from_slice(&row[first..first + count]);
                to[count..].fill(0.0);
            }
        }
    }
}

/// One head.
struct Head<'a> {
    heads: TextHeads,
    tokens: usize,
    /// Where the head starts in a row of `out`.
    column: usize,
    qkv: &'a [f32],
    out: *mut f32,
    scratch: &'a mut TextScratch,
}

impl Kernel for Head<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<L: Lanes>(self) {
        let Self { heads, tokens, column, qkv, out, scratch } = self;
        let (dim, width, stride) = (heads.head_dim, heads.heads * heads.head_dim, heads.row());
        let padded = tokens.next_multiple_of(LANES);
        for first in (0..tokens).step_by(QUERIES) {
            let rows = QUERIES.min(tokens - first);
            // Tokens that one of these queries sees.
            let (seen, is_whole) = match heads.sight {
                TextSight::Whole => (tokens, true),
                TextSight::Before => (first + rows, false),
            };
            let reach = seen.next_multiple_of(LANES);
            // SAFETY: rows of a text and panels of its scratch, by the caller's word.
            unsafe {
                let a = qkv.as_ptr().add(first * stride + column);
                let panels = scratch.keys.chunks_exact(LANES * dim).take(reach / LANES);
                for (panel, keys) in panels.enumerate() {
                    let factors = Factors {
                        a,
                        a_stride: stride,
                        b: keys.as_ptr(),
                        b_stride: LANES,
                        depth: dim,
                        next: None,
                    };
                    let to = scratch.scores.as_mut_ptr().add(panel * LANES);
                    product::<L>(factors, rows, Place::plain(to, padded, LANES));
                }
                let scores = scratch.scores.chunks_exact_mut(padded).zip(&mut scratch.inverse);
                for (row, (scores, inverse)) in scores.take(rows).enumerate() {
                    let own = if is_whole { tokens } else { first + row + 1 };
                    *inverse = 1.0 / exponentials::<L>(&mut scores[..reach], own);
                }
                let a = scratch.scores.as_ptr();
                let out = out.add(first * width + column);
                for (panel, values) in scratch.values.chunks_exact(LANES * tokens).enumerate() {
                    let b = values.as_ptr();
                    let factors =
                        Factors { a, a_stride: padded, b, b_stride: LANES, depth: seen, next: None };
                    let lanes = LANES.min(dim - panel * LANES);
                    let place = Place::plain(out.add(panel * LANES), width, lanes);
                    let scales = Some(scratch.inverse.as_ptr());
                    product::<L>(factors, rows, Place { scales, ..place });
                }
            }
        }
    }
}

/// Turns a row of scores into `exp(score - largest)` and returns their sum; what is past the tokens becomes 0.
///
/// # Safety
/// As [`Lanes`].
#[inline(always)]
unsafe fn exponentials<L: Lanes>(scores: &mut [f32], tokens: usize) -> f32 {
    scores[tokens..].fill(f32::NEG_INFINITY);
    // SAFETY: the row is a multiple of 16 long; the rest is the caller's word.
    unsafe {
        let largest = L::splat(-Largest(scores).run::<L>());
        let mut sum = L::splat(0.0);
        for block in scores.as_chunks_mut::<LANES>().0 {
            let value = exponential::<L>(L::add(L::load(block.as_ptr()), largest));
            sum = L::add(sum, value);
            L::store(block.as_mut_ptr(), value);
        }
        // Each place past the tokens holds nearly zero, and not quite.
        L::sum(sum)
    }
}
