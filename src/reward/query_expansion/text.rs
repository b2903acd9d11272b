//! What is read before anything is scored: the mode of the query, the lines of the completion, and how two lines compare.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::LazyLock;

use regex::Regex;

use super::entities::entities;
use super::words::{GENERIC, KEY_TERM_STOPWORDS, STOPWORDS, is_space, split, trimmed};

/// The types of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExpansionKind {
    Lex,
    Vec,
    Hyde,
}

impl ExpansionKind {
    pub(super) const ALL: [Self; 3] = [Self::Lex, Self::Vec, Self::Hyde];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Lex => "lex",
            Self::Vec => "vec",
            Self::Hyde => "hyde",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Lex => "lex:",
            Self::Vec => "vec:",
            Self::Hyde => "hyde:",
        }
    }
}

/// The query, and whether it asks for one type alone (`/only:lex`).
pub(super) fn mode(query: &str) -> (&str, Option<ExpansionKind>) {
    let end = query.trim_end_matches(is_space);
    let asked = ExpansionKind::ALL.into_iter().find_map(|kind| {
        let marked = "/only:".len() + kind.name().len();
        let at = end.len().checked_sub(marked)?;
        let (before, mark) = (end.get(..at)?, end.get(at..)?);
        let is_mark =
            mark.get(..6)?.eq_ignore_ascii_case("/only:") && mark.get(6..)?.eq_ignore_ascii_case(kind.name());
        (is_mark && before.ends_with(is_space)).then_some((trimmed(before), Some(kind)))
    });
    asked.unwrap_or((query, None))
}

/// What stays of a completion, and whether it thought first.
pub(super) fn cleaned(completion: &str) -> (Cow<'_, str>, Thinking) {
    const END: &str = "<|im_end|>";
    let text = trimmed(completion);
    let text = if text.contains(END) {
        Cow::Owned(trimmed(&text.replace(END, "")).to_owned())
    } else {
        Cow::Borrowed(text)
    };
    if !(text.contains("<think>") && text.contains("</think>")) {
        return (text, Thinking::None);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some((before, after)) = rest.split_once("<think>") {
        let Some((_, after)) = after.split_once("</think>") else { break };
        kept.push_str(before);
        rest = after;
    }
    kept.push_str(rest);
    (Cow::Owned(trimmed(&kept).to_owned()), Thinking::Used)
}

/// Whether the completion holds a thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Used,
    None,
}

/// Why a completion gets nothing at all; `None` if its lines can be scored.
pub(super) fn hard_failure(text: &str) -> Option<String> {
    const TOKENS: [&str; 3] = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"];
    if text.contains("<|")
        && let Some(token) = TOKENS.into_iter().find(|token| text.contains(token))
    {
        return Some(format!("it holds {token:?}, which belongs to the chat's form"));
    }
    // A line that is `assistant` or `user` is one of these too.
    let stray = lines(text).find(|(line, _)| kind_of(line).is_none());
    stray.map(|(line, number)| {
        format!("line {number} begins with none of lex:, vec: and hyde: ({:?})", shortened(line))
    })
}

fn lines(text: &str) -> impl Iterator<Item = (&str, usize)> {
    text.split('\n')
        .zip(1..)
        .map(|(line, number)| (trimmed(line), number))
        .filter(|(line, _)| !line.is_empty())
}

fn kind_of(line: &str) -> Option<(ExpansionKind, &str)> {
    ExpansionKind::ALL.into_iter().find_map(|kind| Some((kind, line.strip_prefix(kind.prefix())?)))
}

/// The beginning of a text, for messages.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    const SHOWN: usize = 40;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => Cow::Owned(format!("{}…", text.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(text),
    }
}

/// Contents with their types, each beside its lower-cased form.
pub(super) fn contents(text: &str) -> Vec<(ExpansionKind, &str, String)> {
    let content = |(line, _)| {
        let (kind, rest) = kind_of(line)?;
        let content = trimmed(rest);
        Some((kind, content, lower(content)))
    };
    lines(text).filter_map(content).collect()
}

pub(super) fn lower(text: &str) -> String {
    if text.is_ascii() { text.to_ascii_lowercase() } else { text.to_lowercase() }
}

pub(super) fn characters(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.chars().count() }
}

/// One line's content.
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) lower: &'a str,
    pub(super) characters: usize,
    /// Of the lower-cased text, in order, each once; found when they are first asked for.
    words: OnceCell<Vec<&'a str>>,
}

impl<'a> Line<'a> {
    fn new(text: &'a str, lowered: &'a str) -> Self {
        Self { text, lower: trimmed(lowered), characters: characters(text), words: OnceCell::new() }
    }

    fn words(&self) -> &[&'a str] {
        self.words.get_or_init(|| {
            let mut words: Vec<&str> = split(self.lower).collect();
            words.sort_unstable();
            words.dedup();
            words
        })
    }

    fn has_word(&self, word: &str) -> bool {
        self.words().contains(&word)
    }

    /// A sentence rather than keywords: with a space, and longer than 15.
    pub(super) fn is_sentence(&self) -> bool {
        self.characters > 15 && self.text.contains(' ')
    }

    fn is_generic(&self) -> bool {
        GENERIC.iter().any(|phrase| {
            let first = phrase.split(' ').next().unwrap_or_default();
            // Without the first word, which the phrase begins with, neither holds.
            self.lower.contains(first) && self.is_only(phrase, first)
        })
    }

