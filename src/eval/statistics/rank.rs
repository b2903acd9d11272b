//! Spearman's rank correlation (1904): Pearson's of the ranks, equal values with the mean of theirs.

use crate::reward::bench::correlation;

/// From -1 to 1; nothing if one side is all the same.
#[must_use]
pub fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
    correlation(&ranks(&a), &ranks(&b))
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> = values.iter().copied().enumerate().collect();
    order.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for alike in order.chunk_by(|(_, a), (_, b)| a.total_cmp(b).is_eq()) {
        let rank = before as f64 + f64::midpoint(alike.len() as f64, 1.0);
        before += alike.len();
        for &(place, _) in alike {
            if let Some(slot) = ranks.get_mut(place) {
                *slot = rank;
            }
        }
    }
    ranks
}
