//! The buffers of a step, kept between steps and grown when a larger one comes.

use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use crate::kernels::quant::Activations;
use crate::kernels::quant::activation::ActivationsAt;
use crate::model::ModelConfig;

/// Counters of a layer's phases whose work is dealt out as it is done.
pub(crate) const COUNTERS: usize = 5;

pub(crate) struct Workspace {
    rows: usize,
    wanted: usize,
    rank: usize,
    residual: Vec<f32>,
    projected: Vec<f32>,
    added: Vec<f32>,
    gated: Vec<f32>,
    low: Vec<f32>,
    angles: Vec<f32>,
    pub logits: Vec<f32>,
    normed: Activations,
    attended: Activations,
    inner: Activations,
    last: Activations,
    pub counters: Vec<AtomicUsize>,
    pub scratch: Vec<Mutex<WorkerScratch>>,
}

/// One worker's own.
#[derive(Default)]
pub(crate) struct WorkerScratch {
    pub bytes: Vec<u8>,
    pub scores: Vec<f32>,
}

/// Where the buffers lie. Who writes which part is settled phase by phase in `forward`.
#[derive(Clone, Copy)]
pub(crate) struct Addresses {
    /// (rows, hidden)
    pub residual: *mut f32,
    /// (rows, query width + 2 * key/value width)
    pub projected: *mut f32,
    /// (rows, hidden): what a block adds, where it is normalised first.
    pub added: *mut f32,
    /// (rows, 2 * intermediate): gate, then up.
    pub gated: *mut f32,
    /// Three times (rows, rank): products with A of up to three projections.
    pub low: [*mut f32; 3],
    /// (2 ropes, rows, 2, half): cosines and sines.
    pub angles: *mut f32,
    pub angle_half: usize,
    /// (wanted, vocabulary in whole panels)
    pub logits: *mut f32,
    /// (rows, hidden)
    pub normed: ActivationsAt,
    /// (rows, query width)
    pub attended: ActivationsAt,
    /// (rows, intermediate)
    pub inner: ActivationsAt,
    /// (wanted, hidden)
    pub last: ActivationsAt,
}

// SAFETY: an address book; `forward` settles who writes where.
unsafe impl Send for Addresses {}
// SAFETY: the workers share it, and `forward` gives each of them places of its own.
unsafe impl Sync for Addresses {}

impl Workspace {
    pub(crate) fn new(config: &ModelConfig, threads: usize) -> Self {
        let mut scratch = Vec::new();
        scratch.resize_with(threads, Mutex::default);
        let mut counters = Vec::new();
        counters.resize_with(config.layers * COUNTERS + 1, AtomicUsize::default);
        Self {
            rows: 0,
            wanted: 0,
            rank: 0,
            residual: Vec::new(),
            projected: Vec::new(),
            added: Vec::new(),
            gated: Vec::new(),
            low: Vec::new(),
            angles: Vec::new(),
            logits: Vec::new(),
            normed: Activations::new(0, config.hidden),
            attended: Activations::new(0, config.query_width()),
            inner: Activations::new(0, config.intermediate),
            last: Activations::new(0, config.hidden),
            counters,
            scratch,
        }
    }

    /// Makes room, and says where.
    pub(crate) fn prepare(
        &mut self,
        config: &ModelConfig,
        rows: usize,
        wanted: usize,
        rank: usize,
    ) -> Addresses {
        let half = angle_half(config);
        if rows > self.rows || rank > self.rank {
            let rows = rows.max(self.rows);
            self.rows = rows;
            self.rank = rank.max(self.rank);
            self.residual.resize(rows * config.hidden, 0.0);
            self.projected.resize(rows * (config.query_width() + 2 * config.kv_width()), 0.0);
            self.added.resize(rows * config.hidden, 0.0);
            self.gated.resize(rows * 2 * config.intermediate, 0.0);
            self.low.resize(3 * rows * self.rank, 0.0);
            self.angles.resize(2 * rows * 2 * half, 0.0);
            self.normed = Activations::new(rows, config.hidden);
            self.attended = Activations::new(rows, config.query_width());
            self.inner = Activations::new(rows, config.intermediate);
        }
        if wanted > self.wanted {
            self.wanted = wanted;
            self.logits.resize(wanted * logit_stride(config), 0.0);
            self.last = Activations::new(wanted, config.hidden);
        }
        for counter in &mut self.counters {
            *counter.get_mut() = 0;
        }
        let low = self.low.as_mut_ptr();
        let part = self.rows * self.rank;
        Addresses {
            residual: self.residual.as_mut_ptr(),
            projected: self.projected.as_mut_ptr(),
            added: self.added.as_mut_ptr(),
            gated: self.gated.as_mut_ptr(),
            low: [low, low.wrapping_add(part), low.wrapping_add(2 * part)],
            angles: self.angles.as_mut_ptr(),
            angle_half: half,
            logits: self.logits.as_mut_ptr(),
            normed: self.normed.at(),
            attended: self.attended.at(),
            inner: self.inner.at(),
            last: self.last.at(),
        }
    }
}

/// Floats between the logits of two rows.
pub(crate) fn logit_stride(config: &ModelConfig) -> usize {
    config.vocabulary.next_multiple_of(16)
}

fn angle_half(config: &ModelConfig) -> usize {
    let local = config.local_rope.as_ref().map_or(0, |rope| rope.dimensions);
    config.rope.dimensions.max(local) / 2
}
