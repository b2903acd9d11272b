//! The gradients of queries, keys and values, tile by tile; probabilities are computed again from the kept logarithms of
//! sums.

use candle_core::{D, Result, Tensor};

use super::attention::{Tile, by_head, by_token, rows_of, scores, tiles};
use super::composed::cap_slope;
use super::{Attended, AttentionShape, product};

/// Heads of one layer, f32.
struct Heads {
    q: Tensor,
    k: Tensor,
    v: Tensor,
    grad_out: Tensor,
    log_sums: Tensor,
    /// The sum of `grad_out * out` of each query.
    along: Tensor,
}

/// (tokens, row)
pub(super) fn backward(shape: AttentionShape<'_>, given: Attended<'_>, grad_out: &Tensor) -> Result<Tensor> {
    let Attended { qkv, out, log_sums } = given;
    let (query, kv) = (shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim);
    let grad_heads = by_head(shape, grad_out, 0, shape.heads)?;
    let out = by_head(shape, out, 0, shape.heads)?;
    let narrow = AttentionShape { head_dim: 1, ..shape };
    let heads = Heads {
        q: by_head(shape, qkv, 0, shape.heads)?,
        k: by_head(shape, qkv, query, shape.kv_heads)?,
        v: by_head(shape, qkv, query + kv, shape.kv_heads)?,
        along: (&grad_heads * out)?.sum_keepdim(D::Minus1)?,
        log_sums: by_head(narrow, log_sums, 0, shape.heads)?,
        grad_out: grad_heads,
    };
    let (mut grad_q, grad_k, grad_v) = (Vec::new(), heads.k.zeros_like()?, heads.v.zeros_like()?);
    for tile in tiles(shape) {
        let (of_q, of_k, of_v) = heads.tile(shape, tile)?;
        grad_q.push(of_q);
        add_rows(&grad_k, &of_k, tile.left)?;
        add_rows(&grad_v, &of_v, tile.left)?;
    }
    let parts = [Tensor::cat(&grad_q, 2)?, grad_k, grad_v];
    let parts = parts.iter().map(|part| by_token(shape, part)).collect::<Result<Vec<_>>>()?;
    Tensor::cat(&parts, 1)?.to_dtype(qkv.dtype())
}

/// Adds to some tokens of a sum of heads, in place.
fn add_rows(sum: &Tensor, part: &Tensor, first: usize) -> Result<()> {
    let old = sum.narrow(2, first, part.dim(2)?)?;
    sum.slice_set(&(old + part)?, 2, first)
}

impl Heads {
    /// What one tile gives to its queries, and to the keys and values that they see.
    fn tile(&self, shape: AttentionShape<'_>, tile: Tile) -> Result<(Tensor, Tensor, Tensor)> {
        let (kv, group) = (shape.kv_heads, shape.heads / shape.kv_heads);
        let (queries, keys, dim) = (tile.queries(), tile.keys(), shape.head_dim);
        let flat = |x: &Tensor| x.reshape((kv, group * queries, keys));
        let of = |x: &Tensor| x.narrow(2, tile.first, queries);
        let scores = scores(shape, tile, &self.q, &self.k)?;
        let share = scores.broadcast_sub(&of(&self.log_sums)?)?.exp()?;
        let grad_out = rows_of(&self.grad_out, tile.first, queries)?;
        let grad_share = product(&grad_out, &rows_of(&self.v, tile.left, keys)?.t()?)?;
        let grad_share = grad_share.reshape((kv, group, queries, keys))?;
        let mut grad = (&share * grad_share.broadcast_sub(&of(&self.along)?)?)?;
        if let Some(cap) = shape.soft_cap {
            // What isn't seen has a share of 0, and a score that no slope can be taken of.
            let seen = scores.clamp(-cap, cap)?;
            grad = (grad * cap_slope(&seen, cap)?)?;
        }
        let grad = flat(&(grad * f64::from(shape.scale))?)?;
        let of_q = product(&grad, &rows_of(&self.k, tile.left, keys)?)?;
        let of_k = product(&grad.t()?, &rows_of(&self.q, tile.first, queries)?)?;
        let of_v = product(&flat(&share)?.t()?, &grad_out)?;
        let one = |x: Tensor| x.reshape((kv, 1, keys, dim));
        Ok((of_q.reshape((kv, group, queries, dim))?, one(of_k)?, one(of_v)?))
    }
}
