//! From logits to the next token.

use std::collections::HashMap;

use super::request::{ChosenToken, LogProbabilityOf, Sampling};
use crate::kernels::lanes::LaneIsa;
use crate::kernels::softmax::{Largest, SumOfExponentials};
use dojo_core::ground::random::SplitMix64;

/// One sequence's sampler: its settings, its random numbers, and the tokens it has seen.
pub(crate) struct Sampler {
    settings: Sampling,
    random: SplitMix64,
    /// How often each token was generated; prompt tokens are there with 0.
    seen: HashMap<u32, u32>,
}

/// Whether a setting was changed from its neutral value, which is exact in f32.
fn differs(value: f32, neutral: f32) -> bool {
    (value - neutral).abs() > 0.0
}

impl Sampler {
    /// `choice` seeds this one apart from its siblings.
    pub(crate) fn new(settings: &Sampling, choice: usize, prompt: &[u32]) -> Self {
        let penalised = differs(settings.repetition_penalty, 1.0);
        let seen = prompt.iter().filter(|_| penalised).map(|&token| (token, 0)).collect();
        let random =
            SplitMix64::new(settings.seed.wrapping_add(choice as u64).wrapping_mul(0xd134_2543_de82_ef95));
        Self { settings: settings.clone(), random, seen }
    }

    /// Applies biases and penalties to `logits` (vocabulary); returns what is to be told of them as they were.
    pub(crate) fn adjust(&self, logits: &mut [f32]) -> Option<Plain> {
        let factor = match self.settings.log_probabilities_of {
            LogProbabilityOf::Tempered if self.settings.temperature > 0.0 => 1.0 / self.settings.temperature,
            LogProbabilityOf::Tempered | LogProbabilityOf::Model => 1.0,
        };
        let plain =
            self.settings.log_probabilities.map(|count| Plain::of(logits, count, factor, LaneIsa::best()));
        self.bias(logits);
        plain
    }

    /// Draws a token by its adjusted logit.
    pub(crate) fn pick(&mut self, logits: &[f32]) -> u32 {
        let isa = LaneIsa::best();
        if self.settings.temperature <= 0.0 { greedy(logits, isa) } else { self.draw(logits, isa) }
    }

    /// Whether tokens are left out by how likely they are beside others.
    pub(crate) fn filters(&self) -> bool {
        let settings = &self.settings;
        let filtered = settings.top_k > 0 || settings.top_p < 1.0 || settings.min_p > 0.0;
        filtered && settings.temperature > 0.0
    }

    /// Remembers a picked token.
    pub(crate) fn take(&mut self, id: u32, plain: Option<Plain>) -> ChosenToken {
        self.note(id);
        plain.map_or(ChosenToken::certain(id), |plain| plain.told(id))
    }

    /// Remembers a generated token, where a setting asks what came before.
    pub(crate) fn note(&mut self, id: u32) {
        if self.counts() {
            *self.seen.entry(id).or_default() += 1;
        }
    }

    /// Whether any setting needs to know what came before.
    fn counts(&self) -> bool {
        let settings = &self.settings;
        differs(settings.repetition_penalty, 1.0)
            || differs(settings.frequency_penalty, 0.0)
            || differs(settings.presence_penalty, 0.0)
    }

    fn bias(&self, logits: &mut [f32]) {
        for &(token, bias) in &self.settings.logit_bias {
            if let Some(logit) = logits.get_mut(token as usize) {
                *logit += bias;
            }
        }
        let penalty = self.settings.repetition_penalty;
        for (&token, &count) in &self.seen {
            let Some(logit) = logits.get_mut(token as usize) else { continue };
            *logit = if *logit < 0.0 { *logit * penalty } else { *logit / penalty };
            if count > 0 {
                *logit -= self.settings.frequency_penalty * count as f32 + self.settings.presence_penalty;
            }
        }
    }

    fn draw(&mut self, logits: &[f32], isa: LaneIsa) -> u32 {
        let settings = &self.settings;
        if self.filters() {
            let candidates = candidates(logits, settings, isa);
            return draw_from(&candidates, self.random.uniform());
        }
        // SAFETY: these kernels read the slices they are given and nothing else.
        let largest = unsafe { isa.run(Largest(logits)) };
        let factor = 1.0 / settings.temperature;
        let mut left = Vec::with_capacity(logits.len() / CHUNK + 1);
        for values in logits.chunks(CHUNK) {
            // SAFETY: this kernel too reads only the slice that it is given.
            left.push(unsafe { isa.run(SumOfExponentials { values, largest, factor }) });
        }
        let mut target = self.random.uniform() * left.iter().sum::<f32>();
        let mut last = 0;
        for (index, (values, sum)) in logits.chunks(CHUNK).zip(left).enumerate() {
            if target >= sum {
                target -= sum;
                continue;
            }
            for (offset, value) in values.iter().enumerate() {
                let weight = ((value - largest) * factor).exp();
                if weight > 0.0 {
                    last = index * CHUNK + offset;
                }
                target -= weight;
                if target < 0.0 {
                    return last as u32;
                }
            }
        }
        if last > 0 { last as u32 } else { greedy(logits, isa) }
    }
}

