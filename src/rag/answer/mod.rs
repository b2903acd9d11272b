//! Answers from passages: which passages fit a prompt, and whether what was answered is in them. Asks no model itself.

mod citations;
mod fit;
mod grounded;

pub use citations::citations;
pub use fit::{ShownPassage, fit, plain};

use super::terms::TermReader;
use crate::domain::cited::CheckedAnswer;
use crate::domain::retrieval::FoundPassage;

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
    let count = u32::try_from(passages.len()).unwrap_or(u32::MAX);
    let citations = citations(answer, count);
    let mut cited: Vec<u32> =
        citations.iter().filter(|citation| citation.exists).map(|citation| citation.number).collect();
    cited.sort_unstable();
    cited.dedup();
    let sentences = grounded::sentences(answer, passages, terms, languages)?;
    Ok(CheckedAnswer { citations, sentences, cited })
}
