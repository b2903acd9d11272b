//! What a run on rewards will take: its figures differ from those of runs whose answers are there already.

use std::time::Instant;

use anyhow::{Context, Result};

use super::Prepared;
use super::items::TokenItems;
use super::preflight::Preflight;
use super::rollouts::{self, ModelRoller};
use crate::domain::batch::{PackedBatch, TokenExample};
use crate::domain::recipe::{GrpoPart, Recipe};
use crate::domain::rollout::TokenPrompt;
use crate::engine::train::course::TO_THE_END;
use crate::engine::train::objective::{DrawOrder, Drawn, RolloutSampler};
use crate::engine::train::student::Student;

/// Tokens of the largest micro-batch: completions of the longest prompt, as long as they may be.
pub(super) fn largest_batch(recipe: &Recipe, grpo: &GrpoPart, prompts: &[TokenPrompt]) -> usize {
    let longest = prompts.iter().map(|prompt| prompt.tokens.len()).max().unwrap_or_default();
    let together = recipe.train.per_device_train_batch_size.min(grpo.prompts_per_step * grpo.num_generations);
    together * (longest + grpo.max_completion_length)
}

/// Adds the time: draws the completions of a step and takes one micro-batch of them back, without rewards or an update.
///
/// # Errors
/// Where the device fails or memory is short.
pub(super) fn measure(
    figures: &mut Preflight,
    (recipe, grpo): (&Recipe, &GrpoPart),
    prepared: &Prepared,
    student: &mut dyn Student,
) -> Result<()> {
    let TokenItems::Prompts(prompts) = &prepared.data.train else { return Ok(()) };
    let place = super::place(recipe)?;
    let weights = rollouts::weights(recipe, &prepared.model, &place)?.context("load the weights")?;
    let orders: Vec<DrawOrder<'_>> = prompts
        .iter()
        .take(grpo.prompts_per_step)
        .zip(0..)
        .map(|(prompt, seed)| DrawOrder { prompt: &prompt.tokens, completions: grpo.num_generations, seed })
        .collect();
    let mut drawn: Vec<(usize, Vec<Drawn>)> = Vec::new();
    let start = Instant::now();
    let mut sampler = ModelRoller { weights, part: grpo.clone() };
    sampler.draw(&prepared.adapter, &orders, &mut |at, group| drawn.push((at, group)), &mut || Ok(true))?;
    let sampled = start.elapsed().as_secs_f64();
    let examples: Vec<TokenExample> =
        drawn.iter().flat_map(|(at, group)| examples(&orders, *at, group)).collect();
    let size = recipe.train.per_device_train_batch_size.max(1);
    let batch = PackedBatch::pack(examples.iter().take(size));
    let mut gradients = vec![0.0; prepared.adapter.values.len()];
    let mut seconds = f64::INFINITY;
    // The first pass also makes the buffers.
    for _ in 0..2 {
        let start = Instant::now();
        student
            .backward_while(&prepared.adapter, &batch, (1.0, Some(0)), &mut gradients, TO_THE_END)
            .context("try a micro-batch")?;
        seconds = seconds.min(start.elapsed().as_secs_f64());
    }
    let tokens: usize = examples.iter().map(|example| example.tokens.len()).sum();
    let passes = seconds * tokens as f64 / batch.tokens.len().max(1) as f64;
    let rollouts = 1.0 / grpo.num_iterations.max(1) as f64;
    // A forward pass is about a third of a step.
    let reference = if grpo.beta > 0.0 { passes / 3.0 } else { 0.0 };
    let step = passes + (sampled + reference) * rollouts;
    figures.tokens_per_second = Some(tokens as f64 / step);
    figures.seconds = Some(step * figures.total_steps as f64);
    figures.rollout = Some(format!(
        "{} prompts x {} completions a step, at most {} tokens each; measured: {sampled:.1} s to draw them, {passes:.1} s \
         to learn from them, rewards not counted",
        grpo.prompts_per_step, grpo.num_generations, grpo.max_completion_length
    ));
    Ok(())
}

fn examples(orders: &[DrawOrder<'_>], at: usize, group: &[Drawn]) -> Vec<TokenExample> {
    let prompt = orders.get(at).map_or(&[][..], |order| order.prompt);
    let example = |one: &Drawn| TokenExample::of_completion([prompt, &one.tokens].concat(), prompt.len());
    group.iter().map(example).collect()
}
