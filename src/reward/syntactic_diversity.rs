//! How differently a sentence is built from another, without a parser.
//!
//! `skeleton` compares what is left of the two sentences when every content word becomes the same mark: function words and
//! signs in their order, by their normalised edit distance. It is an edit distance over tags in which closed classes are
//! their own tags; other words for the same construction change nothing, a passive or a moved clause does. It knows English
//! function words alone. `position` is the word position deviation of Liu and Soh (2022, Towards Better Characterization of
//! Paraphrases): how far the common words moved, the mean of each word's larger relative shift; it needs no word list.
//! `words` is their lexical deviation, the share of words that are not common, and is only shown.

use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

use super::against::{AGAINST, Against};
use super::settings::{SettingKey, SettingKind};
use super::{Built, Making, Reward, RewardKind};
use crate::domain::reward::{Attempt, RewardComponent, RewardOutcome, RewardScore, ScoreDetail};

pub(super) const KIND: RewardKind = RewardKind {
    name: "syntactic-diversity",
    about: "How differently the sentence is built: edit distance of function-word skeletons, or how far words moved",
    keys: &[
        AGAINST,
        SettingKey {
            name: "measure",
            kind: SettingKind::Choice(&["skeleton", "position"]),
            default: Some("\"skeleton\""),
            help: "Function-word skeletons (English), or word position deviation (any language with spaces)",
        },
    ],
    build: |making: &Making<'_>| Ok(Built::ready(SyntacticDiversity::make(making))),
};

struct SyntacticDiversity {
    against: Against,
    by_position: bool,
}

impl SyntacticDiversity {
    fn make(making: &Making<'_>) -> Self {
        let by_position = making.settings.text("measure").as_deref() == Some("position");
        Self { against: Against::new(making.task, &making.settings), by_position }
    }
}

impl Reward for SyntacticDiversity {
    fn score(&self, attempt: &Attempt<'_>, detail: ScoreDetail) -> RewardOutcome {
        let other = match self.against.text(attempt.record) {
            Ok(other) => other,
            Err(outcome) => return outcome,
        };
        let (own, other) = (tokens(attempt.completion), tokens(&other));
        if own.is_empty() {
            let mut score = RewardScore::default();
            score.lost(
                "skeleton",
                -1.0,
                (detail == ScoreDetail::Reasons).then(|| "it says nothing".to_owned()),
            );
            return RewardOutcome::Scored(score);
        }
        let (skeleton, position) = (skeleton_distance(&own, &other), position_deviation(&own, &other));
        let value = if self.by_position { position } else { skeleton };
        let components = vec![
            RewardComponent::number("skeleton", skeleton),
            RewardComponent::number("position", position),
            RewardComponent::number("words", lexical_deviation(&own, &other)),
        ];
        RewardOutcome::Scored(RewardScore { value, components, deductions: Vec::new() })
    }
}

/// Lower-cased words and signs.
fn tokens(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    for character in text.to_lowercase().chars() {
        if character.is_alphanumeric() || matches!(character, '\'' | '’') {
            word.push(character);
            continue;
        }
        if !word.is_empty() {
            found.push(std::mem::take(&mut word));
        }
        if !character.is_whitespace() {
            found.push(character.to_string());
        }
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

fn is_word(token: &str) -> bool {
    token.chars().any(char::is_alphanumeric)
}

/// Articles, pronouns, prepositions, conjunctions, auxiliaries, question words and negations.
static FUNCTION_WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    "a an the this that these those some any each every no none all both either neither much many few more most other such \
     i you he she it we they me him her us them my your his its our their mine yours hers ours theirs myself yourself \
     himself herself itself ourselves themselves who whom whose which what when where why how whether if unless because \
     since although though while until before after once as than and or but nor so yet not n't never only also too very of \
     in on at by for with about against between into through during above below to from up down out off over under again \
     then there here without within along across behind beyond near among despite instead am is are was were be been being \
     have has had having do does did doing will would shall should can could may might must ought isn't aren't wasn't \
     weren't don't doesn't didn't won't wouldn't can't couldn't shouldn't haven't hasn't hadn't"
        .split_whitespace()
        .collect()
});

/// Edit distance of the skeletons over the longer one's length.
fn skeleton_distance(a: &[String], b: &[String]) -> f64 {
    let skeleton = |tokens: &[String]| -> Vec<String> {
        let open = |token: &String| is_word(token) && !FUNCTION_WORDS.contains(token.as_str());
        tokens.iter().map(|token| if open(token) { String::new() } else { token.clone() }).collect()
    };
    let (a, b) = (skeleton(a), skeleton(b));
    let longest = a.len().max(b.len());
    if longest == 0 { 0.0 } else { edit_distance(&a, &b) as f64 / longest as f64 }
}

/// Levenshtein's distance.
fn edit_distance(a: &[String], b: &[String]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (index, token) in a.iter().enumerate() {
        let mut diagonal = index;
        let mut left = index + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (other, cell) in b.iter().zip(row.iter_mut().skip(1)) {
            let changed = diagonal + usize::from(token != other);
            diagonal = *cell;
            left = changed.min(*cell + 1).min(left + 1);
            *cell = left;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Each word's places, over the sentence's length less one.
fn places(tokens: &[String]) -> BTreeMap<&str, Vec<f64>> {
    let words: Vec<&str> = tokens.iter().map(String::as_str).filter(|token| is_word(token)).collect();
    let last = words.len().saturating_sub(1).max(1) as f64;
    let mut places: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (index, word) in words.into_iter().enumerate() {
        places.entry(word).or_default().push(index as f64 / last);
    }
    places
}

fn position_deviation(a: &[String], b: &[String]) -> f64 {
    let (a, b) = (places(a), places(b));
    let shift = |from: &[f64], to: &[f64]| {
        let nearest =
            |place: &f64| to.iter().map(|other| (place - other).abs()).fold(f64::INFINITY, f64::min);
        from.iter().map(nearest).sum::<f64>() / from.len() as f64
    };
    let shifts: Vec<f64> = a
        .iter()
        .filter_map(|(word, own)| b.get(word).map(|other| shift(own, other).max(shift(other, own))))
        .collect();
    if shifts.is_empty() { 0.0 } else { shifts.iter().sum::<f64>() / shifts.len() as f64 }
}

fn lexical_deviation(a: &[String], b: &[String]) -> f64 {
    let words = |tokens: &[String]| -> HashSet<String> {
        tokens.iter().filter(|token| is_word(token)).cloned().collect()
    };
    let (a, b) = (words(a), words(b));
    let all = a.union(&b).count();
    if all == 0 { 0.0 } else { 1.0 - a.intersection(&b).count() as f64 / all as f64 }
}
