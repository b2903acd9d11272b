//! Scores, softmax and the sum of values, tile by tile.

use rayon::prelude::*;

use super::rows::{multiply, softmax_step};
use super::{AttentionShape, QUERIES, QueryBlock, Turned};
use crate::kernels::gemm::small::{Small, product};
use crate::kernels::softmax::soft_cap;

/// Keys of a tile.
const KEYS: usize = 512;

/// `out`, (tokens, `heads x head_dim`), and the logarithm of each softmax's sum, (tokens, heads), from rows of queries,
/// keys and values. `scratch` holds the turned keys and is reused between calls.
///
/// # Panics
/// Where the buffers don't have the shape's sizes.
pub fn attention(
    shape: AttentionShape<'_>,
    qkv: &[f32],
    out: &mut [f32],
    log_sums: &mut [f32],
    scratch: &mut Vec<f32>,
) {
    let tokens = shape.tokens();
    let width = shape.heads * shape.head_dim;
    assert!(qkv.len() == tokens * shape.row() && out.len() == tokens * width);
    assert!(log_sums.len() == tokens * shape.heads);
    let first = shape.heads * shape.head_dim;
    let keys = Turned::new(qkv, shape.row(), first, shape.kv_heads * shape.head_dim, std::mem::take(scratch));
    let blocks = shape.query_blocks();
    // Blocks of queries are consecutive rows of the output: hand each task its own.
    let mut tasks = Vec::with_capacity(blocks.len());
    let (mut out, mut log_sums) = (out, log_sums);
    for block in blocks {
        let rows = block.behind - block.first;
        let (mine, rest) = out.split_at_mut(rows * width);
        let (my_sums, other_sums) = log_sums.split_at_mut(rows * shape.heads);
        tasks.push((block, mine, my_sums));
        (out, log_sums) = (rest, other_sums);
    }
    tasks.into_par_iter().for_each_init(Buffers::default, |buffers, (block, out, log_sums)| {
        for head in 0..shape.heads {
            buffers.head(&shape, qkv, &keys, block, head);
            for (i, row) in out.chunks_exact_mut(width).enumerate() {
                let sum = buffers.sums[i];
                let from = &buffers.out[i * shape.head_dim..(i + 1) * shape.head_dim];
                let to = &mut row[head * shape.head_dim..(head + 1) * shape.head_dim];
                for (to, from) in to.iter_mut().zip(from) {
                    *to = from / sum;
                }
                log_sums[i * shape.heads + head] = buffers.maxima[i] + sum.ln();
            }
        }
    });
    *scratch = keys.data;
}

/// One task's tile, running maxima and sums.
#[derive(Default)]
struct Buffers {
    scores: Vec<f32>,
    out: Vec<f32>,
    maxima: Vec<f32>,
    sums: Vec<f32>,
}

impl Buffers {
    /// Leaves the unnormalised output of one head in `out`, with `maxima` and `sums`.
    fn head(
        &mut self,
        shape: &AttentionShape<'_>,
        qkv: &[f32],
        keys: &Turned,
        block: QueryBlock,
        head: usize,
    ) {
        let first = block.first;
        let (rows, dim, row) = (block.behind - first, shape.head_dim, shape.row());
        self.out.clear();
        self.out.resize(QUERIES * dim, 0.0);
        self.maxima.clear();
        self.maxima.resize(QUERIES, f32::NEG_INFINITY);
        self.sums.clear();
        self.sums.resize(QUERIES, 0.0);
        self.scores.resize(QUERIES * KEYS, 0.0);
        for (part, left, right) in shape.key_tiles(block, KEYS) {
            let columns = right - left;
            product(Small {
                rows,
                columns,
                depth: dim,
                a: &qkv[first * row + shape.query(head)..],
                a_strides: (row, 1),
                b: keys.from(shape.kv_head(head) * dim, left),
                b_stride: keys.stride,
                c: &mut self.scores,
                c_stride: KEYS,
                alpha: shape.scale,
                add: false,
            });
            self.softmax(shape, block, (part, left, columns));
            product(Small {
                rows,
                columns: dim,
                depth: columns,
                a: &self.scores,
                a_strides: (KEYS, 1),
                b: &qkv[left * row + shape.value(head)..],
                b_stride: row,
                c: &mut self.out,
                c_stride: dim,
                alpha: 1.0,
                add: true,
            });
        }
    }

    fn softmax(
        &mut self,
        shape: &AttentionShape<'_>,
        block: QueryBlock,
        (part, left, columns): (usize, usize, usize),
    ) {
        for i in 0..block.behind - block.first {
            let (from, behind) = shape.seen(block.segment, block.first + i)[part];
            let seen_first = from.clamp(left, left + columns) - left;
            let seen_behind = behind.clamp(left, left + columns) - left;
            let row = &mut self.scores[i * KEYS..i * KEYS + columns];
            if seen_first >= seen_behind {
                row.fill(0.0);
                continue;
            }
            if let Some(cap) = shape.soft_cap {
                soft_cap(row, cap);
            }
            let (top, sum, factor) = softmax_step(row, (seen_first, seen_behind), self.maxima[i]);
            if self.maxima[i] > f32::NEG_INFINITY {
                multiply(&mut self.out[i * shape.head_dim..(i + 1) * shape.head_dim], factor);
            }
            self.sums[i] = self.sums[i] * factor + sum;
            self.maxima[i] = top;
        }
    }
}
