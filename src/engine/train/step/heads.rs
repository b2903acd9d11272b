//! Norms of each query and key head before rotation (Qwen3, Gemma 3).

use rayon::prelude::*;

use crate::kernels::norm;
use crate::model::ModelConfig;

/// Where queries and keys stand in a row, and their norms' weights: (`head_dim`) each.
pub(super) struct HeadNorms<'a> {
    pub(super) query: &'a [f32],
    pub(super) key: &'a [f32],
    query_width: usize,
    width: usize,
    row: usize,
    heads: usize,
    all_heads: usize,
    epsilon: f32,
}

impl<'a> HeadNorms<'a> {
    pub(super) fn new(config: &ModelConfig, weights: &'a (Vec<f32>, Vec<f32>)) -> Self {
        let (query_width, kv_width) = (config.query_width(), config.kv_width());
        Self {
            query: &weights.0,
            key: &weights.1,
            query_width,
            width: query_width + kv_width,
            row: query_width + 2 * kv_width,
            heads: config.heads,
            all_heads: config.heads + config.kv_heads,
            epsilon: config.norm_epsilon,
        }
    }

    /// Floats of queries and keys in `raw`, and inverses, of one token.
    pub(super) const fn sizes(&self) -> (usize, usize) {
        (self.width, self.all_heads)
    }

    /// Normalises in place; keeps what was there in `raw`.
    pub(super) fn forward(&self, qkv: &mut [f32], raw: &mut [f32], inverse: &mut [f32]) {
        qkv.par_chunks_mut(self.row)
            .zip(raw.par_chunks_mut(self.width))
            .zip(inverse.par_chunks_mut(self.all_heads))
            .for_each(|((row, raw), inverse)| {
                raw.copy_from_slice(&row[..self.width]);
                let (raw_q, raw_k) = raw.split_at(self.query_width);
                let (q, k) = row[..self.width].split_at_mut(self.query_width);
                let (inverse_q, inverse_k) = inverse.split_at_mut(self.heads);
                norm::forward_rows(raw_q, self.query, self.epsilon, q, inverse_q);
                norm::forward_rows(raw_k, self.key, self.epsilon, k, inverse_k);
            });
    }

    /// Turns the gradient of the normalised heads into that of the raw ones, in place.
    pub(super) fn backward(&self, grad_qkv: &mut [f32], raw: &[f32], inverse: &[f32]) {
        grad_qkv
            .par_chunks_mut(self.row)
            .zip(raw.par_chunks(self.width))
            .zip(inverse.par_chunks(self.all_heads))
            .for_each_init(Vec::new, |grad_y: &mut Vec<f32>, ((row, raw), inverse)| {
                let row = &mut row[..self.width];
                grad_y.clear();
                grad_y.extend_from_slice(row);
                row.fill(0.0);
                let (raw_q, raw_k) = raw.split_at(self.query_width);
                let (from_q, from_k) = grad_y.split_at(self.query_width);
                let (q, k) = row.split_at_mut(self.query_width);
                let (inverse_q, inverse_k) = inverse.split_at(self.heads);
                norm::backward_rows(raw_q, self.query, inverse_q, from_q, q);
                norm::backward_rows(raw_k, self.key, inverse_k, from_k, k);
            });
    }
}
