//! A line of words for BM25, as QMD has them: `"in this order"` must be there as it is, and what comes after a `-` must
//! not. Both hold for what this line finds, not for what other lines do.

use anyhow::{Result, ensure};

use crate::rag::database::StoredChunk;
use crate::rag::library::ChunkWords;
use crate::rag::terms::{Bm25Settings, TermCounts, TermReader};

/// Stands between a chunk's parts, so that no phrase is found across them.
const BETWEEN: &str = " \u{1} ";

/// A line that was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct LexLine {
    /// What BM25 looks for: the words, those in phrases among them.
    pub(super) words: String,
    /// Must be there, as [`folded`] has them.
    phrases: Vec<String>,
    left_out: Vec<LeftOutWords>,
}

/// What must not be there.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LeftOutWords {
    /// In any form of it.
    Word(String),
    /// In this order, as [`folded`] has it.
    Phrase(String),
}

impl LexLine {
    /// # Errors
    /// Where a quote is not closed, or nothing is to be found.
    pub(super) fn read(text: &str) -> Result<Self> {
        let mut line = Self::default();
        let mut words: Vec<&str> = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (is_left_out, part) = match rest.strip_prefix('-') {
                Some(part) if part.starts_with(|first: char| first.is_alphanumeric() || first == '"') => {
                    (true, part)
                }
                Some(_) | None => (false, rest),
            };
            let (said, after, is_phrase) = if let Some(quoted) = part.strip_prefix('"') {
                let end = quoted.find('"');
                ensure!(end.is_some(), "the quote in \"lex: {text}\" is not closed");
                let (said, after) = quoted.split_at(end.unwrap_or_default());
                (said, after.get(1..).unwrap_or_default(), true)
            } else {
                let end = part.find(char::is_whitespace).unwrap_or(part.len());
                let (said, after) = part.split_at(end);
                (said, after, false)
            };
            let in_order = folded(said);
            let says = !in_order.trim().is_empty();
            match (is_left_out, is_phrase) {
                (true, true) if says => line.left_out.push(LeftOutWords::Phrase(in_order)),
                (true, false) if says => line.left_out.push(LeftOutWords::Word(said.to_owned())),
                (false, true) if says => {
                    line.phrases.push(in_order);
                    words.push(said);
                }
                (false, false) => words.push(said),
                (_, _) => {}
            }
            rest = after.trim_start();
        }
        line.words = words.join(" ");
        ensure!(
            line.left_out.is_empty() || !line.words.trim().is_empty(),
            "\"lex: {text}\" says only what is left out: it needs a word to find"
        );
        Ok(line)
    }

    /// A line of a model, in which nothing has a meaning of its own.
    pub(super) fn plain(text: &str) -> Self {
        Self { words: text.to_owned(), ..Self::default() }
    }

    /// Whether everything that BM25 finds is taken.
    pub(super) const fn takes_all(&self) -> bool {
        self.phrases.is_empty() && self.left_out.is_empty()
    }

    /// Whether a chunk has all phrases and nothing of what is left out.
    pub(super) fn takes(&self, chunk: &StoredChunk, reader: &mut TermReader) -> Result<bool> {
        let words = ChunkWords::of(chunk);
        let parts = [words.text, words.title].into_iter().chain(words.context);
        let parts: Vec<String> = parts.chain(words.section.iter().map(String::as_str)).map(folded).collect();
        let whole = parts.join(BETWEEN);
        let has = |phrase: &String| whole.contains(within(phrase));
        if !self.phrases.iter().all(has) {
            return Ok(false);
        }
        let language = chunk.language.as_deref();
        let mut counts = None;
        for left_out in &self.left_out {
            let is_there = match left_out {
                LeftOutWords::Phrase(phrase) => has(phrase),
                LeftOutWords::Word(word) => {
                    let mut forms = TermCounts::new();
                    reader.count(word, language, 1.0, &mut forms)?;
                    if counts.is_none() {
                        counts = Some(words.terms(reader, language, Bm25Settings::default())?);
                    }
                    let is_counted = |id: &u32| counts.as_ref().is_some_and(|counts| counts.contains_key(id));
                    // Words that BM25 doesn't count have no forms.
                    if forms.is_empty() { has(&folded(word)) } else { forms.keys().all(is_counted) }
                }
            };
            if is_there {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// A text's words in lower case, a space before and after each.
fn folded(text: &str) -> String {
    let mut folded = String::from(" ");
    for letter in text.chars().flat_map(char::to_lowercase) {
        if letter.is_alphanumeric() {
            folded.push(letter);
        } else if !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
    if !folded.ends_with(' ') {
        folded.push(' ');
    }
    folded
}

/// What is looked for: whole words, but where writing has no spaces between them.
fn within(phrase: &str) -> &str {
    const NO_SPACES: std::ops::Range<char> = '\u{2e80}'..'\u{a000}';
    if phrase.chars().any(|letter| NO_SPACES.contains(&letter)) { phrase.trim() } else { phrase }
}
