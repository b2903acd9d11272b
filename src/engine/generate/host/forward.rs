//! One step: every layer over the new tokens of any number of sequences, by all workers together.
//!
//! Each phase reads what earlier phases wrote and writes its own places only; a barrier stands between two phases.
//! That is what every `SAFETY` comment here leans on.

use std::ops::Range;
use std::sync::PoisonError;
use std::sync::atomic::AtomicUsize;

use super::decoder::{Decoder, HostLayer};
use super::pages::{CacheShape, PageAddresses, Pages};
use super::products::ProductTarget;
use super::workspace::{Addresses, COUNTERS, WorkerScratch, Workspace, logit_stride};
use crate::adapter::{Module, Projection};
use crate::generate::backend::{SequenceSpan, Step};
use crate::generate::team::{Team, TeamWorker};
use crate::kernels::attention::paged::AttentionQuery;
use crate::kernels::glu::Gate;
use crate::kernels::lanes::LaneIsa;
use crate::kernels::norm::RmsNorm;
use crate::kernels::quant::activation::{ActivationsAt, Quantise};
use crate::kernels::quant::panel::{PanelOutput, Write};
use crate::kernels::softmax::soft_cap;
use crate::model::ModelConfig;

/// Up to this many rows, panels are dealt out once; with more, as they are done.
pub(super) const FEW_ROWS: usize = 4;

pub(super) struct HostPass<'a> {
    pub decoder: &'a Decoder,
    pub config: &'a ModelConfig,
    pub isa: LaneIsa,
    pub at: Addresses,
    pub step: &'a Step,
    pub cache: CacheShape,
    pub pages: PageAddresses,
    pub counters: &'a [AtomicUsize],
    /// Attention's work: queries of one sequence and key/value head.
    pub items: Vec<Item>,
    pub threads: usize,
    /// The largest of the step's adapters.
    pub rank: usize,
}

/// Some queries of a span that share a key/value head: query `i` is head `i % group` of token `i / group`.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub span: usize,
    pub head: usize,
    pub queries: Range<usize>,
}

/// Runs a step. Afterwards the workspace holds the wanted logits, one row of [`logit_stride`] floats each.
pub(super) fn forward(
    decoder: &Decoder,
    pages: &mut Pages,
    team: &mut Team,
    workspace: &mut Workspace,
    step: &Step,
) {
    let config = &decoder.config;
    let rank = step.adapters.iter().map(|(lora, _)| lora.rank).max().unwrap_or(0);
    let at = workspace.prepare(config, step.tokens.len(), step.wanted.len(), rank);
    let threads = team.threads();
    let mut pass = HostPass {
        decoder,
        config,
        isa: LaneIsa::best(),
        at,
        step,
        cache: pages.shape(),
        pages: pages.addresses(step),
        counters: &workspace.counters,
        items: Vec::new(),
        threads,
        rank,
    };
    pass.items = pass.attention_items();
    let scratch = &workspace.scratch;
    team.run(&|worker| {
        if let Some(own) = scratch.get(worker.index) {
            pass.run(worker, &mut own.lock().unwrap_or_else(PoisonError::into_inner));
        }
    });
}

