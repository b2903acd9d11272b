//! Answers that somebody judged, as KTO's data have them: one that isn't wanted is not learnt as if it were.

use std::collections::BTreeSet;

use serde_json::Value;

use super::beside::opened;
use super::forms::is_unsaid;
use super::words::{is_any, wanted, yes_or_no};
use super::{ColumnPart, Mapping, MappingKind, leave_out};
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

/// One label in so many may be no judgement where the others are.
const ODD: usize = 10;

/// What the labels of a file's first rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LabelUse {
    /// Each of them may be a judgement.
    MayJudge,
    /// Several of them are something else, so all are classes.
    Classes,
}

impl LabelUse {
    pub(super) fn of(sample: &[Fields]) -> Self {
        let is_label = |name: &str| is_any(&CLASSES, name);
        let labels = sample.iter().flatten().filter(|(name, value)| is_label(name) && !is_unsaid(value));
        let labels: Vec<&Value> = labels.map(|(_, value)| value).collect();
        let odd = labels.iter().filter(|label| judged(label).is_none()).count();
        // A true or false beside a few odd words is no class; nor is one word for good and bad among ten.
        let are_classes = odd * ODD > labels.len() && !labels.iter().any(|label| label.is_boolean());
        if are_classes || are_words_of_classes(sample) { Self::Classes } else { Self::MayJudge }
    }
}

/// Whether the completions are the classes' words: each always has the same label, and each label the same completion.
fn are_words_of_classes(sample: &[Fields]) -> bool {
    let of = |row: &Fields, names: &[&str]| {
        row.iter()
            .find(|(name, value)| is_any(names, name) && !is_unsaid(value))
            .map(|(_, value)| value.to_string())
    };
    let rows: Vec<(String, String)> =
        sample.iter().filter_map(|row| of(row, &["completion"]).zip(of(row, &CLASSES))).collect();
    let pairs: BTreeSet<&(String, String)> = rows.iter().collect();
    let completions: BTreeSet<&str> = rows.iter().map(|(completion, _)| completion.as_str()).collect();
    let labels: BTreeSet<&str> = rows.iter().map(|(_, label)| label.as_str()).collect();
    labels.len() > 1
        && completions.len() == labels.len()
        && pairs.len() == labels.len()
        && rows.len() > pairs.len()
}

impl LabelUse {
    /// Whether a label is one class of several. A word for a bad answer says so beside any others.
    fn are_classes(self, label: &Value) -> bool {
        let is_bad = label.as_str().and_then(wanted) == Some(false);
        self == Self::Classes && !is_bad
    }
}

/// What a label says of an answer, if it is a judgement.
pub(in crate::data) fn judged(label: &Value) -> Option<bool> {
    match label {
        Value::String(text) => {
            let by_sign = || match text.trim().parse::<f64>() {
                Ok(-1.0) => Some(false),
                Ok(1.0) => Some(true),
                Ok(_) | Err(_) => None,
            };
            wanted(text).or_else(|| yes_or_no(label)).or_else(by_sign)
        }
        Value::Number(number) if number.as_f64() == Some(-1.0) => Some(false),
        other => yes_or_no(other),
    }
}

/// Fails where a column says that a row's answer isn't wanted. `by_hand`: what a person has said of the columns; who says
/// what the label is knows what it means.
pub(super) fn check_wanted(
    mapping: &Mapping,
    by_hand: &Mapping,
    labels: LabelUse,
    fields: &Fields,
) -> Result<(), String> {
    match mapping.kind() {
        // A pair is judged by itself; a question, a text or a pair of sentences has no answer, or its label is it.
        MappingKind::Preference
        | MappingKind::Nli
        | MappingKind::Prompts
        | MappingKind::Text
        | MappingKind::Columns => return Ok(()),
        MappingKind::Messages
        | MappingKind::ShareGpt
        | MappingKind::Alpaca
        | MappingKind::PromptCompletion
        | MappingKind::QuestionAnswer
        | MappingKind::QueryExpansion => {}
    }
    let told = |names: &[&str], unwanted: bool| {
        fields.iter().find(|(column, value)| {
            let of_label = is_any(&CLASSES, column);
            is_any(names, column)
                && !(of_label && (by_hand.is_decided(ColumnPart::Label) || labels.are_classes(value)))
                && !by_hand.takes(column)
                && !mapping.leaves_out(column)
                && !is_answer(mapping, fields, column)
                && says(mapping, column, value) == Some(unwanted)
        })
    };
    let Some((column, value)) = told(&WANTED, false).or_else(|| told(&UNWANTED, true)) else { return Ok(()) };
    let value = opened(value);
    let is_class = is_any(&CLASSES, column);
    let otherwise = if is_class {
        "if it is a class, say so with --map label= (data.map in a recipe)".to_owned()
    } else {
        format!("if it is about something else, {}", leave_out(column))
    };
    Err(format!(
        "column {column:?} is {value}: the answer isn't wanted, as in KTO's data, and it would be learnt as a good one; \
         {otherwise}"
    ))
}

/// What a judgement says. A label is one beside TRL's prompt and completion, or true or false beside turns; beside a
/// question with its answer it is a class.
fn says(mapping: &Mapping, column: &str, value: &Value) -> Option<bool> {
    let of_trl = mapping.column(ColumnPart::Prompt) == Some("prompt")
        && mapping.column(ColumnPart::Completion) == Some("completion");
    if is_any(&CLASSES, column) {
        return match mapping.kind() {
            _ if of_trl => judged(value),
            MappingKind::Messages | MappingKind::ShareGpt => value.as_bool(),
            MappingKind::Preference
            | MappingKind::Alpaca
            | MappingKind::PromptCompletion
            | MappingKind::QuestionAnswer
            | MappingKind::QueryExpansion
            | MappingKind::Nli
            | MappingKind::Prompts
            | MappingKind::Text
            | MappingKind::Columns => None,
        };
    }
    let told = opened(value);
    let counts = ["kto", "is_", "desirable", "undesirable", "thumbs"];
    if !counts.iter().any(|start| column.to_ascii_lowercase().starts_with(start)) {
        return yes_or_no(&told);
    }
    judged(&told)
}

/// Whether a column is the answer itself, or says the same: then it is a class.
pub(super) fn is_answer(mapping: &Mapping, fields: &Fields, column: &str) -> bool {
    let answer = mapping.column(ColumnPart::Completion);
    let said = |column: &str| match fields.get(column) {
        Some(Value::String(text)) => text.trim().trim_end_matches('.').to_ascii_lowercase(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    answer.is_some_and(|answer| answer == column || said(answer) == said(column))
}
