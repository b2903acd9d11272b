//! ROUGE (Lin 2004) as Google's `rouge_score` computes it: lower-cased runs of ASCII letters and digits, with or without
//! Porter's stems for words of more than three letters; F-measures, 0 to 1.

use super::porter::stem;
use super::{common, ngrams};

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RougeKind {
    /// N-grams of this size.
    Ngrams(usize),
    /// The longest common subsequence.
    Longest,
}

/// Whether words are compared by their stems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stems {
    Compared,
    Ignored,
}

/// The F-measure of a text against a reference.
#[must_use]
pub fn f_measure(kind: RougeKind, stems: Stems, hypothesis: &str, reference: &str) -> f64 {
    let (hypothesis, reference) = (tokens(hypothesis, stems), tokens(reference, stems));
    let (matched, given, wanted) = match kind {
        RougeKind::Ngrams(size) => {
            let (own, other) = (ngrams(&hypothesis, size), ngrams(&reference, size));
            (common(&own, &other), own.values().sum::<usize>(), other.values().sum::<usize>())
        }
        RougeKind::Longest => (longest_common(&hypothesis, &reference), hypothesis.len(), reference.len()),
    };
    if matched == 0 {
        return 0.0;
    }
    let (precision, recall) = (matched as f64 / given as f64, matched as f64 / wanted as f64);
    2.0 * precision * recall / (precision + recall)
}

fn tokens(text: &str, stems: Stems) -> Vec<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit()));
    let stemmed = |word: &str| match stems {
        Stems::Compared if word.len() > 3 => stem(word),
        Stems::Compared | Stems::Ignored => word.to_owned(),
    };
    words.filter(|word| !word.is_empty()).map(stemmed).collect()
}

/// Two rows of the table are enough for its length.
fn longest_common(a: &[String], b: &[String]) -> usize {
    let mut row = vec![0_usize; b.len() + 1];
    for word in a {
        let mut diagonal = 0;
        let mut left = 0;
        for (other, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let above = *cell;
            *cell = if word == other { diagonal + 1 } else { above.max(left) };
            (diagonal, left) = (above, *cell);
        }
    }
    row.last().copied().unwrap_or_default()
}