impl HostPass<'_> {
    pub(super) fn rows(&self) -> usize {
        self.step.tokens.len()
    }

    fn run(&self, worker: TeamWorker<'_>, scratch: &mut WorkerScratch) {
        self.embed(worker);
        self.compute_angles(worker);
        worker.meet();
        for (index, layer) in self.decoder.layers.iter().enumerate() {
            self.attend(worker, scratch, index, layer);
            self.feed_forward(worker, scratch, index, layer);
        }
        self.predict(worker, scratch);
    }

    fn embed(&self, worker: TeamWorker<'_>) {
        let hidden = self.config.hidden;
        for row in worker.share(self.rows()) {
            let token = self.step.tokens.get(row).copied().unwrap_or(0);
            // SAFETY: the row is this worker's share.
            let to = unsafe { std::slice::from_raw_parts_mut(self.at.residual.add(row * hidden), hidden) };
            self.read_embedding(row, token, to);
            for value in to {
                *value *= self.config.embedding_scale;
            }
        }
    }

    fn attend(&self, worker: TeamWorker<'_>, scratch: &mut WorkerScratch, index: usize, layer: &HostLayer) {
        let (query, kv) = (self.config.query_width(), self.config.kv_width());
        let stride = query + 2 * kv;
        let quantise = [&layer.q, &layer.k, &layer.v].iter().any(|matrix| !matrix.kind().is_dense());
        let module = Module::LayerNorm(index, self.config.layer.attention.before);
        self.normalise(worker, (module, &layer.input_norm), quantise);
        worker.meet();
        let to = |offset: usize| PanelOutput {
            // SAFETY: the three parts lie inside a row.
            to: unsafe { self.at.projected.add(offset) },
            stride,
            write: Write::Replace,
        };
        let target = |matrix, projection, offset| ProductTarget { matrix, projection, output: to(offset) };
        let targets = [
            target(&layer.q, Projection::QProj, 0),
            target(&layer.k, Projection::KProj, query),
            target(&layer.v, Projection::VProj, query + kv),
        ];
        self.products(worker, scratch, index, 0, &targets, self.at.normed);
        worker.meet();
        self.place_heads(worker, index, layer);
        worker.meet();
        self.attention(worker, scratch, index);
        worker.meet();
        if !layer.o.kind().is_dense() {
            self.quantise(worker, self.at.attended, self.rows() * query / 32);
            worker.meet();
        }
        let norm = self.config.layer.attention.after.zip(layer.post_attention_norm.as_deref());
        self.add_product(worker, scratch, (index, 2), (&layer.o, Projection::OProj), self.at.attended, norm);
    }

    fn feed_forward(
        &self,
        worker: TeamWorker<'_>,
        scratch: &mut WorkerScratch,
        index: usize,
        layer: &HostLayer,
    ) {
        let inner = self.config.intermediate;
        let quantise = [&layer.gate, &layer.up].iter().any(|matrix| !matrix.kind().is_dense());
        let module = Module::LayerNorm(index, self.config.layer.feed_forward.before);
        self.normalise(worker, (module, &layer.feed_forward_norm), quantise);
        worker.meet();
        let to = |offset: usize| PanelOutput {
            // SAFETY: both parts lie inside a row.
            to: unsafe { self.at.gated.add(offset) },
            stride: 2 * inner,
            write: Write::Replace,
        };
        let targets = [
            ProductTarget { matrix: &layer.gate, projection: Projection::GateProj, output: to(0) },
            ProductTarget { matrix: &layer.up, projection: Projection::UpProj, output: to(inner) },
        ];
        self.products(worker, scratch, index, 3, &targets, self.at.normed);
        worker.meet();
        self.gate(worker, !layer.down.kind().is_dense());
        worker.meet();
        let norm = self.config.layer.feed_forward.after.zip(layer.post_feed_forward_norm.as_deref());
        self.add_product(
            worker,
            scratch,
            (index, 4),
            (&layer.down, Projection::DownProj),
            self.at.inner,
            norm,
        );
    }

    /// The residual stream, normalised, into `normed`.
    fn normalise(&self, worker: TeamWorker<'_>, (module, weight): (Module, &[f32]), quantise: bool) {
        let hidden = self.config.hidden;
        let share = worker.share(self.rows());
        for row in share.clone() {
            // SAFETY: the row is this worker's share; the weight has `hidden` values.
            unsafe {
                self.isa.run(RmsNorm {
                    x: self.at.residual.add(row * hidden),
                    weight: self.norm(row, module, weight).as_ptr(),
                    out: self.at.normed.values.add(row * hidden),
                    width: hidden,
                    epsilon: self.config.norm_epsilon,
                });
            }
        }
        if quantise {
            let groups = hidden / 32;
            // SAFETY: the groups of this worker's rows.
            unsafe {
                let groups = share.start * groups..share.end * groups;
                self.isa.run(Quantise { at: self.at.normed, groups });
            }
        }
    }

    fn quantise(&self, worker: TeamWorker<'_>, at: ActivationsAt, groups: usize) {
        // SAFETY: the groups are this worker's share.
        unsafe { self.isa.run(Quantise { at, groups: worker.share(groups) }) };
    }

    fn gate(&self, worker: TeamWorker<'_>, quantise: bool) {
        let inner = self.config.intermediate;
        let unit = if quantise { 32 } else { 16 };
        let per_row = inner / unit;
        let share = worker.share(self.rows() * per_row);
        let mut next = share.start;
        while next < share.end {
            let (row, from) = (next / per_row, next % per_row);
            let to = per_row.min(from + share.end - next);
            // SAFETY: the units are this worker's share.
            unsafe {
                let gate = self.at.gated.add(row * 2 * inner + from * unit).cast_const();
                self.isa.run(Gate {
                    x: gate,
                    up: gate.add(inner),
                    out: self.at.inner.values.add(row * inner + from * unit),
                    width: (to - from) * unit,
                    activation: self.config.activation,
                });
            }
            next += to - from;
        }
        if quantise {
            // SAFETY: the groups are those of the units that this worker has just written.
            unsafe { self.isa.run(Quantise { at: self.at.inner, groups: share }) };
        }
    }

    /// Logits of the wanted rows.
    fn predict(&self, worker: TeamWorker<'_>, scratch: &mut WorkerScratch) {
        let hidden = self.config.hidden;
        let output = self.decoder.output();
        let share = worker.share(self.step.wanted.len());
        for (place, &row) in self.step.wanted.iter().enumerate().take(share.end).skip(share.start) {
            // SAFETY: the place is this worker's share.
            unsafe {
                self.isa.run(RmsNorm {
                    x: self.at.residual.add(row * hidden),
                    weight: self.norm(row, Module::Norm, &self.decoder.final_norm).as_ptr(),
                    out: self.at.last.values.add(place * hidden),
                    width: hidden,
                    epsilon: self.config.norm_epsilon,
                });
                if !output.kind().is_dense() {
                    let groups = place * hidden / 32..(place + 1) * hidden / 32;
                    self.isa.run(Quantise { at: self.at.last, groups });
                }
            }
        }
        worker.meet();
        let stride = logit_stride(self.config);
        let target = PanelOutput { to: self.at.logits, stride, write: Write::Replace };
        let counter = self.config.layers * COUNTERS;
        self.deal(worker, scratch, counter, &[(output, target)], self.at.last, self.step.wanted.len());
        self.predict_tuned(worker, scratch);
        if let Some(cap) = self.config.logit_softcap {
            worker.meet();
            for place in worker.share(self.step.wanted.len()) {
                // SAFETY: the place is this worker's share.
                let row = unsafe {
                    std::slice::from_raw_parts_mut(self.at.logits.add(place * stride), self.config.vocabulary)
                };
                soft_cap(row, cap);
            }
        }
    }

    /// A query's addresses.
    pub(super) fn query(
        &self,
        span: &SequenceSpan,
        head: usize,
        index: usize,
        window: Option<usize>,
    ) -> AttentionQuery {
        let group = self.config.heads / self.config.kv_heads;
        let (token, member) = (index / group, index % group);
        let row = span.rows.start + token;
        let column = (head * group + member) * self.config.head_dim;
        let stride = self.config.query_width() + 2 * self.config.kv_width();
        let end = span.start + token + 1;
        AttentionQuery {
            from: self.at.projected.wrapping_add(row * stride + column),
            to: self.at.attended.values.wrapping_add(row * self.config.query_width() + column),
            start: window.map_or(0, |window| end.saturating_sub(window)),
            end,
        }
    }
}
