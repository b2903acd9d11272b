//! METEOR (Banerjee and Lavie 2005) as NLTK computes it: words that are the same, then words with the same Porter stem,
//! then, with WordNet at hand, synonyms; alpha 0.9, beta 3, gamma 0.5.

use std::sync::LazyLock;

use regex::Regex;

use super::porter::stem;
use super::wordnet::WordNet;

const ALPHA: f64 = 0.9;
const BETA: i32 = 3;
const GAMMA: f64 = 0.5;

/// METEOR of a text against a reference without synonyms, 0 to 1.
#[must_use]
pub fn meteor(hypothesis: &str, reference: &str) -> f64 {
    meteor_with(hypothesis, reference, None)
}

/// METEOR of a text against a reference, 0 to 1.
#[must_use]
pub fn meteor_with(hypothesis: &str, reference: &str, synonyms: Option<&WordNet>) -> f64 {
    let (hypothesis, reference) = (tokens(hypothesis), tokens(reference));
    let mut left: Vec<(usize, String)> = hypothesis.iter().cloned().enumerate().collect();
    let mut right: Vec<(usize, String)> = reference.iter().cloned().enumerate().collect();
    let mut matches = take_matches(&mut left, &mut right);
    left.iter_mut().chain(&mut right).for_each(|(_, word)| *word = stem(word));
    matches.extend(take_matches(&mut left, &mut right));
    if let Some(wordnet) = synonyms {
        // What is looked up is the stem, as NLTK does.
        matches.extend(take_pairs(&mut left, &mut right, |word| {
            let mut synonyms = wordnet.synonyms(word);
            synonyms.insert(word.to_owned());
            move |other: &str| synonyms.contains(other)
        }));
    }
    matches.sort_unstable();
    let count = matches.len() as f64;
    if matches.is_empty() {
        return 0.0;
    }
    let (precision, recall) = (count / hypothesis.len() as f64, count / reference.len() as f64);
    let mean = precision * recall / (ALPHA * precision + (1.0 - ALPHA) * recall);
    let breaks = matches.iter().zip(matches.iter().skip(1)).filter(|(a, b)| (a.0 + 1, a.1 + 1) != **b);
    let chunks = 1.0 + breaks.count() as f64;
    (1.0 - GAMMA * (chunks / count).powi(BETA)) * mean
}

static TOKEN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]").ok());

fn tokens(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    TOKEN.iter().flat_map(|token| token.find_iter(&lower)).map(|found| found.as_str().to_owned()).collect()
}

/// Takes equal words out of both, from the end as NLTK does, and gives back their places.
fn take_matches(left: &mut Vec<(usize, String)>, right: &mut Vec<(usize, String)>) -> Vec<(usize, usize)> {
    take_pairs(left, right, |word| {
        let word = word.to_owned();
        move |other: &str| other == word
    })
}

/// Takes words that go together out of both, from the end; `like` makes of a word what tells those that go with it.
fn take_pairs<L: Fn(&str) -> bool>(
    left: &mut Vec<(usize, String)>,
    right: &mut Vec<(usize, String)>,
    like: impl Fn(&str) -> L,
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for index in (0..left.len()).rev() {
        let Some((place, word)) = left.get(index) else { continue };
        let is_like = like(word);
        let Some(other) = right.iter().rposition(|(_, other)| is_like(other)) else { continue };
        let place = *place;
        found.push((place, right.remove(other).0));
        left.remove(index);
    }
    found
}
