//! What an adapter trains beside the linear layers: its numbers are put into the weights before a pass, and gradients
//! are added to its places.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::{Result, ensure};

use super::forward::StepPass;
use super::weights::DecoderWeights;
use crate::adapter::{Adapter, Module, TokenRows, WholeModule};
use crate::kernels::columns;
use crate::kernels::cross_entropy::WeightGradient;
use crate::model::ModelConfig;
use crate::model::layer::LayerNorm;

/// Where whole modules and rows stand among the trained numbers.
pub(in crate::train) struct WholeParts {
    modules: BTreeMap<Module, Range<usize>>,
    pub(in crate::train) rows: Vec<TokenRows>,
    tied: bool,
}

impl WholeParts {
    /// Checks that they are this model's.
    pub(in crate::train) fn of(config: &ModelConfig, adapter: &Adapter) -> Result<Self> {
        for it in &adapter.modules {
            let length: usize = it.module.shape(config).iter().product();
            ensure!(
                it.length == length,
                "the adapter is for another model: its {} holds {} values, this one's {length}",
                it.module.path(),
                it.length
            );
        }
        for rows in &adapter.rows {
            let outside = rows.tokens.iter().any(|&token| token as usize >= config.vocabulary);
            ensure!(
                rows.width == config.hidden && !outside,
                "the adapter is for another model: it trains tokens that this one's embedding lacks"
            );
            ensure!(
                rows.module == Module::Embedding || !config.tied_embeddings,
                "the adapter trains tokens of lm_head, which is tied to the embedding in this model"
            );
        }
        let modules = adapter.modules.iter().map(|it| (it.module, it.start..it.start + it.length)).collect();
        Ok(Self { modules, rows: adapter.rows.clone(), tied: config.tied_embeddings })
    }

    pub(in crate::train) fn range(&self, module: Module) -> Option<Range<usize>> {
        self.modules.get(&module).cloned()
    }

    pub(in crate::train) fn trains_embedding(&self) -> bool {
        self.modules.contains_key(&Module::Embedding)
            || self.rows.iter().any(|rows| rows.module == Module::Embedding)
    }

    pub(in crate::train) fn trains(&self, layer: usize, norm: LayerNorm) -> bool {
        self.modules.contains_key(&Module::LayerNorm(layer, norm))
    }

    /// The lowest layer that the backward must reach for these.
    pub(in crate::train) fn lowest(&self) -> Option<usize> {
        if self.trains_embedding() {
            return Some(0);
        }
        let layer =
            |module: &Module| if let Module::LayerNorm(layer, _) = module { Some(*layer) } else { None };
        self.modules.keys().filter_map(layer).min()
    }

    /// Adds the gradient of a norm's weight: `sum over rows of grad_y * x * inverse`.
    pub(super) fn add_norm(
        &self,
        module: Module,
        (x, inverse, grad_y): (&[f32], &[f32], &[f32]),
        gradients: &mut [f32],
    ) {
        if let Some(range) = self.range(module) {
            columns::add_products(x, grad_y, inverse, &mut gradients[range]);
        }
    }

    /// Where the gradient of the output layer goes.
    pub(super) fn output<'a>(&'a self, gradients: &'a mut [f32]) -> WeightGradient<'a> {
        if let Some(range) = self.range(Module::Output) {
            return WeightGradient::Whole(&mut gradients[range]);
        }
        let counts = |rows: &&TokenRows| rows.module == Module::Output || self.tied;
        match self.rows.iter().find(counts) {
            Some(rows) => WeightGradient::Rows {
                tokens: &rows.tokens,
                sums: &mut gradients[rows.start..rows.start + rows.length()],
            },
            None => WeightGradient::None,
        }
    }
}

