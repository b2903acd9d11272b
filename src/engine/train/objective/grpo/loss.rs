//! The losses of a completion by the names and formulas of TRL's `GRPOConfig.loss_type`: its log-likelihoods against those
//! under which it was drawn, weighed by its advantage.

use dojo_core::domain::recipe::{GrpoPart, ImportanceLevel, PolicyLoss};

/// Log-probabilities of a completion's tokens in nats: (tokens) each.
#[derive(Debug, Clone, Copy)]
pub struct CompletionTerms<'a> {
    pub policy: &'a [f64],
    /// Before the first step on these completions.
    pub old: &'a [f64],
    /// Of what the model is kept near, unless beta is 0.
    pub reference: &'a [f64],
    pub advantage: f64,
}

/// Sums over a completion's tokens, before they are divided.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CompletionLoss {
    pub loss: f64,
    /// The derivative of `loss` by each token's log-probability: (tokens).
    pub by_policy: Vec<f64>,
    /// Schulman's third estimate of the divergence from the reference.
    pub kl: f64,
    /// Tokens whose ratio is clipped from below, and from above.
    pub clipped: [usize; 2],
}

/// Loss, slopes and what is told of one completion.
#[must_use]
pub fn completion_loss(part: &GrpoPart, terms: &CompletionTerms<'_>) -> CompletionLoss {
    let CompletionTerms { policy, old, reference, advantage } = *terms;
    let log_ratios: Vec<f64> = policy.iter().zip(old).map(|(policy, old)| policy - old).collect();
    let mean = log_ratios.iter().sum::<f64>() / log_ratios.len().max(1) as f64;
    let mut sums =
        CompletionLoss { by_policy: Vec::with_capacity(policy.len()), ..CompletionLoss::default() };
    for (at, (&policy, &log_ratio)) in policy.iter().zip(&log_ratios).enumerate() {
        let ratio = match part.importance_sampling_level {
            ImportanceLevel::Token => log_ratio,
            ImportanceLevel::Sequence => mean,
        };
        let (mut loss, mut slope, clip) = of_ratio(part, ratio.exp(), advantage, policy);
        sums.clipped[0] += usize::from(clip == Clip::Low);
        sums.clipped[1] += usize::from(clip == Clip::High);
        if let Some(reference) = reference.get(at) {
            let ahead = reference - policy;
            let kl = ahead.exp() - ahead - 1.0;
            sums.kl += kl;
            loss += part.beta * kl;
            slope += part.beta * (1.0 - ahead.exp());
        }
        sums.loss += loss;
        sums.by_policy.push(slope);
    }
    sums
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clip {
    No,
    Low,
    High,
}

/// A token's loss, and its slope by the token's log-probability. The ratio of a whole completion is the mean of all its
/// tokens' and stands at each of them, so that the slopes come out the same.
fn of_ratio(part: &GrpoPart, ratio: f64, advantage: f64, policy: f64) -> (f64, f64, Clip) {
    let high = part.epsilon_high();
    if part.loss_type == PolicyLoss::Cispo {
        // MiniMax-M1 (2025): the ratio is clipped and held, so that no token's gradient is lost.
        let weight = ratio.min(high) * advantage;
        let clip = if ratio > high && advantage > 0.0 { Clip::High } else { Clip::No };
        return (-weight * policy, -weight, clip);
    }
    let held = ratio.clamp(1.0 - part.epsilon, 1.0 + high);
    let loss = -(ratio * advantage).min(held * advantage);
    let clip = if ratio < 1.0 - part.epsilon && advantage < 0.0 {
        Clip::Low
    } else if ratio > 1.0 + high && advantage > 0.0 {
        Clip::High
    } else {
        Clip::No
    };
    let slope = if clip == Clip::No { -ratio * advantage } else { 0.0 };
    (loss, slope, clip)
}

/// What each completion's summed loss is multiplied by in the loss of a step. `tokens` are those that count of each
/// completion, in micro-batches of `batch_size`.
#[must_use]
pub fn token_weights(part: &GrpoPart, tokens: &[usize], batch_size: usize) -> Vec<f64> {
    let over = |count: usize| 1.0 / count.max(1) as f64;
    let completions = tokens.len();
    match part.loss_type {
        // Yu et al. 2025: the mean over all tokens of the step.
        PolicyLoss::Dapo | PolicyLoss::Cispo => vec![over(tokens.iter().sum()); completions],
        // Shao et al. 2024: the mean over completions of their means.
        PolicyLoss::Grpo => tokens.iter().map(|&length| over(length) * over(completions)).collect(),
        // Liu et al. 2025: a length that depends on no completion.
        PolicyLoss::DrGrpo => {
            vec![over(part.max_completion_length) * over(completions); completions]
        }
        // The mean over micro-batches of the means over their tokens.
        PolicyLoss::Bnpo => {
            let batches = tokens.chunks(batch_size.max(1));
            let count = batches.len();
            let of_batch = |batch: &[usize]| vec![over(batch.iter().sum()) * over(count); batch.len()];
            batches.flat_map(of_batch).collect()
        }
    }
}
