//! What tokens cost, and how a step's work is shared among prompts, so that a short one doesn't wait until a long one
//! is read.

use std::collections::BTreeMap;

use super::request::RequestId;
use crate::model::ModelConfig;

/// The oldest prompt gets at least one part in so many: however many short ones come, it goes on.
const OLDEST: usize = 4;

/// What a token costs that looks back at others, by the operations of a model's layers; 1 is one that looks back at
/// none. Late in a long prompt of a small model most of the time is attention's.
pub(super) struct Cost {
    /// Of each group of layers: how far they look back at most, and what each position adds.
    layers: Vec<(usize, f64)>,
}

impl Cost {
    pub(super) fn of(config: &ModelConfig) -> Self {
        // A position's scores, and its values' part of the sum.
        let position = 2 * config.query_width();
        let position = position as f64 / (config.layer_weights() * config.layers).max(1) as f64;
        let mut layers = BTreeMap::<usize, f64>::new();
        for index in 0..config.layers {
            let window = config.windows.get(index).copied().flatten().unwrap_or(usize::MAX);
            *layers.entry(window).or_default() += position;
        }
        Self { layers: layers.into_iter().collect() }
    }

    /// Of a token that looks back at so many.
    pub(super) fn at(&self, position: usize) -> f64 {
        self.layers.iter().fold(1.0, |sum, (most, each)| sum + *each * position.min(*most) as f64)
    }

    /// Of so many tokens in a row.
    pub(super) fn of_tokens(&self, start: usize, count: usize) -> f64 {
        self.at(start + count / 2) * count as f64
    }
}

/// How much of prompts a step reads at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Budget {
    pub tokens: usize,
    /// In the units of [`Cost`]; nothing where a step's time is nobody's concern.
    pub cost: Option<f64>,
}

impl Budget {
    /// One part in so many of it.
    fn part(self, of: usize) -> Self {
        Self { tokens: self.tokens.div_ceil(of), cost: self.cost.map(|cost| cost / of as f64) }
    }
}

/// A prompt that is being read.
pub(super) struct ReadingPrompt {
    pub index: usize,
    /// Lower is older.
    pub request: RequestId,
    /// Tokens that wait to be computed.
    pub left: usize,
    /// Tokens in one step at most.
    pub most: usize,
    /// What one of its tokens costs now.
    pub cost: f64,
}

/// Tokens of each prompt in the next step, by its index: a part for the oldest one, the rest for those with the least
/// left. However small the budget is, one token of the oldest is read.
pub(super) fn share_out(mut prompts: Vec<ReadingPrompt>, budget: Budget) -> BTreeMap<usize, usize> {
    let mut shares = BTreeMap::new();
    let mut left = budget;
    let mut give = |prompt: &ReadingPrompt, part: Budget, least: usize| {
        let share: &mut usize = shares.entry(prompt.index).or_default();
        let paid = |cost: f64| (cost / prompt.cost) as usize;
        let affordable = part.cost.zip(left.cost).map_or(usize::MAX, |(part, left)| paid(part.min(left)));
        let tokens = affordable.max(least).min(part.tokens).min(left.tokens);
        let tokens = tokens.min(prompt.left.min(prompt.most) - *share);
        *share += tokens;
        left.tokens -= tokens;
        left.cost = left.cost.map(|cost| (cost - tokens as f64 * prompt.cost).max(0.0));
    };
    if let Some(oldest) = prompts.iter().min_by_key(|prompt| prompt.request) {
        give(oldest, budget.part(OLDEST), 1);
    }
    prompts.sort_by_key(|prompt| (prompt.left, prompt.request));
    prompts.iter().for_each(|prompt| give(prompt, budget, 0));
    shares
}
