//! Group-relative policy optimisation (Shao et al. 2024) and its kin: completions of a prompt are drawn with the model as
//! it stands, and learnt from by how much better each is than the others. Knows no reward and no sampler but by traits.

mod advantage;
mod figures;
mod loss;
mod rolling;
mod rollout;
mod sampling;
mod written;

use anyhow::Result;

use self::figures::StepFigures;
use self::rollout::{Rolled, Rollout};
use super::{Examination, ItemPart, Making, MetricSums, Objective, StepShare, Weighed};
use crate::adapter::Adapter;
use crate::kernels::cross_entropy::RowLoss;
use dojo_core::domain::batch::{PackedBatch, TokenExample};
use dojo_core::domain::recipe::{GrpoPart, PolicyLoss, Recipe};
use dojo_core::domain::reward::CompletionScorer;
use dojo_core::domain::rollout::TokenPrompt;
use dojo_core::domain::run::{MetricLine, RunFolder};
use dojo_core::ground::hash::Fnv;

pub use advantage::{Advantages, RewardValue, advantages};
pub use loss::{CompletionLoss, CompletionTerms, completion_loss, token_weights};
pub use sampling::{DrawOrder, Drawn, RolloutSampler};

/// Prompts to learn on, and all that it takes.
pub struct GroupRelative<'a> {
    prompts: &'a [TokenPrompt],
    held_out: &'a [TokenPrompt],
    part: &'a GrpoPart,
    seed: u64,
    /// Completions in a micro-batch.
    batch_size: usize,
    sampler: &'a mut dyn RolloutSampler,
    scorer: &'a dyn CompletionScorer,
    /// What the model is kept near, unless beta is 0.
    reference: Option<Adapter>,
    folder: &'a RunFolder,
    rollout: Rollout,
    /// The how manieth step on it, counted from 0.
    iteration: u64,
    figures: StepFigures,
}

impl<'a> GroupRelative<'a> {
    /// `prompts` to learn on and those held out; `reference` counts if the recipe's beta is not 0.
    pub fn new(
        (prompts, held_out): (&'a [TokenPrompt], &'a [TokenPrompt]),
        (recipe, part): (&Recipe, &'a GrpoPart),
        (sampler, scorer): (&'a mut dyn RolloutSampler, &'a dyn CompletionScorer),
        reference: Adapter,
        folder: &'a RunFolder,
    ) -> Self {
        Self {
            prompts,
            held_out,
            part,
            seed: recipe.train.seed,
            batch_size: recipe.train.per_device_train_batch_size,
            sampler,
            scorer,
            reference: (part.beta > 0.0).then_some(reference),
            folder,
            rollout: Rollout::default(),
            iteration: 0,
            figures: StepFigures::default(),
        }
    }

    fn rolled(&self, items: &[usize]) -> impl Iterator<Item = &Rolled> {
        items.iter().filter_map(|&item| self.rollout.rolled.get(item))
    }

    fn note(&self, sums: &mut MetricSums, rows: &[RowLoss], found: &CompletionLoss) {
        let tokens = rows.len() as f64;
        sums.add("entropy", rows.iter().map(|row| f64::from(row.entropy)).sum(), tokens);
        if self.part.beta > 0.0 {
            sums.add("kl", found.kl, tokens);
        }
        let [low, high] = found.clipped.map(|count| count as f64);
        if self.part.loss_type == PolicyLoss::Cispo {
            sums.add("cispo_clip_ratio", high, tokens);
        } else {
            sums.add("clip_ratio/low_mean", low, tokens);
            sums.add("clip_ratio/high_mean", high, tokens);
            sums.add("clip_ratio/region_mean", low + high, tokens);
        }
    }
}

impl Objective for GroupRelative<'_> {
    fn lengths(&self) -> Vec<usize> {
        self.prompts.iter().map(|prompt| prompt.tokens.len()).collect()
    }

    fn held_out(&self) -> usize {
        self.held_out.len()
    }

    fn longest(&self, max_length: usize) -> usize {
        max_length
    }

    fn fingerprint(&self) -> u64 {
        let mut hash = Fnv::default();
        for prompt in self.prompts {
            hash.add(prompt.tokens.len() as u64);
            prompt.tokens.iter().for_each(|&token| hash.add(u64::from(token)));
        }
        hash.finish()
    }

    fn batch(&self, _: ItemPart, items: &[usize]) -> PackedBatch {
        self.rollout.batch(items)
    }