    fn is_only(&self, phrase: &str, first: &str) -> bool {
        if !(self.lower.starts_with(first) || self.lower.contains(phrase)) {
            return false;
        }
        let mut rest = self.lower.to_owned();
        for word in phrase.split(' ') {
            let shorter = rest.replacen(word, "", 1);
            trimmed(&shorter).clone_into(&mut rest);
        }
        characters(&rest) < 3
    }
}

/// Whether a keyword line is but a phrase such as "how to".
pub(super) fn is_generic(line: &Line<'_>) -> bool {
    line.is_generic()
}

/// The lines of a completion by their types.
#[derive(Default)]
pub(super) struct Lines<'a> {
    pub(super) lex: Vec<Line<'a>>,
    pub(super) vec: Vec<Line<'a>>,
    pub(super) hyde: Vec<Line<'a>>,
}

impl<'a> Lines<'a> {
    pub(super) fn new(contents: &'a [(ExpansionKind, &'a str, String)]) -> Self {
        let mut lines = Self::default();
        for (kind, text, lower) in contents {
            let line = Line::new(text, lower);
            match kind {
                ExpansionKind::Lex => lines.lex.push(line),
                ExpansionKind::Vec => lines.vec.push(line),
                ExpansionKind::Hyde => lines.hyde.push(line),
            }
        }
        lines
    }

    pub(super) fn of(&self, kind: ExpansionKind) -> &[Line<'a>] {
        match kind {
            ExpansionKind::Lex => &self.lex,
            ExpansionKind::Vec => &self.vec,
            ExpansionKind::Hyde => &self.hyde,
        }
    }
}

/// The query, read once.
pub(super) struct QueryTerms {
    lower: String,
    characters: usize,
    pub(super) word_count: usize,
    key_terms: Vec<String>,
    filler: Vec<&'static str>,
    pub(super) entities: Vec<String>,
}

/// Words that say nothing in a keyword line.
const FILLER: [&str; 2] = ["overview", "basics"];

impl QueryTerms {
    pub(super) fn new(query: &str) -> Self {
        let lowered = lower(query);
        let words: Vec<&str> = split(&lowered).collect();
        let key_terms = words
            .iter()
            .filter(|word| !KEY_TERM_STOPWORDS.contains(*word))
            .map(|&word| word.to_owned())
            .collect();
        let trimmed = trimmed(&lowered).to_owned();
        Self {
            characters: characters(&trimmed),
            word_count: words.len(),
            key_terms,
            filler: FILLER.into_iter().filter(|filler| !words.contains(filler)).collect(),
            entities: entities(query),
            lower: trimmed,
        }
    }

    /// Words in which two lines must differ.
    const fn distance(&self) -> usize {
        if self.word_count >= 5 { 3 } else { 2 }
    }

    pub(super) fn are_diverse(&self, a: &Line<'_>, b: &Line<'_>) -> bool {
        let (a_text, b_text) = (a.lower, b.lower);
        let (shorter, longer) = if a_text.len() < b_text.len() { (a_text, b_text) } else { (b_text, a_text) };
        differing_words(a.words(), b.words()) >= self.distance() && !longer.contains(shorter)
    }

    /// Pairs of lines that are too much alike.
    pub(super) fn alike(&self, lines: &[Line<'_>]) -> usize {
        let after =
            |(index, line)| lines.iter().skip(index + 1).filter(move |other| !self.are_diverse(line, other));
        lines.iter().enumerate().flat_map(after).count()
    }

    pub(super) fn is_echoed_by(&self, line: &Line<'_>) -> bool {
        line.lower == self.lower
            || (line.lower.contains(self.lower.as_str()) && characters(line.lower) < self.characters + 10)
    }

    pub(super) fn key_terms_in(&self, line: &Line<'_>) -> bool {
        self.key_terms.is_empty() || self.key_terms.iter().any(|term| line.has_word(term))
    }

    pub(super) fn entities_in(&self, line: &Line<'_>) -> bool {
        self.entities.is_empty() || self.entities.iter().any(|entity| line.lower.contains(entity.as_str()))
    }

    pub(super) fn has_filler(&self, line: &Line<'_>) -> bool {
        self.filler.iter().any(|filler| line.has_word(filler))
    }
}

/// The size of the symmetric difference of two sorted sets.
fn differing_words(a: &[&str], b: &[&str]) -> usize {
    let common = a.iter().filter(|word| b.binary_search(word).is_ok()).count();
    a.len() + b.len() - 2 * common
}

/// Letters and numbers as Python's `\w` has them, which counts no combining mark.
static WORD: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[\p{L}\p{N}]").ok());

fn is_word_character(character: char) -> bool {
    /// Below it, all that is alphabetic is a letter.
    const FIRST_MARK: char = '\u{345}';
    character == '_'
        || (character.is_alphanumeric()
            && (character < FIRST_MARK
                || WORD.as_ref().is_some_and(|word| word.is_match(character.encode_utf8(&mut [0; 4])))))
}

/// What repeated words cost: 2 (c - 2) for each that occurs c >= 3 times.
pub(super) fn repetition_penalty(line: &Line<'_>) -> i64 {
    let mut words: Vec<&str> = line.lower.split(|c: char| !is_word_character(c)).collect();
    words.retain(|word| word.len() > 2);
    words.sort_unstable();
    let repeated = words.chunk_by(|a, b| a == b).filter_map(|same| Some((same.first()?, same.len())));
    repeated
        .filter(|(word, count)| *count >= 3 && characters(word) > 2 && !STOPWORDS.contains(*word))
        .map(|(_, count)| 2 * (count as i64 - 2))
        .sum()
}
