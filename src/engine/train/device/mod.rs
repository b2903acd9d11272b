//! The training step on any of candle's devices: the same forward and backward as [`super::step`], written by hand layer
//! by layer, over tensors that stay on the device. Adapter, recipe, packing, trainer, optimizer and checkpoints are
//! shared; only what multiplies and sums is not.
//!
//! Weights and activations are in the step's number format. Adapters with their products, norms' sums, softmax, losses
//! and the gradient of the residual stream are f32.

mod backward;
mod collected;
mod dora;
mod forward;
mod frozen;
mod loss;
mod site;
mod tuned;
mod weights;

use std::time::Instant;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

use self::collected::Collected;
use self::forward::DevicePass;
use self::loss::{LossRows, RowSlopes};
use self::site::{DeviceLayerSites, ToInput};
use self::tuned::Tuned;
use self::weights::{BatchAngles, DeviceWeights};
use super::course::{BACKWARD, Course, FORWARD, GoOn};
use super::step;
use super::step::activations::{SHARE_OF_FREE, floats_per_token};
use super::step::sites::LayerSites;
use super::step::whole::WholeParts;
use super::student::{LossSlope, Student};
use crate::adapter::Adapter;
use crate::device::kernels::{self, Kernels};
use crate::device::{self, number_format};
use crate::kernels::cross_entropy::RowLoss;
use crate::kernels::dropout::Dropout;
use crate::kernels::gemm::MatmulPrecision;
use crate::model::{ModelConfig, OpenModel, Weights};
use dojo_core::domain::batch::PackedBatch;
use dojo_core::domain::recipe::{ActivationMemory, BaseFormat, Dtype};

/// What to do where a device's memory is short.
const ADVICE: &str = "lower train.per_device_train_batch_size or data.max_length, or set compute.activation_memory to \
                      \"recompute\" or compute.base_format to \"nf4\"";

/// How to hold the frozen base and the activations, and in which number format to work.
#[derive(Debug, Clone, Copy)]
pub struct DeviceOptions {
    pub activation_memory: ActivationMemory,
    pub base: BaseFormat,
    pub dtype: Dtype,
}

/// A decoder whose adapter is trained on a device.
pub struct DeviceStudent {
    config: ModelConfig,
    device: Device,
    options: DeviceOptions,
    kernels: Box<dyn Kernels>,
    weights: DeviceWeights,
    /// The longest batch, in tokens, whose activations were found to fit.
    fitting: usize,
    /// In f16, what gradients of logits are scaled up to at most.
    reach: f32,
    peak_bytes: u64,
    temperature: f32,
}

/// Where f16 begins: gradients of logits as large as `PyTorch`'s first loss scale of 65,536 makes those of a mean over
/// 1,024 tokens.
const FIRST_REACH: f32 = 64.0;

impl DeviceStudent {
    /// Reads the weights and takes them to the device.
    ///
    /// # Errors
    /// Where a tensor is missing or damaged, or the device's memory is short.
    pub fn open(model: &OpenModel, device: &Device, options: DeviceOptions) -> Result<Self> {
        Self::over((&model.name, &model.config), model.weights.as_ref(), device, options)
    }

    /// As [`DeviceStudent::open`], for a model by name and shape that needs no files.
    ///
    /// # Errors
    /// As [`DeviceStudent::open`].
    pub fn over(
        (name, config): (&str, &ModelConfig),
        weights: &dyn Weights,
        device: &Device,
        options: DeviceOptions,
    ) -> Result<Self> {
        let place = (device, number_format(options.dtype));
        let kernels = kernels::of(device, place.1)?;
        let weights = DeviceWeights::read(config, weights, options.base, place)
            .map_err(|error| device::explained(error, device, ADVICE))
            .with_context(|| format!("read the weights of {name}"))?;
        Ok(Self {
            config: config.clone(),
            device: device.clone(),
            options,
            kernels,
            weights,
            fitting: 0,
            reach: FIRST_REACH,
            peak_bytes: 0,
            temperature: 1.0,
        })
    }

    /// Decides whether to keep activations.
    fn keeps(&mut self, sites: &[LayerSites], tokens: usize) -> bool {
        match self.options.activation_memory {
            ActivationMemory::Keep => true,
            ActivationMemory::Recompute => false,
            ActivationMemory::Auto => {
                let floats = floats_per_token(&self.config, sites) * self.config.layers * tokens;
                let bytes = floats * number_format(self.options.dtype).size_in_bytes();
                let fits = |free: u64| (bytes as f64) < SHARE_OF_FREE * free as f64;
                // What an earlier step gave back is not free again at once: what fitted once fits again.
                if tokens > self.fitting && device::free_bytes(&self.device).is_none_or(fits) {
                    self.fitting = tokens;
                }
                tokens <= self.fitting
            }
        }
    }

