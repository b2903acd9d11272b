//! The gradients of queries, keys and values; probabilities are computed again from the kept logarithms of sums.

use rayon::prelude::*;

use super::rows::softmax_backward;
use super::{AttentionShape, KeySegment, QUERIES, QueryBlock, Turned};
use crate::kernels::gemm::small::{Small, product};
use crate::kernels::softmax::soft_cap;

/// Keys of a tile.
const KEYS: usize = 256;

/// What the backward pass reads, and the scratch space that it reuses.
pub struct Gradients<'a> {
    pub qkv: &'a [f32],
    pub out: &'a [f32],
    pub log_sums: &'a [f32],
    pub grad_out: &'a [f32],
    pub scratch: &'a mut AttentionScratch,
}

/// Buffers kept between calls.
#[derive(Debug, Default)]
pub struct AttentionScratch {
    keys: Vec<f32>,
    values: Vec<f32>,
    /// Gradients of queries, keys and values of each query head: (heads, tokens, `3 head_dim`).
    per_head: Vec<f32>,
}

/// Writes the gradient of rows of queries, keys and values: (tokens, row).
///
/// # Panics
/// Where the buffers don't have the shape's sizes.
pub fn attention_backward(shape: AttentionShape<'_>, given: Gradients<'_>, grad_qkv: &mut [f32]) {
    let Gradients { qkv, out, log_sums, grad_out, scratch } = given;
    let (tokens, dim, row) = (shape.tokens(), shape.head_dim, shape.row());
    assert!(qkv.len() == tokens * row && grad_qkv.len() == qkv.len());
    assert!(out.len() == tokens * shape.heads * dim && grad_out.len() == out.len());
    let first = shape.heads * dim;
    let kv = shape.kv_heads * dim;
    let keys = Turned::new(qkv, row, first, kv, std::mem::take(&mut scratch.keys));
    let values = Turned::new(qkv, row, first + kv, kv, std::mem::take(&mut scratch.values));
    let mut per_head = std::mem::take(&mut scratch.per_head);
    per_head.clear();
    per_head.resize(shape.heads * tokens * 3 * dim, 0.0);
    let pass = AttentionBackward { shape, qkv, out, log_sums, grad_out, keys: &keys, values: &values };
    let segments: Vec<KeySegment> = shape.segments().collect();
    // Those that share a beginning add to its gradients: one task has them all.
    let families: Vec<&[KeySegment]> = segments.chunk_by(|one, next| one.family() == next.family()).collect();
    let mut tasks = Vec::new();
    let mut rest = per_head.as_mut_slice();
    for head in 0..shape.heads {
        for &family in &families {
            let tokens: usize = family.iter().map(|segment| segment.end - segment.start).sum();
            let (mine, others) = rest.split_at_mut(tokens * 3 * dim);
            tasks.push((head, family, mine));
            rest = others;
        }
    }
    tasks.into_par_iter().for_each_init(Tiles::default, |tiles, (head, family, gradient)| {
        for &segment in family {
            pass.example(head, segment, gradient, tiles);
        }
    });
    gather(shape, &per_head, grad_qkv);
    *scratch = AttentionScratch { keys: keys.data, values: values.data, per_head };
}

/// Sums the key and value gradients over the query heads that share them.
fn gather(shape: AttentionShape<'_>, per_head: &[f32], grad_qkv: &mut [f32]) {
    let (tokens, dim, row) = (shape.tokens(), shape.head_dim, shape.row());
    grad_qkv.par_chunks_mut(row).enumerate().for_each(|(token, grad)| {
        grad[shape.heads * dim..].fill(0.0);
        for head in 0..shape.heads {
            let from = &per_head[(head * tokens + token) * 3 * dim..][..3 * dim];
            grad[shape.query(head)..][..dim].copy_from_slice(&from[..dim]);
            let parts = [(shape.key(head), &from[dim..2 * dim]), (shape.value(head), &from[2 * dim..])];
            for (at, part) in parts {
                for (to, from) in grad[at..at + dim].iter_mut().zip(part) {
                    *to += from;
                }
            }
        }
    });
}

/// One task's tiles: probabilities and the gradients of scores, (queries, keys) each.
#[derive(Default)]
struct Tiles {
    scores: Vec<f32>,
    gradients: Vec<f32>,
}

struct AttentionBackward<'a> {
    shape: AttentionShape<'a>,
    qkv: &'a [f32],
    out: &'a [f32],
    log_sums: &'a [f32],
    grad_out: &'a [f32],
    keys: &'a Turned,
    values: &'a Turned,
}

