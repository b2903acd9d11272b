//! Adapters on a device, and which of a step's rows each of them changes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, Weak};

use candle_core::{Device, Result, Tensor};

use super::weights::Site;
use crate::adapter::Module;
use crate::device::kernels::product;
use crate::device::layout::{Below, diagonal};
use crate::generate::lora::{Lora, LowRank};
use crate::kernels::quant::Packed;
use crate::model::ModelConfig;

/// The adapters of one place: A below one another, B in blocks along the diagonal; `y = gains * y + B (A x)`.
struct Low {
    /// (ranks, inputs)
    a: Tensor,
    /// (outputs, ranks)
    b: Tensor,
    /// (1, outputs), where any has them
    gains: Option<Tensor>,
}

/// An adapter's numbers, f32.
pub(super) struct DeviceLora {
    sites: Vec<BTreeMap<Site, Low>>,
    norms: BTreeMap<Module, Tensor>,
    /// The output layer, where the adapter replaces it whole: (vocabulary, hidden).
    output: Option<Tensor>,
}

/// Adapters that are on the device as long as a generator holds them.
#[derive(Default)]
pub(super) struct HeldAdapters(HashMap<u64, (Weak<Lora>, Arc<DeviceLora>)>);

/// Rows that are treated alike: by an adapter, or by none.
pub(super) struct AdapterRows {
    pub(super) rows: Range<usize>,
    pub(super) lora: Option<Arc<DeviceLora>>,
}

/// All segments of a step's rows, or of those whose logits are wanted, without gaps.
pub(super) struct Segments(pub(super) Vec<AdapterRows>);

impl HeldAdapters {
    /// An adapter on the device; taken there when it is first used.
    pub(super) fn get(
        &mut self,
        lora: &Arc<Lora>,
        config: &ModelConfig,
        device: &Device,
    ) -> Result<Arc<DeviceLora>> {
        if let Some((_, held)) = self.0.get(&lora.serial) {
            return Ok(Arc::clone(held));
        }
        self.0.retain(|_, (of, _)| of.strong_count() > 0);
        let held = Arc::new(DeviceLora::new(lora, config, device)?);
        self.0.insert(lora.serial, (Arc::downgrade(lora), Arc::clone(&held)));
        Ok(held)
    }
}

impl Low {
    fn new(pairs: &[(Option<&LowRank>, usize)], inputs: usize, device: &Device) -> Result<Option<Self>> {
        let ranks: usize = pairs.iter().filter_map(|(pair, _)| *pair).map(|pair| pair.a.rows()).sum();
        let outputs: usize = pairs.iter().map(|(_, outputs)| outputs).sum();
        if ranks == 0 {
            return Ok(None);
        }
        let (mut a, mut gains) = (Vec::new(), Vec::with_capacity(outputs));
        for (pair, outputs) in pairs {
            a.extend(pair.iter().flat_map(|pair| pair.a.numbers()));
            let own = pair.and_then(|pair| pair.gains.clone());
            gains.extend(own.unwrap_or_else(|| vec![1.0; *outputs]));
        }
        let each: Vec<_> = pairs
            .iter()
            .map(|(pair, outputs)| (*outputs, pair.map_or_else(Vec::new, |pair| pair.b.numbers())))
            .collect();
        let below: Vec<_> = each.iter().map(|(outputs, b)| Below { outputs: *outputs, b }).collect();
        let b = diagonal(&below, ranks);
        let scales = pairs.iter().filter_map(|(pair, _)| *pair).any(|pair| pair.gains.is_some());
        Ok(Some(Self {
            a: Tensor::from_vec(a, (ranks, inputs), device)?,
            b: Tensor::from_vec(b, (outputs, ranks), device)?,
            gains: scales.then(|| Tensor::from_vec(gains, (1, outputs), device)).transpose()?,
        }))
    }
}

impl DeviceLora {
    fn new(lora: &Lora, config: &ModelConfig, device: &Device) -> Result<Self> {
        let mut sites = Vec::new();
        for layer in 0..config.layers {
            let mut own = BTreeMap::new();
            for site in Site::ALL {
                let projections = site.projections();
                let pairs: Vec<_> = projections
                    .iter()
                    .map(|&projection| (lora.get(layer, projection), projection.shape(config).0))
                    .collect();
                let inputs = projections.first().map_or(0, |projection| projection.shape(config).1);
                if let Some(low) = Low::new(&pairs, inputs, device)? {
                    own.insert(site, low);
                }
            }
            sites.push(own);
        }
        let norm = |(module, weight): (Module, &[f32])| {
            Ok((module, Tensor::from_slice(weight, weight.len(), device)?))
        };
        let output =
            |output: &Packed| Tensor::from_vec(output.numbers(), (output.rows(), output.columns()), device);
        Ok(Self {
            sites,
            norms: lora.norms().map(norm).collect::<Result<_>>()?,
            output: lora.output.as_ref().map(output).transpose()?,
        })
    }

    fn low(&self, layer: usize, site: Site) -> Option<&Low> {
        self.sites.get(layer)?.get(&site)
    }

    pub(super) fn norm(&self, module: Module) -> Option<&Tensor> {
        self.norms.get(&module)
    }

    /// Whether it replaces the output layer whole.
    pub(super) const fn has_output(&self) -> bool {
        self.output.is_some()
    }

    /// Logits of its own output layer, where it has one.
    pub(super) fn predict(&self, x: &Tensor) -> Result<Option<Tensor>> {
        self.output.as_ref().map(|output| product(x, &output.t()?)).transpose()
    }
}

impl Segments {
    /// `whole`, or where some adapter has something of its own to say, the parts by segment: `own` makes them from a
    /// segment's rows of `whole` and of `x`. A row of the step is `each` rows of both.
    pub(super) fn by_rows(
        &self,
        each: usize,
        (whole, x): (&Tensor, &Tensor),
        has_own: &dyn Fn(&DeviceLora) -> bool,
        own: &dyn Fn(&DeviceLora, &Tensor, &Tensor) -> Result<Tensor>,
    ) -> Result<Tensor> {
        let changed = |segment: &AdapterRows| segment.lora.as_deref().is_some_and(has_own);
        if !self.0.iter().any(changed) {
            return Ok(whole.clone());
        }
        let part = |segment: &AdapterRows| {
            let (first, count) = (each * segment.rows.start, each * segment.rows.len());
            let rows = whole.narrow(0, first, count)?;
            match segment.lora.as_deref().filter(|_| changed(segment)) {
                Some(lora) => own(lora, &rows, &x.narrow(0, first, count)?.contiguous()?),
                None => rows.contiguous(),
            }
        };
        let parts = self.0.iter().filter(|segment| !segment.rows.is_empty()).map(part);
        Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)
    }

    /// Adds adapters to the products of a place.
    pub(super) fn adapt(&self, layer: usize, site: Site, y: &Tensor, x: &Tensor) -> Result<Tensor> {
        self.by_rows(1, (y, x), &|lora| lora.low(layer, site).is_some(), &|lora, y, x| {
            let Some(low) = lora.low(layer, site) else { return Ok(y.clone()) };
            let delta = product(&product(x, &low.a.t()?)?, &low.b.t()?)?;
            match &low.gains {
                Some(gains) => y.broadcast_mul(gains)? + delta,
                None => y + delta,
            }
        })
    }
}