    /// A forward pass and the losses; with a slope the backward pass too, and the gradients in the adapter's form.
    /// Nothing when `go_on`, asked before each layer, says no.
    fn run(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        dropout: Option<Dropout>,
        slope: Option<&mut LossSlope<'_>>,
        go_on: GoOn<'_>,
    ) -> Result<Option<Passed>> {
        step::check(&self.config, batch)?;
        // A device's kernels know no shared beginnings.
        let batch = &*batch.unshared();
        let sites = LayerSites::all(&self.config, adapter, dropout, MatmulPrecision::F32)?;
        let whole = WholeParts::of(&self.config, adapter)?;
        let keep = slope.is_some() && self.keeps(&sites, batch.tokens.len());
        let result = self.passes(adapter, batch, (sites, &whole), (slope, keep), go_on);
        self.note_peak();
        result.map_err(|error| device::explained(error, &self.device, ADVICE))
    }

    fn passes(
        &self,
        adapter: &Adapter,
        batch: &PackedBatch,
        (sites, whole): (Vec<LayerSites>, &WholeParts),
        (slope, keep): (Option<&mut LossSlope<'_>>, bool),
        go_on: GoOn<'_>,
    ) -> Result<Option<Passed>> {
        let place = (&self.device, number_format(self.options.dtype));
        let sites = DeviceLayerSites::all(sites, &self.device)?;
        let tuned = Tuned::new(&self.config, &self.weights, adapter, place)?;
        let angles = BatchAngles::new(&self.config, batch, &self.device)?;
        let pass = DevicePass {
            config: &self.config,
            device: &self.device,
            kernels: &*self.kernels,
            weights: &self.weights,
            tuned: &tuned,
            whole,
            sites: &sites,
            angles: &angles,
            batch,
            temperature: self.temperature,
        };
        let mut collected = Collected::new(self.config.layers);
        let back = slope.is_some();
        let slope = slope.map(|slope| Lifted { slope, reach: self.reach() });
        let passed = both_ways(&pass, (slope, keep), &mut collected, go_on)?;
        let Some((rows, factor)) = passed else { return Ok(None) };
        let gradients =
            if back { collected.to_host(&sites, adapter.values.len(), &self.device)? } else { Vec::new() };
        Ok(Some(Passed { rows, gradients, factor }))
    }

    fn note_peak(&mut self) {
        if let Some(memory) = device::memory(&self.device) {
            self.peak_bytes = self.peak_bytes.max(memory.used);
        }
    }
}

/// What a pass gives.
struct Passed {
    rows: Vec<RowLoss>,
    /// In the adapter's form, times the factor; empty after a forward pass alone.
    gradients: Vec<f32>,
    /// What the loss was multiplied by, so that small gradients aren't lost in f16.
    factor: f32,
}

/// The slope of a loss, and in f16 what its gradients are lifted to.
struct Lifted<'a, 'b> {
    slope: &'a mut LossSlope<'b>,
    reach: Option<f32>,
}

impl Lifted<'_, '_> {
    /// Slopes of the rows times a factor, and that factor.
    fn slopes(
        self,
        pass: &DevicePass<'_>,
        trained: &LossRows,
        collected: &mut Collected,
    ) -> Result<(RowSlopes, f32)> {
        match self.slope {
            LossSlope::Same(scale) => {
                let factor = loss_factor(self.reach, *scale);
                Ok((RowSlopes { largest: *scale * factor, shares: None }, factor))
            }
            LossSlope::Each(slopes) => {
                let (rows, _) = pass.head(trained, None, collected)?;
                let slopes = slopes(&rows);
                let largest = slopes.iter().fold(0.0f32, |largest, slope| largest.max(slope.abs()));
                let factor = loss_factor(self.reach, largest);
                let share = |slope: &f32| if largest > 0.0 { slope / largest } else { 0.0 };
                let shares: Vec<f32> = slopes.iter().map(share).collect();
                let shares = Tensor::from_vec(shares, (slopes.len(), 1), pass.device)?;
                Ok((RowSlopes { largest: largest * factor, shares: Some(shares) }, factor))
            }
        }
    }
}

/// The power of two that small gradients are lifted by above what f16 can't hold; 1 in the other formats.
fn loss_factor(reach: Option<f32>, scale: f32) -> f32 {
    match reach {
        Some(reach) if scale > 0.0 => (reach / scale).log2().floor().exp2().max(1.0),
        _ => 1.0,
    }
}

/// Forward, losses, and with a slope backward; and what the loss was multiplied by. Nothing when `go_on`, asked before
/// each layer, says no.
fn both_ways(
    pass: &DevicePass<'_>,
    (slope, keep): (Option<Lifted<'_, '_>>, bool),
    collected: &mut Collected,
    go_on: GoOn<'_>,
) -> Result<Option<(Vec<RowLoss>, f32)>> {
    let lowest = pass.lowest().filter(|_| slope.is_some());
    let back = lowest.map_or(0.0, |lowest| (pass.config.layers - lowest) as f64 * BACKWARD);
    let course = Course::new(go_on, pass.config.layers as f64 * FORWARD + back);
    let mut x = pass.embed()?;
    let (mut inputs, mut kept) = (Vec::new(), Vec::new());
    for layer in 0..pass.config.layers {
        if course.enter(FORWARD).is_none() {
            return Ok(None);
        }
        let (next, values) = pass.layer(layer, &x)?;
        if slope.is_some() {
            inputs.push(x);
            kept.push(keep.then_some(values));
        }
        x = next;
    }
    let Some(trained) = pass.trained(&x)? else { return Ok(Some((Vec::new(), 1.0))) };
    let (slopes, factor) = slope.map(|slope| slope.slopes(pass, &trained, collected)).transpose()?.unzip();
    let factor = factor.unwrap_or(1.0);
    let (losses, grad) = pass.head(&trained, slopes.as_ref(), collected)?;
    drop((x, trained));
    let (Some(mut grad), Some(lowest)) = (grad, lowest) else { return Ok(Some((losses, factor))) };
    let to_embedding = pass.whole.trains_embedding();
    while let (Some(x), Some(values)) = (inputs.pop(), kept.pop()) {
        let layer = inputs.len();
        if layer < lowest {
            return Ok(Some((losses, factor)));
        }
        if course.enter(BACKWARD).is_none() {
            return Ok(None);
        }
        let values = match values {
            Some(values) => values,
            None => pass.layer(layer, &x)?.1,
        };
        let goes_on =
            layer > lowest || to_embedding || pass.whole.trains(layer, pass.config.layer.attention.before);
        let to_input = if goes_on { ToInput::Yes } else { ToInput::No };
        match pass.layer_back(layer, (&x, &values), &grad, collected, to_input)? {
            Some(next) => grad = next,
            None => return Ok(Some((losses, factor))),
        }
    }
    pass.embedding_back(&grad, collected)?;
    Ok(Some((losses, factor)))
}

impl Student for DeviceStudent {
    fn backward_rows(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        (mut slope, dropout): (LossSlope<'_>, Option<u64>),
        gradients: &mut [f32],
        go_on: GoOn<'_>,
    ) -> Result<Option<Vec<RowLoss>>> {
        let dropout = step::begin(adapter, dropout, gradients)?;
        loop {
            let passed = self.run(adapter, batch, dropout, Some(&mut slope), go_on)?;
            let Some(Passed { rows, gradients: new, factor }) = passed else { return Ok(None) };
            let finite = || new.iter().all(|gradient| gradient.is_finite());
            let is_number = rows.iter().all(|row| row.nll.is_finite());
            if self.options.dtype == Dtype::F16 && is_number && factor > 1.0 && !finite() {
                // Too large for f16: the same batch again, scaled up half as much.
                self.reach /= 2.0;
                continue;
            }
            for (sum, gradient) in gradients.iter_mut().zip(&new) {
                *sum += gradient / factor;
            }
            return Ok(Some(rows));
        }
    }

    fn evaluate_rows(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        go_on: GoOn<'_>,
    ) -> Result<Option<Vec<RowLoss>>> {
        Ok(self.run(adapter, batch, None, None, go_on)?.map(|passed| passed.rows))
    }

    fn set_temperature(&mut self, temperature: f32) {
        self.temperature = temperature;
    }

    fn memory_gb(&self) -> f64 {
        match self.peak_bytes {
            0 => dojo_core::ground::memory::resident_gb(),
            bytes => bytes as f64 / 1e9,
        }
    }
}

impl DeviceStudent {
    /// In f16, what gradients are lifted to.
    fn reach(&self) -> Option<f32> {
        (self.options.dtype == Dtype::F16).then_some(self.reach)
    }
}

/// What a device does in large matrix products, 10^9 operations a second: the best of a few.
///
/// # Errors
/// Where the device fails.
pub(super) fn gflops(device: &Device, dtype: Dtype) -> Result<f64> {
    let size = if device.is_cpu() { 512 } else { 8192 };
    let x = Tensor::ones((size, size), number_format(dtype), device)?;
    let mut fastest = f64::INFINITY;
    for _ in 0..6 {
        device.synchronize()?;
        let start = Instant::now();
        let product = x.matmul(&x)?;
        device.synchronize()?;
        drop(product);
        fastest = fastest.min(start.elapsed().as_secs_f64());
    }
    Ok(2.0 * (size as f64).powi(3) / fastest / 1e9)
}
