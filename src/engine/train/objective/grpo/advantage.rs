//! Advantages: how much better a completion is than the others of its prompt, as TRL computes it.

use dojo_core::domain::recipe::{GrpoPart, RewardAggregation, RewardScale};

/// What a reward says of a completion, if it applies.
pub type RewardValue = Option<f64>;

/// Added to standard deviations.
const LEAST: f64 = 1e-4;
/// A spread below this is none.
const NO_SPREAD: f64 = 1e-8;

/// What is learnt from the rewards of a step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Advantages {
    /// Of each completion; 0 if no reward applies to it.
    pub advantages: Vec<f64>,
    /// Of each completion: the weighted sum of its rewards.
    pub totals: Vec<RewardValue>,
    /// Of each group's totals; 0 if fewer than two completions have one.
    pub spreads: Vec<f64>,
}

impl Advantages {
    /// Whether a group's rewards differ.
    #[must_use]
    pub fn has_spread(spread: f64) -> bool {
        spread > NO_SPREAD
    }
}

/// From the values of all rewards (completions, rewards), groups one after the other, and the rewards' weights.
#[must_use]
pub fn advantages(values: &[Vec<RewardValue>], weights: &[f64], part: &GrpoPart) -> Advantages {
    let size = part.num_generations.max(1);
    let total = |row: &Vec<RewardValue>| {
        let weighted = row.iter().zip(weights).filter_map(|(value, weight)| Some(value.as_ref()? * weight));
        let weighted: Vec<f64> = weighted.collect();
        (!weighted.is_empty()).then(|| weighted.iter().sum::<f64>())
    };
    let totals: Vec<RewardValue> = values.iter().map(total).collect();
    let spreads = totals.chunks(size).map(spread).collect();
    let advantages = match part.multi_objective_aggregation {
        RewardAggregation::SumThenNormalize => of_totals(&totals, size, part.scale_rewards),
        RewardAggregation::NormalizeThenSum => of_each(values, weights, size),
    };
    Advantages { advantages, totals, spreads }
}

fn of_totals(totals: &[RewardValue], size: usize, scale: RewardScale) -> Vec<f64> {
    let of_all = spread(totals);
    let group = |group: &[RewardValue]| {
        let mean = mean(group);
        let divisor = match scale {
            RewardScale::Group => spread(group) + LEAST,
            RewardScale::Batch => of_all + LEAST,
            RewardScale::None => 1.0,
        };
        group.iter().map(|value| value.map_or(0.0, |value| (value - mean) / divisor)).collect::<Vec<_>>()
    };
    totals.chunks(size).flat_map(group).collect()
}

/// GDPO: each reward is normalised in its group, the weighted sums over all completions.
fn of_each(values: &[Vec<RewardValue>], weights: &[f64], size: usize) -> Vec<f64> {
    let mut sums: Vec<RewardValue> = vec![None; values.len()];
    for (reward, weight) in weights.iter().enumerate() {
        for (group, sums) in values.chunks(size).zip(sums.chunks_mut(size)) {
            let own: Vec<RewardValue> = group.iter().map(|row| row.get(reward).copied().flatten()).collect();
            let (mean, spread) = (mean(&own), spread(&own));
            for (sum, value) in sums.iter_mut().zip(own) {
                let Some(value) = value else { continue };
                *sum = Some(sum.unwrap_or(0.0) + weight * (value - mean) / (spread + LEAST));
            }
        }
    }
    let (mean, spread) = (mean(&sums), spread(&sums));
    sums.into_iter().map(|sum| sum.map_or(0.0, |sum| (sum - mean) / (spread + LEAST))).collect()
}

/// Over those that there are; 0 if there are none.
pub(super) fn mean(values: &[RewardValue]) -> f64 {
    let known = values.iter().flatten();
    known.clone().sum::<f64>() / known.count().max(1) as f64
}

/// The standard deviation of a sample, over those that there are; 0 if there are fewer than two.
pub(super) fn spread(values: &[RewardValue]) -> f64 {
    let mean = mean(values);
    let (count, squares) = values
        .iter()
        .flatten()
        .fold((0usize, 0.0), |(count, squares), value| (count + 1, squares + (value - mean).powi(2)));
    if count < 2 { 0.0 } else { (squares / (count - 1) as f64).sqrt() }
}
