//! Rows that say of themselves that they are to be left out: somebody marked them so.

use serde_json::Value;

use super::Mapping;
use super::words::yes_or_no;
use crate::domain::record::Fields;

/// Columns that leave a row out if they say yes.
const OUT: [&str; 30] = [
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
    "no_train",
];
/// Columns that leave a row out if they say no.
const IN: [&str; 20] = [
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
];
/// Columns that hold what became of a row, and what leaves it out.
const STATES: [&str; 7] = [
    "status",
    "state",
    "review_status",
    "record_status",
    "annotation_status",
    "response_status",
    "row_status",
];
const OUT_STATES: [&str; 16] = [
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

fn is_state(name: &str) -> bool {
    STATES.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// The column by which a row is left out with what it says: `exclude is true`.
pub(super) fn excluded(mapping: &Mapping, fields: &Fields) -> Option<String> {
    let told = |(name, value): (&String, &Value)| {
        let may_say = match value {
            Value::Null | Value::Array(_) | Value::Object(_) => false,
            Value::Bool(_) => true,
            Value::Number(_) | Value::String(_) => yes_or_no(value).is_some() || is_state(name),
        };
        if !may_say || name.len() > LONGEST || mapping.takes(name) {
            return None;
        }
        let is = |names: &[&str]| names.iter().any(|own| name.eq_ignore_ascii_case(own));
        let of_state = |text: &str| OUT_STATES.iter().any(|own| text.trim().eq_ignore_ascii_case(own));
        let out = is(&OUT) && yes_or_no(value) == Some(true)
            || is(&IN) && yes_or_no(value) == Some(false)
            || is_state(name) && value.as_str().is_some_and(of_state);
        let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.then(|| format!("{name:?} is {said}"))
    };
    fields.iter().find_map(told)
}
