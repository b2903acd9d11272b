//! Attention's kernels: which tiles, and how much shared memory.

use candle_core::{DType, Result, Tensor};

use super::{Arg, Cuda};
use crate::device::kernels::{Attended, AttentionShape, Kernels};

/// Parts of a batch's examples, kept from layer to layer.
pub(super) struct Tiles {
    borders: Vec<usize>,
    size: usize,
    /// (tiles, 4), u32: where the example starts, the tile's first token, behind its last, the example's end.
    places: Tensor,
}

/// Heads wider than this go candle's way.
const WIDEST: usize = 256;

/// Tokens of a tile: as many as leave four tiles of heads within a block's 48 KB.
const fn tile(dim: usize) -> usize {
    match dim {
        0..=64 => 32,
        65..=128 => 16,
        _ => 8,
    }
}

/// Bytes of `heads` tiles of heads and `pairs` tiles of pairs.
const fn shared_bytes(dim: usize, heads: usize, pairs: usize) -> usize {
    let tile = tile(dim);
    4 * (heads * tile * (dim + 1) + pairs * tile * (tile + 1))
}

impl Cuda {
    /// The batch's tiles, and how many there are.
    fn tiles(&self, shape: AttentionShape<'_>) -> Result<(Tensor, u32)> {
        let size = tile(shape.head_dim);
        let mut kept = self.tiles.borrow_mut();
        if let Some(tiles) = &*kept
            && tiles.size == size
            && tiles.borders == shape.borders
        {
            return Ok((tiles.places.clone(), tiles.places.dim(0)? as u32));
        }
        let examples = shape.borders.iter().zip(shape.borders.iter().skip(1));
        let places: Vec<u32> = examples
            .flat_map(|(&start, &end)| {
                (start..end).step_by(size).map(move |first| [start, first, (first + size).min(end), end])
            })
            .flatten()
            .map(|place| place as u32)
            .collect();
        let count = places.len() / 4;
        let places = Tensor::from_vec(places, (count, 4), &self.device)?;
        *kept = Some(Tiles { borders: shape.borders.to_vec(), size, places: places.clone() });
        Ok((places, count as u32))
    }

    pub(super) fn attend(&self, shape: AttentionShape<'_>, qkv: &Tensor) -> Result<(Tensor, Tensor)> {
        if shape.head_dim > WIDEST {
            return self.composed.attention(shape, qkv);
        }
        let (tokens, dim) = (qkv.dim(0)?, shape.head_dim);
        let out = self.room((tokens, shape.heads * dim), qkv.dtype())?;
        let log_sums = self.room((tokens, shape.heads), DType::F32)?;
        let (tiles, count) = self.tiles(shape)?;
        let mut args = vec![Arg::Tensor(qkv)];
        args.extend(layout(shape));
        args.extend([Arg::Tensor(&tiles), Arg::Tensor(&out), Arg::Tensor(&log_sums)]);
        let name = format!("attention_{}_{}", self.format, tile(dim));
        self.blocks(&name, (count, shape.heads as u32), shared_bytes(dim, 2, 1), &args)?;
        Ok((out, log_sums))
    }

    pub(super) fn attend_back(
        &self,
        shape: AttentionShape<'_>,
        given: Attended<'_>,
        grad_out: &Tensor,
    ) -> Result<Tensor> {
        if shape.head_dim > WIDEST {
            return self.composed.attention_backward(shape, given, grad_out);
        }
        let Attended { qkv, out, log_sums } = given;
        let (tokens, dim) = (qkv.dim(0)?, shape.head_dim);
        let along = self.room((tokens, shape.heads), DType::F32)?;
        let count = tokens * shape.heads;
        let args = [
            Arg::Tensor(out),
            Arg::Tensor(grad_out),
            Arg::Int(dim as i32),
            Arg::Long(count as u64),
            Arg::Tensor(&along),
        ];
        self.each("attention_along", count, &args)?;
        let grad = self.room(qkv.shape(), qkv.dtype())?;
        let (tiles, count) = self.tiles(shape)?;
        let mut args =
            vec![Arg::Tensor(qkv), Arg::Tensor(grad_out), Arg::Tensor(log_sums), Arg::Tensor(&along)];
        args.extend(layout(shape));
        args.extend([Arg::Tensor(&tiles), Arg::Tensor(&grad)]);
        let bytes = shared_bytes(dim, 4, 2);
        for (which, heads) in [("queries", shape.heads), ("keys", shape.kv_heads)] {
            let name = format!("attention_{which}_{}_{}", self.format, tile(dim));
            self.blocks(&name, (count, heads as u32), bytes, &args)?;
        }
        Ok(grad)
    }
}

/// The arguments that all of attention's kernels share.
fn layout(shape: AttentionShape<'_>) -> [Arg<'static>; 6] {
    [
        Arg::Int(shape.heads as i32),
        Arg::Int(shape.kv_heads as i32),
        Arg::Int(shape.head_dim as i32),
        Arg::Float(shape.scale),
        Arg::Float(shape.soft_cap.unwrap_or(0.0)),
        Arg::Int(shape.window.unwrap_or(0) as i32),
    ]
}
