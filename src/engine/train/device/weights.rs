//! A decoder's frozen weights on a device, laid out as the CPU's step has them.

use anyhow::Result;
use candle_core::{DType, Device, Tensor};

use super::frozen::{OnDevice, Tables};
use crate::device::kernels::Angles;
use crate::kernels::rope::Rotation;
use crate::model::config::Rope;
use crate::model::layer::final_norm;
use crate::model::{ModelConfig, Weights};
use crate::train::step::weights::LayerWeights;
use dojo_core::domain::batch::PackedBatch;
use dojo_core::domain::recipe::BaseFormat;

/// Norms and biases are f32, whatever the step's number format.
pub(super) struct DeviceWeights {
    /// (vocabulary, hidden)
    pub(super) embedding: Tensor,
    /// The output layer where it isn't the embedding: (vocabulary, hidden).
    pub(super) output: Option<Tensor>,
    pub(super) norm: Tensor,
    pub(super) layers: Vec<StudentLayer>,
}

pub(super) struct StudentLayer {
    pub(super) attention_norm: Tensor,
    pub(super) feed_norm: Tensor,
    pub(super) post_norms: Option<(Tensor, Tensor)>,
    pub(super) head_norms: Option<(Tensor, Tensor)>,
    pub(super) qkv: OnDevice,
    /// (1, query width + 2 kv width)
    pub(super) qkv_bias: Option<Tensor>,
    pub(super) output: OnDevice,
    pub(super) gate_up: OnDevice,
    pub(super) down: OnDevice,
}

impl DeviceWeights {
    /// Reads one layer after the other, so that the whole is on the device only.
    pub(super) fn read(
        config: &ModelConfig,
        weights: &dyn Weights,
        format: BaseFormat,
        place: (&Device, DType),
    ) -> Result<Self> {
        let (device, dtype) = place;
        let tables = Tables::new(device)?;
        let table = |name: &str| -> Result<Tensor> {
            let shape = [config.vocabulary, config.hidden];
            Ok(Tensor::from_vec(weights.f32(name, &shape)?, &shape, device)?.to_dtype(dtype)?)
        };
        let layer = |layer| {
            let read = LayerWeights::read(config, weights, layer, format)?;
            StudentLayer::new(config, &read, place, &tables)
        };
        Ok(Self {
            embedding: table("model.embed_tokens.weight")?,
            output: if config.tied_embeddings { None } else { Some(table("lm_head.weight")?) },
            norm: row(&final_norm(config, weights)?, device)?,
            layers: (0..config.layers).map(layer).collect::<Result<_>>()?,
        })
    }
}

impl StudentLayer {
    fn new(
        config: &ModelConfig,
        read: &LayerWeights,
        place: (&Device, DType),
        tables: &Tables,
    ) -> Result<Self> {
        let (hidden, inner, query) = (config.hidden, config.intermediate, config.query_width());
        let device = place.0;
        let pair = |norms: &Option<(Vec<f32>, Vec<f32>)>| {
            let both = norms.as_ref().map(|(first, second)| Ok((row(first, device)?, row(second, device)?)));
            both.transpose().map_err(|error: candle_core::Error| anyhow::Error::from(error))
        };
        let bias = |bias: &Vec<f32>| Tensor::from_slice(bias, (1, bias.len()), device);
        Ok(Self {
            attention_norm: row(&read.attention_norm, device)?,
            feed_norm: row(&read.feed_norm, device)?,
            post_norms: pair(&read.post_norms)?,
            head_norms: pair(&read.head_norms)?,
            qkv: OnDevice::new(&read.qkv, (query + 2 * config.kv_width(), hidden), place, tables)?,
            qkv_bias: read.qkv_bias.as_ref().map(bias).transpose()?,
            output: OnDevice::new(&read.output, (hidden, query), place, tables)?,
            gate_up: OnDevice::new(&read.gate_up, (2 * inner, hidden), place, tables)?,
            down: OnDevice::new(&read.down, (hidden, inner), place, tables)?,
        })
    }
}

fn row(numbers: &[f32], device: &Device) -> candle_core::Result<Tensor> {
    Tensor::from_slice(numbers, numbers.len(), device)
}

/// Angles of a batch's tokens: of most layers, and of those with a local window where they differ.
pub(super) struct BatchAngles {
    global: Angles,
    local: Option<Angles>,
}

impl BatchAngles {
    pub(super) fn new(config: &ModelConfig, batch: &PackedBatch, device: &Device) -> Result<Self> {
        let positions = batch.positions();
        let longest = positions.iter().max().map_or(0, |&last| last as usize + 1);
        let angles = |rope: &Rope| -> Result<Angles> {
            let (frequencies, factor) = rope.frequencies();
            let (cos, sin) = Rotation::new(&frequencies, factor, longest).rows(&positions);
            let shape = (positions.len(), frequencies.len());
            Ok(Angles {
                cos: Tensor::from_vec(cos, shape, device)?,
                sin: Tensor::from_vec(sin, shape, device)?,
            })
        };
        let local = config.local_rope.as_ref().map(angles).transpose()?;
        Ok(Self { global: angles(&config.rope)?, local })
    }

    /// A layer's, if it rotates.
    pub(super) fn of(&self, config: &ModelConfig, layer: usize) -> Option<&Angles> {
        let rope = config.layer_rope(layer)?;
        if config.is_local(rope) { self.local.as_ref() } else { Some(&self.global) }
    }
}
