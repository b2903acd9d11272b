//! Rows that say of themselves that they are to be left out: somebody marked them so.

use serde_json::Value;

use super::Mapping;
use super::columns::Columns;
use super::marks::Mark;
use super::verdicts::{CORRECT, discarded, finds_wrong, found_wrong};
use super::words::{ABOUT, head, is_any, yes_or_no};
use crate::domain::record::Fields;

/// Columns that leave a row out if they say yes.
const OUT: [&str; 42] = [
    "to_delete",
    "to_remove",
    "marked_for_deletion",
    "exclude",
    "excluded",
    "is_excluded",
    "exclude_from_training",
    "skip",
    "skipped",
    "is_skipped",
    "skip_training",
    "delete",
    "deleted",
    "is_deleted",
    "removed",
    "is_removed",
    "discard",
    "discarded",
    "is_discarded",
    "dropped",
    "is_dropped",
    "drop",
    "disabled",
    "is_disabled",
    "invalid",
    "is_invalid",
    "ignore",
    "ignored",
    "is_ignored",
    "do_not_use",
    "do_not_train",
    "dont_train",
    "archived",
    "is_archived",
    "is_draft",
    "duplicate",
    "is_duplicate",
    "is_spam",
    "no_train",
    "was_cancelled",
    "cancelled",
    "canceled",
];
/// Columns that leave a row out if they say no.
const IN: [&str; 23] = [
    "include",
    "included",
    "is_included",
    "include_in_training",
    "keep",
    "kept",
    "is_kept",
    "valid",
    "is_valid",
    "enabled",
    "is_enabled",
    "use",
    "use_for_training",
    "use_in_training",
    "used_for_training",
    "for_training",
    "is_usable",
    "usable",
    "is_clean",
    "selected",
    "approved",
    "is_approved",
    "review_result",
];
/// Columns that hold what became of a row, and what leaves it out.
const STATES: [&str; 16] = [
    "approval",
    "approval_status",
    "review_decision",
    "status",
    "state",
    "review_status",
    "record_status",
    "annotation_status",
    "response_status",
    "row_status",
    "review",
    "decision",
    "moderation_status",
    "qa_status",
    "validation_status",
    "curation_status",
];
const OUT_STATES: [&str; 22] = [
    "drop",
    "remove",
    "omit",
    "omitted",
    "declined",
    "disapproved",
    "discarded",
    "discard",
    "rejected",
    "reject",
    "deleted",
    "delete",
    "removed",
    "excluded",
    "exclude",
    "skipped",
    "skip",
    "ignored",
    "invalid",
    "dropped",
    "disabled",
    "withdrawn",
];
/// Names are no longer.
const LONGEST: usize = 24;

/// Whether a column or key says by yes or no that what it is about is to be left out.
pub(super) fn leaves_out(name: &str, value: &Value) -> bool {
    takes_out(name) && (yes_or_no(value) == Some(true) || Mark::of_value(value) == Some(Mark::X))
        || keeps_in(name) && yes_or_no(value) == Some(false)
}

/// Whether a column or key leaves what it is about out by saying no.
pub(in crate::data) fn keeps_in(name: &str) -> bool {
    is_any(&IN, name)
}

/// Whether one leaves it out by saying yes.
pub(super) fn takes_out(name: &str) -> bool {
    is_any(&OUT, name)
}

/// The column by which a row is left out with what it says: `exclude is true`.
pub(super) fn excluded(mapping: &Mapping, columns: &Columns, fields: &Fields) -> Option<String> {
    let is_option = |name: &str| columns.correct_is_option && is_any(&[CORRECT], name);
    let mut free = fields.iter().filter(|(name, _)| !mapping.takes(name) && !is_option(name));
    let said = |name: &str, value: &Value| told(mapping, fields, name, value);
    free.find_map(|(column, value)| match value {
        Value::Object(inside) if is_any(&ABOUT, column) => {
            let (name, said) = inside
                .iter()
                .filter(|(name, value)| !is_unclear(column, name, value))
                .find_map(|(name, value)| Some((name, said(name, value)?)))?;
            Some(format!("{column:?} says {name:?} is {said}"))
        }
        other => {
            let said = match columns.marked.plain(column, other) {
                // What it says by its marks is shown as it stands.
                Some(plain) => said(column, &plain).and(other.as_str()).map(|mark| mark.trim().to_owned()),
                None => columns.marked.leaves_out(column, other).or_else(|| said(column, other)),
            };
            Some(format!("{column:?} is {}", said?))
        }
    })
}

/// Objects about a row that hold whatever their owner likes.
const OWN: [&str; 6] = ["metadata", "meta", "info", "extra_info", "attributes", "properties"];

/// Whether a number in such an object would judge the answer if it stood in a column of its own. There it may be a count, a
/// place or a score of anything.
fn is_unclear(column: &str, name: &str, value: &Value) -> bool {
    value.is_number() && is_any(&OWN, column) && finds_wrong(name, value)
}

/// What such a number says: `"correct" is 0 in "metadata"`.
pub(super) fn unjudged(mapping: &Mapping, fields: &Fields) -> Option<String> {
    fields.iter().filter(|(column, _)| !mapping.takes(column)).find_map(|(column, value)| {
        let mut inside = value.as_object()?.iter();
        let (name, value) = inside.find(|(name, value)| is_unclear(column, name, value))?;
        Some(format!("{name:?} is {value} in {column:?}"))
    })
}

/// What a column says, if that leaves its row out.
fn told(mapping: &Mapping, fields: &Fields, name: &str, value: &Value) -> Option<String> {
    let may_say = match value {
        Value::Array(_) => return discarded(name, value),
        Value::Null | Value::Object(_) => false,
        Value::Bool(_) | Value::Number(_) => true,
        Value::String(text) => head(text).len() <= LONGEST,
    };
    if !may_say || name.len() > LONGEST {
        return None;
    }
    let of_state = |text: &str| is_any(&OUT_STATES, head(text));
    let out = leaves_out(name, value) || is_any(&STATES, name) && value.as_str().is_some_and(of_state);
    let said = || value.as_str().map_or_else(|| value.to_string(), |text| head(text).to_owned());
    if out { Some(said()) } else { found_wrong(mapping, fields, name, value) }
}
