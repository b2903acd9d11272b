//! What could be typed next in a filter line. Knows the names that a session told it, nothing else.

use std::ops::Range;

use super::{NumberField, Property, WORD_FIELDS};
use crate::domain::record::Status;

/// At most so many are offered.
const MOST: usize = 12;

/// The names in use, the most frequent first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Vocabulary {
    pub splits: Vec<String>,
    pub labels: Vec<String>,
    pub tags: Vec<String>,
    pub sources: Vec<String>,
    pub checks: Vec<String>,
    pub columns: Vec<String>,
}

/// Something to put in place of a part of the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suggestion {
    /// Bytes to replace.
    pub span: Range<usize>,
    pub text: String,
}

/// What fits at a byte offset of the line; an offset within a character counts as that character's start.
#[must_use]
pub fn complete(line: &str, cursor: usize, vocabulary: &Vocabulary) -> Vec<Suggestion> {
    let mut cursor = cursor.min(line.len());
    while !line.is_char_boundary(cursor) {
        cursor -= 1;
    }
    let (before, _) = line.split_at(cursor);
    let Some(start) = term_start(before) else { return Vec::new() };
    let typed = before.get(start..).unwrap_or_default();
    match typed.split_once(':') {
        Some((field, value)) => {
            let last = value.rfind(',').map_or(0, |comma| comma + 1);
            let span = start + field.len() + 1 + last..cursor;
            let value = value.get(last..).unwrap_or_default().trim_start_matches('"');
            offer(values(field, vocabulary), value, &span)
        }
        None if typed.is_empty() => Vec::new(),
        None => offer(fields(vocabulary), typed, &(start..cursor)),
    }
}

/// Where the term under the cursor begins; none within a phrase that is no field's value.
fn term_start(before: &str) -> Option<usize> {
    let mut start = 0;
    let mut quoted = false;
    for (at, letter) in before.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ if letter.is_whitespace() || letter == '(' => start = at + letter.len_utf8(),
            '-' if at == start => start = at + 1,
            _ => {}
        }
    }
    let phrase = before.get(start..).is_some_and(|term| term.starts_with('"'));
    (!phrase).then_some(start)
}

fn fields(vocabulary: &Vocabulary) -> Vec<String> {
    let words = WORD_FIELDS.iter().map(|field| format!("{field}:"));
    let numbers = NumberField::ALL.into_iter().map(|field| format!("{}>", field.name()));
    let columns = vocabulary.columns.iter().map(|column| format!("field.{column}:"));
    words.chain(numbers).chain(columns).collect()
}

fn values(field: &str, vocabulary: &Vocabulary) -> Vec<String> {
    let with_none = |names: &[String]| {
        names.iter().map(|name| quote(name)).chain(["none".to_owned()]).collect::<Vec<_>>()
    };
    match field {
        "status" => Status::ALL.map(|status| status.name().to_owned()).to_vec(),
        "is" => Property::ALL.map(|property| property.name().to_owned()).to_vec(),
        "split" => with_none(&vocabulary.splits),
        "label" => with_none(&vocabulary.labels),
        "tag" => with_none(&vocabulary.tags),
        "source" => vocabulary.sources.iter().map(|name| quote(name)).collect(),
        "check" => vocabulary.checks.iter().map(|name| quote(name)).collect(),
        _ => Vec::new(),
    }
}

/// A value as a filter reads it back.
fn quote(name: &str) -> String {
    let plain = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "\",()\\".contains(c));
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")) }
}

fn offer(candidates: Vec<String>, typed: &str, span: &Range<usize>) -> Vec<Suggestion> {
    let wanted = typed.to_lowercase();
    let (starts, contains): (Vec<String>, Vec<String>) = candidates
        .into_iter()
        .filter(|candidate| candidate.trim_matches('"').to_lowercase().contains(&wanted))
        .partition(|candidate| candidate.trim_matches('"').to_lowercase().starts_with(&wanted));
    starts
        .into_iter()
        .chain(contains)
        .filter(|candidate| candidate != typed)
        .take(MOST)
        .map(|text| Suggestion { span: span.clone(), text })
        .collect()
}
