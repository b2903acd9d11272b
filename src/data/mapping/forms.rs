//! The forms in which datasets hold turns and answers, brought to the one that a record is made from: a list of objects
//! with `role` and `content`, or `from` and `value`.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::turn::role;
use super::{Mapping, Part};
use crate::data::rows::parse_value;
use crate::domain::record::Fields;

/// Names that datasets have for who speaks, and for what is said, best first.
const SPEAKERS: [&str; 5] = ["role", "from", "speaker", "author", "sender"];
const SAID: [&str; 6] = ["content", "value", "text", "message", "utterance", "body"];

/// Names for what is asked and what is answered, where one object holds both.
const ASKED: [&str; 7] = ["input", "human", "user", "question", "instruction", "prompt", "query"];
const ANSWERED: [&str; 7] = ["output", "assistant", "gpt", "bot", "answer", "response", "completion"];

/// Parts whose values may be turns.
const PARTS: [Part; 5] = [Part::Messages, Part::Prompt, Part::Completion, Part::Chosen, Part::Rejected];

/// Null, and what is empty.
pub(super) fn is_unsaid(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Whether a value is a conversation, in any of its forms.
pub(super) fn is_conversation(value: &Value) -> bool {
    is_turns(value) || turns(Part::Messages, value).is_some_and(|turns| is_turns(&turns))
}

/// A list of objects of which each says who speaks.
fn is_turns(value: &Value) -> bool {
    let is_turn = |turn: &Value| turn.get("role").is_some() || turn.get("from").is_some();
    value.as_array().is_some_and(|turns| !turns.is_empty() && turns.iter().all(is_turn))
}

/// Whether a value is an answer as `SQuAD` has it: texts, and where in the context each begins.
pub(super) fn is_span(value: &Value) -> bool {
    span(value).is_some()
}

/// The texts of such an answer.
fn span(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Object(answer) => {
            let texts = answer.get("text")?.as_array()?;
            texts.iter().map(Value::as_str).collect()
        }
        Value::Array(answers) if answers.iter().all(|answer| answer.get("answer_start").is_some()) => {
            answers.iter().map(|answer| answer.get("text")?.as_str()).collect()
        }
        _ => None,
    }
}

/// A row with its turns and answers in the form that records are made from.
///
/// # Errors
/// Says which column holds no answer.
pub(super) fn settled<'f>(mapping: &Mapping, fields: &'f Fields) -> Result<Cow<'f, Fields>, String> {
    let mut row = Cow::Borrowed(fields);
    for part in PARTS {
        let Some(column) = mapping.column(part) else { continue };
        let Some(value) = fields.get(column) else { continue };
        let other = match (part, span(value)) {
            (Part::Completion, Some(texts)) if !value.is_array() || !texts.is_empty() => {
                let first = texts.first().ok_or_else(|| format!("column {column:?} holds no answer"))?;
                Some(Value::from(*first))
            }
            _ => turns(part, value),
        };
        if let Some(other) = other {
            row.to_mut().insert(column.to_owned(), other);
        }
    }
    Ok(row)
}

/// The turns that a value holds, where it is not already a list of them.
fn turns(part: Part, value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            if !text.starts_with(['[', '{']) {
                return None;
            }
            let (parsed, _) = parse_value(text.as_bytes()).ok()?;
            let turns = turns(part, &parsed).unwrap_or(parsed);
            // A text that is asked or answered may be JSON of another kind.
            is_turns(&turns).then_some(turns)
        }
        Value::Object(columns) => from_columns(columns),
        Value::Array(items) if items.iter().all(Value::is_object) && !items.is_empty() => {
            if part != Part::Messages || items.iter().all(is_plain) {
                return None;
            }
            let turns: Option<Vec<Vec<Value>>> = items.iter().map(said).collect();
            Some(Value::Array(turns?.concat()))
        }
        Value::Array(items) if part == Part::Messages && !items.is_empty() => {
            let turns: Option<Vec<Vec<Value>>> = items.iter().map(from_item).collect();
            Some(Value::Array(turns?.concat()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// Whether a turn needs no other form.
fn is_plain(turn: &Value) -> bool {
    let has = |name: &str| turn.get(name).is_some();
    has("role") && (has("content") || !SAID.iter().any(|name| has(name))) || has("from") && has("value")
}

/// The turn or turns of one object; `None` where it is neither.
fn said(item: &Value) -> Option<Vec<Value>> {
    if is_plain(item) {
        return Some(vec![item.clone()]);
    }
    let fields = item.as_object()?;
    let first = |names: &[&str]| {
        names.iter().find_map(|name| fields.get_key_value(*name)).map(|(name, value)| (name.clone(), value))
    };
    if let Some((speaker, who)) = first(&SPEAKERS) {
        let (text, what) = first(&SAID)?;
        let mut turn = Map::new();
        turn.insert("role".to_owned(), who.clone());
        turn.insert("content".to_owned(), what.clone());
        let rest = fields.iter().filter(|(name, _)| **name != speaker && **name != text);
        turn.extend(rest.map(|(name, value)| (name.clone(), value.clone())));
        return Some(vec![Value::Object(turn)]);
    }
    let (_, asked) = first(&ASKED)?;
    let (_, answered) = first(&ANSWERED)?;
    let turn = |role: &str, content: &Value| serde_json::json!({"role": role, "content": content});
    let system = fields.get("system").filter(|system| !is_unsaid(system)).map(|said| turn("system", said));
    let pair = [turn("user", asked), turn("assistant", answered)];
    Some(system.into_iter().chain(pair).collect())
}

/// Of a list that holds no objects: objects as JSON texts, or pairs of a speaker with what is said, or of a question
/// with its answer.
fn from_item(item: &Value) -> Option<Vec<Value>> {
    match item {
        Value::String(text) => said(&parse_value(text.as_bytes()).ok()?.0),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(who), Value::String(told)] if role(who).is_some() => {
                said(&serde_json::json!({"role": who, "content": told}))
            }
            [Value::String(asked), Value::String(answered)] => {
                said(&serde_json::json!({"user": asked, "assistant": answered}))
            }
            _ => None,
        },
        Value::Object(_) => said(item),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// `{"role": [...], "content": [...]}`, as `datasets` writes a sequence of objects.
fn from_columns(columns: &Map<String, Value>) -> Option<Value> {
    let list = |names: &[&str]| names.iter().find_map(|name| columns.get(*name)?.as_array());
    let (who, what) = (list(&SPEAKERS)?, list(&SAID)?);
    if who.len() != what.len() || who.is_empty() {
        return None;
    }
    let lists: Vec<(&String, &Vec<Value>)> =
        columns.iter().filter_map(|(name, list)| Some((name, list.as_array()?))).collect();
    // What belongs to some turns only would be given to the wrong ones.
    if lists.len() != columns.len() || lists.iter().any(|(_, list)| list.len() != who.len()) {
        return None;
    }
    let turn = |index: usize| {
        let parts = lists.iter().filter_map(|(name, list)| Some(((*name).clone(), list.get(index)?.clone())));
        let fields: Map<String, Value> = parts.filter(|(_, value)| !value.is_null()).collect();
        said(&Value::Object(fields))
    };
    let turns: Option<Vec<Vec<Value>>> = (0..who.len()).map(turn).collect();
    Some(Value::Array(turns?.concat()))
}
