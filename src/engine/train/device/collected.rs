//! Gradients on their way from the device: gathered there as they arise, and taken to the host in one piece.

use anyhow::{Result, ensure};
use candle_core::{DType, Device, Tensor};

use super::site::{DeviceLayerSites, DeviceSite, SiteGradients};
use crate::adapter::Module;
use crate::train::step::whole::WholeParts;

/// Gradients of one pass.
pub(super) struct Collected {
    pub(super) layers: Vec<LayerGradients>,
    /// Where a tensor's numbers start among the trained ones.
    places: Vec<(usize, Tensor)>,
}

/// Of a layer's four places.
#[derive(Default)]
pub(super) struct LayerGradients {
    pub(super) qkv: SiteGradients,
    pub(super) output: SiteGradients,
    pub(super) gate_up: SiteGradients,
    pub(super) down: SiteGradients,
}

impl Collected {
    pub(super) fn new(layers: usize) -> Self {
        Self {
            layers: std::iter::repeat_with(LayerGradients::default).take(layers).collect(),
            places: Vec::new(),
        }
    }

    /// Numbers that belong to a place of their own, f32.
    pub(super) fn put(&mut self, start: usize, numbers: &Tensor) -> candle_core::Result<()> {
        self.places.push((start, numbers.flatten_all()?));
        Ok(())
    }

    /// The gradient of a norm's weight, where it is trained: `sum over rows of grad_y * x * inverse`.
    pub(super) fn norm(
        &mut self,
        whole: &WholeParts,
        module: Module,
        (x, inverse, grad_y): (&Tensor, &Tensor, &Tensor),
    ) -> candle_core::Result<()> {
        let Some(range) = whole.range(module) else { return Ok(()) };
        let wide = |x: &Tensor| x.to_dtype(DType::F32);
        self.put(range.start, &(wide(x)? * wide(grad_y)?)?.broadcast_mul(inverse)?.sum(0)?)
    }

    /// All gradients in the form of the adapter's numbers.
    pub(super) fn to_host(
        &self,
        sites: &[DeviceLayerSites],
        length: usize,
        device: &Device,
    ) -> Result<Vec<f32>> {
        let mut parts: Vec<Tensor> = self.places.iter().map(|(_, numbers)| numbers.clone()).collect();
        for (_, gradients) in self.sites(sites) {
            for part in [&gradients.a, &gradients.b, &gradients.magnitudes].into_iter().flatten() {
                parts.push(part.flatten_all()?);
            }
        }
        let mut all = vec![0.0; length];
        if parts.is_empty() {
            return Ok(all);
        }
        let numbers = Tensor::cat(&parts, 0)?.to_vec1::<f32>()?;
        let mut rest = Numbers { numbers: &numbers };
        for (start, tensor) in &self.places {
            add(&mut all, *start, rest.take(tensor.elem_count())?)?;
        }
        for (site, gradients) in self.sites(sites) {
            rest.site(site, gradients, &mut all)?;
        }
        ensure!(rest.numbers.is_empty(), "{device:?} gave more gradients than there are trained parameters");
        Ok(all)
    }

    fn sites<'a>(
        &'a self,
        sites: &'a [DeviceLayerSites],
    ) -> impl Iterator<Item = (&'a DeviceSite, &'a SiteGradients)> {
        sites.iter().zip(&self.layers).flat_map(|(sites, layer)| {
            [
                (&sites.qkv, &layer.qkv),
                (&sites.output, &layer.output),
                (&sites.gate_up, &layer.gate_up),
                (&sites.down, &layer.down),
            ]
        })
    }
}

/// What is left of the numbers that came from the device.
struct Numbers<'a> {
    numbers: &'a [f32],
}

impl<'a> Numbers<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [f32]> {
        ensure!(
            count <= self.numbers.len(),
            "the device gave fewer gradients than there are trained parameters"
        );
        let (taken, rest) = self.numbers.split_at(count);
        self.numbers = rest;
        Ok(taken)
    }

    /// Puts a site's gradients in their slots.
    fn site(&mut self, site: &DeviceSite, gradients: &SiteGradients, all: &mut [f32]) -> Result<()> {
        let mut next = |part: &Option<Tensor>| match part {
            Some(part) => self.take(part.elem_count()),
            None => Ok(&[][..]),
        };
        let (a, b) = (next(&gradients.a)?, next(&gradients.b)?);
        let magnitudes = next(&gradients.magnitudes)?;
        let site = &site.site;
        for part in &site.parts {
            let Some(adapter) = &part.adapter else { continue };
            let rows = adapter.first_rank * site.inputs..(adapter.first_rank + site.rank) * site.inputs;
            add(all, adapter.slot.a, a.get(rows).unwrap_or_default())?;
            let blocks = b.chunks_exact(site.ranks).skip(part.first).take(part.outputs);
            for (row, start) in blocks.zip((adapter.slot.b..).step_by(site.rank)) {
                add(all, start, &row[adapter.first_rank..adapter.first_rank + site.rank])?;
            }
            if let Some(start) = adapter.slot.magnitudes {
                let part = magnitudes.get(part.first..part.first + part.outputs);
                add(all, start, part.unwrap_or_default())?;
            }
        }
        Ok(())
    }
}

fn add(all: &mut [f32], start: usize, numbers: &[f32]) -> Result<()> {
    let place = all.get_mut(start..start + numbers.len());
    let Some(place) = place else { anyhow::bail!("gradients don't have the adapter's form") };
    for (to, from) in place.iter_mut().zip(numbers) {
        *to += from;
    }
    Ok(())
}
