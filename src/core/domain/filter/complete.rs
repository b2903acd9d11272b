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
    /// Values of columns that have few, the most frequent first.
    pub values: Vec<(String, Vec<String>)>,
}

impl Vocabulary {
    /// The values of a column that are known, none for one that has many.
    #[must_use]
    pub fn values_of(&self, column: &str) -> &[String] {
        self.values.iter().find(|(name, _)| name == column).map_or(&[], |(_, values)| values)
    }
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
    match split_field(typed) {
        Some((field, value)) => {
            let last = value.rfind([',', '|']).map_or(0, |comma| comma + 1);
            let span = cursor - value.len() + last..cursor;
            let value = value.get(last..).unwrap_or_default().trim_start_matches('"');
            offer(values(field, vocabulary), value, &span)
        }
        None => offer(fields(vocabulary), typed, &(start..cursor)),
    }
}

/// The field and what was typed of its value. A column's name may be in quotes, with anything in it.
fn split_field(typed: &str) -> Option<(&str, &str)> {
    let quoted = typed.strip_prefix("field.\"").and_then(|rest| rest.find('"'));
    let name_end = quoted.map_or(0, |end| "field.\"".len() + end + 1);
    let sign = name_end + typed.get(name_end..)?.find([':', '='])?;
    Some((typed.get(..sign)?.trim_end_matches('!'), typed.get(sign + 1..)?))
}

/// Where the term under the cursor begins; none within a phrase that is no field's value.
fn term_start(before: &str) -> Option<usize> {
    let mut start = 0;
    let mut quoted = false;
    for (at, letter) in before.char_indices() {
        match letter {
            '"' => quoted = !quoted,
            _ if quoted => {}
            // Between values a bar belongs to the term.
            '|' if before.get(start..at).is_some_and(|term| term.contains(':')) => {}
            _ if letter.is_whitespace() || matches!(letter, '(' | '|') => start = at + letter.len_utf8(),
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
    let columns = vocabulary.columns.iter().map(|column| format!("field.{}:", quote_column(column)));
    words.chain(numbers).chain(columns).collect()
}

fn values(field: &str, vocabulary: &Vocabulary) -> Vec<String> {
    let with_none = |names: &[String]| {
        names.iter().map(|name| quote(name)).chain(["none".to_owned()]).collect::<Vec<_>>()
    };
    let name = field.to_lowercase();
    if let Some(column) = field.get("field.".len()..).filter(|_| name.starts_with("field.")) {
        let known = vocabulary.values_of(column.trim_matches('"'));
        return known.iter().map(|value| quote(value)).collect();
    }
    match name.as_str() {
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

/// A column's name as a filter reads it back.
fn quote_column(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.');
    if name.chars().all(plain) { name.to_owned() } else { in_quotes(name) }
}

fn in_quotes(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A value as a filter reads it back.
fn quote(name: &str) -> String {
    let plain = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "\",()|\\".contains(c));
    if plain { name.to_owned() } else { in_quotes(name) }
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
