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

/// The terms of a passage and of what stands above it.
pub(super) fn known(
    passage: &FoundPassage,
    terms: &mut TermReader,
    languages: &[String],
) -> Result<BTreeSet<u32>> {
    read(&format!("{}\n{}\n{}", passage.title, passage.section.join("\n"), passage.text), terms, languages)
}

fn read(text: &str, terms: &mut TermReader, languages: &[String]) -> Result<BTreeSet<u32>> {
    Ok(terms.question(text, languages)?.ids.into_iter().collect())
}

/// What each sentence of an answer has in the passages with these terms.
pub(super) fn sentences(
    answer: &str,
    known: &[BTreeSet<u32>],
    terms: &mut TermReader,
    languages: &[String],
) -> Result<Vec<AnswerSentence>> {
    let mut sentences = Vec::new();
    for (start, sentence) in answer.split_sentence_bound_indices() {
        let text = sentence.trim();
        if text.is_empty() {
            continue;
        }
        let said = read(&without_citations(text), terms, languages)?;
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
