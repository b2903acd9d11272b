//! An adapter laid out for generation: added to each product on the fly, in f32.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};

use super::backend::Backend;
use crate::adapter::dora::{Product, row_norms};
use crate::adapter::{Adapter, Module, Projection, Slot, TokenRows, WholeModule};
use crate::kernels::quant::{Packed, WeightFormat};
use crate::model::ModelConfig;

/// `y = gains * y + B (A x)`, scale and gains folded into B.
pub(crate) struct LowRank {
    /// (rank, inputs)
    pub a: Packed,
    /// (outputs, rank)
    pub b: Packed,
    /// Magnitude over norm of each output (DoRA): (outputs).
    pub gains: Option<Vec<f32>>,
}

/// One version of an adapter's numbers.
pub(crate) struct Lora {
    /// Never used twice in a process: cached keys and values belong to it.
    pub serial: u64,
    pub rank: usize,
    /// By layer, then projection.
    layers: Vec<[Option<LowRank>; 7]>,
    /// Whether any projection has gains.
    pub scales: bool,
    /// Norms that it replaces.
    norms: BTreeMap<Module, Vec<f32>>,
    /// The embedding and the output layer, where it replaces them whole.
    pub embedding: Option<Packed>,
    pub output: Option<Packed>,
    /// Rows of the embedding and of the output layer that it replaces.
    pub embedding_rows: BTreeMap<u32, Vec<f32>>,
    pub output_rows: BTreeMap<u32, Vec<f32>>,
}

impl Lora {
    /// Lays out an adapter for a model.
    ///
    /// # Errors
    /// Where it doesn't fit the model.
    pub(crate) fn new(adapter: &Adapter, model: &dyn Backend) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let config = model.config();
        let mut layers = Vec::new();
        layers.resize_with(config.layers, || [const { None }; 7]);
        for slot in &adapter.slots {
            let pair = low_rank(adapter, slot, model)?;
            let place = layers.get_mut(slot.layer).and_then(|layer| layer.get_mut(slot.projection as usize));
            *place.with_context(|| misfit(slot))? = Some(pair);
        }
        let mut lora = Self {
            serial: NEXT.fetch_add(1, Ordering::Relaxed),
            rank: adapter.config.r,
            layers,
            scales: adapter.slots.iter().any(|slot| slot.magnitudes.is_some()),
            norms: BTreeMap::new(),
            embedding: None,
            output: None,
            embedding_rows: BTreeMap::new(),
            output_rows: BTreeMap::new(),
        };
        for it in &adapter.modules {
            lora.add_module(adapter, it, config)?;
        }
        for rows in &adapter.rows {
            lora.add_rows(adapter, rows, config)?;
        }
        Ok(lora)
    }

    fn add_module(&mut self, adapter: &Adapter, it: &WholeModule, config: &ModelConfig) -> Result<()> {
        let numbers = adapter.part(it.start, it.length);
        ensure!(
            numbers.len() == it.module.shape(config).iter().product::<usize>(),
            "the adapter is for another model: its {} has {} values",
            it.module.path(),
            it.length
        );
        let packed = || Packed::from_f32(numbers, config.vocabulary, config.hidden, WeightFormat::F32);
        match it.module {
            Module::Embedding => self.embedding = Some(packed()?),
            Module::Output => self.output = Some(packed()?),
            module @ (Module::Norm | Module::LayerNorm(..)) => {
                let computed = numbers.iter().map(|number| module.computed(*number, config));
                self.norms.insert(module, computed.collect());
            }
        }
        Ok(())
    }

    fn add_rows(&mut self, adapter: &Adapter, rows: &TokenRows, config: &ModelConfig) -> Result<()> {
        ensure!(
            rows.width == config.hidden
                && rows.tokens.iter().all(|&token| (token as usize) < config.vocabulary),
            "the adapter is for another model: it has tokens that this one's embedding lacks"
        );
        let numbers = adapter.part(rows.start, rows.length()).chunks_exact(rows.width);
        let by_token: BTreeMap<u32, Vec<f32>> =
            rows.tokens.iter().copied().zip(numbers.map(<[f32]>::to_vec)).collect();
        if rows.is_output(config) {
            self.output_rows.clone_from(&by_token);
        }
        if rows.module == Module::Embedding {
            self.embedding_rows = by_token;
        }
        Ok(())
    }

    pub(crate) fn get(&self, layer: usize, projection: Projection) -> Option<&LowRank> {
        self.layers.get(layer)?.get(projection as usize)?.as_ref()
    }

    /// Whether the adapter says what a token means that its base lacks.
    pub(crate) fn knows(&self, token: u32) -> bool {
        self.embedding.is_some()
            || self.output.is_some()
            || self.embedding_rows.contains_key(&token)
            || self.output_rows.contains_key(&token)
    }

    /// The norms that it replaces, and their weights.
    pub(crate) fn norms(&self) -> impl Iterator<Item = (Module, &[f32])> {
        self.norms.iter().map(|(&module, weight)| (module, weight.as_slice()))
    }

    /// A norm's weight, where the adapter has one of its own.
    pub(crate) fn norm(&self, module: Module) -> Option<&[f32]> {
        self.norms.get(&module).map(Vec::as_slice)
    }
}