impl StepPass<'_> {
    /// Adds the embedding's gradient, from that of the first layer's input.
    pub(super) fn embedding_back(&mut self, gradients: &mut [f32]) {
        if !self.whole.trains_embedding() {
            return;
        }
        let (hidden, scale) = (self.config.hidden, self.config.embedding_scale);
        let whole = self.whole.range(Module::Embedding);
        let rows = self.whole.rows.iter().find(|rows| rows.module == Module::Embedding);
        let rows = rows.map_or_else(BTreeMap::new, |rows| {
            rows.tokens.iter().copied().zip((rows.start..).step_by(hidden)).collect()
        });
        for (&token, grad) in self.batch.tokens.iter().zip(self.scratch.grad.slice().chunks_exact(hidden)) {
            let of_whole = whole.as_ref().map(|range| range.start + token as usize * hidden);
            let Some(start) = of_whole.or_else(|| rows.get(&token).copied()) else { continue };
            for (to, from) in gradients[start..start + hidden].iter_mut().zip(grad) {
                *to += from * scale;
            }
        }
    }

    /// Adds the gradients of the norms of queries and keys, from that of the normalised heads.
    pub(super) fn head_norms_back(
        &self,
        layer: usize,
        grad_qkv: &[f32],
        (raw, inverse): (&[f32], &[f32]),
        gradients: &mut [f32],
    ) {
        let (query, kv, dim) = (self.config.query_width(), self.config.kv_width(), self.config.head_dim);
        let heads = self.config.heads + self.config.kv_heads;
        let Some([of_queries, of_keys]) = self.config.layer.head_norms else { return };
        let places = [(of_queries, 0, query), (of_keys, query, kv)];
        for (norm, first, width) in places {
            let Some(range) = self.whole.range(Module::LayerNorm(layer, norm)) else { continue };
            let mut sums = vec![0.0; dim];
            let rows = grad_qkv.chunks_exact(query + 2 * kv).zip(raw.chunks_exact(query + kv));
            for ((grad, raw), inverse) in rows.zip(inverse.chunks_exact(heads)) {
                let (grad, raw) = (&grad[first..first + width], &raw[first..first + width]);
                let each = grad.chunks_exact(dim).zip(raw.chunks_exact(dim)).zip(&inverse[first / dim..]);
                for ((grad, raw), inverse) in each {
                    for ((sum, grad), raw) in sums.iter_mut().zip(grad).zip(raw) {
                        *sum += grad * raw * inverse;
                    }
                }
            }
            for (to, sum) in gradients[range].iter_mut().zip(sums) {
                *to += sum;
            }
        }
    }
}

/// Which parts of the weights hold an adapter's numbers, and what stood there.
#[derive(Default)]
pub(super) struct Tuned {
    modules: Vec<WholeModule>,
    rows: Vec<TokenRows>,
    /// One for each module, then one for each of the rows.
    originals: Vec<Vec<f32>>,
}

impl DecoderWeights {
    /// Puts an adapter's whole modules and rows into the weights; what an earlier adapter put there is taken out.
    pub(super) fn tune(&mut self, config: &ModelConfig, adapter: &Adapter) {
        if self.tuned.modules != adapter.modules || self.tuned.rows != adapter.rows {
            self.restore(config);
            self.begin(config, adapter);
        }
        for it in &adapter.modules {
            let from = adapter.part(it.start, it.length);
            for (to, from) in self.place(it.module).iter_mut().zip(from) {
                *to = it.module.computed(*from, config);
            }
        }
        for rows in &adapter.rows {
            let from = adapter.part(rows.start, rows.length()).chunks_exact(rows.width);
            let place = self.place(rows.module);
            for (&token, from) in rows.tokens.iter().zip(from) {
                place[token as usize * rows.width..][..rows.width].copy_from_slice(from);
            }
        }
    }

    /// Sets aside what will be replaced.
    fn begin(&mut self, config: &ModelConfig, adapter: &Adapter) {
        let outer = |it: &WholeModule| matches!(it.module, Module::Embedding | Module::Output);
        if config.tied_embeddings && adapter.modules.iter().any(outer) {
            self.output = Some(self.embedding.clone());
        }
        let mut originals: Vec<Vec<f32>> =
            adapter.modules.iter().map(|it| self.place(it.module).to_vec()).collect();
        for rows in &adapter.rows {
            let place = self.place(rows.module);
            let row = |&token: &u32| place[token as usize * rows.width..][..rows.width].iter().copied();
            originals.push(rows.tokens.iter().flat_map(row).collect());
        }
        self.tuned = Tuned { modules: adapter.modules.clone(), rows: adapter.rows.clone(), originals };
    }

    fn restore(&mut self, config: &ModelConfig) {
        let Tuned { modules, rows, originals } = std::mem::take(&mut self.tuned);
        let mut originals = originals.into_iter();
        for (it, original) in modules.iter().zip(originals.by_ref()) {
            self.place(it.module).copy_from_slice(&original);
        }
        for (rows, original) in rows.iter().zip(originals) {
            let place = self.place(rows.module);
            for (&token, from) in rows.tokens.iter().zip(original.chunks_exact(rows.width)) {
                place[token as usize * rows.width..][..rows.width].copy_from_slice(from);
            }
        }
        if config.tied_embeddings {
            self.output = None;
        }
    }

    /// A module's weight; empty where the model has no such module.
    fn place(&mut self, module: Module) -> &mut [f32] {
        match module {
            Module::Embedding => &mut self.embedding,
            Module::Output => self.output.as_mut().unwrap_or(&mut self.embedding),
            Module::Norm => &mut self.norm,
            Module::LayerNorm(layer, norm) => {
                self.layers.get_mut(layer).and_then(|layer| layer.norm(norm)).unwrap_or_default()
            }
        }
    }
}
