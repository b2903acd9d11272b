//! How the better answers of preference pairs are learnt as answers.

use serde_json::Value;

use super::ColumnPart;
use super::detect::names;
use super::forms::of_any_form;
use super::transcript;
use super::turn::role;
use super::words::is_any;
use crate::domain::message::Role;
use crate::domain::record::Fields;

/// The assignment for `--map` that makes the better answer of a row's pair the one that is learnt: `completion=chosen`, or
/// `messages=chosen` if it is a whole conversation.
#[must_use]
pub fn learn_chosen(fields: &Fields) -> String {
    let is_chosen = |(name, _): &(&String, &Value)| is_any(names(ColumnPart::Chosen), name);
    let found = fields.iter().find(is_chosen);
    let column = found.map_or("chosen", |(name, _)| name.as_str());
    let part = if found.is_some_and(|(_, value)| is_whole(value)) {
        ColumnPart::Messages
    } else {
        ColumnPart::Completion
    };
    format!("{}={column}", part.name())
}

/// Whether a value is a conversation in which somebody else than the assistant speaks too.
pub(super) fn is_whole(value: &Value) -> bool {
    if value.as_str().is_some_and(|text| transcript::turns(text).is_some()) {
        return true;
    }
    let speaker = |turn: &Value| role(turn.get("role").or_else(|| turn.get("from"))?.as_str()?);
    let turns = of_any_form(value);
    turns.as_array().into_iter().flatten().filter_map(speaker).any(|who| who != Role::Assistant)
}
