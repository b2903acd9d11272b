//! The forms in which datasets hold turns and answers, brought to the one that a record is made from: a list of objects
//! with `role` and `content`, or `from` and `value`.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::detect::CONTENTS;
use super::turn::{is_thinker, role};
use super::{ColumnPart, Mapping, transcript};
use crate::data::rows::inside;
use crate::domain::record::Fields;

/// Names that datasets have for who speaks, and for what is said, best first.
const SPEAKERS: [&str; 5] = ["role", "from", "speaker", "author", "sender"];
const SAID: [&str; 6] = ["content", "value", "text", "message", "utterance", "body"];

/// Names for what is asked and what is answered, where one object holds both.
const ASKED: [&str; 7] = ["input", "human", "user", "question", "instruction", "prompt", "query"];
const ANSWERED: [&str; 7] = ["output", "assistant", "gpt", "bot", "answer", "response", "completion"];

const SYSTEMS: [&str; 2] = ["system", "system_prompt"];

/// Parts whose values may be turns.
const PARTS: [ColumnPart; 5] = [
    ColumnPart::Messages,
    ColumnPart::Prompt,
    ColumnPart::Completion,
    ColumnPart::Chosen,
    ColumnPart::Rejected,
];

/// Null, and what is empty.
pub fn is_unsaid(value: &Value) -> bool {
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
    is_turns(value) || turns(ColumnPart::Messages, value).is_some_and(|turns| is_turns(&turns))
}

/// A conversation as a list of turns, whatever form it has.
pub(super) fn of_any_form(value: &Value) -> Cow<'_, Value> {
    turns(ColumnPart::Messages, value).map_or(Cow::Borrowed(value), Cow::Owned)
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
        if part == ColumnPart::Messages {
            check_texts(column, value)?;
        }
        let other = match (part, span(value)) {
            (ColumnPart::Completion, Some(texts)) if !value.is_array() || !texts.is_empty() => {
                let first = texts.first().ok_or_else(|| format!("column {column:?} holds no answer"))?;
                Some(Value::from(*first))
            }
            _ => turns(part, value).or_else(|| spoken(part, value)),
        };
        if let Some(other) = other {
            row.to_mut().insert(column.to_owned(), other);
        }
    }
    if let Some(column) =
        mapping.column(ColumnPart::Messages).filter(|name| name.eq_ignore_ascii_case(CONTENTS))
        && let Some(system) = instruction(fields)
        && let Some(said) = row.to_mut().get_mut(column).and_then(Value::as_array_mut)
    {
        said.insert(0, system);
    }
    for (column, said) in transcripts(mapping, fields).into_iter().flatten() {
        row.to_mut().insert(column.to_owned(), Value::Array(said));
    }
    Ok(row)
}

/// The system's turn beside Gemini's turns.
fn instruction(fields: &Fields) -> Option<Value> {
    let names = ["systeminstruction", "system_instruction"];
    let is_named = |(name, value): &(&String, &Value)| {
        names.iter().any(|own| name.eq_ignore_ascii_case(own)) && !is_unsaid(value)
    };
    let (_, told) = fields.iter().find(is_named)?;
    let said = told.get("parts").unwrap_or(told);
    Some(json!({"role": "system", "content": said}))
}

