//! The training step: a decoder's forward and backward, written by hand, layer by layer.
//!
//! Frozen weights get no gradient. What the backward needs is kept where memory allows and computed again where it
//! doesn't; buffers are reused from step to step. Sums are taken in a fixed order, so that a step repeats bit for bit.

pub(super) mod activations;
mod backward;
mod buffer;
mod dora;
pub(super) mod forward;
mod heads;
mod linear;
mod profile;
pub(super) mod sites;
pub(super) mod weights;
pub(super) mod whole;

use std::borrow::Cow;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::course::{BACKWARD, Course, FORWARD, GoOn};
use super::student::{LossSlope, Student};
use crate::adapter::{Adapter, Module};
use crate::kernels::attention::AttentionShape;
use crate::kernels::cross_entropy::{Head, RowLoss, RowScale, WeightGradient};
use crate::kernels::dropout::Dropout;
use crate::kernels::gemm::MatmulPrecision;
use crate::model::{ModelConfig, OpenModel, Weights};
use dojo_core::domain::batch::{IGNORED, PackedBatch};
use dojo_core::domain::recipe::{ActivationMemory, BaseFormat};

pub use profile::{Profile, StepPart};

use activations::Activations;
use buffer::Buffer;
use forward::StepPass;
use linear::LinearScratch;
use sites::LayerSites;
use weights::DecoderWeights;
use whole::WholeParts;

/// How to hold the frozen base and the activations.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepOptions {
    pub activation_memory: ActivationMemory,
    pub base: BaseFormat,
    /// Number format of the products with frozen weights.
    pub products: MatmulPrecision,
}

/// A decoder whose adapter is trained on the CPU.
pub struct DecoderStudent {
    config: ModelConfig,
    weights: DecoderWeights,
    options: StepOptions,
    temperature: f32,
    activations: Activations,
    scratch: StepScratch,
    profile: Profile,
}

/// Buffers that live from step to step; the names say what the widest use of each is.
#[derive(Default)]
struct StepScratch {
    /// A layer's normalised input: (tokens, hidden).
    normed: Buffer,
    /// The feed-forward block's inner values: (tokens, intermediate).
    inner: Buffer,
    /// Gradient of the residual stream: (tokens, hidden).
    grad: Buffer,
    /// Gradient of the feed-forward block's inner values: (tokens, intermediate).
    grad_inner_values: Buffer,
    /// Gradient before a block's own norm (Gemma 3): (tokens, hidden).
    grad_raw: Buffer,
    /// Gradient of a normalised input: (tokens, hidden).
    grad_normed: Buffer,
    /// Gradient of the attention's output: (tokens, query width).
    grad_out: Buffer,
    /// Gradient of queries, keys and values: (tokens, row).
    grad_qkv: Buffer,
    linear: LinearScratch,
    keys: Vec<f32>,
    attention: crate::kernels::attention::AttentionScratch,
    logits: Vec<f32>,
    expanded: Vec<f32>,
}

impl DecoderStudent {
    /// Reads the weights.
    ///
    /// # Errors
    /// Where a tensor is missing or damaged.
    pub fn open(model: &OpenModel, options: StepOptions) -> Result<Self> {
        Self::over(&model.name, &model.config, model.weights.as_ref(), options)
    }

    /// Reads the weights of a model that needs no files.
    ///
    /// # Errors
    /// As [`DecoderStudent::open`].
    pub fn over(
        name: &str,
        config: &ModelConfig,
        weights: &dyn Weights,
        options: StepOptions,
    ) -> Result<Self> {
        let config = config.clone();
        let weights = DecoderWeights::read(&config, weights, options.base)
            .with_context(|| format!("read the weights of {name}"))?;
        Ok(Self {
            config,
            weights,
            options,
            temperature: 1.0,
            activations: Activations::default(),
            scratch: StepScratch::default(),
            profile: Profile::default(),
        })
    }

    /// Seconds spent in each part since the last call.
    pub fn take_profile(&mut self) -> Profile {
        std::mem::take(&mut self.profile)
    }

    /// Rows of the last layer's output that have a target, normalised: (rows, hidden), and their `1 / rms`.
    fn gather(&mut self, output: &[f32], batch: &PackedBatch) -> TrainedRows {
        let hidden = self.config.hidden;
        let rows: Vec<usize> = (0..batch.targets.len()).filter(|&i| batch.targets[i] != IGNORED).collect();
        let targets = rows.iter().map(|&row| batch.targets[row]).collect();
        let mut x = Vec::with_capacity(rows.len() * hidden);
        for &row in &rows {
            x.extend_from_slice(&output[row * hidden..(row + 1) * hidden]);
        }
        let mut normed = vec![0.0; x.len()];
        let mut inverse = vec![0.0; rows.len()];
        let epsilon = self.config.norm_epsilon;
        crate::kernels::norm::rms_norm(&x, &self.weights.norm, epsilon, &mut normed, &mut inverse);
        self.temper(&mut normed);
        TrainedRows { rows, targets, x, normed, inverse }
    }

