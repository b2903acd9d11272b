//! How good a ranking is: nDCG, recall, reciprocal rank, and how long it took. As `trec_eval` computes them.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

/// Ranks that nDCG and MRR look at, and those that recall looks at.
pub const TOP: usize = 10;
pub const DEEP: usize = 100;

/// Judgements of one question: how relevant each document is, above 0.
pub type Judgements = HashMap<String, f64>;

/// One question's figures.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct QuestionScore {
    pub ndcg: f64,
    pub recall: f64,
    pub reciprocal_rank: f64,
    /// Of what is expected among the first ranks, the share that is there.
    pub within: Option<f64>,
}

/// What is expected among so many first ranks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedWithin {
    pub ranks: usize,
    /// Of each file that is expected, the documents that it may be.
    pub each: Vec<Vec<String>>,
}

impl ExpectedWithin {
    /// The share that a ranking has, of what there is room for: QMD's precision at k.
    #[must_use]
    pub fn share(&self, ranking: &[&str]) -> f64 {
        let first = ranking.get(..self.ranks.min(ranking.len())).unwrap_or_default();
        let is_there = |any: &&Vec<String>| any.iter().any(|document| first.contains(&document.as_str()));
        let room = self.ranks.min(self.each.len()).max(1);
        self.each.iter().filter(is_there).count() as f64 / room as f64
    }
}

/// Scores a ranking, best document first, each once.
#[must_use]
pub fn score(ranking: &[&str], judgements: &Judgements) -> QuestionScore {
    let gain = |document: &&str| judgements.get(*document).copied().unwrap_or(0.0);
    // Järvelin and Kekäläinen 2002, with the gain as it was judged.
    let discounted = |gains: &mut dyn Iterator<Item = f64>| -> f64 {
        gains.take(TOP).enumerate().map(|(place, gain)| gain / (place as f64 + 2.0).log2()).sum()
    };
    let mut best: Vec<f64> = judgements.values().copied().collect();
    best.sort_by(|a, b| b.total_cmp(a));
    let ideal = discounted(&mut best.into_iter());
    let found = ranking.iter().take(DEEP).filter(|document| gain(document) > 0.0).count();
    let first = ranking.iter().take(TOP).position(|document| gain(document) > 0.0);
    QuestionScore {
        ndcg: if ideal > 0.0 { discounted(&mut ranking.iter().map(gain)) / ideal } else { 0.0 },
        recall: found as f64 / judgements.len().max(1) as f64,
        reciprocal_rank: first.map_or(0.0, |place| 1.0 / (place as f64 + 1.0)),
        within: None,
    }
}

/// The figures of many questions.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct RankingFigures {
    #[serde(rename = "ndcg@10")]
    pub ndcg: f64,
    #[serde(rename = "recall@100")]
    pub recall: f64,
    #[serde(rename = "mrr@10")]
    pub mrr: f64,
    /// The mean share of what is expected among the first ranks, each question's own number of them.
    #[serde(rename = "precision@k", default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    pub questions: usize,
    /// From the question's words to ranked passages.
    pub latency_ms_mean: f64,
    pub latency_ms_p50: f64,
    pub latency_ms_p95: f64,
}

/// Means over all questions, and the latencies' percentiles.
#[must_use]
pub fn summary(scores: &[QuestionScore], milliseconds: &[f64]) -> RankingFigures {
    let mean =
        |of: fn(&QuestionScore) -> f64| scores.iter().map(of).sum::<f64>() / scores.len().max(1) as f64;
    let mut sorted = milliseconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let percentile = |share: f64| {
        let place = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
        sorted.get(place).copied().unwrap_or(0.0)
    };
    let within: Vec<f64> = scores.iter().filter_map(|score| score.within).collect();
    RankingFigures {
        within: (!within.is_empty()).then(|| within.iter().sum::<f64>() / within.len() as f64),
        ndcg: mean(|score| score.ndcg),
        recall: mean(|score| score.recall),
        mrr: mean(|score| score.reciprocal_rank),
        questions: scores.len(),
        latency_ms_mean: sorted.iter().sum::<f64>() / sorted.len().max(1) as f64,
        latency_ms_p50: percentile(0.5),
        latency_ms_p95: percentile(0.95),
    }
}
