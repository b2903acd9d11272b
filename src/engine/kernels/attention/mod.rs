//! Causal grouped-query attention over packed examples, in tiles (after Dao et al. 2022): the scores of a block of
//! queries and a block of keys are in cache, never those of a whole sequence. Examples don't see each other, but for the beginning that some share.

mod backward;
mod forward;
pub(crate) mod paged;
mod rows;
pub mod text;

use rayon::prelude::*;

pub use backward::{AttentionScratch, Gradients, attention_backward};
pub use forward::attention;

/// Queries of a tile.
const QUERIES: usize = 64;

/// The shape of one layer's attention. Rows hold all query heads, then all key heads, then all value heads.
#[derive(Debug, Clone, Copy)]
pub struct AttentionShape<'a> {
    pub heads: usize,
    pub kv_heads: usize,
    pub head_dim: usize,
    /// What scores are multiplied by.
    pub scale: f32,
    /// Scores become `cap * tanh(score / cap)` (Gemma 2).
    pub soft_cap: Option<f32>,
    /// Tokens that a query sees at most, itself included.
    pub window: Option<usize>,
    /// Where examples start, and at the end the number of tokens.
    pub borders: &'a [usize],
    /// The example that each goes on from, seeing all of it, or itself; those that aren't said go on from none. An example
    /// that others go on from goes on from none, and they follow it directly.
    pub stems: &'a [usize],
}

/// An example's tokens, and those of the one that it goes on from.
#[derive(Debug, Clone, Copy)]
struct KeySegment {
    start: usize,
    end: usize,
    /// From and behind; both the same without one.
    stem: (usize, usize),
}

impl KeySegment {
    /// Where its family's tokens start: its stem's, with all that go on from it.
    const fn family(&self) -> usize {
        if self.stem.0 < self.stem.1 { self.stem.0 } else { self.start }
    }
}

/// Queries `first..behind` of a segment.
#[derive(Debug, Clone, Copy)]
struct QueryBlock {
    segment: KeySegment,
    first: usize,
    behind: usize,
}

impl AttentionShape<'_> {
    /// Floats of a row: query, key and value heads.
    #[must_use]
    pub const fn row(&self) -> usize {
        (self.heads + 2 * self.kv_heads) * self.head_dim
    }

    fn tokens(&self) -> usize {
        self.borders.last().copied().unwrap_or(0)
    }

    /// Where a query head's numbers start in a row.
    const fn query(&self, head: usize) -> usize {
        head * self.head_dim
    }

    /// Where the numbers of the key head that serves a query head start in a row.
    const fn key(&self, head: usize) -> usize {
        (self.heads + self.kv_head(head)) * self.head_dim
    }

    const fn value(&self, head: usize) -> usize {
        (self.heads + self.kv_heads + self.kv_head(head)) * self.head_dim
    }

    const fn kv_head(&self, head: usize) -> usize {
        head / (self.heads / self.kv_heads)
    }

    /// Every example.
    fn segments(&self) -> impl Iterator<Item = KeySegment> {
        let ends = |example: usize| Some((*self.borders.get(example)?, *self.borders.get(example + 1)?));
        (0..self.borders.len().saturating_sub(1)).filter_map(move |example| {
            let (start, end) = ends(example)?;
            let stem = self.stems.get(example).filter(|&&stem| stem != example);
            Some(KeySegment { start, end, stem: stem.and_then(|&stem| ends(stem)).unwrap_or((start, start)) })
        })
    }

    /// Every block of queries, in their order.
    fn query_blocks(&self) -> Vec<QueryBlock> {
        let blocks = self.segments().flat_map(|segment| {
            let firsts = (segment.start..segment.end).step_by(QUERIES);
            firsts.map(move |first| QueryBlock { segment, first, behind: (first + QUERIES).min(segment.end) })
        });
        blocks.collect()
    }

    /// The keys that a query sees, from and behind: those of the stem, and those of its own example.
    fn seen(&self, segment: KeySegment, query: usize) -> [(usize, usize); 2] {
        let (stem, behind) = segment.stem;
        let position = behind - stem + query - segment.start;
        let passed = self.window.map_or(0, |window| (position + 1).saturating_sub(window));
        let of_stem = passed.min(behind - stem);
        [(stem + of_stem, behind), (segment.start + passed - of_stem, query + 1)]
    }

    /// The tiles of at most so many keys that a block of queries sees: which part of [`AttentionShape::seen`] they are of,
    /// from and behind.
    fn key_tiles(&self, block: QueryBlock, most: usize) -> impl Iterator<Item = (usize, usize, usize)> {
        let [of_stem, own] = self.seen(block.segment, block.first);
        [(0, of_stem.0, of_stem.1), (1, own.0, block.behind)].into_iter().flat_map(
            move |(part, first, behind)| {
                (first..behind).step_by(most).map(move |left| (part, left, (left + most).min(behind)))
            },
        )
    }
}

/// Keys or values turned so that a dimension's numbers of all tokens stand together: (dimensions, stride).
struct Turned {
    data: Vec<f32>,
    stride: usize,
}

impl Turned {
    /// Turns the columns from `first` on, `count` of them, of rows `row` wide.
    fn new(rows: &[f32], row: usize, first: usize, count: usize, mut data: Vec<f32>) -> Self {
        let tokens = rows.len() / row;
        // Not a power of two apart, so that rows don't fall into the same sets of the cache.
        let stride = tokens.next_multiple_of(16) + 16;
        data.resize(stride * count, 0.0);
        data.par_chunks_mut(stride * 16).enumerate().for_each(|(block, out)| {
            let left = first + block * 16;
            for (token, row) in rows.chunks_exact(row).enumerate() {
                for (dimension, &value) in row[left..left + out.len() / stride].iter().enumerate() {
                    out[dimension * stride + token] = value;
                }
            }
        });
        Self { data, stride }
    }

    /// The rows of one head from a token on.
    fn from(&self, dimension: usize, token: usize) -> &[f32] {
        &self.data[dimension * self.stride + token..]
    }
}