    /// As many completions as a micro-batch has, of as many groups with the longest prompt, as long as they may be.
    fn largest(&self, _: &[usize]) -> PackedBatch {
        let longest = self.prompts.iter().max_by_key(|prompt| prompt.tokens.len());
        let Some(prompt) = longest else { return PackedBatch::default() };
        let all = self.batch_size.min(self.part.prompts_per_step * self.part.num_generations);
        let groups = rollout::most_groups(self.part, self.batch_size);
        let length = prompt.tokens.len();
        let example = |group: usize| {
            let other = prompt.tokens.iter().cycle().skip(group);
            let tokens = other.take(length + self.part.max_completion_length).copied().collect();
            TokenExample::of_completion(tokens, length)
        };
        let of_groups: Vec<TokenExample> = (0..groups).map(example).collect();
        let completions: Vec<&TokenExample> =
            (0..all).filter_map(|completion| of_groups.get(completion * groups / all)).collect();
        PackedBatch::pack_sharing(&completions)
    }

    fn share(&self, _: ItemPart, items: &[usize]) -> StepShare {
        StepShare { items: items.len(), tokens: self.rolled(items).map(Rolled::length).sum() }
    }

    fn same_slope(&self, _: StepShare) -> Option<f32> {
        None
    }

    fn weigh(&self, _: ItemPart, items: &[usize], rows: &[RowLoss], share: StepShare) -> Weighed {
        let (mut slopes, mut sums) = (Vec::with_capacity(rows.len()), MetricSums::default());
        let mut rest = rows;
        for rolled in self.rolled(items) {
            let (own, after) = rest.split_at(rolled.length().min(rest.len()));
            rest = after;
            let found = rolled.loss(self.part, own);
            // A log-probability falls as the negative log-likelihood rises.
            slopes.extend(found.by_policy.iter().map(|slope| -(rolled.weight * slope) as f32));
            sums.add("loss", rolled.weight * found.loss, 1.0 / share.items.max(1) as f64);
            self.note(&mut sums, own, &found);
        }
        Weighed { slopes, sums }
    }

    fn make(&mut self, batches: Vec<Vec<usize>>, making: &mut Making<'_>) -> Result<Option<Vec<Vec<usize>>>> {
        let iterations = self.part.num_iterations.max(1);
        let number = making.step / iterations;
        self.iteration = making.step % iterations;
        self.figures = StepFigures::default();
        making.student.set_temperature(self.part.temperature as f32);
        if self.iteration == 0 || self.rollout.number != Some(number) {
            match self.roll(number, &batches.concat(), making)? {
                Some(rollout) => self.rollout = rollout,
                None => return Ok(None),
            }
        }
        Ok(Some(self.rollout.micro_batches(self.part, self.batch_size)))
    }

    fn after_batch(&mut self, items: &[usize], rows: &[RowLoss], sums: &MetricSums) {
        if self.part.loss_type != PolicyLoss::Cispo {
            self.figures.add_clipped(sums.mean("clip_ratio/low_mean"), sums.mean("clip_ratio/high_mean"));
        }
        let mut rest = rows;
        for &item in items {
            let Some(rolled) = self.rollout.rolled.get_mut(item) else { continue };
            let (own, after) = rest.split_at(rolled.length().min(rest.len()));
            rest = after;
            if rolled.old.is_empty() {
                self.figures.gap.add(own, &rolled.sampled);
                rolled.old = own.iter().map(|row| -row.nll).collect();
            }
        }
    }

    fn figures(&mut self, seconds: f64, line: &mut MetricLine) {
        self.figures.backward = seconds;
        self.figures.write(line);
    }

    fn examine(&mut self, making: &mut Making<'_>) -> Result<Examination> {
        making.student.set_temperature(self.part.temperature as f32);
        Ok(self.roll_held_out(making)?.map_or(Examination::Stopped, Examination::Done))
    }

    fn to_keep(&self, step: u64) -> Result<Option<Vec<u8>>> {
        let unfinished = !step.is_multiple_of(self.part.num_iterations.max(1));
        unfinished.then(|| self.rollout.to_bytes()).transpose()
    }

    fn take_up(&mut self, kept: Option<&[u8]>) -> Result<()> {
        if let Some(kept) = kept {
            self.rollout = Rollout::from_bytes(kept)?;
        }
        Ok(())
    }
}
