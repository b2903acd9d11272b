//! Objects around lists of rows: `{"version": 1, "data": [...]}`, or one list for each split.

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::scan::HeldBytes;
use super::{Parsed, json, kind_of};
use crate::data::prose;
use crate::data::split::Use;
use crate::domain::record::Fields;

/// Names under which an object holds rows, beside those of splits.
const LISTS: [&str; 8] = ["data", "rows", "examples", "records", "items", "instances", "queries", "samples"];

fn is_list(name: &str) -> bool {
    LISTS.contains(&name) || Use::named(name).is_some()
}

/// Where in an object a reader stands.
pub(super) enum WrapperKey {
    Before,
    /// Behind a key; it is told where it promises rows.
    Named(Option<Arc<str>>),
}

/// The name, if it promises rows.
pub(super) fn list_name(name: &str) -> Option<Arc<str>> {
    is_list(name).then(|| name.into())
}

/// A value beside a list of rows, and where its bytes are among those that are held.
pub(super) struct Passed {
    pub(super) name: String,
    pub(super) line: u64,
    pub(super) bytes: Range<usize>,
}

impl Passed {
    /// That the value isn't read, if it says something that may be meant for the rows.
    pub(super) fn told(&self, held: &HeldBytes) -> Option<String> {
        let bytes = held.bytes.get(self.bytes.clone()).unwrap_or_default();
        let value: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let advice = match &value {
            Value::Array(items) if items.first().is_some_and(Value::is_object) => {
                "if these are rows, call the list \"data\" or by its split"
            }
            _ if held.overflown => "write what the rows need into each of them",
            _ if prose::says(&self.name, &value) => "write it into each row if it should be learnt",
            _ => return None,
        };
        let kind = match &value {
            Value::Array(items) => format!("a list of {}", items.len()),
            other => kind_of(other).to_owned(),
        };
        Some(format!("not read: {:?} ({kind}) beside the rows; {advice}", self.name))
    }
}

/// Whether an object is one turn of a conversation, so that a list of such objects holds no rows.
pub(super) fn is_turn(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes)
        .is_ok_and(|value| value.get("from").is_some() || value.get("role").is_some())
}

/// Whether an object holds a list of rows.
pub(super) fn holds_rows(value: &Value) -> bool {
    let first = |(name, list): (&String, &Value)| {
        let first = list.as_array().and_then(|list| list.first()).cloned();
        first.filter(|_| is_list(name))
    };
    let is_row = |row: Value| row.is_object() && row.get("from").is_none() && row.get("role").is_none();
    value.as_object().into_iter().flatten().filter_map(first).any(is_row)
}

/// A row of the list of that name. Where the name is a split's, the row is of that split.
pub(super) fn parse(line: u64, bytes: &[u8], list: &str) -> Parsed {
    match json::parse(line, bytes) {
        Parsed::Row { line, mut fields, numbers } => {
            name_split(&mut fields, list);
            Parsed::Row { line, fields, numbers }
        }
        bad @ Parsed::Bad { .. } => bad,
    }
}

/// Gives a row its split, where its list's name is one.
pub(super) fn name_split(fields: &mut Fields, list: &str) {
    if Use::named(list).is_some() && !fields.contains_key("split") {
        fields.insert("split".to_owned(), Value::String(list.to_owned()));
    }
}