    fn head_losses(
        &mut self,
        trained: &TrainedRows,
        gradient: Option<(&mut [f32], RowScale<'_>)>,
        of_weight: WeightGradient<'_>,
        enter: &mut dyn FnMut() -> Option<()>,
    ) -> Option<Vec<RowLoss>> {
        let clock = Instant::now();
        let head = Head {
            weight: self.weights.head(),
            vocabulary: self.config.vocabulary,
            width: self.config.hidden,
            softcap: self.config.logit_softcap.map(|cap| cap / self.temperature),
            products: self.options.products,
        };
        let (x, targets, logits) = (&trained.normed, &trained.targets, &mut self.scratch.logits);
        let losses = head.losses_while((x, targets), gradient, of_weight, logits, enter);
        self.profile.add(StepPart::CrossEntropy, clock);
        losses
    }

    /// What the products of the output layer take, in a layer's.
    fn products_of_head(&self, batch: &PackedBatch) -> f64 {
        let config = &self.config;
        let all = config.vocabulary * config.hidden * batch.trained_tokens();
        all as f64 / (config.layer_weights() * batch.tokens.len()).max(1) as f64
    }

    fn pass<'a>(&'a mut self, batch: &'a PackedBatch, adapted: &'a Adapted) -> StepPass<'a> {
        StepPass {
            config: &self.config,
            weights: &self.weights,
            scratch: &mut self.scratch,
            profile: &mut self.profile,
            batch,
            sites: &adapted.sites,
            whole: &adapted.whole,
        }
    }
}

/// What every backward pass begins with: gradients of the adapter's form, and its dropout where it has one.
pub(super) fn begin(adapter: &Adapter, seed: Option<u64>, gradients: &[f32]) -> Result<Option<Dropout>> {
    ensure!(gradients.len() == adapter.values.len(), "gradients don't have the adapter's form");
    let rate = adapter.config.lora_dropout;
    Ok(seed.filter(|_| rate > 0.0).map(|seed| Dropout { seed, rate }))
}

/// The shape of a layer's attention over a batch.
pub(super) fn attention_shape<'a>(
    config: &ModelConfig,
    layer: usize,
    batch: &'a PackedBatch,
) -> AttentionShape<'a> {
    AttentionShape {
        heads: config.heads,
        kv_heads: config.kv_heads,
        head_dim: config.head_dim,
        scale: config.attention_scale,
        soft_cap: config.attention_softcap,
        window: config.windows.get(layer).copied().flatten(),
        borders: &batch.borders,
        stems: &batch.stems,
    }
}

/// Refuses a batch that a model can't take.
pub(super) fn check(config: &ModelConfig, batch: &PackedBatch) -> Result<()> {
    let longest = batch.longest();
    ensure!(
        longest <= config.context,
        "an example of {longest} tokens is longer than the model's context of {} tokens: lower max_length",
        config.context
    );
    let known = |&&token: &&u32| token as usize >= config.vocabulary && token != IGNORED;
    let unknown = batch.tokens.iter().chain(&batch.targets).find(known);
    if let Some(token) = unknown {
        anyhow::bail!(
            "token {token} is not in the model's vocabulary of {}: the data was encoded for another model",
            config.vocabulary
        );
    }
    Ok(())
}

/// An adapter as a pass sees it.
struct Adapted {
    sites: Vec<LayerSites>,
    whole: WholeParts,
}

/// The rows that the loss is taken over.
struct TrainedRows {
    rows: Vec<usize>,
    targets: Vec<u32>,
    x: Vec<f32>,
    normed: Vec<f32>,
    inverse: Vec<f32>,
}

