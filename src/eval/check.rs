//! Text metrics held against a file of expected figures: pairs with what other programs gave them. A figure that isn't
//! known is told and never passed over.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::reward::text::bleu::{self, BleuCounts};
use crate::reward::text::chrf::{self, ChrfCounts};
use crate::reward::text::meteor::meteor_with;
use crate::reward::text::rouge::{RougeKind, Stems, f_measure};
use crate::reward::text::wordnet::WordNet;

/// How a file's figures agree with ours.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct TextCheck {
    pub items: u64,
    /// By figure.
    pub figures: BTreeMap<String, FigureCheck>,
    /// The first that differ.
    pub differences: Vec<TextDifference>,
    /// Figures of the file that were not compared, with the reason.
    pub not_compared: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct FigureCheck {
    pub compared: u64,
    pub differ: u64,
    pub largest_difference: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TextDifference {
    /// `items[3].rouge1`.
    pub place: String,
    pub given: f64,
    pub expected: f64,
}

impl TextCheck {
    /// Whether every figure of the file was compared and agrees, and there was one.
    #[must_use]
    pub fn is_met(&self) -> bool {
        self.not_compared.is_empty()
            && !self.figures.is_empty()
            && self.figures.values().all(|figure| figure.differ == 0)
    }

    fn compare(&mut self, (name, place): (&str, String), given: f64, expected: f64, tolerance: f64) {
        let figure = self.figures.entry(name.to_owned()).or_default();
        figure.compared += 1;
        let difference = (given - expected).abs();
        figure.largest_difference = figure.largest_difference.max(difference);
        if difference.is_nan() || difference > tolerance {
            figure.differ += 1;
            if self.differences.len() < SHOWN {
                self.differences.push(TextDifference { place, given, expected });
            }
        }
    }
}

/// Differences that are listed.
const SHOWN: usize = 20;
/// Keys of the file that say what it is and expect nothing.
const ABOUT: [&str; 3] = ["signature", "items", "about"];

/// Compares every figure of a file of expected ones.
///
/// # Errors
/// If it isn't of that form; the sentence says where.
pub fn check_text_metrics(file: &Value, wordnet: Option<&WordNet>, tolerance: f64) -> Result<TextCheck> {
    let file = file.as_object().context("it is no JSON object with \"items\"")?;
    let items = file.get("items").and_then(Value::as_array).context("it has no list \"items\"")?;
    ensure!(!items.is_empty(), "its list \"items\" is empty");
    let mut check = TextCheck { items: items.len() as u64, ..TextCheck::default() };
    let mut pairs = Vec::with_capacity(items.len());
    for (number, item) in items.iter().enumerate() {
        let item = item.as_object().with_context(|| format!("items[{number}] is no object"))?;
        let pair = pair(item).with_context(|| format!("read items[{number}]"))?;
        for (name, expected) in
            item.iter().filter(|(name, _)| !["reference", "hypothesis"].contains(&name.as_str()))
        {
            let place = format!("items[{number}].{name}");
            let Some(expected) = expected.as_f64() else {
                bail!("{place} is {expected}, and must be a number");
            };
            match of_pair(name, pair, wordnet) {
                Ok(given) => check.compare((name, place), given, expected, tolerance),
                Err(why) => _ = check.not_compared.entry(name.clone()).or_insert(why),
            }
        }
        pairs.push(pair);
    }
    for (name, expected) in file.iter().filter(|(name, _)| !ABOUT.contains(&name.as_str())) {
        match of_corpus(name, &pairs) {
            None => {
                check.not_compared.insert(name.clone(), UNKNOWN.to_owned());
            }
            Some(given) => {
                let expected = numbers(expected, name, given.len())?;
                for (given, expected) in given.into_iter().zip(expected) {
                    check.compare((name, name.clone()), given, expected, tolerance);
                }
            }
        }
    }
    Ok(check)
}

const UNKNOWN: &str = "no figure of that name is known";

fn pair(item: &Map<String, Value>) -> Result<(&str, &str)> {
    let text = |name: &str| {
        item.get(name).and_then(Value::as_str).with_context(|| format!("it has no text {name:?}"))
    };
    Ok((text("hypothesis")?, text("reference")?))
}

fn numbers(value: &Value, name: &str, count: usize) -> Result<Vec<f64>> {
    let listed = value.as_array().map_or_else(|| vec![value], |list| list.iter().collect());
    let numbers: Option<Vec<f64>> = listed.into_iter().map(Value::as_f64).collect();
    let numbers = numbers.filter(|numbers| numbers.len() == count);
    numbers.with_context(|| format!("{name} is {value}, and must be a number, or {count} of them"))
}

/// A figure of one pair, or why there is none.
fn of_pair(
    name: &str,
    (hypothesis, reference): (&str, &str),
    wordnet: Option<&WordNet>,
) -> Result<f64, String> {
    let rouge = |kind, stems| f_measure(kind, stems, hypothesis, reference);
    Ok(match name {
        "sentence_bleu" => bleu::sentence(hypothesis, reference),
        "sentence_chrf" => ChrfCounts::of(hypothesis, reference).score(),
        "rouge1" => rouge(RougeKind::Ngrams(1), Stems::Ignored),
        "rouge2" => rouge(RougeKind::Ngrams(2), Stems::Ignored),
        "rougeL" => rouge(RougeKind::Longest, Stems::Ignored),
        "rouge1_stem" => rouge(RougeKind::Ngrams(1), Stems::Compared),
        "rouge2_stem" => rouge(RougeKind::Ngrams(2), Stems::Compared),
        "rougeL_stem" => rouge(RougeKind::Longest, Stems::Compared),
        "meteor_no_synonyms" => meteor_with(hypothesis, reference, None),
        "meteor" | "meteor_synonyms" | "meteor_wordnet" => {
            let wordnet = wordnet.ok_or("synonyms need WordNet: name its folder with --wordnet")?;
            meteor_with(hypothesis, reference, Some(wordnet))
        }
        _ => return Err(UNKNOWN.to_owned()),
    })
}

/// A figure of all pairs together; several for one of several numbers.
fn of_corpus(name: &str, pairs: &[(&str, &str)]) -> Option<Vec<f64>> {
    let counts = || {
        let mut all = BleuCounts::default();
        pairs.iter().for_each(|(hypothesis, reference)| all.add(&BleuCounts::of(hypothesis, reference)));
        all
    };
    Some(match name {
        "corpus_bleu" => vec![counts().of_corpus()],
        "corpus_bleu_precisions" => counts().parts().precisions.to_vec(),
        "corpus_bleu_bp" => vec![counts().parts().brevity],
        "corpus_chrf" => vec![chrf::corpus(pairs.iter().copied())],
        _ => return None,
    })
}
