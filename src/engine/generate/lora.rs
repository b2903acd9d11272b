//! An adapter laid out for generation: added to each product on the fly, in f32.

use anyhow::{Result, ensure};

use crate::engine::adapter::{Adapter, Projection};
use crate::engine::kernels::quant::{Kind, Packed};
use crate::engine::model::ModelConfig;

/// `y += B (A x)`, the scale folded into B.
pub(crate) struct LowRank {
    /// (rank, inputs)
    pub a: Packed,
    /// (outputs, rank)
    pub b: Packed,
}

/// One version of an adapter's numbers.
pub(crate) struct Lora {
    /// Never used twice in a process: cached keys and values belong to it.
    pub serial: u64,
    pub rank: usize,
    /// By layer, then projection.
    layers: Vec<[Option<LowRank>; 7]>,
}

impl Lora {
    /// Lays out an adapter.
    ///
    /// # Errors
    /// Where it doesn't fit the model.
    pub(crate) fn new(adapter: &Adapter, config: &ModelConfig) -> Result<Self> {
        use std::sync::atomic::{AtomicU64, Ordering};
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let rank = adapter.config.r;
        let scale = adapter.config.scale();
        let mut layers = Vec::new();
        layers.resize_with(config.layers, || [const { None }; 7]);
        for slot in &adapter.slots {
            let (inputs, outputs) = widths(config, slot.projection);
            let numbers = |start: usize, count: usize| adapter.values.get(start..start + count);
            let (a, b) = (numbers(slot.a, rank * inputs), numbers(slot.b, outputs * rank));
            let place = layers.get_mut(slot.layer).and_then(|layer| layer.get_mut(slot.projection as usize));
            let (Some(a), Some(b), Some(place)) = (a, b, place) else {
                anyhow::bail!(
                    "the adapter doesn't fit the model: layer {} {}",
                    slot.layer,
                    slot.projection.name()
                );
            };
            ensure!(
                (slot.inputs, slot.outputs) == (inputs, outputs),
                "the adapter is for another model: {} of layer {} is {} x {} there, {outputs} x {inputs} here",
                slot.projection.name(),
                slot.layer,
                slot.outputs,
                slot.inputs
            );
            let scaled: Vec<f32> = b.iter().map(|value| value * scale).collect();
            *place = Some(LowRank {
                a: Packed::from_f32(a, rank, inputs, Kind::F32)?,
                b: Packed::from_f32(&scaled, outputs, rank, Kind::F32)?,
            });
        }
        Ok(Self { serial: NEXT.fetch_add(1, Ordering::Relaxed), rank, layers })
    }

    pub(crate) fn get(&self, layer: usize, projection: Projection) -> Option<&LowRank> {
        self.layers.get(layer)?.get(projection as usize)?.as_ref()
    }
}

/// Inputs and outputs of a projection.
fn widths(config: &ModelConfig, projection: Projection) -> (usize, usize) {
    match projection {
        Projection::QProj => (config.hidden, config.query_width()),
        Projection::KProj | Projection::VProj => (config.hidden, config.kv_width()),
        Projection::OProj => (config.query_width(), config.hidden),
        Projection::GateProj | Projection::UpProj => (config.hidden, config.intermediate),
        Projection::DownProj => (config.intermediate, config.hidden),
    }
}
