//! Which passages a prompt has room for, best first.

use anyhow::Result;

use crate::domain::retrieval::FoundPassage;

/// A passage as a prompt shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ShownPassage {
    /// From 1: what a citation of it is.
    pub number: u32,
    pub title: String,
    /// Its headings, outermost first, joined; empty if there are none.
    pub section: String,
    /// `3` or `3-4`; empty for a source without pages.
    pub pages: String,
    /// What its document is, in a sentence; empty if nobody said.
    pub context: String,
    pub text: String,
}

impl ShownPassage {
    fn of(number: u32, passage: &FoundPassage) -> Self {
        let pages = match passage.pages {
            None => String::new(),
            Some((first, last)) if first == last => first.to_string(),
            Some((first, last)) => format!("{first}-{last}"),
        };
        Self {
            number,
            title: plain(&passage.title),
            section: plain(&passage.section.join(" › ")),
            pages,
            context: plain(passage.context.as_deref().unwrap_or_default()),
            text: plain(&passage.text),
        }
    }
}

/// Without the private characters that prompts are cut at: a stranger's document can't begin a turn.
#[must_use]
pub fn plain(text: &str) -> String {
    text.chars().filter(|letter| !('\u{E000}'..='\u{F8FF}').contains(letter)).collect()
}

/// As many of the best passages as leave a prompt within its tokens; `tokens` counts those of a prompt with some of
/// them. A later passage that would fit is not taken before a better one that doesn't: the order is what was asked for.
///
/// # Errors
/// Where tokens can't be counted.
pub fn fit(
    passages: &[FoundPassage],
    budget: usize,
    mut tokens: impl FnMut(&[ShownPassage]) -> Result<usize>,
) -> Result<Vec<ShownPassage>> {
    let mut shown: Vec<ShownPassage> =
        (1..).zip(passages).map(|(number, passage)| ShownPassage::of(number, passage)).collect();
    while !shown.is_empty() && tokens(&shown)? > budget {
        shown.pop();
    }
    Ok(shown)
}
