//! A dataset as rewards scored it: figures, the histogram, every record's total, and two versions compared. Plain data.

use serde::Serialize;

use super::reward::RewardTotal;

/// One record with its completion and what it got.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ScoredRecord {
    /// `file:line`.
    pub place: String,
    pub completion: String,
    /// Which of the rows it is, from 0.
    #[serde(skip)]
    pub row: usize,
    pub total: RewardTotal,
}

/// The scores of a dataset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DatasetScores {
    pub task: String,
    /// In the data's order; those without a completion are left out.
    #[serde(skip)]
    pub scored: Vec<ScoredRecord>,
    /// Indices into `scored` of those with a score, the lowest first: by [`ascending`].
    #[serde(skip)]
    pub order: Vec<usize>,
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

impl DatasetScores {
    /// The `count` lowest, the lowest first, and the `count` highest, the highest first.
    #[must_use]
    pub fn extremes(&self, count: usize) -> (Vec<&ScoredRecord>, Vec<&ScoredRecord>) {
        let record = |&at: &usize| self.scored.get(at);
        let worst = self.order.iter().take(count).filter_map(record).collect();
        (worst, self.order.iter().rev().take(count).filter_map(record).collect())
    }
}

/// Indices of those with a score, the lowest first. Kept with the scores: a screen asks for both ends in every frame.
#[must_use]
pub fn ascending(scored: &[ScoredRecord]) -> Vec<usize> {
    let value = |at: &usize| scored.get(*at).and_then(|scored| scored.total.value);
    let mut order: Vec<usize> = (0..scored.len()).filter(|at| value(at).is_some()).collect();
    order.sort_by(|a, b| value(a).unwrap_or_default().total_cmp(&value(b).unwrap_or_default()));
    order
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
