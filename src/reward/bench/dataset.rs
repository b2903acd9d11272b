//! A whole dataset scored: the histogram, the worst and best, and two versions of a reward on the same completions.

use anyhow::{Result, ensure};
use serde::Serialize;

use super::completion_of;
use crate::domain::record::Record;
use crate::domain::reward::{Attempt, CompletionScorer, RewardTotal, ScoreDetail};
use crate::reward::RewardSet;
use crate::task::Task;

/// One record with its completion and what it got.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoredRecord {
    /// `file:line`.
    pub place: String,
    pub completion: String,
    pub total: RewardTotal,
}

/// The scores of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatasetScores {
    pub task: String,
    /// In the data's order; those without a completion are left out.
    #[serde(skip)]
    pub scored: Vec<ScoredRecord>,
    pub records: u64,
    pub without_completion: u64,
    /// Records of which no reward says anything.
    pub without_score: u64,
    pub mean: f64,
    /// Of the sample (n - 1).
    pub standard_deviation: f64,
    pub lowest: f64,
    pub highest: f64,
    /// Equal steps from the lowest to the highest, with how many are in each.
    pub histogram: Vec<HistogramStep>,
    pub rewards: Vec<RewardFigures>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistogramStep {
    pub from: f64,
    pub to: f64,
    pub count: u64,
}

/// One reward over the dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RewardFigures {
    pub name: String,
    pub weight: f64,
    pub applies: u64,
    pub mean: Option<f64>,
    /// Why it did not apply, with how often.
    pub reasons: Vec<(String, u64)>,
}

/// Steps of a histogram.
const STEPS: usize = 10;
/// Reasons that a reward's figures keep.
const REASONS: usize = 5;

/// Scores the completion of every record.
///
/// # Errors
/// Where no record has a completion.
pub fn score_records(
    task: &Task,
    set: &RewardSet,
    records: &[Record],
    column: Option<&str>,
) -> Result<DatasetScores> {
    let completions: Vec<(&Record, String)> =
        records.iter().filter_map(|record| Some((record, completion_of(task, record, column)?))).collect();
    ensure!(
        !completions.is_empty(),
        "none of the {} records has a completion to score{}",
        records.len(),
        column.map_or_else(String::new, |column| format!(" in the column {column:?}"))
    );
    let attempts: Vec<Attempt<'_>> =
        completions.iter().map(|(record, completion)| Attempt { record, completion }).collect();
    let totals = set.score(&attempts, ScoreDetail::Reasons);
    let scored: Vec<ScoredRecord> = completions
        .iter()
        .zip(totals)
        .map(|((record, completion), total)| ScoredRecord {
            place: record.place(),
            completion: completion.clone(),
            total,
        })
        .collect();
    Ok(figures(&task.name, set, scored, records.len()))
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

impl DatasetScores {
    /// The `count` lowest, the lowest first, and the `count` highest, the highest first.
    #[must_use]
    pub fn extremes(&self, count: usize) -> (Vec<&ScoredRecord>, Vec<&ScoredRecord>) {
        let mut ordered: Vec<&ScoredRecord> =
            self.scored.iter().filter(|scored| scored.total.value.is_some()).collect();
        ordered
            .sort_by(|a, b| a.total.value.unwrap_or_default().total_cmp(&b.total.value.unwrap_or_default()));
        let worst = ordered.iter().take(count).copied().collect();
        (worst, ordered.iter().rev().take(count).copied().collect())
    }
}

/// Two versions of a reward on the same completions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct VersionComparison {
    pub mean: f64,
    pub other_mean: f64,
    pub higher: u64,
    pub lower: u64,
    pub same: u64,
    /// Completions that one version scores and the other does not.
    pub one_sided: u64,
    /// Pearson's correlation; nothing if one of them gives all the same.
    pub correlation: Option<f64>,
    /// Indices into both versions' records, the largest change first.
    #[serde(skip)]
    pub changes: Vec<usize>,
}

/// Compares two versions. Both hold the same records in the same order.
///
/// # Errors
/// Where they don't.
pub fn compare(scores: &DatasetScores, other: &DatasetScores) -> Result<VersionComparison> {
    ensure!(
        scores.scored.len() == other.scored.len()
            && scores.scored.iter().zip(&other.scored).all(|(a, b)| a.completion == b.completion),
        "the two versions read other completions of the same data: compare versions of one task, or name the column"
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

fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
        a.iter().zip(b).map(|(a, b)| of(a - mean_a, b - mean_b)).sum()
    };
    let scale = (sum(&|a, _| a * a) * sum(&|_, b| b * b)).sqrt();
    (scale > 0.0).then(|| sum(&|a, b| a * b) / scale)
}
