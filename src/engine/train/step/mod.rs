//! The training step: a decoder's forward and backward, written by hand, layer by layer.
//!
//! Frozen weights get no gradient. What the backward needs is kept where memory allows and computed again where it
//! doesn't; buffers are reused from step to step. Sums are taken in a fixed order, so that a step repeats bit for bit.

mod activations;
mod backward;
mod buffer;
mod forward;
mod frozen;
mod heads;
mod linear;
mod profile;
mod sites;
mod weights;

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::student::{Losses, Student};
use crate::domain::batch::{IGNORED, PackedBatch};
use crate::engine::adapter::Adapter;
use crate::engine::kernels::cross_entropy::{Head, RowLoss};
use crate::engine::kernels::dropout::Dropout;
use crate::engine::model::{ModelConfig, OpenModel};

pub use activations::ActivationMemory;
pub use frozen::BaseFormat;
pub use profile::{Part, Profile};

use activations::Activations;
use buffer::Buffer;
use forward::Pass;
use sites::LayerSites;
use weights::DecoderWeights;

/// How to hold the frozen base and the activations.
#[derive(Debug, Clone, Copy, Default)]
pub struct StepOptions {
    pub activation_memory: ActivationMemory,
    pub base: BaseFormat,
}

/// A decoder whose adapter is trained on the CPU.
pub struct DecoderStudent {
    config: ModelConfig,
    weights: DecoderWeights,
    options: StepOptions,
    activations: Activations,
    scratch: Scratch,
    profile: Profile,
}

/// Buffers that live from step to step; the names say what the widest use of each is.
#[derive(Default)]
struct Scratch {
    /// A layer's normalised input: (tokens, hidden).
    normed: Buffer,
    /// The feed-forward block's inner values: (tokens, intermediate).
    inner: Buffer,
    /// An adapter's input after dropout, or its gradient before: (tokens, widest input).
    dropped: Buffer,
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
    /// Gradient of an adapter's inner values: (tokens, ranks of a site).
    grad_inner: Buffer,
    /// An adapter's gradient before it is added: (ranks, widest).
    grad_adapter: Buffer,
    keys: Vec<f32>,
    attention: crate::engine::kernels::attention::Scratch,
    logits: Vec<f32>,
    expanded: Vec<f32>,
}

impl DecoderStudent {
    /// Reads the weights.
    ///
    /// # Errors
    /// Where a tensor is missing or damaged, or the architecture has something that training doesn't cover.
    pub fn open(model: &OpenModel, options: StepOptions) -> Result<Self> {
        let config = model.config.clone();
        ensure!(
            config.attention_softcap.is_none(),
            "{} caps its attention scores, which training doesn't cover",
            model.name
        );
        let weights = DecoderWeights::read(&config, model.weights.as_ref(), options.base)
            .with_context(|| format!("read the weights of {}", model.name))?;
        Ok(Self {
            config,
            weights,
            options,
            activations: Activations::default(),
            scratch: Scratch::default(),
            profile: Profile::default(),
        })
    }

    /// Seconds spent in each part since the last call.
    pub fn take_profile(&mut self) -> Profile {
        std::mem::take(&mut self.profile)
    }

    fn check(&self, batch: &PackedBatch) -> Result<()> {
        let longest = batch.borders.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        ensure!(
            longest <= self.config.context,
            "an example of {longest} tokens is longer than the model's context of {} tokens: lower max_length",
            self.config.context
        );
        let known = |&&token: &&u32| token as usize >= self.config.vocabulary && token != IGNORED;
        let unknown = batch.tokens.iter().chain(&batch.targets).find(known);
        if let Some(token) = unknown {
            anyhow::bail!(
                "token {token} is not in the model's vocabulary of {}: the data was encoded for another model",
                self.config.vocabulary
            );
        }
        Ok(())
    }

    /// Rows of the last layer's output that have a target, normalised: (rows, hidden), and their `1 / rms`.
    fn gather(&mut self, output: &[f32], batch: &PackedBatch) -> Trained {
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
        crate::engine::kernels::norm::rms_norm(&x, &self.weights.norm, epsilon, &mut normed, &mut inverse);
        Trained { rows, targets, x, normed, inverse }
    }

