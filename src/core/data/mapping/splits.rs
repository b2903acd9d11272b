//! The split that a row is of, whatever its column is called: what is held out isn't trained on.

use std::collections::HashSet;

use serde_json::Value;

use super::ColumnPart;
use super::apply::MappedRow;
use super::columns::Columns;
use super::values::text;
use super::words::{ABOUT, is_any, snake, yes_or_no};
use crate::data::split::Use;
use crate::domain::record::Fields;

/// Columns that may name a split, if what they hold is the name of one.
const NAMES: [&str; 17] = [
    "split",
    "splits",
    "set",
    "subset",
    "partition",
    "data_split",
    "dataset_split",
    "split_name",
    "split_type",
    "orig_split",
    "original_split",
    "data_set",
    "dataset_type",
    "data_type",
    "fold",
    "usage",
    "part",
];
/// Of these, those that may as well be about something else: `dev` beside `design`.
const LOOSE: [&str; 9] =
    ["set", "subset", "partition", "data_set", "dataset_type", "data_type", "fold", "usage", "part"];
/// How columns begin that say by yes or no whether a row is of a split: `is_test`, `in_train`, `held_out`.
const BEGINNINGS: [&str; 3] = ["is_", "in_", "for_"];
/// Names are no longer, so that most columns are passed over at a glance.
const LONGEST: usize = 24;

impl MappedRow<'_> {
    /// What the column of the split says; or another one, where it says more.
    pub(super) fn split(&self) -> Option<String> {
        let own = self.optional(ColumnPart::Split).map(text).filter(|split| !split.is_empty());
        let is_cleared =
            self.mapping.is_decided(ColumnPart::Split) && self.mapping.column(ColumnPart::Split).is_none();
        if is_cleared || own.as_deref().and_then(Use::of) == Some(Use::HeldOut) {
            return own;
        }
        let mut training = None;
        let free = self.fields.iter().filter(|(name, _)| name.len() <= LONGEST && !self.mapping.takes(name));
        for (named, split) in free.filter_map(|(name, value)| told(name, value, self.columns)) {
            match named {
                Use::HeldOut => return Some(split),
                Use::Training => training = Some(split),
            }
        }
        own.or(training)
    }
}

/// The columns that may be of splits by their names and hold something else too, without a row for training.
pub(super) fn mixed(sample: &[Fields]) -> HashSet<String> {
    let named = |(name, value): (&String, &Value)| {
        let text = value.as_str().filter(|text| !text.trim().is_empty())?;
        is_any(&LOOSE, name.trim()).then(|| (name.clone(), Use::named(text)))
    };
    let about = |row: &Fields| {
        let inside =
            row.iter().filter(|(name, _)| is_any(&ABOUT, name)).filter_map(|(_, value)| value.as_object());
        inside.flatten().chain(row).filter_map(named).collect::<Vec<_>>()
    };
    let found: Vec<(String, Option<Use>)> = sample.iter().flat_map(about).collect();
    let has = |name: &str, of: Option<Use>| found.iter().any(|(other, known)| other == name && *known == of);
    let is_mixed = |name: &&String| has(name, None) && !has(name, Some(Use::Training));
    found.iter().map(|(name, _)| name).filter(is_mixed).cloned().collect()
}

/// What a column says of a row's split, if it says something of it.
fn told(name: &str, value: &Value, columns: &Columns) -> Option<(Use, String)> {
    match value {
        // Most columns are about something else: what can be neither a split nor yes or no.
        Value::Number(_) if yes_or_no(value).is_none() => None,
        Value::String(text) if text.len() > LONGEST => None,
        Value::Object(fields) if is_any(&ABOUT, name) => {
            let inside = |(name, value): (&String, &Value)| {
                (!value.is_object()).then(|| told(name, value, columns))?
            };
            fields.iter().find_map(inside)
        }
        Value::Array(_) | Value::Object(_) | Value::Null => None,
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            let is_mixed = columns.is_mixed(name);
            let name = snake(name);
            let text = value.as_str().filter(|text| text.len() <= LONGEST);
            if let Some(text) = text.filter(|_| NAMES.contains(&name.as_str())) {
                let named = Use::named(text).filter(|_| !is_mixed || Use::is_certain(text));
                return named.map(|named| (named, text.trim().to_owned()));
            }
            by_yes_or_no(&name, value)
        }
    }
}

/// `is_test: true`, `is_train: false`, `held_out: true`.
fn by_yes_or_no(name: &str, value: &Value) -> Option<(Use, String)> {
    let said = yes_or_no(value)?;
    let begun = BEGINNINGS.iter().find_map(|begin| name.strip_prefix(begin));
    let named = begun.unwrap_or(name);
    // Whether a row is valid is another question, and `train: true` says whether it is learnt.
    if ["valid", "set", "data"].contains(&named) {
        return None;
    }
    let of = Use::named(named)?;
    if begun.is_none() && (of == Use::Training || value.is_number()) {
        return None;
    }
    match (of, said) {
        (Use::HeldOut, true) => Some((Use::HeldOut, named.to_owned())),
        (Use::HeldOut, false) => None,
        (Use::Training, true) => Some((Use::Training, "train".to_owned())),
        (Use::Training, false) => Some((Use::HeldOut, "held_out".to_owned())),
    }
}
