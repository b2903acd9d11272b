//! Causal grouped-query attention over packed examples, in tiles (after Dao et al. 2022): the scores of a block of
//! queries and a block of keys are in cache, never those of a whole sequence. Examples don't see each other.

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

    /// Every block of queries: (example's start, first query, behind the last query).
    fn query_blocks(&self) -> Vec<(usize, usize, usize)> {
        let examples = self.borders.iter().zip(self.borders.iter().skip(1));
        let blocks = examples.flat_map(|(&start, &end)| {
            (start..end).step_by(QUERIES).map(move |first| (start, first, (first + QUERIES).min(end)))
        });
        blocks.collect()
    }

    /// The first key that a query sees, in an example that starts at `start`.
    fn first_key(&self, start: usize, query: usize) -> usize {
        self.window.map_or(start, |window| start.max((query + 1).saturating_sub(window)))
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
