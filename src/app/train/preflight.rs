//! What a run will take, before it is started: examples, tokens, steps, memory, time, disk. `dojo train --dry-run` and
//! the studio both ask here.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;

use super::items::TokenItems;
use super::{Prepared, preflight_rewards};
use crate::domain::batch::TokenExample;
use crate::domain::recipe::{ActivationMemory, BaseFormat, Dtype, Recipe};
use crate::engine::device::ComputeDevice;
use crate::engine::disk;
use crate::engine::model::OpenModel;
use crate::engine::train::batch_sampler::BatchSampler;
use crate::engine::train::student::Student;

/// The figures of a run to come.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Preflight {
    pub examples: usize,
    pub eval_examples: usize,
    /// Lines that were no records.
    pub skipped_lines: usize,
    /// Examples cut to the longest length allowed.
    pub truncated: usize,
    /// The same as a share of all.
    pub truncated_share: f64,
    /// Tokens in one epoch, and those of them that are trained on.
    pub tokens: usize,
    pub trained_tokens: usize,
    pub longest_example: usize,
    /// Tokens in the largest micro-batch.
    pub largest_batch: usize,
    pub steps_per_epoch: u64,
    pub total_steps: u64,
    pub trained_parameters: usize,
    pub memory_needed_bytes: u64,
    pub memory_free_bytes: Option<u64>,
    pub disk_needed_bytes: u64,
    pub disk_free_bytes: Option<u64>,
    /// From a measured step; missing where none was measured.
    pub tokens_per_second: Option<f64>,
    pub seconds: Option<f64>,
    /// Of a run on rewards: what a step draws, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<String>,
    /// What a person should know before starting, in sentences.
    pub warnings: Vec<String>,
}

/// Works the figures out without running a step. `runs` is the folder that will hold the run.
///
/// # Errors
/// Where there is nothing to train on.
pub fn preflight(recipe: &Recipe, prepared: &Prepared, runs: &Path) -> Result<Preflight> {
    let (data, place) = (&prepared.data, super::place(recipe)?);
    let order = order(recipe, prepared)?;
    let largest_batch = match (&recipe.grpo, &data.train) {
        (Some(grpo), TokenItems::Prompts(prompts)) => preflight_rewards::largest_batch(recipe, grpo, prompts),
        _ => data.train.batch(&order.largest()).tokens.len(),
    };
    let parameters = prepared.adapter.values.len();
    let kept = recipe.save.save_total_limit as u64 + 2;
    let mut figures = Preflight {
        examples: data.train.len(),
        eval_examples: data.eval.len(),
        skipped_lines: data.malformed.len(),
        truncated: data.truncated,
        truncated_share: data.truncated_fraction(),
        tokens: data.train.lengths().iter().sum(),
        trained_tokens: data.train.examples().map(TokenExample::targets).sum(),
        longest_example: match &data.train {
            TokenItems::Prompts(_) => data.train.lengths().into_iter().max().unwrap_or_default(),
            TokenItems::Answers(_) | TokenItems::Pairs(_) => {
                data.train.examples().map(|example| example.tokens.len()).max().unwrap_or_default()
            }
        },
        largest_batch,
        steps_per_epoch: order.steps_per_epoch(),
        total_steps: order.total_steps(recipe),
        trained_parameters: parameters,
        memory_needed_bytes: memory_needed(recipe, &place, &prepared.model, (parameters, largest_batch)),
        memory_free_bytes: place.free_bytes(),
        disk_needed_bytes: 4 * parameters as u64 * (3 * kept + 1),
        disk_free_bytes: disk::free(runs),
        tokens_per_second: None,
        seconds: None,
        rollout: None,
        warnings: Vec::new(),
    };
    figures.warnings.clone_from(&data.warnings);
    figures.warnings.extend(warnings(&figures, &data.malformed, recipe));
    figures.warnings.extend(data.left_out.iter().cloned());
    Ok(figures)
}

