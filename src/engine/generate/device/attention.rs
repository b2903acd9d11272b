//! Attention over pages on a device, of candle's operations: the keys and values that some queries see are gathered side
//! by side. Lone queries (sequences that go on by a token) of similar reach are computed together, whatever sequence they
//! belong to; the queries of a prompt in runs whose scores fit a bound.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use candle_core::{D, Device, Result, Tensor};

use super::pages::{Pages, slot};
use crate::device::kernels::{capped, product};
use crate::generate::backend::{SequenceSpan, Step};
use crate::model::ModelConfig;

/// Scores that are in memory at once.
const MOST_SCORES: usize = 1 << 24;

/// How a step's queries are computed in the layers of one window.
pub(super) struct Plan {
    batches: Vec<QueryBatch>,
    /// Where each row of the step stands behind all batches; none where they are in order.
    order: Option<Tensor>,
}

/// Queries that are computed together: as many of each span.
struct QueryBatch {
    spans: usize,
    each: usize,
    /// Keys of each span, the shorter ones filled up.
    keys: usize,
    /// Rows of the step: (spans * each), u32.
    rows: Tensor,
    /// Rows of a layer's table: (spans * keys), u32.
    slots: Tensor,
    /// 0 where a query sees a key, else minus infinity: (spans, 1, each, keys), f32.
    mask: Tensor,
}

/// Some queries of a span, and the positions that any of them sees.
#[derive(Clone)]
struct QueryPiece<'a> {
    span: &'a SequenceSpan,
    /// Rows of the step.
    rows: Range<usize>,
    seen: Range<usize>,
}

impl QueryPiece<'_> {
    fn position(&self, row: usize) -> usize {
        self.span.start + row - self.span.rows.start
    }
}

/// A plan for each window that the model's layers have.
pub(super) fn plans(
    config: &ModelConfig,
    step: &Step,
    device: &Device,
) -> Result<BTreeMap<Option<usize>, Plan>> {
    let windows: BTreeSet<Option<usize>> = config.windows.iter().copied().collect();
    windows.into_iter().map(|window| Ok((window, Plan::new(config, step, window, device)?))).collect()
}

impl Plan {
    fn new(config: &ModelConfig, step: &Step, window: Option<usize>, device: &Device) -> Result<Self> {
        let (mut lone, mut groups): (Vec<QueryPiece<'_>>, Vec<Vec<QueryPiece<'_>>>) =
            (Vec::new(), Vec::new());
        for span in &step.spans {
            let pieces = pieces(config, span, window);
            if span.rows.len() == 1 {
                lone.extend(pieces);
            } else {
                groups.extend(pieces.map(|piece| vec![piece]));
            }
        }
        lone.sort_by_key(|piece| piece.seen.len());
        let mut left = lone.as_slice();
        while let Some(shortest) = left.first() {
            let most = (MOST_SCORES / (config.heads * 2 * shortest.seen.len())).max(1);
            let alike = left.partition_point(|piece| piece.seen.len() <= 2 * shortest.seen.len());
            let (together, rest) = left.split_at(alike.min(most));
            groups.push(together.to_vec());
            left = rest;
        }
        let rows: Vec<usize> = groups.iter().flatten().flat_map(|piece| piece.rows.clone()).collect();
        let order = if rows.is_sorted() {
            None
        } else {
            let mut places = vec![0u32; rows.len()];
            for (place, row) in rows.into_iter().enumerate() {
                places[row] = place as u32;
            }
            let count = places.len();
            Some(Tensor::from_vec(places, count, device)?)
        };
        let batches = groups.iter().map(|group| QueryBatch::new(group, window, device));
        Ok(Self { batches: batches.collect::<Result<_>>()?, order })
    }

    /// Outputs of queries in rows of queries, keys and values, (rows, row), whose keys and values the pages hold already:
    /// (rows, query width).
    pub(super) fn attend(
        &self,
        config: &ModelConfig,
        pages: &Pages,
        layer: usize,
        qkv: &Tensor,
    ) -> Result<Tensor> {
        let queries = qkv.narrow(1, 0, config.query_width())?.contiguous()?;
        let outs = self.batches.iter().map(|batch| batch.attend(config, pages, layer, &queries));
        let outs = Tensor::cat(&outs.collect::<Result<Vec<_>>>()?, 0)?;
        match &self.order {
            None => Ok(outs),
            Some(order) => outs.index_select(order, 0),
        }
    }
}

