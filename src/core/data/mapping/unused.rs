//! Columns of text that no part of a record has: they are named, so that nothing is passed over without a word.

use memchr::memmem;
use serde_json::Value;

use super::beside::NAMED_BESIDE;
use super::words::is_any;
use super::{ColumnPart, Mapping, MappingKind};
use crate::data::prose;
use crate::domain::record::{Fields, Record};

/// What a text may be told apart by.
const CLASSES: [&str; 9] =
    ["label", "labels", "sentiment", "category", "class", "intent", "emotion", "target", "stars"];

/// What of a row isn't in its record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::data) struct Unused {
    pub(in crate::data) columns: Vec<String>,
    /// The one column that is learnt as it stands, where it is so.
    pub(in crate::data) whole: Option<String>,
}

/// The columns of text that nothing of a row's record has.
pub(super) fn unused(mapping: &Mapping, fields: &Fields, record: &Record) -> Option<Unused> {
    let kind = mapping.kind();
    if kind == MappingKind::Columns {
        return None;
    }
    let is_read = |name: &str| NAMED_BESIDE.iter().any(|names| is_any(names, name));
    let is_left = |(name, value): &(&String, &Value)| {
        !mapping.takes(name) && prose::says(name, value) && !is_read(name) && !is_in(value, record)
    };
    // A text's class, which is learnt only if it is asked for.
    let is_passed = |(name, value): &(&String, &Value)| {
        kind == MappingKind::Text && is_any(&CLASSES, name) && !mapping.leaves_out(name) && !value.is_null()
    };
    let columns = fields.iter().filter(|column| is_left(column) || is_passed(column));
    let mut columns: Vec<String> = columns.map(|(name, _)| name.clone()).collect();
    columns.extend(further_explanations(mapping, fields, record));
    let whole = mapping.column(ColumnPart::Text).filter(|_| kind == MappingKind::Text).map(str::to_owned);
    (!columns.is_empty()).then_some(Unused { columns, whole })
}

/// A list of several explanations, of which the first is learnt.
fn further_explanations(mapping: &Mapping, fields: &Fields, record: &Record) -> Option<String> {
    let column = mapping.column(ColumnPart::Explanation)?;
    let value = fields.get(column).filter(|value| value.as_array().is_some_and(|all| all.len() > 1))?;
    (!is_in(value, record)).then(|| format!("{column} after the first"))
}

/// Whether a record has every text of a value.
fn is_in(value: &Value, record: &Record) -> bool {
    let mut texts = Vec::new();
    prose::texts(value, &mut texts);
    let turns: Vec<&str> = record
        .turns()
        .flat_map(|turn| [Some(turn.content.as_str()), turn.thought()])
        .chain([record.text.as_deref(), record.label.as_deref()])
        .flatten()
        .collect();
    texts.iter().all(|text| {
        let text = text.trim().as_bytes();
        let finder = memmem::Finder::new(text);
        text.is_empty() || turns.iter().any(|said| finder.find(said.as_bytes()).is_some())
    })
}
