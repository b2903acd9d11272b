//! Generation on a device: the same steps over candle tensors that stay there. Only the embedding's rows go there, and
//! the wanted logits come back.
//!
//! Products of blocks are candle's own, as are those of plain weights; norms, rotation and gates are the kernels of
//! [`crate::device`]; everything between them is f32. A sequence's numbers are the same beside others as alone
//! but for rounding: a device adds up larger products in another order.

mod adapters;
mod attention;
mod matrix;
mod pages;
mod weights;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Result, bail};
use candle_core::{DType, Tensor};

use self::adapters::{AdapterRows, DeviceLora, HeldAdapters, Segments};
use self::attention::{Plan, plans};
use self::pages::{Pages, slot};
pub use self::weights::DeviceDecoder;
use self::weights::{DeviceLayer, Site};
use super::backend::{Backend, Logits, Step};
use super::cache::PageId;
use super::lora::embedding_row;
use super::team::Team;
use crate::adapter::{Module, Projection};
use crate::device;
use crate::device::kernels::{self, Angles, Kernels, Turning, capped};
use crate::kernels::rope::RotationDirection;
use crate::model::ModelConfig;
use crate::model::config::Rope;
use crate::model::layer::LayerNorm;

/// What to do where a device's memory is short.
pub(super) const ADVICE: &str = "ask for fewer or shorter answers at once (--context), take a smaller or a quantised model, or --device cpu";

/// A decoder on a device with the keys and values of one generator.
pub(super) struct OnDevice {
    decoder: Arc<DeviceDecoder>,
    kernels: Box<dyn Kernels>,
    pages: Pages,
    held: HeldAdapters,
    /// (wanted, vocabulary)
    logits: Vec<f32>,
}

/// What a step's layers share.
struct StepContext {
    segments: Segments,
    plans: BTreeMap<Option<usize>, Plan>,
    /// Of most layers, and of those with a local window where they differ.
    angles: (Angles, Option<Angles>),
    /// Where each new position's key and value go, along their width: (rows, kv width), u32.
    slots: Tensor,
}

impl OnDevice {
    pub(super) fn new(decoder: Arc<DeviceDecoder>) -> Result<Self> {
        let dtype = cache_format(&decoder);
        let pages = Pages::new(&decoder.config, dtype, &decoder.device)?;
        let kernels = kernels::of(&decoder.device, DType::F32)?;
        Ok(Self { kernels, pages, held: HeldAdapters::default(), logits: Vec::new(), decoder })
    }

    fn run(&mut self, step: &Step) -> Result<Vec<f32>> {
        self.pages.reserve(step)?;
        let shared = self.share(step)?;
        let pass = DecodePass { decoder: &self.decoder, kernels: &*self.kernels, pages: &self.pages, shared };
        let mut x = pass.embed(step)?;
        for (index, layer) in pass.decoder.layers.iter().enumerate() {
            x = pass.attend(index, layer, &x)?;
            x = pass.feed_forward(index, layer, &x)?;
        }
        pass.predict(step, &x)
    }

    fn share(&mut self, step: &Step) -> Result<StepContext> {
        let DeviceDecoder { config, device, .. } = &*self.decoder;
        let mut segments = Vec::new();
        let mut next = 0;
        for (lora, rows) in &step.adapters {
            segments.push(AdapterRows { rows: next..rows.start, lora: None });
            let lora = Some(self.held.get(lora, config, device)?);
            segments.push(AdapterRows { rows: rows.clone(), lora });
            next = rows.end;
        }
        segments.push(AdapterRows { rows: next..step.tokens.len(), lora: None });
        segments.retain(|segment| !segment.rows.is_empty());
        let positions = || step.spans.iter().flat_map(|span| span.start..span.start + span.rows.len());
        let angles = |rope: &Rope| -> Result<Angles> {
            let (frequencies, factor) = rope.frequencies();
            let all = || positions().flat_map(|at| frequencies.iter().map(move |f| at as f32 * f));
            let shape = (step.tokens.len(), frequencies.len());
            let cos = all().map(|angle| angle.cos() * factor).collect();
            let sin = all().map(|angle| angle.sin() * factor).collect();
            Ok(Angles {
                cos: Tensor::from_vec(cos, shape, device)?,
                sin: Tensor::from_vec(sin, shape, device)?,
            })
        };
        let new = step.spans.iter().flat_map(|span| {
            (span.start..span.start + span.rows.len()).map(|position| slot(&span.pages, position))
        });
        let slots = Tensor::from_iter(new, device)?.unsqueeze(1)?;
        Ok(StepContext {
            segments: Segments(segments),
            plans: plans(config, step, device)?,
            angles: (angles(&config.rope)?, config.local_rope.as_ref().map(angles).transpose()?),
            slots: slots.broadcast_as((step.tokens.len(), config.kv_width()))?.contiguous()?,
        })
    }
}

