//! chrF (Popović 2015) as sacreBLEU 2 computes it: character n-grams up to 6 without white space, beta 2.

use super::{common, ngrams};

const ORDER: usize = 6;
const BETA_SQUARED: f64 = 4.0;

/// Given, wanted and matched n-grams of each size; those of sentences add up to a corpus's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChrfCounts([[usize; 3]; ORDER]);

/// chrF of a corpus of (hypothesis, reference), 0 to 100.
#[must_use]
pub fn corpus<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> f64 {
    let mut counts = ChrfCounts::default();
    pairs.into_iter().for_each(|(hypothesis, reference)| counts.add(&ChrfCounts::of(hypothesis, reference)));
    counts.score()
}

impl ChrfCounts {
    #[must_use]
    pub fn of(hypothesis: &str, reference: &str) -> Self {
        let (hypothesis, reference) = (characters(hypothesis), characters(reference));
        let mut all = Self::default();
        for (size, counts) in (1..).zip(&mut all.0) {
            let (own, other) = (ngrams(&hypothesis, size), ngrams(&reference, size));
            let wanted: usize = other.values().sum();
            let given: usize = if other.is_empty() { 0 } else { own.values().sum() };
            *counts = [given, wanted, common(&own, &other)];
        }
        all
    }

    pub fn add(&mut self, other: &Self) {
        for (sums, counts) in self.0.iter_mut().zip(other.0) {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
    }

    /// 0 to 100.
    #[must_use]
    pub fn score(&self) -> f64 {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for [given, wanted, matched] in
            self.0.into_iter().filter(|[given, wanted, _]| *given > 0 && *wanted > 0)
        {
            precision += matched as f64 / given as f64;
            recall += matched as f64 / wanted as f64;
            orders += 1.0;
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall) = (precision / orders, recall / orders);
        100.0 * (1.0 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall)
    }
}

fn characters(text: &str) -> Vec<char> {
    text.split_whitespace().flat_map(str::chars).collect()
}
