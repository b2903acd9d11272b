//! A frozen projection with its adapters on a device. The adapters of one input are one product: A below one another, B
//! in blocks along the diagonal. Adapters and their products are f32.

use anyhow::Result;
use candle_core::{DType, Device, Tensor};

use super::dora::{Gains, Magnitudes};
use crate::device::kernels::{Kernels, product};
use crate::device::layout::{Below, diagonal};
use crate::train::step::sites::{LayerSites, Site};

/// A layer's four places, on the device.
pub(super) struct DeviceLayerSites {
    pub(super) qkv: DeviceSite,
    pub(super) output: DeviceSite,
    pub(super) gate_up: DeviceSite,
    pub(super) down: DeviceSite,
}

/// Projections of one input, on the device.
pub(super) struct DeviceSite {
    pub(super) site: Site,
    /// Missing where nothing is adapted.
    pub(super) low: Option<Low>,
}

/// The adapters of a site.
pub(super) struct Low {
    /// (ranks, inputs), f32
    pub(super) a: Tensor,
    /// (outputs, ranks), f32; zero off the blocks.
    pub(super) b: Tensor,
    pub(super) magnitudes: Option<Magnitudes>,
    pub(super) gains: std::cell::OnceCell<Gains>,
}

/// What a site's forward keeps for its backward; empty where nothing is adapted.
#[derive(Default, Clone)]
pub(super) struct SavedActivations {
    /// `scale * dropout(x) A^T`: (rows, ranks), f32.
    pub(super) inner: Option<Tensor>,
    /// The product before magnitudes: (rows, outputs).
    pub(super) direction: Option<Tensor>,
}

/// Gradients of a site's adapters, f32; summed over calls.
#[derive(Default)]
pub(super) struct SiteGradients {
    /// (ranks, inputs)
    pub(super) a: Option<Tensor>,
    /// (outputs, ranks); only the blocks count.
    pub(super) b: Option<Tensor>,
    /// (outputs)
    pub(super) magnitudes: Option<Tensor>,
}

impl DeviceLayerSites {
    /// Takes all adapters to the device in one piece.
    pub(super) fn all(layers: Vec<LayerSites>, device: &Device) -> Result<Vec<Self>> {
        let mut numbers = Vec::new();
        let each = layers.into_iter().map(|layer| [layer.qkv, layer.output, layer.gate_up, layer.down]);
        let each: Vec<[Site; 4]> = each.collect();
        each.iter().flatten().for_each(|site| push(site, &mut numbers));
        let length = numbers.len();
        let numbers = Tensor::from_vec(numbers, length, device)?;
        let mut from = 0;
        let mut take = |site: Site| -> Result<DeviceSite> {
            let low = (site.ranks > 0).then(|| Low::new(&site, &numbers, &mut from)).transpose()?;
            Ok(DeviceSite { site, low })
        };
        each.into_iter()
            .map(|[qkv, output, gate_up, down]| {
                Ok(Self {
                    qkv: take(qkv)?,
                    output: take(output)?,
                    gate_up: take(gate_up)?,
                    down: take(down)?,
                })
            })
            .collect()
    }
}

/// Adds a site's numbers: A, B, and magnitudes with a 1 for each that is there.
fn push(site: &Site, numbers: &mut Vec<f32>) {
    if site.ranks == 0 {
        return;
    }
    numbers.extend_from_slice(&site.a);
    let below: Vec<Below<'_>> = site
        .parts
        .iter()
        .map(|part| Below {
            outputs: part.outputs,
            b: part.adapter.as_ref().map_or(&[], |adapter| &adapter.b),
        })
        .collect();
    numbers.extend(diagonal(&below, site.ranks));
    if site.is_dora() {
        for part in &site.parts {
            let magnitudes = part.adapter.as_ref().and_then(|adapter| adapter.magnitudes.as_ref());
            numbers.extend(magnitudes.cloned().unwrap_or_else(|| vec![0.0; part.outputs]));
        }
        for part in &site.parts {
            let there = part.adapter.as_ref().is_some_and(|adapter| adapter.magnitudes.is_some());
            numbers.extend(std::iter::repeat_n(if there { 1.0 } else { 0.0 }, part.outputs));
        }
    }
}

impl Low {
    /// The next numbers, as [`push`] laid them.
    fn new(site: &Site, numbers: &Tensor, from: &mut usize) -> candle_core::Result<Self> {
        let outputs = site.outputs();
        let mut next = |length: usize| {
            let part = numbers.narrow(0, *from, length);
            *from += length;
            part
        };
        let a = next(site.ranks * site.inputs)?.reshape((site.ranks, site.inputs))?;
        let b = next(outputs * site.ranks)?.reshape((outputs, site.ranks))?;
        let magnitudes = if site.is_dora() {
            Some(Magnitudes { numbers: next(outputs)?, there: next(outputs)? })
        } else {
            None
        };
        Ok(Self { a, b, magnitudes, gains: std::cell::OnceCell::new() })
    }
}

