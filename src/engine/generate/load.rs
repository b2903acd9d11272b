//! From an opened model to a generator, on the processor or on a device.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::device::DeviceDecoder;
use super::generator::{Generator, Limits};
use super::host::{Decoder, DecoderWeightsView, Precision};
use crate::device::ComputeDevice;
use crate::model::OpenModel;

/// A model's weights where they are computed with. Shared by any number of generators.
pub struct Loaded {
    decoder: AnyDecoder,
    model: OpenModel,
}

enum AnyDecoder {
    Host(Arc<Decoder>),
    Device(Arc<DeviceDecoder>),
}

impl Loaded {
    /// Reads the weights.
    ///
    /// # Errors
    /// Where a tensor is missing or misshapen, or the device's memory is short.
    pub fn new(model: &OpenModel, precision: Precision, place: &ComputeDevice) -> Result<Self> {
        let (config, weights) = (&model.config, model.weights.as_ref());
        let decoder = match place {
            ComputeDevice::Cpu => {
                Decoder::load(config, weights, precision).map(|it| AnyDecoder::Host(Arc::new(it)))
            }
            ComputeDevice::Device(device) => DeviceDecoder::load(config, weights, device, precision)
                .map(|it| AnyDecoder::Device(Arc::new(it))),
        };
        let decoder = decoder.with_context(|| format!("load {}", model.name))?;
        Ok(Self { decoder, model: model.clone() })
    }

    /// The weights, for training on the processor without a copy of their own; none if they are on a device.
    #[must_use]
    pub fn view(&self) -> Option<DecoderWeightsView> {
        match &self.decoder {
            AnyDecoder::Host(decoder) => {
                Some(DecoderWeightsView::new(Arc::clone(decoder), Arc::clone(&self.model.weights)))
            }
            AnyDecoder::Device(_) => None,
        }
    }

    /// A generator over them.
    ///
    /// # Errors
    /// Where a device's kernels can't be compiled, or its memory is short.
    pub fn generator(&self, limits: Limits) -> Result<Generator> {
        let tokenizer = Arc::clone(&self.model.tokenizer);
        let mut generator = match &self.decoder {
            AnyDecoder::Host(decoder) => Generator::new(Arc::clone(decoder), tokenizer, limits),
            AnyDecoder::Device(decoder) => Generator::on(Arc::clone(decoder), tokenizer, limits)?,
        };
        generator.hide(&self.model.foreign_tokens());
        Ok(generator)
    }
}

/// Loads a model for one generator.
///
/// # Errors
/// As [`Loaded::new`] and [`Loaded::generator`].
pub fn load(
    model: &OpenModel,
    precision: Precision,
    place: &ComputeDevice,
    limits: Limits,
) -> Result<Generator> {
    Loaded::new(model, precision, place)?.generator(limits)
}
