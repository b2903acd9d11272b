//! A whole dataset scored: the histogram, the worst and best, and two versions of a reward on the same completions.

use super::BenchRow;
use crate::domain::reward::{Attempt, CompletionScorer, ScoreDetail};
use crate::domain::reward_scores::{
    DatasetScores, HistogramStep, RewardFigures, ScoredRecord, VersionComparison, ascending,
};
use crate::reward::RewardSet;
use crate::task::Task;
use anyhow::{Context, Result, ensure};

/// Steps of a histogram.
const STEPS: usize = 10;
/// Reasons that a reward's figures keep.
const REASONS: usize = 5;

/// Rows that are scored before it is asked whether to go on.
const STRETCH: usize = 512;

/// Scores the completion of every row.
///
/// # Errors
/// Where no row has a completion.
pub fn score_rows(task: &Task, set: &RewardSet, rows: &[BenchRow]) -> Result<DatasetScores> {
    let scores = score_rows_while(task, set, rows, &mut |_| true)?;
    scores.context("score the completions")
}

/// The same, told how many rows are done, as long as it is to go on; nothing once it is not.
///
/// # Errors
/// As [`score_rows`].
pub fn score_rows_while(
    task: &Task,
    set: &RewardSet,
    rows: &[BenchRow],
    go_on: &mut dyn FnMut(usize) -> bool,
) -> Result<Option<DatasetScores>> {
    let with = |(row, of): (usize, &'_ BenchRow)| of.completion.is_some().then_some(row);
    let answered: Vec<usize> = rows.iter().enumerate().filter_map(with).collect();
    ensure!(!answered.is_empty(), "none of the {} records has a completion to score", rows.len());
    let mut scored = Vec::with_capacity(answered.len());
    for stretch in answered.chunks(STRETCH) {
        if !go_on(scored.len()) {
            return Ok(None);
        }
        let attempts: Vec<(usize, Attempt<'_>)> = stretch
            .iter()
            .filter_map(|&row| {
                let BenchRow { record, completion } = rows.get(row)?;
                Some((row, Attempt { record, completion: completion.as_deref()? }))
            })
            .collect();
        let asked: Vec<Attempt<'_>> = attempts.iter().map(|(_, attempt)| *attempt).collect();
        let totals = set.score(&asked, ScoreDetail::Reasons);
        scored.extend(attempts.into_iter().zip(totals).map(|((row, attempt), total)| ScoredRecord {
            place: attempt.record.place(),
            completion: attempt.completion.to_owned(),
            row,
            total,
        }));
    }
    Ok(Some(figures(&task.name, set, scored, rows.len())))
}

fn figures(task: &str, set: &RewardSet, scored: Vec<ScoredRecord>, records: usize) -> DatasetScores {
    let values: Vec<f64> = scored.iter().filter_map(|scored| scored.total.value).collect();
    let (lowest, highest) = (least(&values), -least(&values.iter().map(|value| -value).collect::<Vec<_>>()));
    let mean = mean(&values);
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let deviation = if values.len() > 1 { (squares / (values.len() - 1) as f64).sqrt() } else { 0.0 };
    let rewards = set.rewards().into_iter().enumerate().map(|(index, (name, weight))| {
        let outcomes = scored.iter().filter_map(|scored| Some(&scored.total.parts.get(index)?.outcome));
        let outcomes: Vec<_> = outcomes.collect();
        let values: Vec<f64> = outcomes.iter().filter_map(|outcome| outcome.value()).collect();
        let reasons = outcomes.iter().filter_map(|outcome| outcome.reason());
        RewardFigures {
            name,
            weight,
            applies: values.len() as u64,
            mean: (!values.is_empty()).then(|| self::mean(&values)),
            reasons: tally(reasons),
        }
    });
    DatasetScores {
        task: task.to_owned(),
        records: records as u64,
        without_completion: (records - scored.len()) as u64,
        without_score: (scored.len() - values.len()) as u64,
        mean,
        standard_deviation: deviation,
        lowest,
        highest,
        histogram: histogram(&values, lowest, highest),
        rewards: rewards.collect(),
        order: ascending(&scored),
        scored,
    }
}

fn least(values: &[f64]) -> f64 {
    values.iter().copied().reduce(f64::min).unwrap_or_default()
}

pub(super) fn mean(values: &[f64]) -> f64 {
    if values.is_empty() { 0.0 } else { values.iter().sum::<f64>() / values.len() as f64 }
}

fn histogram(values: &[f64], lowest: f64, highest: f64) -> Vec<HistogramStep> {
    let width = (highest - lowest) / STEPS as f64;
    if values.is_empty() {
        return Vec::new();
    }
    if width <= 0.0 {
        return vec![HistogramStep { from: lowest, to: highest, count: values.len() as u64 }];
    }
    let step = |value: f64| (((value - lowest) / width) as usize).min(STEPS - 1);
    (0..STEPS)
        .map(|index| HistogramStep {
            from: lowest + width * index as f64,
            to: lowest + width * (index + 1) as f64,
            count: values.iter().filter(|&&value| step(value) == index).count() as u64,
        })
        .collect()
}

fn tally<'r>(reasons: impl Iterator<Item = &'r str>) -> Vec<(String, u64)> {
    let mut counts: Vec<(String, u64)> = Vec::new();
    for reason in reasons {
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| known == reason) {
            *count += 1;
        } else if counts.len() < REASONS {
            counts.push((reason.to_owned(), 1));
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}

/// Compares two versions. Both hold the same records in the same order.
///
/// # Errors
/// Where they don't.
pub fn compare(scores: &DatasetScores, other: &DatasetScores) -> Result<VersionComparison> {
    ensure!(
        scores.scored.len() == other.scored.len()
            && scores.scored.iter().zip(&other.scored).all(|(a, b)| a.completion == b.completion),
        "the two versions read other completions of the same data: compare versions of one task, or name the \
         column with --map completion=COLUMN"
    );
    let both: Vec<(usize, f64, f64)> = scores
        .scored
        .iter()
        .zip(&other.scored)
        .enumerate()
        .filter_map(|(index, (a, b))| Some((index, a.total.value?, b.total.value?)))
        .collect();
    let one_sided = scores
        .scored
        .iter()
        .zip(&other.scored)
        .filter(|(a, b)| a.total.value.is_some() != b.total.value.is_some())
        .count();
    let count = |of: fn(f64) -> bool| both.iter().filter(|(_, a, b)| of(b - a)).count() as u64;
    let mut changes = both.clone();
    changes.sort_by(|(_, a, b), (_, c, d)| (d - c).abs().total_cmp(&(b - a).abs()));
    let changed = changes.iter().filter(|(_, a, b)| (a - b).abs() > 0.0);
    let (first, second): (Vec<f64>, Vec<f64>) = both.iter().map(|(_, a, b)| (*a, *b)).unzip();
    Ok(VersionComparison {
        mean: mean(&first),
        other_mean: mean(&second),
        higher: count(|change| change > 0.0),
        lower: count(|change| change < 0.0),
        same: count(|change| change == 0.0),
        one_sided: one_sided as u64,
        correlation: correlation(&first, &second),
        changes: changed.map(|(index, _, _)| *index).collect(),
    })
}

/// Pearson's correlation of pairs; nothing if one side is all the same.
#[must_use]
pub fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| of(a - mean_a, b - mean_b)).sum()
    };
    let scale = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
    (scale > 0.0).then(|| sum(&|a, b| a * b) / scale)
}