/// The queries of a span, in runs whose scores fit the bound.
fn pieces<'a>(
    config: &ModelConfig,
    span: &'a SequenceSpan,
    window: Option<usize>,
) -> impl Iterator<Item = QueryPiece<'a>> + use<'a> {
    let behind = span.start + span.rows.len();
    let at_once = (MOST_SCORES / (config.heads * behind.max(1))).max(1);
    span.rows.clone().step_by(at_once).map(move |first| {
        let rows = first..span.rows.end.min(first + at_once);
        let position = span.start + first - span.rows.start;
        let left = window.map_or(0, |window| (position + 1).saturating_sub(window));
        QueryPiece { span, seen: left..position + rows.len(), rows }
    })
}

impl QueryBatch {
    /// Of pieces with as many queries each.
    fn new(pieces: &[QueryPiece<'_>], window: Option<usize>, device: &Device) -> Result<Self> {
        let each = pieces.first().map_or(0, |piece| piece.rows.len());
        let keys = pieces.iter().map(|piece| piece.seen.len()).max().unwrap_or(0);
        let (mut rows, mut slots, mut mask) = (Vec::new(), Vec::new(), Vec::new());
        for piece in pieces {
            rows.extend(piece.rows.clone().map(|row| row as u32));
            let own = piece.seen.clone().map(|position| slot(&piece.span.pages, position));
            slots.extend(own.chain(std::iter::repeat(0)).take(keys));
            for row in piece.rows.clone() {
                let position = piece.position(row);
                let from = window.map_or(0, |window| (position + 1).saturating_sub(window));
                let key = |index: usize| {
                    let key = piece.seen.start + index;
                    if key >= from && key <= position { 0.0 } else { f32::NEG_INFINITY }
                };
                mask.extend((0..keys).map(key));
            }
        }
        let spans = pieces.len();
        Ok(Self {
            spans,
            each,
            keys,
            rows: Tensor::from_vec(rows, spans * each, device)?,
            slots: Tensor::from_vec(slots, spans * keys, device)?,
            mask: Tensor::from_vec(mask, (spans, 1, each, keys), device)?,
        })
    }

    fn attend(&self, config: &ModelConfig, pages: &Pages, layer: usize, queries: &Tensor) -> Result<Tensor> {
        let (spans, each, dim) = (self.spans, self.each, config.head_dim);
        let (kv, group) = (config.kv_heads, config.heads / config.kv_heads);
        let queries = queries.index_select(&self.rows, 0)?.reshape((spans, each, kv, group, dim))?;
        let queries =
            queries.permute((0, 2, 3, 1, 4))?.contiguous()?.reshape((spans * kv, group * each, dim))?;
        let (keys, values) = pages.get(layer, &self.slots)?;
        let by_head = |part: Tensor| {
            let part = part.reshape((spans, self.keys, kv, dim))?.permute((0, 2, 1, 3))?.contiguous()?;
            part.reshape((spans * kv, self.keys, dim))
        };
        let (keys, values) = (by_head(keys)?, by_head(values)?);
        let mut scores = (product(&queries, &keys.t()?)? * f64::from(config.attention_scale))?;
        if let Some(cap) = config.attention_softcap {
            scores = capped(&scores, cap)?;
        }
        let scores = scores.reshape((spans, kv * group, each, self.keys))?.broadcast_add(&self.mask)?;
        let exponentials = scores.broadcast_sub(&scores.max_keepdim(D::Minus1)?)?.exp()?;
        let weights = exponentials.broadcast_div(&exponentials.sum_keepdim(D::Minus1)?)?;
        let out = product(&weights.reshape((spans * kv, group * each, self.keys))?, &values)?;
        let out = out.reshape((spans, kv, group, each, dim))?.permute((0, 3, 1, 2, 4))?.contiguous()?;
        out.reshape((spans * each, kv * group * dim))
    }
}