/// A token's row of the embedding, as an adapter has it or else the model.
pub(crate) fn embedding_row(lora: Option<&Lora>, of_model: &Packed, token: u32, to: &mut [f32]) {
    if let Some(own) = lora.and_then(|lora| lora.embedding_rows.get(&token)) {
        return to.copy_from_slice(own);
    }
    let own = lora.and_then(|lora| lora.embedding.as_ref());
    own.unwrap_or(of_model).read_row(token as usize, to);
}

fn misfit(slot: &Slot) -> String {
    format!("the adapter doesn't fit the model: layer {} {}", slot.layer, slot.projection.name())
}

fn low_rank(adapter: &Adapter, slot: &Slot, model: &dyn Backend) -> Result<LowRank> {
    let config = model.config();
    let (rank, scale) = (adapter.config.r, adapter.config.scale());
    let (outputs, inputs) = slot.projection.shape(config);
    ensure!(
        (slot.inputs, slot.outputs) == (inputs, outputs),
        "the adapter is for another model: {} of layer {} is {} x {} there, {outputs} x {inputs} here",
        slot.projection.name(),
        slot.layer,
        slot.outputs,
        slot.inputs
    );
    let (a, b) = (adapter.part(slot.a, rank * inputs), adapter.part(slot.b, outputs * rank));
    ensure!(a.len() == rank * inputs && b.len() == outputs * rank, misfit(slot));
    let gains = match slot.magnitudes {
        None => None,
        Some(start) => {
            let frozen = model.projection(slot.layer, slot.projection)?.with_context(|| misfit(slot))?;
            let norms = row_norms(&frozen, inputs, Product { a, b, rank, scale });
            let pairs = adapter.part(start, outputs).iter().zip(norms);
            let gain = |(magnitude, norm): (&f32, f32)| if norm > 0.0 { magnitude / norm } else { 0.0 };
            Some(pairs.map(gain).collect::<Vec<f32>>())
        }
    };
    let gain = |output: usize| gains.as_ref().and_then(|all| all.get(output)).copied().unwrap_or(1.0);
    let scaled: Vec<f32> = b
        .chunks_exact(rank)
        .enumerate()
        .flat_map(|(output, row)| {
            let factor = scale * gain(output);
            row.iter().map(move |value| value * factor)
        })
        .collect();
    Ok(LowRank {
        a: Packed::from_f32(a, rank, inputs, WeightFormat::F32)?,
        b: Packed::from_f32(&scaled, outputs, rank, WeightFormat::F32)?,
        gains,
    })
}
