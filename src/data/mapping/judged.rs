//! Answers that somebody judged, as KTO's data have them: one that isn't wanted is not learnt as if it were.

use serde_json::Value;

use super::beside::opened;
use super::turn::learnt;
use super::{Kind, Mapping, Part};
use crate::domain::record::Fields;

/// Columns that say whether an answer is wanted. The first two may also be a class.
const WANTED: [&str; 16] = [
    "label",
    "labels",
    "kto_tag",
    "kto_label",
    "kto_tags",
    "desirable",
    "is_desirable",
    "is_good",
    "good",
    "thumbs_up",
    "preferred",
    "is_preferred",
    "chosen",
    "is_chosen",
    "accepted",
    "is_accepted",
];
const CLASSES: [&str; 2] = ["label", "labels"];
/// Columns that say whether an answer is not wanted.
const UNWANTED: [&str; 8] = [
    "undesirable",
    "is_undesirable",
    "rejected",
    "is_rejected",
    "is_bad",
    "thumbs_down",
    "dispreferred",
    "is_dispreferred",
];

/// Fails where a column says that a row's answer isn't wanted. `by_hand`: what a person has said of the columns; who says
/// what the label is knows what it means.
pub(super) fn check_wanted(mapping: &Mapping, by_hand: &Mapping, fields: &Fields) -> Result<(), String> {
    match mapping.kind() {
        // A pair is judged by itself; a question, a text or a pair of sentences has no answer, or its label is it.
        Kind::Preference | Kind::Nli | Kind::Prompts | Kind::Text | Kind::Columns => return Ok(()),
        Kind::Messages
        | Kind::ShareGpt
        | Kind::Alpaca
        | Kind::PromptCompletion
        | Kind::QuestionAnswer
        | Kind::QueryExpansion => {}
    }
    let told = |names: &[&str], unwanted: bool| {
        fields.iter().find(|(column, value)| {
            let of_label = CLASSES.iter().any(|name| column.eq_ignore_ascii_case(name));
            names.iter().any(|name| column.eq_ignore_ascii_case(name))
                && !(of_label && by_hand.is_decided(Part::Label))
                && !is_answer(mapping, fields, column)
                && says(mapping, column, value) == Some(unwanted)
        })
    };
    let Some((column, value)) = told(&WANTED, false).or_else(|| told(&UNWANTED, true)) else { return Ok(()) };
    let value = opened(value);
    let is_class = CLASSES.iter().any(|name| column.eq_ignore_ascii_case(name));
    let otherwise = if is_class {
        "if it is a class, say so with --map label= (data.map in a recipe)"
    } else {
        "give the column another name if it is about something else"
    };
    Err(format!(
        "column {column:?} is {value}: the answer isn't wanted, as in KTO's data, and it would be learnt as a good one; \
         {otherwise}"
    ))
}

/// What a judgement says: true or false. Tables have it as a text, which is a class elsewhere.
fn says(mapping: &Mapping, column: &str, value: &Value) -> Option<bool> {
    let of_trl = mapping.column(Part::Prompt) == Some("prompt")
        && mapping.column(Part::Completion) == Some("completion");
    let is_class = CLASSES.iter().any(|name| column.eq_ignore_ascii_case(name));
    match value {
        Value::String(_) if is_class && !of_trl => None,
        other if is_class => opened(other).as_bool(),
        other => {
            let told = opened(other);
            let counts = ["kto", "is_", "desirable", "undesirable", "thumbs"];
            let is_number = counts.iter().any(|start| column.to_ascii_lowercase().starts_with(start));
            if is_number { learnt(&told) } else { told.as_bool() }
        }
    }
}

/// Whether a column is the answer itself, or says the same: then it is a class.
fn is_answer(mapping: &Mapping, fields: &Fields, column: &str) -> bool {
    let answer = mapping.column(Part::Completion);
    let said = |column: &str| match fields.get(column) {
        Some(Value::String(text)) => text.trim().trim_end_matches('.').to_ascii_lowercase(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    answer.is_some_and(|answer| answer == column || said(answer) == said(column))
}
