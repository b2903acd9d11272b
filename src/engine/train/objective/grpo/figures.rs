//! Figures of a step on rewards, by TRL's names.

use serde_json::Value;

use super::advantage::{Advantages, RewardValue, mean, spread};
use super::sampling::Drawn;
use crate::kernels::cross_entropy::RowLoss;
use crate::train::metrics::number;
use dojo_core::domain::run::MetricLine;

/// Of one step; what isn't known is not written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct StepFigures {
    /// Of the completions, in the step that drew them.
    pub(super) drawn: MetricLine,
    pub(super) gap: SamplerGap,
    /// Shares of clipped tokens in micro-batches: the lowest from below, the highest from above.
    clipped: Option<[f64; 2]>,
    /// Seconds.
    pub(super) sample: f64,
    pub(super) reward: f64,
    pub(super) score: f64,
    pub(super) backward: f64,
}

/// How far the sampler's log-probabilities are from the trainer's.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct SamplerGap {
    tokens: usize,
    sum: f64,
    most: f64,
    ratios: f64,
    lowest: f64,
    highest: f64,
}

impl SamplerGap {
    pub(super) fn add(&mut self, rows: &[RowLoss], sampled: &[f32]) {
        for (row, sampled) in rows.iter().zip(sampled) {
            let difference = -f64::from(row.nll) - f64::from(*sampled);
            let ratio = difference.exp();
            self.lowest = if self.tokens == 0 { ratio } else { self.lowest.min(ratio) };
            self.highest = self.highest.max(ratio);
            self.most = self.most.max(difference.abs());
            self.sum += difference.abs();
            self.ratios += ratio;
            self.tokens += 1;
        }
    }

    fn write(&self, line: &mut MetricLine) {
        if self.tokens == 0 {
            return;
        }
        let over = self.tokens as f64;
        let difference = "sampling/sampling_logp_difference";
        let ratio = "sampling/importance_sampling_ratio";
        line.insert(format!("{difference}/mean"), number(self.sum / over));
        line.insert(format!("{difference}/max"), number(self.most));
        line.insert(format!("{ratio}/min"), number(self.lowest));
        line.insert(format!("{ratio}/mean"), number(self.ratios / over));
        line.insert(format!("{ratio}/max"), number(self.highest));
    }
}

impl StepFigures {
    pub(super) fn add_clipped(&mut self, low: f64, high: f64) {
        let [lowest, highest] = self.clipped.unwrap_or([f64::INFINITY, f64::NEG_INFINITY]);
        self.clipped = Some([lowest.min(low), highest.max(high)]);
    }

    pub(super) fn write(&self, line: &mut MetricLine) {
        line.extend(self.drawn.clone());
        if let Some([lowest, highest]) = self.clipped {
            line.insert("clip_ratio/low_min".to_owned(), number(lowest));
            line.insert("clip_ratio/high_max".to_owned(), number(highest));
        }
        self.gap.write(line);
        let parts = [
            ("sample", self.sample),
            ("reward", self.reward),
            ("score", self.score),
            ("backward", self.backward),
        ];
        for (name, seconds) in parts {
            line.insert(format!("step_time/{name}"), number((seconds * 1e6).round() / 1e6));
        }
    }
}

/// What is told of completions and their rewards: (completions, rewards).
pub(super) fn of_completions(
    names: &[String],
    values: &[Vec<RewardValue>],
    found: &Advantages,
    drawn: &[&Drawn],
) -> MetricLine {
    let mut line = MetricLine::new();
    let mut put = |name: String, value: f64| drop(line.insert(name, number(value)));
    for (at, name) in names.iter().enumerate() {
        let own: Vec<RewardValue> = values.iter().map(|row| row.get(at).copied().flatten()).collect();
        // A reward that applied to nothing has no mean.
        if own.iter().any(Option::is_some) {
            put(format!("rewards/{name}/mean"), mean(&own));
            put(format!("rewards/{name}/std"), spread(&own));
        }
    }
    let flat = found.spreads.iter().filter(|spread| !Advantages::has_spread(**spread)).count();
    put("reward".to_owned(), mean(&found.totals));
    if !found.spreads.is_empty() {
        put("reward_std".to_owned(), found.spreads.iter().sum::<f64>() / found.spreads.len() as f64);
        put("frac_reward_zero_std".to_owned(), flat as f64 / found.spreads.len() as f64);
    }
    let cut = drawn.iter().filter(|one| one.cut).count();
    let lengths = |ended_only: bool| -> Vec<usize> {
        let kept = drawn.iter().filter(|one| !(ended_only && one.cut));
        kept.map(|one| one.tokens.len()).collect()
    };
    for (kind, lengths) in [("length", lengths(false)), ("terminated_length", lengths(true))] {
        let count = lengths.len().max(1) as f64;
        put(format!("completions/mean_{kind}"), lengths.iter().sum::<usize>() as f64 / count);
        put(format!("completions/min_{kind}"), lengths.iter().min().copied().unwrap_or(0) as f64);
        put(format!("completions/max_{kind}"), lengths.iter().max().copied().unwrap_or(0) as f64);
    }
    put("completions/clipped_ratio".to_owned(), cut as f64 / drawn.len().max(1) as f64);
    line
}

/// The same names for an evaluation.
pub(super) fn held_out(line: MetricLine) -> MetricLine {
    line.into_iter().map(|(name, value): (String, Value)| (format!("eval_{name}"), value)).collect()
}