impl DeviceSite {
    /// `x W^T + scale * dropout(x) A^T B^T`, with magnitudes as they change it; in x's number format.
    pub(super) fn forward(
        &self,
        kernels: &dyn Kernels,
        weight: &Tensor,
        x: &Tensor,
    ) -> candle_core::Result<(Tensor, SavedActivations)> {
        let Some(low) = &self.low else {
            return Ok((product(x, &weight.t()?)?, SavedActivations::default()));
        };
        let dropped = self.adapter_input(kernels, x)?;
        let inner = (product(&dropped, &low.a.t()?)? * f64::from(self.site.scale))?;
        if let Some(magnitudes) = &low.magnitudes {
            return self.forward_scaled(kernels, (weight, low, magnitudes), x, (&dropped, inner));
        }
        let y = kernels.join(&product(x, &weight.t()?)?, &product(&inner, &low.b.t()?)?)?;
        Ok((y, SavedActivations { inner: Some(inner), direction: None }))
    }

    /// What the adapters see of an input, f32.
    pub(super) fn adapter_input(&self, kernels: &dyn Kernels, x: &Tensor) -> candle_core::Result<Tensor> {
        let wide = x.to_dtype(DType::F32)?;
        match self.site.dropout {
            Some(dropout) => kernels.dropout(dropout, &wide),
            None => Ok(wide),
        }
    }

    /// Adds the adapters' gradients and, where asked to, returns that of x in x's number format.
    pub(super) fn backward(
        &self,
        kernels: &dyn Kernels,
        weight: &OnceWeight<'_>,
        (x, grad_y, kept): (&Tensor, &Tensor, &SavedActivations),
        gradients: &mut SiteGradients,
        to_input: ToInput,
    ) -> candle_core::Result<Option<Tensor>> {
        let narrow = grad_y.to_dtype(x.dtype())?;
        let (Some(low), Some(inner)) = (&self.low, &kept.inner) else {
            return match to_input {
                ToInput::No => Ok(None),
                ToInput::Yes => Ok(Some(product(&narrow, &weight.get()?)?)),
            };
        };
        let grad_y = grad_y.to_dtype(DType::F32)?;
        let reaching = match (&low.magnitudes, &kept.direction) {
            (Some(magnitudes), Some(direction)) => {
                let gains = self.gains(weight, low, magnitudes)?;
                add(&mut gradients.magnitudes, gains.gradient(&grad_y, direction)?)?;
                grad_y.broadcast_mul(&gains.factors)?
            }
            _ => grad_y.clone(),
        };
        let grad_inner = (product(&reaching, &low.b)? * f64::from(self.site.scale))?;
        add(&mut gradients.b, product(&reaching.t()?, inner)?)?;
        let dropped = self.adapter_input(kernels, x)?;
        add(&mut gradients.a, product(&grad_inner.t()?, &dropped)?)?;
        if to_input == ToInput::No {
            return Ok(None);
        }
        let weight = weight.get()?;
        let of_low = product(&grad_inner, &low.a)?;
        let Some(dropout) = self.site.dropout else {
            let through = product(&reaching.to_dtype(x.dtype())?, &weight)?;
            return Ok(Some(kernels.join(&through, &of_low)?));
        };
        let mut before = of_low;
        if low.magnitudes.is_some() {
            let rest = (&reaching - &grad_y)?.to_dtype(x.dtype())?;
            before = (before + product(&rest, &weight)?.to_dtype(DType::F32)?)?;
        }
        let before = kernels.dropout(dropout, &before)?;
        Ok(Some(kernels.join(&product(&narrow, &weight)?, &before)?))
    }
}

/// Whether a gradient goes on to a site's input.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ToInput {
    Yes,
    No,
}

/// A frozen weight, expanded when it is first asked for.
pub(super) struct OnceWeight<'a> {
    frozen: &'a super::frozen::OnDevice,
    numbers: std::cell::OnceCell<Tensor>,
}

impl<'a> OnceWeight<'a> {
    pub(super) const fn of(frozen: &'a super::frozen::OnDevice) -> Self {
        Self { frozen, numbers: std::cell::OnceCell::new() }
    }

    pub(super) fn get(&self) -> candle_core::Result<Tensor> {
        if let Some(numbers) = self.numbers.get() {
            return Ok(numbers.clone());
        }
        let numbers = self.frozen.numbers()?;
        Ok(self.numbers.get_or_init(|| numbers).clone())
    }
}

/// `sum += part`
pub(super) fn add(sum: &mut Option<Tensor>, part: Tensor) -> candle_core::Result<()> {
    let all = match sum.take() {
        Some(sum) => (sum + part)?,
        None => part,
    };
    *sum = Some(all);
    Ok(())
}