/// Adds the time: runs one micro-batch of usual size, without an update.
///
/// # Errors
/// Where the device fails or memory is short.
pub fn measure(
    figures: &mut Preflight,
    recipe: &Recipe,
    prepared: &Prepared,
    student: &mut dyn Student,
) -> Result<()> {
    if let Some(grpo) = &recipe.grpo {
        return preflight_rewards::measure(figures, (recipe, grpo), prepared, student);
    }
    let indices = order(recipe, prepared)?.micro_batches(0)?.into_iter().next().unwrap_or_default();
    let batch = prepared.data.train.batch(&indices);
    let mut gradients = vec![0.0; prepared.adapter.values.len()];
    let scale = 1.0 / batch.trained_tokens().max(1) as f32;
    let mut seconds = f64::INFINITY;
    // The first pass also makes the buffers.
    for _ in 0..2 {
        let start = Instant::now();
        student.backward(&prepared.adapter, &batch, scale, Some(0), &mut gradients).context("try a step")?;
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    let rate = batch.tokens.len() as f64 / seconds;
    let epochs = figures.total_steps as f64 / figures.steps_per_epoch.max(1) as f64;
    let held_out: usize = prepared.data.eval.lengths().iter().sum();
    let every = if recipe.eval.eval_steps > 0 { recipe.eval.eval_steps } else { figures.steps_per_epoch };
    let evaluations = figures.total_steps.div_ceil(every.max(1)) + u64::from(recipe.eval.eval_on_start);
    // What a run on preferences compares its model with is read once, before the first step.
    let compared = if recipe.dpo.is_some() { figures.tokens + held_out } else { 0 };
    // A forward pass is about a third of a step.
    let forward = held_out as f64 * evaluations as f64 + compared as f64;
    let tokens = figures.tokens as f64 * epochs + forward / 3.0;
    figures.tokens_per_second = Some(rate);
    figures.seconds = Some(tokens / rate);
    Ok(())
}

fn order(recipe: &Recipe, prepared: &Prepared) -> Result<BatchSampler> {
    let train = &prepared.data.train;
    BatchSampler::new(train.lengths(), train.longest(recipe.data.max_length), recipe)
}

/// Bytes of a number in NF4 with double quantisation.
const NF4_BYTES: f64 = 0.516;

/// Bytes at the highest point: the frozen weights, what each token leaves for the backward pass, the adapter with its
/// gradients and both of AdamW's means, the chunk of logits, and the program itself. An estimate: buffers are shared
/// where the step can share them.
fn memory_needed(
    recipe: &Recipe,
    place: &ComputeDevice,
    model: &OpenModel,
    (parameters, tokens): (usize, usize),
) -> u64 {
    let config = &model.config;
    // On a device, weights and activations are in the number format of the recipe.
    let size: usize = match (place, recipe.compute.dtype) {
        (ComputeDevice::Device(_), Dtype::Bf16 | Dtype::F16) => 2,
        (ComputeDevice::Device(_), Dtype::F32) | (ComputeDevice::Cpu, _) => 4,
    };
    let (hidden, query, kv) = (config.hidden, config.query_width(), config.kv_width());
    let layer = hidden * (2 * query + 2 * kv) + 3 * hidden * config.intermediate;
    let outputs = if config.tied_embeddings { 1 } else { 2 };
    let outer = size as u64 * (outputs * config.vocabulary * hidden) as u64;
    let layers = match recipe.compute.base_format {
        BaseFormat::F32 => (size * config.layers * layer) as u64,
        // Beside them, the matrix in use is expanded; gate and up together are the largest.
        BaseFormat::Stored => stored_bytes(model.files.path()) + 8 * (hidden * config.intermediate) as u64,
        BaseFormat::Nf4 => {
            ((config.layers * layer) as f64 * NF4_BYTES) as u64 + 8 * (hidden * config.intermediate) as u64
        }
    };
    let frozen = outer + layers;
    let kept = match recipe.compute.activation_memory {
        ActivationMemory::Recompute => config.layers * hidden,
        ActivationMemory::Auto | ActivationMemory::Keep => {
            let outputs = 2 * hidden + query + 2 * kv + 2 * config.intermediate;
            config.layers * (outputs + query + if recipe.lora.use_dora { outputs } else { 0 })
        }
    };
    let passing = 8 * hidden + 4 * config.intermediate;
    let numbers = 4 * parameters + 64 * config.vocabulary;
    frozen + (size * tokens * (kept + passing) + 4 * numbers) as u64 + 100_000_000
}

/// Bytes of a GGUF, or of the weights in a folder.
fn stored_bytes(path: &Path) -> u64 {
    let size = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
    let Ok(entries) = path.read_dir() else { return size(path) };
    let files = entries.filter_map(Result::ok).map(|entry| entry.path());
    files
        .filter(|file| file.extension().is_some_and(|ending| ending == "safetensors"))
        .map(|file| size(&file))
        .sum()
}

fn warnings(figures: &Preflight, malformed: &[String], recipe: &Recipe) -> Vec<String> {
    let mut warnings = Vec::new();
    let gb = |bytes: u64| bytes as f64 / 1e9;
    if !malformed.is_empty() {
        let (count, named) = (figures.skipped_lines, super::data::named(malformed));
        warnings.push(format!("{count} lines or records can't be trained on and are left out: {named}"));
    }
    if let Some(free) = figures.memory_free_bytes.filter(|&free| free < figures.memory_needed_bytes) {
        warnings.push(format!(
            "memory may be short: about {:.1} GB are needed and {:.1} GB are free; lower \
             train.per_device_train_batch_size or data.max_length, or set compute.activation_memory to \"recompute\"",
            gb(figures.memory_needed_bytes),
            gb(free)
        ));
    }
    if let Some(free) = figures.disk_free_bytes.filter(|&free| free < figures.disk_needed_bytes) {
        warnings.push(format!(
            "the disk may fill: about {:.1} GB are needed and {:.1} GB are free; lower save.save_total_limit",
            gb(figures.disk_needed_bytes),
            gb(free)
        ));
    }
    if recipe.train.warmup_steps >= figures.total_steps {
        warnings.push(format!(
            "the warm-up of {} steps is as long as the run of {}: lower train.warmup_steps",
            recipe.train.warmup_steps, figures.total_steps
        ));
    }
    warnings
}

impl Preflight {
    /// The figures in words, a line each.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let gb = |bytes: u64| format!("{:.2} GB", bytes as f64 / 1e9);
        let free = |bytes: Option<u64>| bytes.map_or_else(|| "unknown".to_owned(), gb);
        let mut lines = vec![
            format!("examples  {} to train on, {} held out", self.examples, self.eval_examples),
            format!(
                "tokens    {} an epoch, {} of them trained on; longest example {}, largest batch {}",
                self.tokens, self.trained_tokens, self.longest_example, self.largest_batch
            ),
            format!("cut       {} examples ({:.1}%)", self.truncated, 100.0 * self.truncated_share),
            format!("steps     {} ({} an epoch)", self.total_steps, self.steps_per_epoch),
            format!("trained   {} parameters", self.trained_parameters),
            format!(
                "memory    about {} needed, {} free",
                gb(self.memory_needed_bytes),
                free(self.memory_free_bytes)
            ),
            format!(
                "disk      about {} needed, {} free",
                gb(self.disk_needed_bytes),
                free(self.disk_free_bytes)
            ),
        ];
        if let (Some(rate), Some(seconds)) = (self.tokens_per_second, self.seconds) {
            lines.extend(self.rollout.iter().map(|rollout| format!("rollouts  {rollout}")));
            lines.push(format!(
                "time      about {:.0} minutes at {rate:.0} tokens/s",
                (seconds / 60.0).ceil()
            ));
        }
        lines.extend(self.warnings.iter().map(|warning| format!("warning   {warning}")));
        lines
    }
}