impl AttentionBackward<'_> {
    /// Adds one head's gradients over one example to those of its family: (tokens of the family, `3 head_dim`).
    fn example(&self, head: usize, segment: KeySegment, gradient: &mut [f32], tiles: &mut Tiles) {
        tiles.scores.resize(QUERIES * KEYS, 0.0);
        tiles.gradients.resize(QUERIES * KEYS, 0.0);
        for first in (segment.start..segment.end).step_by(QUERIES) {
            let block = QueryBlock { segment, first, behind: (first + QUERIES).min(segment.end) };
            for keys in self.shape.key_tiles(block, KEYS) {
                self.tile(head, block, keys, tiles);
                self.accumulate(head, block, (keys.1, keys.2), gradient, tiles);
            }
        }
    }

    /// Fills the tiles with probabilities and the gradients of scores.
    fn tile(&self, head: usize, block: QueryBlock, keys: (usize, usize, usize), tiles: &mut Tiles) {
        let (part, left, right) = keys;
        let first = block.first;
        let (rows, columns) = (block.behind - first, right - left);
        let (shape, dim, row) = (&self.shape, self.shape.head_dim, self.shape.row());
        let width = shape.heads * dim;
        let of_kv_head = shape.kv_head(head) * dim;
        let scores = Small {
            rows,
            columns,
            depth: dim,
            a: &self.qkv[first * row + shape.query(head)..],
            a_strides: (row, 1),
            b: self.keys.from(of_kv_head, left),
            b_stride: self.keys.stride,
            c: &mut tiles.scores,
            c_stride: KEYS,
            alpha: shape.scale,
            add: false,
        };
        product(scores);
        product(Small {
            rows,
            columns,
            depth: dim,
            a: &self.grad_out[first * width + head * dim..],
            a_strides: (width, 1),
            b: self.values.from(of_kv_head, left),
            b_stride: self.values.stride,
            c: &mut tiles.gradients,
            c_stride: KEYS,
            alpha: 1.0,
            add: false,
        });
        for i in 0..rows {
            let query = first + i;
            let at = query * width + head * dim;
            let pairs = self.grad_out[at..at + dim].iter().zip(&self.out[at..at + dim]);
            let along: f32 = pairs.map(|(g, o)| g * o).sum();
            let (from, behind) = shape.seen(block.segment, query)[part];
            let seen_first = from.clamp(left, right) - left;
            let seen_behind = (behind.clamp(left, right) - left).max(seen_first);
            let row = &mut tiles.scores[i * KEYS..i * KEYS + columns];
            if let Some(cap) = shape.soft_cap {
                soft_cap(row, cap);
            }
            softmax_backward(
                row,
                &mut tiles.gradients[i * KEYS..i * KEYS + columns],
                (seen_first, seen_behind),
                self.log_sums[query * shape.heads + head],
                along,
                shape.scale,
                shape.soft_cap.unwrap_or(0.0),
            );
        }
    }

    /// Adds what the tiles give to the gradients of their queries, keys and values.
    fn accumulate(
        &self,
        head: usize,
        block: QueryBlock,
        keys: (usize, usize),
        gradient: &mut [f32],
        tiles: &Tiles,
    ) {
        let (start, first) = (block.segment.family(), block.first);
        let (left, right) = keys;
        let (rows, columns) = (block.behind - first, right - left);
        let (shape, dim, row) = (&self.shape, self.shape.head_dim, self.shape.row());
        product(Small {
            rows,
            columns: dim,
            depth: columns,
            a: &tiles.gradients,
            a_strides: (KEYS, 1),
            b: &self.qkv[left * row + shape.key(head)..],
            b_stride: row,
            c: &mut gradient[(first - start) * 3 * dim..],
            c_stride: 3 * dim,
            alpha: 1.0,
            add: true,
        });
        let width = shape.heads * dim;
        let (columns_by_rows, of_keys) = ((columns, rows), (left - start) * 3 * dim + dim);
        let queries = (&self.qkv[first * row + shape.query(head)..], row);
        add_turned(&tiles.gradients, queries, columns_by_rows, dim, &mut gradient[of_keys..]);
        let grad_out = (&self.grad_out[first * width + head * dim..], width);
        add_turned(&tiles.scores, grad_out, columns_by_rows, dim, &mut gradient[of_keys + dim..]);
    }
}

/// `sum += tile^T rows`: the tile is (queries, keys), rows are (queries, dim), the sum (keys, dim) in rows of 3 dim.
fn add_turned(tile: &[f32], rows: (&[f32], usize), size: (usize, usize), dim: usize, sum: &mut [f32]) {
    product(Small {
        rows: size.0,
        columns: dim,
        depth: size.1,
        a: tile,
        a_strides: (1, KEYS),
        b: rows.0,
        b_stride: rows.1,
        c: sum,
        c_stride: 3 * dim,
        alpha: 1.0,
        add: true,
    });
}
