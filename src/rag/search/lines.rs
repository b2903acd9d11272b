//! Several lines for one question: words for BM25, questions and passages that look like the answer for the
//! embeddings, and what is meant. A query-expansion model writes them, or an assistant, or a person.

use anyhow::{Result, bail, ensure};

use crate::domain::retrieval::{LineKind, QueryLine};

/// Says what is meant by the other lines.
const INTENT: &str = "intent";
/// Letters of a line's kind at most: what is longer before a colon is a word of the text.
const LONGEST_KIND: usize = 8;

/// A query in lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypedQuery {
    pub lines: Vec<QueryLine>,
    pub intent: Option<String>,
}

/// The lines of a text, if they begin with `lex:`, `vec:`, `hyde:` or `intent:`. Nothing if none does: it is plain words
/// then.
///
/// # Errors
/// Names a line that is of no kind among others that are.
pub fn typed(text: &str) -> Result<Option<TypedQuery>> {
    let said = || (1..).zip(text.lines()).map(|(number, line)| (number, line.trim()));
    let said = || said().filter(|(_, line)| !line.is_empty());
    if !said().any(|(_, text)| line(text).is_some()) {
        return Ok(None);
    }
    let mut query = TypedQuery { lines: Vec::new(), intent: None };
    for (number, text) in said() {
        if let Some(line) = line(text) {
            query.lines.push(line);
        } else if let Some(meant) = intent(text) {
            ensure!(query.intent.is_none(), "line {number} says a second intent: one is enough");
            query.intent = Some(meant.to_owned());
        } else {
            let began =
                kind(text).map_or_else(|| "is of no kind".to_owned(), |kind| format!("begins with {kind}:"));
            bail!(
                "line {number} of the query {began}, and beside typed lines each begins with lex:, vec:, hyde: or intent:"
            );
        }
    }
    Ok(Some(query))
}

/// One line, if it is typed.
#[must_use]
pub fn line(text: &str) -> Option<QueryLine> {
    let (kind, text) = text.split_once(':')?;
    let kind = LineKind::of_name(kind.trim().to_lowercase().as_str())?;
    Some(QueryLine { kind, text: text.trim().to_owned() })
}

fn intent(text: &str) -> Option<&str> {
    let (kind, meant) = text.split_once(':')?;
    let meant = meant.trim();
    (kind.trim().eq_ignore_ascii_case(INTENT) && !meant.is_empty()).then_some(meant)
}

/// What a line begins with that looks like a kind.
fn kind(text: &str) -> Option<&str> {
    let (kind, rest) = text.split_once(':')?;
    let is_word =
        (2..=LONGEST_KIND).contains(&kind.len()) && kind.bytes().all(|letter| letter.is_ascii_lowercase());
    (is_word && rest.starts_with(' ')).then_some(kind)
}

/// What plain words hold that means something in lines only, in sentences.
pub(super) fn only_in_lines(words: &str) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(kind) = kind(words) {
        told.push(format!(
            "{kind}: is no kind of line (lex, vec, hyde and intent are): it was searched as a word"
        ));
    }
    let left_out = |word: &&str| {
        word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|first: char| first.is_alphabetic()))
    };
    if let Some(word) = words.split_whitespace().find(left_out) {
        told.push(format!(
            "{word} leaves nothing out here: a line that begins with lex: does (lex: words {word})"
        ));
    }
    told
}
