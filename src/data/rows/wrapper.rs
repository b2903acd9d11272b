//! Objects around lists of rows: `{"version": 1, "data": [...]}`, or one list for each split.

use std::sync::Arc;

use serde_json::Value;

use super::{Parsed, json};
use crate::domain::record::Fields;

/// Names under which an object holds rows.
const LISTS: [&str; 20] = [
    "data",
    "rows",
    "examples",
    "records",
    "items",
    "instances",
    "queries",
    "train",
    "test",
    "validation",
    "valid",
    "dev",
    "eval",
    "samples",
    "val",
    "training",
    "testing",
    "development",
    "evaluation",
    "held_out",
];

/// Those of them that are a split.
const SPLITS: [&str; 12] = [
    "train",
    "test",
    "validation",
    "valid",
    "dev",
    "eval",
    "val",
    "training",
    "testing",
    "development",
    "evaluation",
    "held_out",
];

/// Where in an object a reader stands.
pub(super) enum Key {
    Before,
    /// Behind a key; it is told where it promises rows.
    Named(Option<Arc<str>>),
}

/// The name that a key's bytes, with their quotes, promise rows by.
pub(super) fn list_name(key: &[u8]) -> Option<Arc<str>> {
    let name: String = serde_json::from_slice(key).ok()?;
    LISTS.contains(&name.as_str()).then(|| name.into())
}

/// Whether an object is one turn of a conversation, so that a list of such objects holds no rows.
pub(super) fn is_turn(bytes: &[u8]) -> bool {
    serde_json::from_slice::<Value>(bytes)
        .is_ok_and(|value| value.get("from").is_some() || value.get("role").is_some())
}

/// Whether an object holds a list of rows.
pub(super) fn holds_rows(value: &Value) -> bool {
    let list = |name: &&str| value.get(name).and_then(Value::as_array).and_then(|list| list.first());
    let is_row = |row: &Value| row.is_object() && row.get("from").is_none() && row.get("role").is_none();
    LISTS.iter().filter_map(list).any(is_row)
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
    if SPLITS.contains(&list) && !fields.contains_key("split") {
        fields.insert("split".to_owned(), Value::String(list.to_owned()));
    }
}