fn cache_format(decoder: &DeviceDecoder) -> DType {
    if decoder.full_cache() { DType::F32 } else { DType::F16 }
}

struct DecodePass<'a> {
    decoder: &'a DeviceDecoder,
    kernels: &'a dyn Kernels,
    pages: &'a Pages,
    shared: StepContext,
}

impl DecodePass<'_> {
    /// The first layer's input: (rows, hidden).
    fn embed(&self, step: &Step) -> Result<Tensor> {
        let config = &self.decoder.config;
        let mut rows = vec![0.0; step.tokens.len() * config.hidden];
        for (row, (to, &token)) in rows.chunks_exact_mut(config.hidden).zip(&step.tokens).enumerate() {
            embedding_row(step.lora(row), &self.decoder.embedding, token, to);
            to.iter_mut().for_each(|value| *value *= config.embedding_scale);
        }
        Ok(Tensor::from_vec(rows, (step.tokens.len(), config.hidden), &self.decoder.device)?)
    }

    /// `x` by a norm: the model's, or the adapters' own. A row of the step is `each` rows of `x`.
    fn norm(&self, segments: &Segments, module: Module, each: usize, x: &Tensor) -> Result<Tensor> {
        let epsilon = self.decoder.config.norm_epsilon;
        let Some(weight) = self.decoder.norms.get(&module) else { return Ok(x.clone()) };
        let (whole, _) = self.kernels.rms_norm(x, weight, epsilon)?;
        let own = |lora: &DeviceLora, rows: &Tensor, x: &Tensor| match lora.norm(module) {
            Some(weight) => Ok(self.kernels.rms_norm(x, weight, epsilon)?.0),
            None => Ok(rows.clone()),
        };
        Ok(segments.by_rows(each, (&whole, x), &|lora| lora.norm(module).is_some(), &own)?)
    }

    fn product(&self, index: usize, layer: &DeviceLayer, site: Site, x: &Tensor) -> Result<Tensor> {
        let y = layer.matrix(site).forward(x)?;
        Ok(self.shared.segments.adapt(index, site, &y, x)?)
    }

    fn layer_norm(&self, index: usize, name: LayerNorm, x: &Tensor) -> Result<Tensor> {
        self.norm(&self.shared.segments, Module::LayerNorm(index, name), 1, x)
    }

    /// Adds a block's output to the residual stream, through the block's own norm where the architecture has one.
    fn leave(&self, index: usize, after: Option<LayerNorm>, x: &Tensor, block: &Tensor) -> Result<Tensor> {
        match after {
            Some(norm) => Ok((x + self.layer_norm(index, norm, block)?)?),
            None => Ok((x + block)?),
        }
    }

    fn attend(&self, index: usize, layer: &DeviceLayer, x: &Tensor) -> Result<Tensor> {
        let config = &self.decoder.config;
        let normed = self.layer_norm(index, config.layer.attention.before, x)?;
        let mut qkv = self.product(index, layer, Site::Qkv, &normed)?;
        if let Some(bias) = &layer.qkv_bias {
            qkv = qkv.broadcast_add(bias)?;
        }
        let qkv = self.turn(index, &self.norm_heads(index, qkv)?)?;
        let (query, kv) = (config.query_width(), config.kv_width());
        let (keys, values) = (qkv.narrow(1, query, kv)?, qkv.narrow(1, query + kv, kv)?);
        self.pages.put(index, &self.shared.slots, &keys, &values)?;
        let window = config.windows.get(index).copied().flatten();
        let Some(plan) = self.shared.plans.get(&window) else { bail!("layer {index} has no plan") };
        let attended = plan.attend(config, self.pages, index, &qkv)?;
        let block = self.product(index, layer, Site::Output, &attended)?;
        self.leave(index, config.layer.attention.after, x, &block)
    }

    /// Norms of queries and keys, where the architecture has them.
    fn norm_heads(&self, index: usize, qkv: Tensor) -> Result<Tensor> {
        let config = &self.decoder.config;
        let Some([of_queries, of_keys]) = config.layer.head_norms else { return Ok(qkv) };
        let (rows, dim) = (qkv.dim(0)?, config.head_dim);
        let part = |first: usize, heads: usize, name: LayerNorm| -> Result<Tensor> {
            let part = qkv.narrow(1, first, heads * dim)?.contiguous()?.reshape((rows * heads, dim))?;
            let normed = self.norm(&self.shared.segments, Module::LayerNorm(index, name), heads, &part)?;
            Ok(normed.reshape((rows, heads * dim))?)
        };
        let (query, kv) = (config.query_width(), config.kv_width());
        let queries = part(0, config.heads, of_queries)?;
        let keys = part(query, config.kv_heads, of_keys)?;
        Ok(Tensor::cat(&[queries, keys, qkv.narrow(1, query + kv, kv)?.contiguous()?], 1)?)
    }

    /// Turns queries and keys by their positions.
    fn turn(&self, index: usize, qkv: &Tensor) -> Result<Tensor> {
        let config = &self.decoder.config;
        let Some(rope) = config.layer_rope(index) else { return Ok(qkv.clone()) };
        let (global, of_window) = &self.shared.angles;
        let angles = if config.is_local(rope) { of_window.as_ref().unwrap_or(global) } else { global };
        let heads = config.heads + config.kv_heads;
        let turning = Turning { angles, heads, dim: config.head_dim, turn: RotationDirection::Forward };
        Ok(self.kernels.rotate(qkv, turning)?)
    }

    fn feed_forward(&self, index: usize, layer: &DeviceLayer, x: &Tensor) -> Result<Tensor> {
        let config = &self.decoder.config;
        let normed = self.layer_norm(index, config.layer.feed_forward.before, x)?;
        let gate_up = self.product(index, layer, Site::GateUp, &normed)?;
        let inner = self.kernels.glu(config.activation, &gate_up)?;
        let block = self.product(index, layer, Site::Down, &inner)?;
        self.leave(index, config.layer.feed_forward.after, x, &block)
    }

    /// Logits of the wanted rows: (wanted, vocabulary).
    fn predict(&self, step: &Step, x: &Tensor) -> Result<Vec<f32>> {
        let DeviceDecoder { config, device, .. } = self.decoder;
        if step.wanted.is_empty() {
            // Keys and values are there when the next step asks for them: a device works in order.
            return Ok(Vec::new());
        }
        let wanted = Tensor::from_iter(step.wanted.iter().map(|&row| row as u32), device)?;
        let segment = |segment: &AdapterRows| AdapterRows {
            rows: step.places(&segment.rows),
            lora: segment.lora.clone(),
        };
        let segments = Segments(self.shared.segments.0.iter().map(segment).collect());
        let last = self.norm(&segments, Module::Norm, 1, &x.index_select(&wanted, 0)?)?;
        let logits = self.decoder.output.forward(&last)?;
        let own = |lora: &DeviceLora, rows: &Tensor, x: &Tensor| {
            Ok(lora.predict(x)?.unwrap_or_else(|| rows.clone()))
        };
        let mut logits = segments.by_rows(1, (&logits, &last), &|lora| lora.has_output(), &own)?;
        if let Some(cap) = config.logit_softcap {
            logits = capped(&logits, cap)?;
        }
        let mut numbers = logits.flatten_all()?.to_vec1()?;
        if step.adapters.iter().any(|(lora, _)| !lora.output_rows.is_empty()) {
            self.predict_rows(step, &last, &mut numbers)?;
        }
        Ok(numbers)
    }

    /// Puts what adapters predict for single tokens in the place of what the model does.
    fn predict_rows(&self, step: &Step, last: &Tensor, logits: &mut [f32]) -> Result<()> {
        let config = &self.decoder.config;
        let last: Vec<f32> = last.flatten_all()?.to_vec1()?;
        let rows = logits.chunks_exact_mut(config.vocabulary).zip(last.chunks_exact(config.hidden));
        for ((logits, x), &row) in rows.zip(&step.wanted) {
            for (&token, weights) in step.lora(row).iter().flat_map(|lora| &lora.output_rows) {
                let logit: f32 = x.iter().zip(weights).map(|(x, weight)| x * weight).sum();
                let cap = |cap: f32| cap * (logit / cap).tanh();
                if let Some(place) = logits.get_mut(token as usize) {
                    *place = config.logit_softcap.map_or(logit, cap);
                }
            }
        }
        Ok(())
    }
}

