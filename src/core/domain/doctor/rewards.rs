//! What looks wrong in a run on rewards.

use super::{Finding, NO_SIGNAL_VALUES, Weight, finding, is_grpo, recent, windows};
use crate::domain::series::RunSeries;

/// Groups without any difference in reward.
pub(super) fn no_signal(run: &RunSeries) -> Option<Finding> {
    let name = "frac_reward_zero_std";
    let finest = run.get(name)?.finest();
    let flat: u32 = finest
        .iter()
        .rev()
        .take_while(|bucket| bucket.count > 0 && bucket.min >= 0.999)
        .map(|bucket| bucket.count)
        .sum();
    if (flat as usize) < NO_SIGNAL_VALUES {
        return None;
    }
    let text = format!(
        "no learning signal: all completions of a prompt got the same reward in the last {flat} values; raise temperature or num_generations, or use rewards that differ"
    );
    Some(finding(name, Weight::Bad, text))
}

/// As if nobody looked at the completions.
pub(super) fn same_reward(run: &RunSeries) -> Option<Finding> {
    let name = "reward";
    let all = run.get(name)?.whole().filter(|all| all.count as usize >= NO_SIGNAL_VALUES)?;
    let flat = run.get("reward_std")?.whole().is_some_and(|spread| spread.max.abs() < 1e-6);
    let text = format!(
        "reward was {:.3} in every one of {} steps, whatever was written: `dojo reward audit TASK` shows what the reward \
         tells apart",
        all.close, all.count
    );
    (flat && (all.max - all.min).abs() < 1e-6).then(|| finding(name, Weight::Bad, text))
}

/// Rewards differ, and the model stays as it is.
pub(super) fn not_moved(run: &RunSeries) -> Option<Finding> {
    let all = run.get("grad_norm")?.whole().filter(|all| all.count as usize >= NO_SIGNAL_VALUES)?;
    let differ = recent(run.get("reward_std")?, NO_SIGNAL_VALUES)? > 1e-6;
    let still = all.max.abs() < 1e-9 || run.get("learning_rate")?.whole()?.max.abs() < 1e-12;
    let text = format!(
        "the adapter has not moved in {} steps though rewards differ: see whether learning_rate is 0, or whether every \
         completion is left out",
        all.count
    );
    (is_grpo(run) && differ && still).then(|| finding("grad_norm", Weight::Bad, text))
}

/// Steps that are too large first win and then lose.
pub(super) fn fallen(run: &RunSeries) -> Option<Finding> {
    let name = "reward";
    let windows = windows(run.get(name)?)?;
    let best = windows.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = windows.iter().copied().fold(f64::INFINITY, f64::min);
    let now = windows.last().copied()?;
    let first = windows.first().copied()?;
    let fell = now < first && best - now > 0.5 * (best - lowest) && best - now > 0.1 * best.abs().max(0.1);
    let text = format!(
        "reward fell to {now:.3}, below where it began ({first:.3}; at its best {best:.3}): lower learning_rate, or raise \
         grpo.beta and take an earlier checkpoint"
    );
    fell.then(|| finding(name, Weight::Warning, text))
}

/// Sampler and trainer are one engine: what differs is their arithmetic.
pub(super) fn sampler_gap(run: &RunSeries) -> Option<Finding> {
    let name = "sampling/sampling_logp_difference/mean";
    let mean = recent(run.get(name)?, 5)?;
    let text = format!(
        "what samples and what trains differ by {mean:.3} nats a token: compute.dtype = \"f32\" with base_format = \
         \"f32\" takes the difference away"
    );
    (mean > 0.05).then(|| finding(name, Weight::Note, text))
}

pub(super) fn length_limit(run: &RunSeries) -> Option<Finding> {
    let name = "completions/clipped_ratio";
    let mean = recent(run.get(name)?, 5)?;
    let text = format!(
        "{:.0}% of completions are cut off: raise max_completion_length or reward shorter answers",
        mean * 100.0
    );
    let weight = if mean > 0.99 { Weight::Bad } else { Weight::Warning };
    (mean > 0.8).then(|| finding(name, weight, text))
}

pub(super) fn small_loss(run: &RunSeries) -> Option<Finding> {
    let mean = recent(run.get("loss")?, 20)?;
    let text = "a GRPO loss near 0 is normal: read reward instead".to_owned();
    (is_grpo(run) && mean.abs() < 0.05).then(|| finding("loss", Weight::Note, text))
}