/// Both answers of a pair, where each is a whole conversation in one text.
fn transcripts<'m>(mapping: &'m Mapping, fields: &Fields) -> Option<[(&'m str, Vec<Value>); 2]> {
    let read = |part: ColumnPart| {
        let column = mapping.column(part)?;
        Some((column, transcript::turns(fields.get(column)?.as_str()?)?))
    };
    Some([read(ColumnPart::Chosen)?, read(ColumnPart::Rejected)?])
}

/// The turns of a whole conversation in one text, where a column is said to hold them.
fn spoken(part: ColumnPart, value: &Value) -> Option<Value> {
    let text = value.as_str().filter(|_| part == ColumnPart::Messages)?;
    transcript::turns(text).map(Value::Array)
}

/// The turns that a value holds, where it is not already a list of them.
fn turns(part: ColumnPart, value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            if !text.starts_with(['[', '{']) {
                return None;
            }
            let parsed = inside::parse(text).ok()?;
            // A text that is asked or answered may be JSON of another kind.
            let form = if part == ColumnPart::Messages { part } else { ColumnPart::Completion };
            let turns = turns(form, &parsed).unwrap_or(parsed);
            is_turns(&turns).then_some(turns)
        }
        Value::Object(columns) => from_columns(columns),
        Value::Array(items) => from_list(part, items),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

/// The turns that a list holds in another form.
fn from_list(part: ColumnPart, items: &[Value]) -> Option<Value> {
    if items.is_empty() || items.iter().all(is_plain) {
        return None;
    }
    // An answer may be a list of another kind, which is not turns for having such names.
    let is_list = if part == ColumnPart::Messages {
        true
    } else if part == ColumnPart::Completion {
        items.iter().all(is_spoken)
    } else {
        items.iter().all(|item| item.is_object() || is_spoken(item))
    };
    if part == ColumnPart::Messages && items.iter().all(is_said) {
        let who = ["user", "assistant"].into_iter().cycle();
        return Some(who.zip(items).map(|(who, said)| json!({"role": who, "content": said})).collect());
    }
    let turns: Option<Vec<Vec<Value>>> = items.iter().map(from_item).collect();
    turns.filter(|_| is_list).map(|turns| Value::Array(turns.concat()))
}

/// Whether a turn is a text alone, as where user and assistant speak by turns, and not a turn in a text.
fn is_said(item: &Value) -> bool {
    item.as_str().is_some_and(|text| from_item(&Value::from(text)).is_none())
}

/// Fails where texts alone, that user and assistant say by turns, can't be that: the first may be the system's, or the
/// last a question.
fn check_texts(column: &str, value: &Value) -> Result<(), String> {
    let parsed;
    let items = match value {
        Value::Array(items) => items,
        Value::String(text) if text.trim_start().starts_with('[') => {
            let of_text = text.trim_start().trim_start_matches('[').trim_start().starts_with('"');
            parsed = if of_text { inside::parse(text.trim()).ok() } else { None };
            let Some(Value::Array(items)) = &parsed else { return Ok(()) };
            items
        }
        _ => return Ok(()),
    };
    // One alone is a question.
    if items.len() > 1 && items.len() % 2 == 1 && items.iter().all(is_said) {
        return Err(format!(
            "column {column:?} holds {} texts that don't say who speaks; user and assistant by turns would be an even \
             number: write each turn as {{\"role\": ..., \"content\": ...}}",
            items.len()
        ));
    }
    Ok(())
}

/// Whether a list holds texts alone.
pub(super) fn is_texts(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(Value::is_string))
}

/// Whether a turn says who speaks, and not only what is asked and answered.
fn is_spoken(item: &Value) -> bool {
    let speaks = |who: &Value| who.as_str().is_some_and(|who| role(who).is_some());
    match item.as_array().map(Vec::as_slice) {
        Some([who, Value::String(_)]) => speaks(who),
        _ => SPEAKERS.iter().any(|name| item.get(*name).is_some_and(speaks)),
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
    from_pair(fields)
}

/// The turns of an object that holds a question and its answer. What it has beside them is the answer's.
fn from_pair(fields: &Map<String, Value>) -> Option<Vec<Value>> {
    let turn = |role: &str, content: &Value| json!({"role": role, "content": content});
    let asked = asked(fields)?;
    let answered = only(fields, &ANSWERED)?;
    let system = only(fields, &SYSTEMS).filter(|system| !is_unsaid(system)).map(|said| turn("system", said));
    let told = |name: &str| ASKED.contains(&name) || ANSWERED.contains(&name) || SYSTEMS.contains(&name);
    let mut answer = Map::new();
    answer.insert("role".to_owned(), Value::from("assistant"));
    answer.insert("content".to_owned(), answered.clone());
    for (name, value) in fields.iter().filter(|(name, _)| !told(name)) {
        if answer.insert(name.clone(), value.clone()).is_some() {
            return None;
        }
    }
    Some(system.into_iter().chain([turn("user", &asked), Value::Object(answer)]).collect())
}

/// What an object asks: one text, or an instruction and what it is about.
fn asked(fields: &Map<String, Value>) -> Option<Value> {
    let said = |name: &str| fields.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    let count = ASKED.iter().filter(|name| fields.get(**name).is_some_and(|value| !is_unsaid(value))).count();
    match (said("instruction"), said("input")) {
        (Some(instruction), Some(input)) if count == 2 => {
            Some(Value::from(format!("{instruction}\n\n{input}")))
        }
        _ => only(fields, &ASKED).cloned(),
    }
}

/// The value under one of some names; `None` where several say different things.
fn only<'f>(fields: &'f Map<String, Value>, names: &[&str]) -> Option<&'f Value> {
    let mut said = names.iter().filter_map(|name| fields.get(*name)).filter(|value| !is_unsaid(value));
    let first = said.next();
    match first {
        Some(first) => said.all(|other| other == first).then_some(first),
        None => names.iter().find_map(|name| fields.get(*name)),
    }
}

/// Of a list that holds no objects: objects as JSON texts, or pairs of a speaker with what is said, or of a question
/// with its answer.
fn from_item(item: &Value) -> Option<Vec<Value>> {
    match item {
        Value::String(text) => said(&inside::parse(text).ok()?),
        Value::Array(pair) => match pair.as_slice() {
            [Value::String(who), Value::String(told)] if role(who).is_some() || is_thinker(who) => {
                said(&json!({"role": who, "content": told}))
            }
            [Value::String(asked), Value::String(answered)] => {
                said(&json!({"user": asked, "assistant": answered}))
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