impl Student for DecoderStudent {
    fn backward_rows(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        (slope, dropout): (LossSlope<'_>, Option<u64>),
        gradients: &mut [f32],
        go_on: GoOn<'_>,
    ) -> Result<Option<Vec<RowLoss>>> {
        let dropout = begin(adapter, dropout, gradients)?;
        // Each example has its own dropout, in its beginning too.
        let batch = &*if dropout.is_some() { batch.unshared() } else { Cow::Borrowed(batch) };
        let memory = self.options.activation_memory;
        // Inside the thread pool: one hand-over a step instead of one an operation.
        rayon::scope(|_| self.run(adapter, batch, dropout, memory, Some((gradients, slope)), go_on))
    }

    fn evaluate_rows(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        go_on: GoOn<'_>,
    ) -> Result<Option<Vec<RowLoss>>> {
        rayon::scope(|_| self.run(adapter, batch, None, ActivationMemory::Recompute, None, go_on))
    }

    fn set_temperature(&mut self, temperature: f32) {
        self.temperature = temperature;
    }
}

impl DecoderStudent {
    /// A forward pass and the losses of all trained rows; with `gradients` the backward pass too. Nothing when `go_on`,
    /// asked before each part of each layer, says no.
    fn run(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        dropout: Option<Dropout>,
        memory: ActivationMemory,
        gradients: Option<(&mut [f32], LossSlope<'_>)>,
        go_on: GoOn<'_>,
    ) -> Result<Option<Vec<RowLoss>>> {
        check(&self.config, batch)?;
        let adapted = Adapted {
            sites: LayerSites::all(&self.config, adapter, dropout, self.options.products)?,
            whole: WholeParts::of(&self.config, adapter)?,
        };
        self.weights.tune(&self.config, adapter);
        self.weights.prepare(&self.config, batch);
        let mut activations = std::mem::take(&mut self.activations);
        activations.plan(&self.config, &adapted.sites, batch.tokens.len(), memory);
        let rows = self.through(batch, &adapted, &mut activations, gradients, go_on);
        self.activations = activations;
        Ok(rows)
    }

    /// The same with everything laid out: the losses of all trained rows.
    fn through(
        &mut self,
        batch: &PackedBatch,
        adapted: &Adapted,
        activations: &mut Activations,
        gradients: Option<(&mut [f32], LossSlope<'_>)>,
        go_on: GoOn<'_>,
    ) -> Option<Vec<RowLoss>> {
        let layers = self.config.layers as f64;
        let head = self.products_of_head(batch) * if gradients.is_some() { 2.0 } else { 1.0 };
        let back = match (&gradients, self.pass(batch, adapted).lowest()) {
            (Some(_), Some(lowest)) => {
                let again = if activations.keeps() { 0.0 } else { FORWARD };
                (layers - lowest as f64) * (BACKWARD + again)
            }
            (None, _) | (_, None) => 0.0,
        };
        let course = Course::new(go_on, layers * FORWARD + head + back);
        self.pass(batch, adapted).forward(activations, &course)?;
        let trained = self.gather(activations.output(), batch);
        let chunks = Head::chunks(trained.targets.len()) as f64;
        let mut enter = || course.enter(head / chunks);
        if let Some((gradients, slope)) = gradients {
            let mut grad_normed = vec![0.0; trained.normed.len()];
            let of_weight = adapted.whole.output(gradients);
            let rows = self.losses_back(&trained, slope, (&mut grad_normed, of_weight), &mut enter)?;
            self.temper(&mut grad_normed);
            if adapted.whole.range(Module::Norm).is_some() {
                let factor = Module::Norm.factor(&self.config);
                let inverse: Vec<f32> = trained.inverse.iter().map(|inverse| inverse * factor).collect();
                adapted.whole.add_norm(Module::Norm, (&trained.x, &inverse, &grad_normed), gradients);
            }
            self.scatter(&trained, &grad_normed, batch.tokens.len());
            self.pass(batch, adapted).backward(activations, gradients, &course)?;
            Some(rows)
        } else {
            self.head_losses(&trained, None, WeightGradient::None, &mut enter)
        }
    }
}

impl DecoderStudent {
    /// The losses of all rows, with the gradient by the normalised output of the last layer: (rows, hidden).
    fn losses_back(
        &mut self,
        trained: &TrainedRows,
        slope: LossSlope<'_>,
        (grad, of_weight): (&mut [f32], WeightGradient<'_>),
        enter: &mut dyn FnMut() -> Option<()>,
    ) -> Option<Vec<RowLoss>> {
        match (slope, of_weight) {
            (LossSlope::Same(scale), of_weight) => {
                self.head_losses(trained, Some((grad, RowScale::All(scale))), of_weight, enter)
            }
            // A row's gradient is a multiple of that of its log-likelihood: the logits are needed once only.
            (LossSlope::Each(slopes), WeightGradient::None) => {
                let gradient = Some((&mut *grad, RowScale::All(1.0)));
                let rows = self.head_losses(trained, gradient, WeightGradient::None, enter)?;
                for (row, slope) in grad.chunks_exact_mut(self.config.hidden).zip(slopes(&rows)) {
                    row.iter_mut().for_each(|value| *value *= slope);
                }
                Some(rows)
            }
            (LossSlope::Each(slopes), of_weight) => {
                let rows = self.head_losses(trained, None, WeightGradient::None, &mut || Some(()))?;
                let slopes = slopes(&rows);
                self.head_losses(trained, Some((grad, RowScale::Each(&slopes))), of_weight, enter)?;
                Some(rows)
            }
        }
    }

    /// What the output layer reads, divided by the temperature: so are the logits. The same on the way back.
    fn temper(&self, rows: &mut [f32]) {
        if (self.temperature - 1.0).abs() > 0.0 {
            rows.iter_mut().for_each(|value| *value /= self.temperature);
        }
    }

    /// Takes the gradient through the last norm, into the rows of the residual stream's gradient.
    fn scatter(&mut self, trained: &TrainedRows, grad_normed: &[f32], tokens: usize) {
        let hidden = self.config.hidden;
        let mut grad_rows = vec![0.0; grad_normed.len()];
        crate::kernels::norm::rms_norm_backward(
            &trained.x,
            &self.weights.norm,
            &trained.inverse,
            grad_normed,
            &mut grad_rows,
        );
        let grad = self.scratch.grad.of(tokens * hidden);
        grad.fill(0.0);
        for (from, &row) in grad_rows.chunks_exact(hidden).zip(&trained.rows) {
            grad[row * hidden..(row + 1) * hidden].copy_from_slice(from);
        }
    }
}