    fn head_losses(&mut self, trained: &Trained, gradient: Option<(&mut [f32], f32)>) -> Vec<RowLoss> {
        let clock = Instant::now();
        let head = Head {
            weight: self.weights.head(),
            vocabulary: self.config.vocabulary,
            width: self.config.hidden,
            softcap: self.config.logit_softcap,
        };
        let losses = head.losses(&trained.normed, &trained.targets, gradient, &mut self.scratch.logits);
        self.profile.add(Part::CrossEntropy, clock);
        losses
    }

    fn pass<'a>(&'a mut self, batch: &'a PackedBatch, sites: &'a [LayerSites]) -> Pass<'a> {
        Pass {
            config: &self.config,
            weights: &self.weights,
            scratch: &mut self.scratch,
            profile: &mut self.profile,
            batch,
            sites,
        }
    }
}

/// The rows that the loss is taken over.
struct Trained {
    rows: Vec<usize>,
    targets: Vec<u32>,
    x: Vec<f32>,
    normed: Vec<f32>,
    inverse: Vec<f32>,
}

impl Student for DecoderStudent {
    fn backward(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        scale: f32,
        dropout: Option<u64>,
        gradients: &mut [f32],
    ) -> Result<Losses> {
        ensure!(gradients.len() == adapter.values.len(), "gradients don't have the adapter's form");
        let rate = adapter.config.lora_dropout;
        let dropout = dropout.filter(|_| rate > 0.0).map(|seed| Dropout { seed, rate });
        let memory = self.options.activation_memory;
        // Inside the thread pool: one hand-over a step instead of one an operation.
        rayon::scope(|_| self.run(adapter, batch, dropout, memory, Some((gradients, scale))))
    }

    fn evaluate(&mut self, adapter: &Adapter, batch: &PackedBatch) -> Result<Losses> {
        rayon::scope(|_| self.run(adapter, batch, None, ActivationMemory::Recompute, None))
    }
}

impl DecoderStudent {
    /// A forward pass and the loss; with `gradients` the backward pass too, of the loss times a scale.
    fn run(
        &mut self,
        adapter: &Adapter,
        batch: &PackedBatch,
        dropout: Option<Dropout>,
        memory: ActivationMemory,
        gradients: Option<(&mut [f32], f32)>,
    ) -> Result<Losses> {
        self.check(batch)?;
        let sites = LayerSites::all(&self.config, adapter, dropout)?;
        self.weights.prepare(&self.config, batch);
        let mut activations = std::mem::take(&mut self.activations);
        activations.plan(&self.config, &sites, batch.tokens.len(), memory);
        self.pass(batch, &sites).forward(&mut activations);
        let trained = self.gather(activations.output(), batch);
        let rows = if let Some((gradients, scale)) = gradients {
            let mut grad_normed = vec![0.0; trained.normed.len()];
            let rows = self.head_losses(&trained, Some((&mut grad_normed, scale)));
            self.scatter(&trained, &grad_normed, batch.tokens.len());
            self.pass(batch, &sites).backward(&mut activations, gradients);
            rows
        } else {
            self.head_losses(&trained, None)
        };
        self.activations = activations;
        Ok(sum(&rows))
    }
}

impl DecoderStudent {
    /// Takes the gradient through the last norm, into the rows of the residual stream's gradient.
    fn scatter(&mut self, trained: &Trained, grad_normed: &[f32], tokens: usize) {
        let hidden = self.config.hidden;
        let mut grad_rows = vec![0.0; grad_normed.len()];
        crate::engine::kernels::norm::rms_norm_backward(
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

fn sum(rows: &[RowLoss]) -> Losses {
    rows.iter().fold(Losses::default(), |mut sum, row| {
        sum += Losses {
            nll: f64::from(row.nll),
            entropy: f64::from(row.entropy),
            correct: usize::from(row.correct),
            tokens: 1,
        };
        sum
    })
}
