//! Causal grouped-query attention over packed examples out of candle's operations, in tiles of queries: the scores of a
//! tile against the keys that it sees are in memory, never those of a whole sequence. In f32 throughout.

use candle_core::{D, Device, Result, Tensor};

use super::composed::{capped, wide};
use super::{AttentionShape, product};

/// Queries of a tile.
const QUERIES: usize = 128;

/// One tile: queries `first..behind` see keys from `left` on.
#[derive(Clone, Copy)]
pub(super) struct Tile {
    pub(super) first: usize,
    pub(super) behind: usize,
    pub(super) left: usize,
}

impl Tile {
    pub(super) const fn queries(&self) -> usize {
        self.behind - self.first
    }

    pub(super) const fn keys(&self) -> usize {
        self.behind - self.left
    }
}

/// All tiles, in the order of their queries.
pub(super) fn tiles(shape: AttentionShape<'_>) -> Vec<Tile> {
    let examples = shape.borders.iter().zip(shape.borders.iter().skip(1));
    let tiles = examples.flat_map(|(&start, &end)| {
        (start..end).step_by(QUERIES).map(move |first| Tile {
            first,
            behind: (first + QUERIES).min(end),
            left: shape.window.map_or(start, |window| start.max((first + 1).saturating_sub(window))),
        })
    });
    tiles.collect()
}

/// Columns of rows of heads as (key/value heads, heads on each, tokens, dim), f32.
pub(super) fn by_head(
    shape: AttentionShape<'_>,
    rows: &Tensor,
    first: usize,
    heads: usize,
) -> Result<Tensor> {
    let (tokens, dim) = (rows.dim(0)?, shape.head_dim);
    let columns = wide(&rows.narrow(1, first, heads * dim)?)?;
    let columns = columns.reshape((tokens, shape.kv_heads, heads / shape.kv_heads, dim))?;
    columns.permute((1, 2, 0, 3))?.contiguous()
}

/// The other way round: (tokens, heads * dim).
pub(super) fn by_token(shape: AttentionShape<'_>, heads: &Tensor) -> Result<Tensor> {
    let (kv, group, tokens, dim) = heads.dims4()?;
    debug_assert_eq!(kv, shape.kv_heads);
    heads.permute((2, 0, 1, 3))?.contiguous()?.reshape((tokens, kv * group * dim))
}

/// Some tokens of heads: (key/value heads, heads on each * tokens, dim).
pub(super) fn rows_of(heads: &Tensor, first: usize, count: usize) -> Result<Tensor> {
    let (kv, group, _, dim) = heads.dims4()?;
    heads.narrow(2, first, count)?.contiguous()?.reshape((kv, group * count, dim))
}

/// Capped scores of a tile, not seen ones at minus infinity: (kv heads, group, queries, keys).
pub(super) fn scores(shape: AttentionShape<'_>, tile: Tile, q: &Tensor, k: &Tensor) -> Result<Tensor> {
    let (kv, group) = (shape.kv_heads, shape.heads / shape.kv_heads);
    let queries = rows_of(q, tile.first, tile.queries())?;
    let keys = rows_of(k, tile.left, tile.keys())?;
    let mut scores = (product(&queries, &keys.t()?)? * f64::from(shape.scale))?;
    if let Some(cap) = shape.soft_cap {
        scores = capped(&scores, cap)?;
    }
    scores.reshape((kv, group, tile.queries(), tile.keys()))?.broadcast_add(&mask(shape, tile, q.device())?)
}

/// 0 where a query sees a key, else minus infinity: (queries, keys).
fn mask(shape: AttentionShape<'_>, tile: Tile, device: &Device) -> Result<Tensor> {
    let seen =
        |query: usize, key: usize| key <= query && shape.window.is_none_or(|window| key + window > query);
    let row = |query| {
        (tile.left..tile.behind).map(move |key| if seen(query, key) { 0.0 } else { f32::NEG_INFINITY })
    };
    let numbers: Vec<f32> = (tile.first..tile.behind).flat_map(row).collect();
    Tensor::from_vec(numbers, (tile.queries(), tile.keys()), device)
}

/// Outputs (tokens, query width) and logarithms of sums (tokens, heads).
pub(super) fn forward(shape: AttentionShape<'_>, qkv: &Tensor) -> Result<(Tensor, Tensor)> {
    let (query, kv) = (shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim);
    let q = by_head(shape, qkv, 0, shape.heads)?;
    let k = by_head(shape, qkv, query, shape.kv_heads)?;
    let v = by_head(shape, qkv, query + kv, shape.kv_heads)?;
    let (mut outs, mut sums) = (Vec::new(), Vec::new());
    for tile in tiles(shape) {
        let scores = scores(shape, tile, &q, &k)?;
        let top = scores.max_keepdim(D::Minus1)?;
        let exponentials = scores.broadcast_sub(&top)?.exp()?;
        let sum = exponentials.sum_keepdim(D::Minus1)?;
        let share = exponentials.broadcast_div(&sum)?;
        let (kv, group, queries, keys) = share.dims4()?;
        let values = rows_of(&v, tile.left, keys)?;
        let out = product(&share.reshape((kv, group * queries, keys))?, &values)?;
        outs.push(out.reshape((kv, group, queries, shape.head_dim))?);
        sums.push((top + sum.log()?)?);
    }
    let out = by_token(shape, &Tensor::cat(&outs, 2)?)?.to_dtype(qkv.dtype())?;
    Ok((out, by_token(shape, &Tensor::cat(&sums, 2)?)?))
}
