//! What looks wrong in a run, in sentences. Thresholds are those that other projects publish.

mod rewards;

use crate::domain::series::{Bucket, RunSeries, Series};

/// One sentence, and the chart it speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The metric's name.
    pub metric: String,
    pub weight: Weight,
    /// What is seen and what to do.
    pub text: String,
}

/// How much a finding matters; the worst is shown first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Looks odd but is in order.
    Note,
    Warning,
    /// The run is lost unless something is done.
    Bad,
}

/// Groups without any difference in reward, for so many values: nothing is learned.
const NO_SIGNAL_VALUES: usize = 10;
/// Values that a trend is judged from, at least.
const TREND_VALUES: usize = 24;

/// Every finding, worst first.
#[must_use]
pub fn diagnose(run: &RunSeries) -> Vec<Finding> {
    let rules: [fn(&RunSeries) -> Option<Finding>; 17] = [
        not_finite,
        rewards::no_signal,
        rewards::same_reward,
        rewards::not_moved,
        rewards::fallen,
        rewards::sampler_gap,
        collapse,
        divergence,
        rewards::length_limit,
        exploding,
        rising,
        overfitting,
        truncation,
        slower,
        rewards::small_loss,
        not_moved,
        both_less_likely,
    ];
    let mut findings: Vec<Finding> = rules.iter().filter_map(|rule| rule(run)).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    findings
}

fn finding(metric: &str, weight: Weight, text: String) -> Finding {
    Finding { metric: metric.to_owned(), weight, text }
}

fn not_finite(run: &RunSeries) -> Option<Finding> {
    let (name, series) = ["loss", "grad_norm", "eval_loss"]
        .into_iter()
        .filter_map(|name| Some((name, run.get(name)?)))
        .find(|(_, series)| series.whole().is_some_and(|all| all.bad > 0))?;
    let bad = series.whole()?.bad;
    let first = series.finest().iter().find(|bucket| bucket.bad > 0)?.first;
    let times = if bad == 1 { String::new() } else { format!(", {bad} times") };
    let text = format!(
        "{name} is NaN at step {first}{times}: lower learning_rate, raise warmup_steps, or clip with max_grad_norm"
    );
    Some(finding(name, Weight::Bad, text))
}

fn collapse(run: &RunSeries) -> Option<Finding> {
    let mean = recent(run.get("entropy")?, 5)?;
    let text = format!(
        "entropy fell to {mean:.4} (below 0.01): the policy collapsed; lower learning_rate or raise beta"
    );
    (mean < 0.01).then(|| finding("entropy", Weight::Bad, text))
}

fn divergence(run: &RunSeries) -> Option<Finding> {
    let mean = recent(run.get("kl")?, 5)?;
    let text =
        format!("kl is {mean:.2} (above 2): far from the reference model; raise beta or lower learning_rate");
    (mean > 2.0).then(|| finding("kl", Weight::Warning, text))
}

/// GRPO's gradients are another scale; its runs have a reward.
fn exploding(run: &RunSeries) -> Option<Finding> {
    if is_grpo(run) {
        return None;
    }
    let tail = tail(run.get("grad_norm")?, 20);
    let worst = tail.iter().filter(|bucket| bucket.count > 0).max_by(|a, b| a.max.total_cmp(&b.max))?;
    let text = format!(
        "grad_norm reached {:.0} at step {} (above 100): lower learning_rate or max_grad_norm, and look at the data there",
        worst.max, worst.last
    );
    (worst.max > 100.0).then(|| finding("grad_norm", Weight::Warning, text))
}

fn rising(run: &RunSeries) -> Option<Finding> {
    if is_grpo(run) {
        return None;
    }
    let windows = windows(run.get("loss")?)?;
    let (best_at, best) = windows.iter().copied().enumerate().min_by(|(_, a), (_, b)| a.total_cmp(b))?;
    let now = windows.last().copied()?;
    let last_two = windows.get(windows.len() - 2..)?;
    let rises = best_at + 2 < windows.len() && last_two.iter().all(|mean| *mean > best + best.abs() * 0.1);
    let text = format!(
        "loss is rising: {now:.3} on average now, {best:.3} at its best; lower learning_rate or go back to an earlier checkpoint"
    );
    (rises).then(|| finding("loss", Weight::Warning, text))
}

