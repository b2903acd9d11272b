//! A rollout: prompts become groups of completions, their rewards advantages.

use std::collections::BTreeSet;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::GroupRelative;
use super::advantage::{Advantages, RewardValue, advantages};
use super::figures;
use super::loss::token_weights;
use super::rollout::{Rolled, Rollout};
use super::sampling::{DrawOrder, DrawTimes, Drawing, Drawn, ScoredGroup};
use super::written;
use crate::train::metrics::number;
use crate::train::objective::Making;
use dojo_core::domain::rollout::{RolledGroup, TokenPrompt};
use dojo_core::domain::run::MetricLine;
use dojo_core::ground::random;

/// Tells the random numbers of evaluations from those of steps.
const HELD_OUT: u64 = u64::MAX;

/// A group's place in the step: which prompt, and the how manieth in this place.
#[derive(Debug, Clone, Copy)]
struct GroupSlot {
    prompt: usize,
    attempt: usize,
}

impl GroupRelative<'_> {
    /// Draws completions of these prompts, and says what is learnt of them; nothing if the run is to stop.
    pub(super) fn roll(
        &mut self,
        number: u64,
        prompts: &[usize],
        making: &mut Making<'_>,
    ) -> Result<Option<Rollout>> {
        let step = making.step + 1;
        let mut times = DrawTimes::default();
        let mut told: Vec<RolledGroup> = Vec::new();
        let mut slots: Vec<GroupSlot> =
            prompts.iter().map(|&prompt| GroupSlot { prompt, attempt: 0 }).collect();
        let mut groups = vec![ScoredGroup::default(); slots.len()];
        let mut wanted: Vec<usize> = (0..slots.len()).collect();
        for attempt in 0..=self.part.dynamic_sampling {
            let Some(found) = self.draw(number, &slots, &wanted, making, &mut times)? else {
                return Ok(None);
            };
            for (&at, group) in wanted.iter().zip(found) {
                groups[at] = group;
            }
            wanted.retain(|&at| self.teaches_nothing(&groups[at]).is_some());
            if attempt == self.part.dynamic_sampling || wanted.is_empty() {
                break;
            }
            for &at in &wanted {
                let why = self.teaches_nothing(&groups[at]).unwrap_or_default();
                let record = &self.prompts[slots[at].prompt].record;
                let why = format!("{why}: another prompt took its place");
                told.push(written::group(step, record, &groups[at], Some(why)));
                slots[at] = self.replacement(number, &slots, at);
            }
        }
        let replaced = told.len();
        let rollout = self.learn(number, (&slots, &groups), &mut told, step);
        (self.figures.sample, self.figures.reward) = (times.sample, times.reward);
        if self.part.dynamic_sampling > 0 {
            self.figures.drawn.insert("groups_replaced".to_owned(), number_of(replaced));
        }
        let mut rollout = rollout?;
        if !self.score_reference(&mut rollout, making)? {
            return Ok(None);
        }
        written::keep(self.folder, step, &told)?;
        Ok(Some(rollout))
    }

    /// The groups of some slots.
    fn draw(
        &mut self,
        number: u64,
        slots: &[GroupSlot],
        wanted: &[usize],
        making: &mut Making<'_>,
        times: &mut DrawTimes,
    ) -> Result<Option<Vec<ScoredGroup>>> {
        let prompts = self.prompts;
        let order = |&at: &usize| {
            let GroupSlot { prompt, attempt } = slots[at];
            let seed = random::combine(&[self.seed, number, at as u64, attempt as u64]);
            DrawOrder { prompt: &prompts[prompt].tokens, completions: self.part.num_generations, seed }
        };
        let orders: Vec<DrawOrder<'_>> = wanted.iter().map(order).collect();
        let records: Vec<_> = wanted.iter().map(|&at| &prompts[slots[at].prompt].record).collect();
        let Making { adapter, tick, .. } = making;
        let mut drawing =
            Drawing { sampler: &mut *self.sampler, scorer: self.scorer, adapter, tick: &mut **tick };
        let groups = drawing.groups(&orders, &records, times)?;
        for group in groups.iter().flatten() {
            let whole =
                group.drawn.len() == self.part.num_generations && group.totals.len() == group.drawn.len();
            ensure!(whole, "a group of completions came back without all of them or of their rewards");
        }
        Ok(groups)
    }

    /// Why nothing can be learnt of a group, if so.
    fn teaches_nothing(&self, group: &ScoredGroup) -> Option<String> {
        if self.part.mask_truncated_completions && group.drawn.iter().all(|one| one.cut) {
            return Some(format!(
                "all completions are cut at {} tokens, and grpo.mask_truncated_completions leaves such out",
                self.part.max_completion_length
            ));
        }
        let first = group.totals.first().and_then(|total| total.value);
        if group.totals.iter().all(|total| total.value.is_none()) {
            let reason = group.totals.first().and_then(|total| total.parts.first()?.outcome.reason());
            return Some(format!("no reward applies: {}", reason.unwrap_or("there is none")));
        }
        let values: Vec<Vec<RewardValue>> = group.totals.iter().map(|total| vec![total.value]).collect();
        let spread = advantages(&values, &[1.0], self.part).spreads;
        let flat = spread.iter().all(|spread| !Advantages::has_spread(*spread));
        flat.then(|| format!("no spread: every completion got {:.3}", first.unwrap_or_default()))
    }

    /// Another prompt for a slot: by chance, and if there are enough one that the step does not have yet.
    fn replacement(&self, number: u64, slots: &[GroupSlot], at: usize) -> GroupSlot {
        let taken: BTreeSet<usize> = slots.iter().map(|slot| slot.prompt).collect();
        let (count, attempt) = (self.prompts.len().max(1), slots[at].attempt + 1);
        let first = random::combine(&[self.seed, number, at as u64, attempt as u64, 1]) as usize % count;
        let free = (first..first + count).map(|prompt| prompt % count).find(|prompt| !taken.contains(prompt));
        GroupSlot { prompt: free.unwrap_or(first), attempt }
    }

    /// Advantages, weights and figures of the groups.
    fn learn(
        &mut self,
        number: u64,
        (slots, groups): (&[GroupSlot], &[ScoredGroup]),
        told: &mut Vec<RolledGroup>,
        step: u64,
    ) -> Result<Rollout> {
        let (names, weights) = self.rewards();
        let drawn: Vec<&Drawn> = groups.iter().flat_map(|group| &group.drawn).collect();
        let values = values(groups);
        let found = advantages(&values, &weights, self.part);
        self.figures.drawn = figures::of_completions(&names, &values, &found, &drawn);
        let counts = |one: &Drawn| !(one.cut && self.part.mask_truncated_completions);
        let tokens: Vec<usize> =
            drawn.iter().map(|one| if counts(one) { one.tokens.len() } else { 0 }).collect();
        let weights = token_weights(self.part, &tokens, self.batch_size);
        let mut rolled = Vec::with_capacity(drawn.len());
        for (at, (one, weight)) in drawn.iter().zip(weights).enumerate() {
            let prompt =
                slots.get(at / self.part.num_generations).and_then(|slot| self.prompts.get(slot.prompt));
            let prompt = prompt.context("a completion is of no prompt")?;
            let advantage = found.advantages.get(at).copied().unwrap_or_default();
            rolled.push(rolled_out(prompt, one, (advantage, if counts(one) { weight } else { 0.0 })));
        }
        let mut advantages = found.advantages.iter();
        for (slot, group) in slots.iter().zip(groups) {
            let left_out = self.teaches_nothing(group);
            let mut written = written::group(step, &self.prompts[slot.prompt].record, group, left_out);
            for (completion, advantage) in written.completions.iter_mut().zip(advantages.by_ref()) {
                completion.advantage = *advantage;
            }
            told.push(written);
        }
        Ok(Rollout { number: Some(number), rolled })
    }

    /// Log-probabilities under the reference; false if the run is to stop.
    fn score_reference(&mut self, rollout: &mut Rollout, making: &mut Making<'_>) -> Result<bool> {
        let Some(reference) = &self.reference else { return Ok(true) };
        let began = Instant::now();
        let items: Vec<usize> = (0..rollout.rolled.len()).collect();
        for items in items.chunks(self.batch_size.max(1)) {
            let batch = rollout.batch(items);
            let rows = making.student.evaluate_rows(reference, &batch, making.brake);
            let Some(rows) = rows.context("compute the reference's log-probabilities")? else {
                return Ok(false);
            };
            let mut rows = rows.iter();
            for &item in items {
                let Some(rolled) = rollout.rolled.get_mut(item) else { continue };
                rolled.reference = rows.by_ref().take(rolled.length()).map(|row| -row.nll).collect();
            }
        }
        self.figures.score += began.elapsed().as_secs_f64();
        Ok(true)
    }

    /// One completion of each held-out prompt, drawn with the same random numbers in every evaluation; nothing if the run
    /// is to stop.
    pub(super) fn roll_held_out(&mut self, making: &mut Making<'_>) -> Result<Option<MetricLine>> {
        let held_out = self.held_out;
        let seeds = (0..held_out.len()).map(|at| random::combine(&[self.seed, HELD_OUT, at as u64]));
        let mut orders = Vec::with_capacity(held_out.len());
        for (prompt, seed) in held_out.iter().zip(seeds) {
            orders.push(DrawOrder { prompt: &prompt.tokens, completions: 1, seed });
        }
        let records: Vec<_> = held_out.iter().map(|prompt| &prompt.record).collect();
        let Making { adapter, tick, .. } = making;
        let mut drawing =
            Drawing { sampler: &mut *self.sampler, scorer: self.scorer, adapter, tick: &mut **tick };
        let groups = drawing.groups(&orders, &records, &mut DrawTimes::default())?;
        let Some(groups) = groups else { return Ok(None) };
        let (names, weights) = self.rewards();
        let drawn: Vec<&Drawn> = groups.iter().flat_map(|group| &group.drawn).collect();
        let values = values(&groups);
        let mut found = advantages(&values, &weights, self.part);
        // Each group is of one.
        found.spreads.clear();
        Ok(Some(figures::held_out(figures::of_completions(&names, &values, &found, &drawn))))
    }

    /// Names and weights.
    fn rewards(&self) -> (Vec<String>, Vec<f64>) {
        self.scorer.rewards().into_iter().unzip()
    }
}

fn number_of(count: usize) -> serde_json::Value {
    number(count as f64)
}

/// (completions, rewards)
fn values(groups: &[ScoredGroup]) -> Vec<Vec<RewardValue>> {
    let totals = groups.iter().flat_map(|group| &group.totals);
    totals.map(|total| total.parts.iter().map(|part| part.outcome.value()).collect()).collect()
}

fn rolled_out(prompt: &TokenPrompt, drawn: &Drawn, (advantage, weight): (f64, f64)) -> Rolled {
    Rolled {
        tokens: [prompt.tokens.as_slice(), &drawn.tokens].concat(),
        prompt_tokens: prompt.tokens.len(),
        advantage,
        weight,
        sampled: drawn.log_probabilities.clone(),
        old: Vec::new(),
        reference: Vec::new(),
    }
}
