//! Counts of (true, read) labels, and precision, recall and F1 as a mean over the labels, as scikit-learn's `macro`: a
//! quotient without anything below counts as 0. What can't be read is no label: it is missing from its true label's recall.

/// Which of the three.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LabelFigure {
    Precision,
    Recall,
    F1,
}

/// True label and read one, by their places among the labels.
pub type LabelPair = (usize, Option<usize>);

/// Counts: (labels) rows of the true label, (labels + 1) columns of the read one, the last for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelCounts {
    labels: usize,
    counts: Vec<u64>,
}

impl LabelCounts {
    pub fn of(labels: usize, pairs: impl Iterator<Item = LabelPair>) -> Self {
        let mut counts = vec![0; labels * (labels + 1)];
        for (truth, read) in pairs {
            if let Some(count) = counts.get_mut(truth * (labels + 1) + read.unwrap_or(labels)) {
                *count += 1;
            }
        }
        Self { labels, counts }
    }

    /// Its rows.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<u64>> {
        self.counts.chunks(self.labels + 1).map(<[u64]>::to_vec).collect()
    }

    fn count(&self, truth: usize, read: usize) -> u64 {
        self.counts.get(truth * (self.labels + 1) + read).copied().unwrap_or_default()
    }

    /// The mean over the labels that occur, as truth or as answer; nothing if none does.
    #[must_use]
    pub fn macro_mean(&self, figure: LabelFigure) -> Option<f64> {
        let (mut sum, mut occurring) = (0.0, 0_u32);
        for label in 0..self.labels {
            let hit = self.count(label, label);
            let drawn: u64 = (0..self.labels).map(|truth| self.count(truth, label)).sum();
            let wanted: u64 = (0..=self.labels).map(|read| self.count(label, read)).sum();
            if drawn + wanted == 0 {
                continue;
            }
            occurring += 1;
            sum += match figure {
                LabelFigure::Precision => share(hit, drawn),
                LabelFigure::Recall => share(hit, wanted),
                LabelFigure::F1 => share(2 * hit, drawn + wanted),
            };
        }
        (occurring > 0).then(|| sum / f64::from(occurring))
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}
