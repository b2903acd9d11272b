//! How labels that were drawn agree with the true ones: accuracy, precision, recall, F1, confusion, by length.

use std::collections::BTreeMap;

use crate::domain::thought::Thought;

/// Counts of (true, drawn) labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confusion {
    counts: BTreeMap<(String, String), u64>,
}

impl Confusion {
    pub fn add(&mut self, truth: &str, drawn: &str) {
        *self.counts.entry((truth.to_owned(), drawn.to_owned())).or_default() += 1;
    }

    /// How often this true label was answered with that one.
    #[must_use]
    pub fn count(&self, truth: &str, drawn: &str) -> u64 {
        self.counts.get(&(truth.to_owned(), drawn.to_owned())).copied().unwrap_or_default()
    }

    /// Every label that occurs, as truth or drawn, in order.
    #[must_use]
    pub fn labels(&self) -> Vec<&str> {
        let mut labels: Vec<&str> =
            self.counts.keys().flat_map(|(truth, drawn)| [truth.as_str(), drawn.as_str()]).collect();
        labels.sort_unstable();
        labels.dedup();
        labels
    }

    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }

    #[must_use]
    pub fn right(&self) -> u64 {
        self.counts.iter().filter(|((truth, drawn), _)| truth == drawn).map(|(_, count)| count).sum()
    }

    /// Right over all; nothing where there is nothing.
    #[must_use]
    pub fn accuracy(&self) -> Option<f64> {
        ratio(self.right(), self.total())
    }

    /// Of one label, taken as the positive one.
    #[must_use]
    pub fn scores(&self, label: &str) -> Scores {
        let hit = self.count(label, label);
        let drawn = self.counts.iter().filter(|((_, drawn), _)| drawn == label).map(|(_, count)| count).sum();
        let true_ones =
            self.counts.iter().filter(|((truth, _), _)| truth == label).map(|(_, count)| count).sum();
        let precision = ratio(hit, drawn);
        let recall = ratio(hit, true_ones);
        // 2PR / (P + R), written without the quotients: defined wherever the label occurs at all.
        let f1 = ratio(2 * hit, drawn + true_ones);
        Scores { precision, recall, f1 }
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Of one label; each is missing where it would divide by nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scores {
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
}

/// The lengths by which thoughts are compared, in tokens, both ends included.
pub const LENGTHS: [(u32, u32); 4] = [(0, 100), (101, 200), (201, 300), (301, u32::MAX)];

/// How thoughts agree with the records' labels.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreement {
    pub confusion: Confusion,
    /// (right, all) for each of [`LENGTHS`].
    pub by_length: [(u64, u64); LENGTHS.len()],
    /// Thoughts for records without a label: they count nowhere else.
    pub without_truth: u64,
}

impl Agreement {
    pub fn of<'a>(thoughts: impl IntoIterator<Item = &'a Thought>) -> Self {
        let mut agreement = Self::default();
        for thought in thoughts {
            agreement.add(thought);
        }
        agreement
    }

    pub fn add(&mut self, thought: &Thought) {
        let Some(truth) = &thought.truth else {
            self.without_truth += 1;
            return;
        };
        self.confusion.add(truth, &thought.label);
        let fits = |&(least, most): &(u32, u32)| (least..=most).contains(&thought.tokens);
        let place = LENGTHS.iter().position(fits).and_then(|bucket| self.by_length.get_mut(bucket));
        if let Some((right, all)) = place {
            *right += u64::from(*truth == thought.label);
            *all += 1;
        }
    }
}

/// Cohen's kappa: the agreement of two reviewers beyond what chance gives (Cohen 1960). Nothing where they share
/// no item, or both always said the same one thing.
pub fn kappa<T: Ord>(verdicts: &[(T, T)]) -> Option<f64> {
    let n = verdicts.len() as f64;
    if verdicts.is_empty() {
        return None;
    }
    let observed = verdicts.iter().filter(|(one, other)| one == other).count() as f64 / n;
    let mut counts: BTreeMap<&T, (f64, f64)> = BTreeMap::new();
    for (one, other) in verdicts {
        counts.entry(one).or_default().0 += 1.0;
        counts.entry(other).or_default().1 += 1.0;
    }
    let expected = counts.values().map(|(one, other)| one * other).sum::<f64>() / (n * n);
    (expected < 1.0).then(|| (observed - expected) / (1.0 - expected))
}
