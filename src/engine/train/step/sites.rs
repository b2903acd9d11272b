//! Where an adapter meets the decoder: four places in a layer, each with one input and some adapted projections.

use std::sync::OnceLock;

use anyhow::{Result, ensure};

use crate::adapter::{Adapter, Projection, Slot};
use crate::kernels::dropout::Dropout;
use crate::kernels::gemm::MatmulPrecision;
use crate::model::ModelConfig;

use super::dora::Gains;

/// A layer's four places.
pub(in crate::train) struct LayerSites {
    /// Queries, keys, values.
    pub(in crate::train) qkv: Site,
    pub(in crate::train) output: Site,
    /// Gate and up.
    pub(in crate::train) gate_up: Site,
    pub(in crate::train) down: Site,
}

/// Projections of one input, and their adapters side by side.
pub(in crate::train) struct Site {
    pub(in crate::train) inputs: usize,
    pub(in crate::train) parts: Vec<SitePart>,
    /// The adapters' A below one another: (ranks, inputs).
    pub(in crate::train) a: Vec<f32>,
    /// Rank of each adapter.
    pub(in crate::train) rank: usize,
    /// Ranks of all adapters together.
    pub(in crate::train) ranks: usize,
    pub(in crate::train) scale: f32,
    /// Of the frozen weights; a low-rank product shares the pass of its frozen one.
    pub(in crate::train) products: MatmulPrecision,
    pub(in crate::train) dropout: Option<Dropout>,
    /// Measured when the site is first used; unused without magnitudes.
    pub(super) gains: OnceLock<Gains>,
}

/// One projection's columns of the site's output.
pub(in crate::train) struct SitePart {
    pub(in crate::train) first: usize,
    pub(in crate::train) outputs: usize,
    pub(in crate::train) adapter: Option<PartAdapter>,
}

pub(in crate::train) struct PartAdapter {
    /// Where its ranks start among the site's.
    pub(in crate::train) first_rank: usize,
    /// (outputs, rank)
    pub(in crate::train) b: Vec<f32>,
    /// (outputs), in DoRA.
    pub(in crate::train) magnitudes: Option<Vec<f32>>,
    pub(in crate::train) slot: Slot,
}

impl LayerSites {
    /// One for each layer.
    pub(in crate::train) fn all(
        config: &ModelConfig,
        adapter: &Adapter,
        dropout: Option<Dropout>,
        products: MatmulPrecision,
    ) -> Result<Vec<Self>> {
        for slot in &adapter.slots {
            ensure!(
                slot.layer < config.layers,
                "the adapter is for another model: it has layer {}, this one {} layers",
                slot.layer,
                config.layers
            );
        }
        (0..config.layers).map(|layer| Self::of(config, adapter, layer, (dropout, products))).collect()
    }

    fn of(
        config: &ModelConfig,
        adapter: &Adapter,
        layer: usize,
        (dropout, products): (Option<Dropout>, MatmulPrecision),
    ) -> Result<Self> {
        use Projection::{DownProj, GateProj, KProj, OProj, QProj, UpProj, VProj};
        let (hidden, inner) = (config.hidden, config.intermediate);
        let (query, kv) = (config.query_width(), config.kv_width());
        let site = |place: u64, inputs, parts: &[(Projection, usize)]| {
            let dropout = dropout.map(|all| all.at(4 * layer as u64 + place));
            Site::new(adapter, layer, inputs, parts, (dropout, products))
        };
        Ok(Self {
            qkv: site(0, hidden, &[(QProj, query), (KProj, kv), (VProj, kv)])?,
            output: site(1, query, &[(OProj, hidden)])?,
            gate_up: site(2, hidden, &[(GateProj, inner), (UpProj, inner)])?,
            down: site(3, inner, &[(DownProj, hidden)])?,
        })
    }

    pub(in crate::train) fn is_adapted(&self) -> bool {
        self.each().iter().any(|site| site.ranks > 0)
    }

    /// Floats that a token leaves for the backward, beside inputs and outputs.
    pub(super) fn kept(&self) -> usize {
        self.each().iter().map(|site| site.kept()).sum()
    }

    const fn each(&self) -> [&Site; 4] {
        [&self.qkv, &self.output, &self.gate_up, &self.down]
    }
}

impl Site {
    fn new(
        adapter: &Adapter,
        layer: usize,
        inputs: usize,
        projections: &[(Projection, usize)],
        (dropout, products): (Option<Dropout>, MatmulPrecision),
    ) -> Result<Self> {
        let rank = adapter.config.r;
        let (mut parts, mut a) = (Vec::new(), Vec::new());
        let (mut first, mut ranks) = (0, 0);
        for &(projection, outputs) in projections {
            let slot = adapter.slot(layer, projection);
            if let Some(slot) = slot {
                ensure!(
                    slot.inputs == inputs && slot.outputs == outputs,
                    "the adapter is for another model: its {} of layer {layer} is ({}, {}), this one's ({outputs}, \
                     {inputs})",
                    projection.name(),
                    slot.outputs,
                    slot.inputs
                );
                a.extend_from_slice(adapter.part(slot.a, rank * inputs));
            }
            let adapter = slot.map(|slot| PartAdapter {
                first_rank: ranks,
                b: adapter.part(slot.b, outputs * rank).to_vec(),
                magnitudes: slot.magnitudes.map(|start| adapter.part(start, outputs).to_vec()),
                slot: slot.clone(),
            });
            ranks += if adapter.is_some() { rank } else { 0 };
            parts.push(SitePart { first, outputs, adapter });
            first += outputs;
        }
        let (scale, gains) = (adapter.config.scale(), OnceLock::new());
        Ok(Self { inputs, parts, a, rank, ranks, scale, products, dropout, gains })
    }

    /// Whether any of its adapters has magnitudes.
    pub(in crate::train) fn is_dora(&self) -> bool {
        self.parts.iter().filter_map(|part| part.adapter.as_ref()).any(|adapter| adapter.magnitudes.is_some())
    }

    fn kept(&self) -> usize {
        self.ranks + if self.is_dora() { self.outputs() } else { 0 }
    }

    /// Columns of the output.
    pub(in crate::train) fn outputs(&self) -> usize {
        self.parts.iter().map(|part| part.outputs).sum()
    }
}
