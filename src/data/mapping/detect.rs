//! Finds the mapping of a dataset from its column names and the form of its values.

use serde_json::Value;

use super::{Mapping, Part};
use crate::domain::record::Fields;

/// Names that datasets use for a part, best first.
const NAMES: &[(Part, &[&str])] = &[
    (Part::Messages, &["messages", "conversations", "conversation", "dialogue", "dialog", "chat"]),
    (Part::Chosen, &["chosen", "preferred", "accepted"]),
    (Part::Rejected, &["rejected", "dispreferred"]),
    (Part::System, &["system", "system_prompt"]),
    (Part::Premise, &["premise", "premises", "sentence1", "text1", "evidence_text"]),
    (Part::Hypothesis, &["hypothesis", "conclusion", "sentence2", "text2", "claim"]),
    (Part::Prompt, &["prompt", "instruction", "question", "query", "problem", "user", "source"]),
    (Part::Input, &["input", "context", "options", "choices"]),
    (
        Part::Completion,
        &[
            "completion",
            "response",
            "rationale",
            "solution",
            "answer",
            "output",
            "reference_answer",
            "responses",
            "answers",
            "assistant",
            "target",
        ],
    ),
    (
        Part::Explanation,
        &["improved_thought_process", "explanation", "explanations", "explanation_1", "rationale"],
    ),
    (Part::Label, &["label", "true_label", "gold_label", "labels", "correct"]),
    (Part::Text, &["text", "content", "body", "document"]),
    (Part::Split, &["split"]),
    (Part::Tags, &["tags"]),
];

pub(super) fn detect(rows: &[Fields]) -> Mapping {
    let mut mapping = Mapping::default();
    for (part, names) in NAMES {
        let found =
            names.iter().find_map(|name| column(rows, name).filter(|column| fits(*part, column, rows)));
        if let Some(column) = found {
            mapping.columns.insert(*part, column);
        }
    }
    settle(&mut mapping, rows);
    mapping
}

/// The column of that name, whatever its case.
fn column(rows: &[Fields], name: &str) -> Option<String> {
    rows.iter().flat_map(Fields::keys).find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

/// Whether a column's values have the form that its part needs.
fn fits(part: Part, column: &str, rows: &[Fields]) -> bool {
    let mut values =
        rows.iter().filter_map(|row| row.get(column)).filter(|value| !value.is_null()).peekable();
    if values.peek().is_none() || values.clone().all(|value| value.as_str() == Some("")) {
        return false;
    }
    let text_like = |value: &Value| match value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => true,
        Value::Array(items) => items.iter().all(|item| !item.is_object()),
        Value::Null | Value::Object(_) => false,
    };
    match part {
        Part::Messages => values.all(is_conversation),
        Part::Chosen | Part::Rejected => {
            values.all(|value| is_conversation(value) || value.is_object() || text_like(value))
        }
        Part::Label | Part::Split => values.all(|value| !value.is_array() && !value.is_object()),
        Part::Prompt | Part::Completion => values.all(|value| is_conversation(value) || text_like(value)),
        Part::System | Part::Text => values.all(Value::is_string),
        Part::Input | Part::Premise | Part::Hypothesis | Part::Explanation | Part::Tags => {
            values.all(text_like)
        }
    }
}

fn is_conversation(value: &Value) -> bool {
    value.as_array().is_some_and(|turns| {
        turns.iter().all(|turn| turn.get("role").is_some() || turn.get("from").is_some()) && !turns.is_empty()
    })
}

/// Clears parts that make no sense beside the others.
fn settle(mapping: &mut Mapping, rows: &[Fields]) {
    let preference = mapping.has(Part::Chosen) && mapping.has(Part::Rejected);
    let pair = mapping.has(Part::Premise) && mapping.has(Part::Hypothesis);
    let prompt = mapping.has(Part::Prompt);
    let mut gone: Vec<Part> = Vec::new();
    if preference {
        gone.extend([Part::Completion, Part::Premise, Part::Hypothesis, Part::Explanation, Part::Text]);
    } else {
        gone.extend([Part::Chosen, Part::Rejected]);
    }
    if mapping.has(Part::Messages) {
        gone.extend([
            Part::Prompt,
            Part::Input,
            Part::Completion,
            Part::Premise,
            Part::Hypothesis,
            Part::Text,
        ]);
    } else if pair && !preference {
        gone.extend([Part::Prompt, Part::Input, Part::Completion, Part::Text]);
    } else if !preference {
        gone.extend([Part::Premise, Part::Hypothesis, Part::Explanation]);
        gone.push(if prompt { Part::Text } else { Part::Completion });
    }
    if !prompt {
        gone.push(Part::Input);
    }
    // "correct" is an answer's letter beside options, and elsewhere whether a model was right.
    let letter = |row: &Fields| row.get("correct").is_none_or(Value::is_string);
    if mapping.column(Part::Label) == Some("correct") && !rows.iter().all(letter) {
        gone.push(Part::Label);
    }
    for part in gone {
        mapping.columns.remove(&part);
    }
}
