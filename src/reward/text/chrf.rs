//! chrF (Popović 2015) as sacreBLEU 2 computes it: character n-grams up to 6 without white space, beta 2.

use super::{common, ngrams};

const ORDER: usize = 6;
const BETA_SQUARED: f64 = 4.0;

/// chrF of a corpus of (hypothesis, reference), 0 to 100.
#[must_use]
pub fn corpus<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> f64 {
    let mut counts = [[0_usize; 3]; ORDER];
    for (hypothesis, reference) in pairs {
        let (hypothesis, reference) = (characters(hypothesis), characters(reference));
        for (size, counts) in (1..).zip(&mut counts) {
            let (own, other) = (ngrams(&hypothesis, size), ngrams(&reference, size));
            let wanted: usize = other.values().sum();
            let given: usize = if other.is_empty() { 0 } else { own.values().sum() };
            for (sum, count) in counts.iter_mut().zip([given, wanted, common(&own, &other)]) {
                *sum += count;
            }
        }
    }
    let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
    for [given, wanted, matched] in counts.into_iter().filter(|[given, wanted, _]| *given > 0 && *wanted > 0)
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

fn characters(text: &str) -> Vec<char> {
    text.split_whitespace().flat_map(str::chars).collect()
}