impl Backend for OnDevice {
    fn config(&self) -> &ModelConfig {
        &self.decoder.config
    }

    fn page_bytes(&self) -> usize {
        Pages::page_bytes(&self.decoder.config, cache_format(&self.decoder))
    }

    fn expect_pages(&mut self, most: usize) {
        self.pages.expect(most);
    }

    fn forward(&mut self, _: &mut Team, step: &Step) -> Result<()> {
        let outcome = self.run(step);
        self.logits = outcome.map_err(|error| device::explained(error, &self.decoder.device, ADVICE))?;
        Ok(())
    }

    fn logits(&mut self) -> Logits<'_> {
        Logits { stride: self.decoder.config.vocabulary, values: &mut self.logits }
    }

    fn copy_page(&mut self, from: PageId, to: PageId) -> Result<()> {
        Ok(self.pages.copy(from, to)?)
    }

    fn projection(&self, layer: usize, projection: Projection) -> Result<Option<Vec<f32>>> {
        let Some(layer) = self.decoder.layers.get(layer) else { return Ok(None) };
        let find =
            |site: &Site| Some((*site, site.projections().iter().position(|&other| other == projection)?));
        let Some((site, index)) = Site::ALL.iter().find_map(find) else { return Ok(None) };
        layer.matrix(site).numbers(index).map(Some)
    }
}