fn overfitting(run: &RunSeries) -> Option<Finding> {
    let eval = run.get("eval_loss")?.finest();
    let best = eval.iter().filter(|bucket| bucket.count > 0).min_by(|a, b| a.min.total_cmp(&b.min))?;
    let since: Vec<&Bucket> =
        eval.iter().filter(|bucket| bucket.first > best.last && bucket.count > 0).collect();
    let last = since.last()?;
    let grew = since.windows(2).filter(|pair| matches!(pair, [a, b] if b.close > a.close)).count() + 1;
    let rises = since.len() >= 2 && grew * 2 > since.len() && last.close > best.min * 1.005;
    let train = run.get("loss")?;
    let then = train.near(best.last)?.mean;
    let falls = recent(train, 5)? < f64::from(then) * 1.02;
    if !(rises && falls) {
        return None;
    }
    let text = format!(
        "eval_loss rose from {:.3} at step {} to {:.3} while loss falls: overfitting; stop here, and take the checkpoint nearest to step {}",
        best.min, best.last, last.close, best.last
    );
    Some(finding("eval_loss", Weight::Warning, text))
}

/// Logged by preflight and trainer as the share of examples that were cut at the length limit.
fn truncation(run: &RunSeries) -> Option<Finding> {
    let name = ["truncated_fraction", "truncated"].into_iter().find(|name| run.get(name).is_some())?;
    let share = run.latest(name)?;
    let text = format!(
        "{:.0}% of examples are cut at the length limit: raise max_length or filter the long ones out",
        share * 100.0
    );
    (share > 0.05).then(|| finding(name, Weight::Warning, text))
}

fn slower(run: &RunSeries) -> Option<Finding> {
    let name = "tokens_per_second";
    let windows = windows(run.get(name)?)?;
    let now = windows.last().copied()?;
    let mut sorted = windows.clone();
    sorted.sort_by(f64::total_cmp);
    let usual = sorted.get(sorted.len() / 2).copied()?;
    let text = format!("speed fell to {now:.0} tokens/s from {usual:.0}: something else uses the machine");
    (now < usual * 0.6).then(|| finding(name, Weight::Note, text))
}

/// A run on preferences compares the model with its reference: without a difference nothing was learnt.
fn not_moved(run: &RunSeries) -> Option<Finding> {
    let name = "rewards/margins";
    let margins = run.get(name)?.finest();
    let steps: u32 = margins.iter().map(|bucket| bucket.count).sum();
    let widest = margins.iter().map(|bucket| bucket.min.abs().max(bucket.max.abs())).fold(0.0, f32::max);
    let text = format!(
        "the adapter has not moved: after {steps} steps the model still prefers as its reference does; raise \
         learning_rate, shorten warmup_steps, or see whether what is trained is used at all"
    );
    (steps >= NO_SIGNAL_VALUES as u32 && widest < 1e-5).then(|| finding(name, Weight::Warning, text))
}

/// Common with losses of a margin alone: both answers get less likely, the rejected one faster.
fn both_less_likely(run: &RunSeries) -> Option<Finding> {
    let name = "rewards/chosen";
    let (chosen, rejected) = (recent(run.get(name)?, 20)?, recent(run.get("rewards/rejected")?, 20)?);
    let text = format!(
        "the chosen answers get less likely too (rewards/chosen {chosen:.2}, rejected {rejected:.2}): if samples get \
         worse, mix in their likelihood with dpo.loss_type = [\"sigmoid\", \"sft\"], or raise dpo.beta"
    );
    (chosen < -1.0 && rejected < chosen).then(|| finding(name, Weight::Note, text))
}

fn is_grpo(run: &RunSeries) -> bool {
    run.get("reward").is_some()
}

fn tail(series: &Series, buckets: usize) -> &[Bucket] {
    let finest = series.finest();
    finest.get(finest.len().saturating_sub(buckets)..).unwrap_or_default()
}

/// The mean of the last finite values; nothing where there are fewer.
fn recent(series: &Series, values: usize) -> Option<f64> {
    let (mut sum, mut count) = (0.0, 0u64);
    for bucket in series.finest().iter().rev() {
        sum += f64::from(bucket.mean) * f64::from(bucket.count);
        count += u64::from(bucket.count);
        if count >= values as u64 {
            return Some(sum / count as f64);
        }
    }
    None
}

/// Means of eight equal parts; nothing where there are too few values for a trend.
fn windows(series: &Series) -> Option<Vec<f64>> {
    let finest = series.finest();
    if finest.len() < TREND_VALUES {
        return None;
    }
    let parts = finest.rchunks(finest.len() / 8).take(8);
    let mut means: Vec<f64> = parts
        .filter_map(|part| {
            let count: u64 = part.iter().map(|bucket| u64::from(bucket.count)).sum();
            let sum: f64 = part.iter().map(|bucket| f64::from(bucket.mean) * f64::from(bucket.count)).sum();
            (count > 0).then(|| sum / count as f64)
        })
        .collect();
    means.reverse();
    (means.len() >= 4).then_some(means)
}
