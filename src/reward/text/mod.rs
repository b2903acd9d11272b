//! How near a text is to another, by its words: the published metrics, for rewards and for evaluation. Knows no record.

pub mod bleu;
pub mod chrf;
pub mod meteor;
pub mod porter;
pub mod rouge;
pub mod wordnet;

use std::collections::HashMap;

/// How often each n-gram occurs.
pub(super) fn ngrams<T: std::hash::Hash + Eq>(tokens: &[T], size: usize) -> HashMap<&[T], usize> {
    let mut counts = HashMap::new();
    for ngram in tokens.windows(size.max(1)) {
        *counts.entry(ngram).or_default() += 1;
    }
    counts
}

/// N-grams that both have, each as often as both have it.
pub(super) fn common<T: std::hash::Hash + Eq>(a: &HashMap<&[T], usize>, b: &HashMap<&[T], usize>) -> usize {
    a.iter().map(|(ngram, count)| b.get(ngram).map_or(0, |other| (*count).min(*other))).sum()
}
