//! A model's weights on a device, laid out for generation.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

use super::matrix::{Holding, Matrix};
use crate::adapter::{Module, Projection};
use crate::device;
use crate::generate::host::{Precision, embedding};
use crate::kernels::quant::Packed;
use crate::model::layer::{final_norm, layer_norm, qkv_bias};
use crate::model::{ModelConfig, Weights};

/// A decoder on a device, ready to run. Shared by any number of generators.
pub struct DeviceDecoder {
    pub(super) config: ModelConfig,
    pub(super) device: Device,
    /// In the machine's own memory: a step reads few rows of it.
    pub(super) embedding: Packed,
    pub(super) output: Matrix,
    /// Norms' weights, f32.
    pub(super) norms: BTreeMap<Module, Tensor>,
    pub(super) layers: Vec<DeviceLayer>,
    precision: Precision,
}

pub(super) struct DeviceLayer {
    pub(super) qkv: Matrix,
    /// (1, query width + 2 kv width), f32
    pub(super) qkv_bias: Option<Tensor>,
    pub(super) output: Matrix,
    pub(super) gate_up: Matrix,
    pub(super) down: Matrix,
}

/// The places of a layer where products with one input stand together.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Site {
    Qkv,
    Output,
    GateUp,
    Down,
}

impl Site {
    pub(super) const ALL: [Self; 4] = [Self::Qkv, Self::Output, Self::GateUp, Self::Down];

    pub(super) const fn projections(self) -> &'static [Projection] {
        match self {
            Self::Qkv => &[Projection::QProj, Projection::KProj, Projection::VProj],
            Self::Output => &[Projection::OProj],
            Self::GateUp => &[Projection::GateProj, Projection::UpProj],
            Self::Down => &[Projection::DownProj],
        }
    }
}

impl DeviceLayer {
    pub(super) const fn matrix(&self, site: Site) -> &Matrix {
        match site {
            Site::Qkv => &self.qkv,
            Site::Output => &self.output,
            Site::GateUp => &self.gate_up,
            Site::Down => &self.down,
        }
    }

    fn read(holding: Holding<'_>, layer: usize) -> Result<Self> {
        let Holding { config, weights, device, .. } = holding;
        let name = |projection: Projection, what: &str| {
            format!("model.layers.{layer}.{}.{}.{what}", projection.block(), projection.name())
        };
        let site = |site: Site| {
            let tensors = site.projections().iter();
            let tensors: Vec<(String, usize)> =
                tensors.map(|&projection| (name(projection, "weight"), projection.shape(config).0)).collect();
            let inputs = site.projections().first().map_or(0, |projection| projection.shape(config).1);
            Matrix::read(holding, &tensors, inputs)
        };
        let bias = |bias: Vec<f32>| Tensor::from_vec(bias.clone(), (1, bias.len()), device);
        Ok(Self {
            qkv: site(Site::Qkv)?,
            qkv_bias: qkv_bias(config, weights, layer)?.map(bias).transpose()?,
            output: site(Site::Output)?,
            gate_up: site(Site::GateUp)?,
            down: site(Site::Down)?,
        })
    }
}

impl DeviceDecoder {
    /// Reads every weight and takes it to the device.
    ///
    /// # Errors
    /// Where a tensor is missing or misshapen, or the device's memory is short.
    pub fn load(
        config: &ModelConfig,
        weights: &dyn Weights,
        device: &Device,
        precision: Precision,
    ) -> Result<Self> {
        Self::read(Holding { config, weights, device, precision })
            .map_err(|error| device::explained(error, device, super::ADVICE))
    }

    fn read(holding: Holding<'_>) -> Result<Self> {
        let Holding { config, weights, device, precision } = holding;
        let output = if config.tied_embeddings { Module::Embedding } else { Module::Output };
        let norm = |module: Module| {
            let numbers = match module {
                Module::LayerNorm(layer, norm) => layer_norm(config, weights, layer, norm)?,
                Module::Norm => final_norm(config, weights)?,
                Module::Embedding | Module::Output => return Ok(None),
            };
            let length = numbers.len();
            let norm = Tensor::from_vec(numbers, length, device).with_context(|| module.path())?;
            Ok(Some((module, norm)))
        };
        let norms = Module::all(config).into_iter().map(norm).filter_map(Result::transpose);
        Ok(Self {
            embedding: embedding(config, weights, precision)?,
            output: Matrix::read(
                holding,
                &[(format!("{}.weight", output.path()), config.vocabulary)],
                config.hidden,
            )?,
            norms: norms.collect::<Result<_>>()?,
            layers: (0..config.layers)
                .map(|layer| DeviceLayer::read(holding, layer))
                .collect::<Result<_>>()?,
            config: config.clone(),
            device: device.clone(),
            precision,
        })
    }

    /// Bytes of weights on the device.
    pub fn bytes(&self) -> usize {
        let layers = self.layers.iter().flat_map(|layer| Site::ALL.map(|site| layer.matrix(site)));
        layers.chain([&self.output]).map(Matrix::bytes).sum()
    }

    /// Whether keys and values are cached as f32 (else as half floats).
    pub(super) fn full_cache(&self) -> bool {
        self.precision.is_exact()
    }
}
