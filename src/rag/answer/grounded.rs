//! Whether the words of an answer's sentences are in the passages. It finds what is from nowhere, not what is false.

use std::collections::BTreeSet;

use anyhow::Result;
use unicode_segmentation::UnicodeSegmentation;

use crate::domain::cited::{AnswerSentence, SentenceGround};
use crate::domain::retrieval::FoundPassage;
use crate::rag::terms::TermReader;

/// Terms that a sentence needs to be told.
const FEWEST_TERMS: usize = 3;
/// The share of its terms that a passage must have. Sentences in other words than their passage have a third and more
/// of its terms in common; those about something else have its names at most.
const SHARE: f32 = 1.0 / 3.0;

pub(super) fn sentences(
    answer: &str,
    passages: &[FoundPassage],
    terms: &mut TermReader,
    languages: &[String],
) -> Result<Vec<AnswerSentence>> {
    let mut read = |text: &str| -> Result<BTreeSet<u32>> {
        Ok(terms.question(text, languages)?.ids.into_iter().collect())
    };
    let known = passages
        .iter()
        .map(|passage| read(&format!("{}\n{}\n{}", passage.title, passage.section.join("\n"), passage.text)))
        .collect::<Result<Vec<_>>>()?;
    let mut sentences = Vec::new();
    for (start, sentence) in answer.split_sentence_bound_indices() {
        let text = sentence.trim();
        if text.is_empty() {
            continue;
        }
        let said = read(&without_citations(text))?;
        let has =
            |passage: &BTreeSet<u32>| said.intersection(passage).count() as f32 / said.len().max(1) as f32;
        let share = known.iter().map(has).fold(0.0, f32::max);
        let ground = match said.len() {
            0..FEWEST_TERMS => SentenceGround::TooShort,
            _ if share < SHARE => SentenceGround::Missing,
            _ => SentenceGround::Found,
        };
        let from = start + (sentence.len() - sentence.trim_start().len());
        sentences.push(AnswerSentence { at: from..from + text.len(), ground, share });
    }
    Ok(sentences)
}

/// Numbers of passages are no words of a sentence.
fn without_citations(text: &str) -> String {
    let mut kept = String::new();
    let mut from = 0;
    for citation in super::citations(text, 0) {
        if citation.at.start >= from {
            kept.push_str(text.get(from..citation.at.start).unwrap_or_default());
            from = citation.at.end;
        }
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}
