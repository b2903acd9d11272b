//! A penalty for saying the same again: the share of n-grams that are repeats, as in Demystifying Long Chain-of-Thought
//! Reasoning (Yeo et al. 2025) and in Open R1's `repetition_penalty_reward`. From `max_penalty` (all the same) to 0.

use std::collections::HashSet;

use anyhow::Result;

use super::settings::{SettingKey, SettingKind};
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};

pub(super) const KIND: RewardKind = RewardKind {
    name: "repetition",
    about: "max_penalty times the share of n-grams of words that repeat an earlier one; 0 without repeats",
    keys: &[
        SettingKey {
            name: "ngram_size",
            kind: SettingKind::Whole(1, 100),
            default: Some("3"),
            help: "Words in an n-gram",
        },
        SettingKey {
            name: "max_penalty",
            kind: SettingKind::Number(-100.0, 0.0),
            default: Some("-1.0"),
            help: "What a completion gets that says one thing alone",
        },
    ],
    build: |making: &Making<'_>| Repetition::make(making).map(Built::ready),
};

struct Repetition {
    size: usize,
    max_penalty: f64,
}

impl Repetition {
    fn make(making: &Making<'_>) -> Result<Self> {
        let size = making.settings.whole("ngram_size").unwrap_or(3);
        Ok(Self { size, max_penalty: making.settings.need_number("max_penalty")? })
    }
}

impl Reward for Repetition {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        let lower = attempt.completion.to_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let all = words.windows(self.size).len();
        let distinct = words.windows(self.size).collect::<HashSet<_>>().len();
        let repeated = if all == 0 { 0.0 } else { 1.0 - distinct as f64 / all as f64 };
        // Not the 0 with a minus sign that the product would be.
        let value = if repeated > 0.0 { repeated * self.max_penalty } else { 0.0 };
        let mut score = RewardScore { value, ..RewardScore::default() };
        score.components.push(RewardComponent::number("repeated", repeated));
        if detail == ScoreDetail::Reasons && value < 0.0 {
            let why = format!("{} of {all} runs of {} words were there before", all - distinct, self.size);
            score.lost("repeated", value, Some(why));
        }
        RewardOutcome::Scored(score)
    }

    fn highest(&self) -> Option<f64> {
        Some(0.0)
    }
}
