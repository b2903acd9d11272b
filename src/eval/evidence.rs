//! What a metric knows of each item, and the figure that any choice of items gives: the same sum is taken over all items,
//! over the draws of a bootstrap, and over the items that two models share.

use super::classes::{LabelCounts, LabelFigure, LabelPair};
use super::statistics::bootstrap::{Interval, interval, wilson};
use crate::reward::text::bleu::BleuCounts;
use crate::reward::text::chrf::ChrfCounts;

/// Of each item in order; nothing for one that the metric says nothing of.
#[derive(Debug, Clone, PartialEq)]
pub enum Evidence {
    /// The mean of values.
    Mean(Vec<Option<f64>>),
    Labels {
        pairs: Vec<Option<LabelPair>>,
        labels: usize,
        figure: LabelFigure,
    },
    Bleu(Vec<Option<BleuCounts>>),
    Chrf(Vec<Option<ChrfCounts>>),
    /// Negative log-likelihood in nats, and tokens.
    Perplexity(Vec<Option<(f64, u64)>>),
}

impl Evidence {
    /// The places of the items that it says something of.
    #[must_use]
    pub fn applies(&self) -> Vec<usize> {
        fn there<T>(items: &[Option<T>]) -> Vec<usize> {
            items.iter().enumerate().filter_map(|(at, item)| item.as_ref().map(|_| at)).collect()
        }
        match self {
            Self::Mean(values) => there(values),
            Self::Labels { pairs, .. } => there(pairs),
            Self::Bleu(counts) => there(counts),
            Self::Chrf(counts) => there(counts),
            Self::Perplexity(sums) => there(sums),
        }
    }

    /// The figure of these items, each as often as it is named.
    #[must_use]
    pub fn value(&self, rows: &[usize]) -> Option<f64> {
        if rows.is_empty() {
            return None;
        }
        match self {
            Self::Mean(values) => {
                let (mut sum, mut count) = (0.0, 0_u64);
                for value in rows.iter().filter_map(|&row| *values.get(row)?) {
                    sum += value;
                    count += 1;
                }
                (count > 0).then(|| sum / count as f64)
            }
            Self::Labels { pairs, labels, figure } => {
                let pairs = rows.iter().filter_map(|&row| *pairs.get(row)?);
                LabelCounts::of(*labels, pairs).macro_mean(*figure)
            }
            Self::Bleu(counts) => {
                let mut sum = BleuCounts::default();
                rows.iter().filter_map(|&row| counts.get(row)?.as_ref()).for_each(|one| sum.add(one));
                Some(sum.of_corpus())
            }
            Self::Chrf(counts) => {
                let mut sum = ChrfCounts::default();
                rows.iter().filter_map(|&row| counts.get(row)?.as_ref()).for_each(|one| sum.add(one));
                Some(sum.score())
            }
            Self::Perplexity(sums) => {
                let (mut nats, mut tokens) = (0.0, 0_u64);
                for (own, count) in rows.iter().filter_map(|&row| *sums.get(row)?) {
                    nats += own;
                    tokens += count;
                }
                (tokens > 0).then(|| (nats / tokens as f64).exp())
            }
        }
    }

    /// Whether an item is right; nothing if the metric isn't one of right and wrong.
    #[must_use]
    pub fn is_right(&self, row: usize) -> Option<bool> {
        match self {
            Self::Mean(values) if self.is_binary() => {
                values.get(row).copied().flatten().map(|value| value > 0.5)
            }
            _ => None,
        }
    }

    /// An item's own value, if it has one.
    #[must_use]
    pub fn of_item(&self, row: usize) -> Option<f64> {
        match self {
            Self::Mean(values) => values.get(row).copied().flatten(),
            Self::Labels { .. } | Self::Bleu(_) | Self::Chrf(_) | Self::Perplexity(_) => self.value(&[row]),
        }
    }

    /// Whether all values are 0 or 1.
    #[must_use]
    pub fn is_binary(&self) -> bool {
        #[expect(clippy::float_cmp, reason = "exactly these two")]
        let is_one_of_two = |value: &f64| *value == 0.0 || *value == 1.0;
        matches!(self, Self::Mean(values) if values.iter().flatten().all(is_one_of_two))
    }

    /// Where the figure likely is. Draws say nothing of items that are all right or all wrong: Wilson's formula does.
    #[must_use]
    pub fn interval(&self, seed: u64) -> Option<Interval> {
        let rows = self.applies();
        if let (Self::Mean(values), true) = (self, self.is_binary()) {
            let right = values.iter().flatten().filter(|value| **value > 0.5).count();
            if right == 0 || right == rows.len() {
                return wilson(right as u64, rows.len() as u64);
            }
        }
        interval(rows.len(), seed, &|places| {
            let drawn: Vec<usize> = places.iter().filter_map(|&place| rows.get(place).copied()).collect();
            self.value(&drawn)
        })
    }
}
