//! The part of a step that works head by head: biases, norms of q and k, rotation, the cache, attention.

use std::sync::atomic::Ordering;

use super::decoder::HostLayer;
use super::forward::{HostPass, Item};
use super::workspace::{COUNTERS, WorkerScratch};
use crate::adapter::Module;
use crate::generate::backend::SequenceSpan;
use crate::generate::cache::PAGE;
use crate::generate::team::TeamWorker;
use crate::kernels::add::AddInto;
use crate::kernels::attention::paged::{PagedAttention, QUERIES, StorePosition};
use crate::kernels::norm::RmsNorm;
use crate::kernels::rope::{Rotate, RotationDirection};
use crate::model::config::Rope;

impl HostPass<'_> {
    /// Cosines and sines of every row's position, for each rotary embedding that the model has.
    pub(super) fn compute_angles(&self, worker: TeamWorker<'_>) {
        let ropes = std::iter::once(&self.config.rope).chain(&self.config.local_rope);
        for (index, rope) in ropes.enumerate() {
            let (frequencies, factor) = rope.frequencies();
            for row in worker.share(self.step.tokens.len()) {
                let position = self.position(row) as f32;
                let to = self.angles(index, row);
                for (pair, frequency) in frequencies.iter().enumerate() {
                    let (sine, cosine) = (position * frequency).sin_cos();
                    // SAFETY: the row's own angles, this worker's share.
                    unsafe {
                        *to.add(pair) = cosine * factor;
                        *to.add(self.at.angle_half + pair) = sine * factor;
                    }
                }
            }
        }
    }

    fn angles(&self, rope: usize, row: usize) -> *mut f32 {
        self.at.angles.wrapping_add((rope * self.step.tokens.len() + row) * 2 * self.at.angle_half)
    }

    fn span_of(&self, row: usize) -> Option<(&SequenceSpan, &[*mut u32])> {
        let index = self.step.spans.partition_point(|span| span.rows.end <= row);
        Some((self.step.spans.get(index)?, self.pages.0.get(index)?))
    }

    fn position(&self, row: usize) -> usize {
        self.span_of(row).map_or(0, |(span, _)| span.start + row - span.rows.start)
    }

    /// Which of the model's rotary embeddings a layer uses.
    fn layer_rope(&self, layer: usize) -> Option<(usize, &Rope)> {
        let rope = self.config.layer_rope(layer)?;
        Some((usize::from(self.config.is_local(rope)), rope))
    }

    /// Finishes q, k and v, and puts k and v into the cache.
    pub(super) fn place_heads(&self, worker: TeamWorker<'_>, index: usize, layer: &HostLayer) {
        let config = self.config;
        let each = config.heads + config.kv_heads;
        let stride = config.query_width() + 2 * config.kv_width();
        let rope = self.layer_rope(index);
        let mut current: Option<(usize, (&SequenceSpan, &[*mut u32]))> = None;
        for unit in worker.share(self.step.tokens.len() * each) {
            let (row, head) = (unit / each, unit % each);
            let projected = self.at.projected.wrapping_add(row * stride);
            // SAFETY: the head of this row is this worker's share: q, or k and v together.
            unsafe {
                let at = projected.add(head * config.head_dim);
                self.finish_head(at, (index, row), layer, head);
                if let Some((which, rope)) = rope {
                    let cosines = self.angles(which, row).cast_const();
                    let sines = cosines.add(self.at.angle_half);
                    self.isa.run(Rotate {
                        head: at,
                        cosines,
                        sines,
                        half: rope.dimensions / 2,
                        direction: RotationDirection::Forward,
                    });
                }
                if head < config.heads {
                    continue;
                }
                let value = at.add(config.kv_width());
                self.add_bias(value, layer, head + config.kv_heads);
                let span = match current {
                    Some((of, span)) if of == row => Some(span),
                    _ => self.span_of(row),
                };
                let Some((span, pages)) = span else { continue };
                current = Some((row, (span, pages)));
                let position = span.start + row - span.rows.start;
                let Some(&page) = pages.get(position / PAGE) else { continue };
                let kv_head = head - config.heads;
                self.isa.run(StorePosition {
                    key: at,
                    value,
                    page,
                    full: self.cache.full,
                    keys: self.cache.keys(index, kv_head) + position % PAGE,
                    values: self.cache.values(index, kv_head) + position % PAGE * self.cache.width,
                    head_dim: config.head_dim,
                });
            }
        }
    }

    /// # Safety
    /// `at` is a head of `head_dim` values that nobody else uses.
    unsafe fn finish_head(&self, at: *mut f32, (index, row): (usize, usize), layer: &HostLayer, head: usize) {
        // SAFETY: as promised; the norms have `head_dim` values.
        unsafe {
            self.add_bias(at, layer, head);
            if let Some(([query, key], [of_query, of_key])) =
                self.config.layer.head_norms.zip(layer.head_norms.as_ref())
            {
                let (name, weight) = if head < self.config.heads { (query, of_query) } else { (key, of_key) };
                let weight = self.norm(row, Module::LayerNorm(index, name), weight);
                let (width, epsilon) = (self.config.head_dim, self.config.norm_epsilon);
                self.isa.run(RmsNorm { x: at, weight: weight.as_ptr(), out: at, width, epsilon });
            }
        }
    }

    /// # Safety
    /// As [`HostPass::finish_head`].
    unsafe fn add_bias(&self, at: *mut f32, layer: &HostLayer, head: usize) {
        let width = self.config.head_dim;
        if let Some(bias) = layer.bias.get(head * width..(head + 1) * width) {
            // SAFETY: the caller promises that the row is there and that no other thread has it.
            unsafe { self.isa.run(AddInto { from: bias.as_ptr(), to: at, width }) };
        }
    }

    /// All of a step's attention, in pieces. A lone token's heads are cut finer, so that every worker has some.
    pub(super) fn attention_items(&self) -> Vec<Item> {
        let group = self.config.heads / self.config.kv_heads;
        let alone = self.step.tokens.len() * self.config.kv_heads < 4 * self.threads;
        let at_once = if alone { group.div_ceil(2).min(QUERIES) } else { QUERIES };
        let mut items = Vec::new();
        for (span, new) in self.step.spans.iter().enumerate() {
            let total = new.rows.len() * group;
            for head in 0..self.config.kv_heads {
                for start in (0..total).step_by(at_once) {
                    items.push(Item { span, head, queries: start..total.min(start + at_once) });
                }
            }
        }
        items
    }

    pub(super) fn attention(&self, _worker: TeamWorker<'_>, scratch: &mut WorkerScratch, layer: usize) {
        let Some(counter) = self.counters.get(layer * COUNTERS + 1) else { return };
        let window = self.config.windows.get(layer).copied().flatten();
        let chunk = (self.items.len() / (8 * self.threads)).max(1);
        loop {
            let start = counter.fetch_add(chunk, Ordering::Relaxed);
            if start >= self.items.len() {
                return;
            }
            for item in self.items.iter().skip(start).take(chunk) {
                let span = self.step.spans.get(item.span).zip(self.pages.0.get(item.span));
                let Some((span, pages)) = span else { continue };
                let mut queries = [self.query(span, item.head, item.queries.start, window); QUERIES];
                for (query, index) in queries.iter_mut().zip(item.queries.clone()) {
                    *query = self.query(span, item.head, index, window);
                }
                // SAFETY: the item is dealt to this worker alone; the span's pages reach its last position.
                unsafe {
                    self.isa.run(PagedAttention {
                        queries: &queries[..item.queries.len()],
                        pages,
                        full: self.cache.full,
                        keys: self.cache.keys(layer, item.head),
                        values: self.cache.values(layer, item.head),
                        head_dim: self.config.head_dim,
                        width: self.cache.width,
                        scale: self.config.attention_scale,
                        soft_cap: self.config.attention_softcap,
                        scratch: &mut scratch.scores,
                    });
                }
            }
        }
    }
}