/// Values whose weights are summed together before the one is found in which the draw falls.
const CHUNK: usize = 1024;

/// Log-probabilities before filters and penalties.
pub(crate) struct Plain {
    /// What logits are multiplied by.
    factor: f32,
    likeliest: Vec<(u32, f32)>,
    logits: Vec<f32>,
    log_sum: f32,
}

impl Plain {
    pub(super) fn of(logits: &[f32], count: usize, factor: f32, isa: LaneIsa) -> Self {
        // SAFETY: these kernels read the slices they are given and nothing else.
        let log_sum = unsafe {
            let largest = isa.run(Largest(logits));
            largest * factor + isa.run(SumOfExponentials { values: logits, largest, factor }).ln()
        };
        let mut order: Vec<(u32, f32)> = Vec::new();
        if count > 0 {
            let told = |(token, &logit): (usize, &f32)| (token as u32, logit * factor - log_sum);
            order = logits.iter().enumerate().map(told).collect();
            let count = count.min(order.len());
            order.select_nth_unstable_by(count.saturating_sub(1), |a, b| b.1.total_cmp(&a.1));
            order.truncate(count);
            order.sort_by(|a, b| b.1.total_cmp(&a.1));
        }
        Self { factor, likeliest: order, logits: logits.to_vec(), log_sum }
    }

    /// A token with what is known of it and its place.
    pub(super) fn told(self, id: u32) -> ChosenToken {
        let log_probability = self.logits.get(id as usize).map(|logit| logit * self.factor - self.log_sum);
        ChosenToken { id, log_probability, likeliest: self.likeliest, forced: false }
    }
}

/// Leaves only the allowed tokens: bit `t` of the words.
pub(crate) fn forbid(logits: &mut [f32], allowed: &[u32]) {
    for (chunk, word) in logits.chunks_mut(32).zip(allowed.iter().copied().chain(std::iter::repeat(0))) {
        match word {
            u32::MAX => continue,
            0 => {
                chunk.fill(f32::NEG_INFINITY);
                continue;
            }
            _ => {}
        }
        for (bit, logit) in chunk.iter_mut().enumerate() {
            if (word >> bit) & 1 == 0 {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
}

/// The likeliest token; the first of equals.
fn greedy(logits: &[f32], isa: LaneIsa) -> u32 {
    // SAFETY: the kernel reads the slice that it is given and nothing else.
    let largest = unsafe { isa.run(Largest(logits)) };
    logits.iter().position(|&logit| logit >= largest).unwrap_or(0) as u32
}

/// The tokens that pass all filters with their weights, likeliest first. The filters come in the order of Hugging
/// Face's: temperature, top-k, top-p, min-p.
fn candidates(logits: &[f32], settings: &Sampling, isa: LaneIsa) -> Vec<(u32, f32)> {
    let factor = 1.0 / settings.temperature;
    // SAFETY: these kernels read the slices they are given and nothing else.
    let (largest, total) = unsafe {
        let largest = isa.run(Largest(logits));
        (largest, isa.run(SumOfExponentials { values: logits, largest, factor }))
    };
    // Most tokens are too unlikely to pass; a second look takes all where the first took too few.
    for cut in [12.0, f32::INFINITY] {
        let least = largest - cut * settings.temperature;
        let mut found: Vec<(u32, f32)> = logits
            .iter()
            .enumerate()
            .filter(|&(_, &logit)| logit >= least && logit > f32::NEG_INFINITY)
            .map(|(token, &logit)| (token as u32, ((logit - largest) * factor).exp()))
            .collect();
        found.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let whole = cut.is_infinite();
        let mut total = total;
        if settings.top_k > 0 {
            if found.len() < settings.top_k && !whole {
                continue;
            }
            found.truncate(settings.top_k);
            total = found.iter().map(|&(_, weight)| weight).sum();
        }
        if settings.top_p < 1.0 {
            let mut sum = 0.0;
            let enough = found.iter().position(|&(_, weight)| {
                sum += weight;
                sum >= settings.top_p * total
            });
            match enough {
                Some(last) => found.truncate(last + 1),
                None if !whole => continue,
                None => {}
            }
        }
        // min-p is relative to the likeliest, whose weight is 1.
        found.retain(|&(_, weight)| weight >= settings.min_p);
        return found;
    }
    Vec::new()
}

fn draw_from(candidates: &[(u32, f32)], uniform: f32) -> u32 {
    let total: f32 = candidates.iter().map(|&(_, weight)| weight).sum();
    let mut target = uniform * total;
    for &(token, weight) in candidates {
        target -= weight;
        if target < 0.0 {
            return token;
        }
    }
    candidates.last().map_or(0, |&(token, _)| token)
}
