//! Answers from passages: which passages fit a prompt, and whether what was answered is in them. Asks no model itself.

mod asked;
mod citations;
mod fit;
mod grounded;

pub use asked::{
    AnswerPrompt, AskedConversation, NOT_THERE, QUESTION_TOKENS, near, prompt_budget, recent, standing_alone,
    without_the_oldest,
};
pub use citations::citations;
pub use fit::{ShownPassage, fit, plain};

use std::collections::BTreeSet;
use std::ops::Range;

use super::terms::TermReader;
use crate::domain::cited::{AnswerSentence, CheckedAnswer, Citation};
use crate::domain::inline_thought;
use crate::domain::retrieval::FoundPassage;

/// Holds answers against the passages that were in their prompt, numbered from 1.
pub struct AnswerCheck {
    /// The terms of each passage.
    known: Vec<BTreeSet<u32>>,
    languages: Vec<String>,
}

impl AnswerCheck {
    /// Reads the passages. `languages`: those of the documents.
    ///
    /// # Errors
    /// Where a language can't be read.
    pub fn new(
        passages: &[FoundPassage],
        terms: &mut TermReader,
        languages: &[String],
    ) -> anyhow::Result<Self> {
        let known = passages
            .iter()
            .map(|passage| grounded::known(passage, terms, languages))
            .collect::<Result<_, _>>()?;
        Ok(Self { known, languages: languages.to_vec() })
    }

    /// Holds one answer against them; what a model thought before it is no part of it.
    ///
    /// # Errors
    /// Where a language can't be read.
    pub fn check(&self, answer: &str, terms: &mut TermReader) -> anyhow::Result<CheckedAnswer> {
        let said = inline_thought::behind(answer);
        let from = answer.trim_end().len().saturating_sub(said.len());
        let in_answer = |at: Range<usize>| at.start + from..at.end + from;
        let count = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let citations: Vec<Citation> = citations(said, count)
            .into_iter()
            .map(|citation| Citation { at: in_answer(citation.at), ..citation })
            .collect();
        let mut cited: Vec<u32> =
            citations.iter().filter(|citation| citation.exists).map(|citation| citation.number).collect();
        cited.sort_unstable();
        cited.dedup();
        let sentences = grounded::sentences(said, &self.known, terms, &self.languages)?
            .into_iter()
            .map(|sentence| AnswerSentence { at: in_answer(sentence.at), ..sentence })
            .collect();
        Ok(CheckedAnswer { citations, sentences, cited })
    }
}

/// Holds an answer against the passages that were in its prompt, numbered from 1. `languages`: those of the documents.
///
/// # Errors
/// Where a language can't be read.
pub fn check(
    answer: &str,
    passages: &[FoundPassage],
    terms: &mut TermReader,
    languages: &[String],
) -> anyhow::Result<CheckedAnswer> {
    AnswerCheck::new(passages, terms, languages)?.check(answer, terms)
}
