//! Cells become texts and turns.

use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::responses::untagged;
use super::thoughts::{plain, settle_thoughts};
use super::turn::{is_turn, thought_alone, turn};
use crate::data::rows::{inside, kind_of};
use crate::domain::message::{Message, Role, THOUGHTS};

/// A cell as text. A list of (type, text) pairs becomes lines of `type: text`, as query expansions are written.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(line).collect::<Vec<_>>().join("\n"),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

fn line(item: &Value) -> String {
    match item.as_array().map(Vec::as_slice) {
        Some([Value::String(kind), Value::String(text)]) => format!("{kind}: {text}"),
        _ => text(item),
    }
}

/// The first text of a list, or the text.
pub(super) fn first_text(value: &Value) -> String {
    match value {
        Value::Array(items) => items.first().map(text).unwrap_or_default(),
        other => text(other),
    }
}

/// Tags from a list or a text with commas.
pub(super) fn tags(value: &Value) -> Vec<String> {
    let tags: Vec<String> = match value {
        Value::Array(items) => items.iter().map(text).collect(),
        other => text(other).split(',').map(str::to_owned).collect(),
    };
    tags.into_iter().map(|tag| tag.trim().to_owned()).filter(|tag| !tag.is_empty()).collect()
}

/// Turns, as OpenAI writes them (`role`, `content`) or as `ShareGPT` does (`from`, `value`).
pub(super) fn turns(value: &Value, column: &str) -> Result<Vec<Message>, String> {
    // CSV has no lists: there a conversation is JSON in a cell.
    let parsed: Value;
    let value = match value {
        Value::String(text) => {
            parsed = inside::parse(text).map_err(|error| match inside::twice(&error) {
                Some(told) => format!("column {column:?} holds turns in which {told}; take one out"),
                None => not_turns(text, column),
            })?;
            &parsed
        }
        other => other,
    };
    let Value::Array(items) = value else {
        return Err(format!("column {column:?} holds {}, not turns", kind_of(value)));
    };
    if items.is_empty() {
        return Err(format!("column {column:?} holds no turns"));
    }
    let (mut said, mut thought) = (Vec::new(), None::<(usize, String)>);
    for (item, number) in items.iter().zip(1..) {
        let place = |number: usize| format!("turn {number} of column {column:?}");
        let own = thought_alone(item).map_err(|reason| format!("{} {reason}", place(number)))?;
        let lonely = |number: usize| format!("{} is a thought, and no answer follows it", place(number));
        match (own, thought.take()) {
            (Some(own), None) => thought = Some((number, own)),
            (Some(_), Some((before, _))) => {
                return Err(format!(
                    "{} and the next one are both thoughts, and an answer has one; write them as one turn",
                    place(before)
                ));
            }
            (None, None) => said.extend(untagged(turn(item, column, number)?)),
            (None, Some((before, own))) => {
                let mut turn = turn(item, column, number)?;
                if turn.role != Role::Assistant {
                    return Err(lonely(before));
                }
                if turn.thought().is_some_and(|other| plain(other) != plain(&own)) {
                    return Err(format!("{} and {} have different thoughts", place(before), place(number)));
                }
                turn.extra.insert(THOUGHTS[0].to_owned(), Value::String(own));
                settle_thoughts(&mut turn).map_err(|reason| format!("{} {reason}", place(number)))?;
                said.push(turn);
            }
        }
    }
    match thought {
        Some((number, _)) => {
            Err(format!("turn {number} of column {column:?} is a thought, and no answer follows it"))
        }
        None => Ok(said),
    }
}

/// Why a text is no turns.
pub(super) fn not_turns(text: &str, column: &str) -> String {
    if inside::is_of_python(text) {
        return format!(
            "column {column:?} holds turns as Python prints them, with something that isn't plain; write them as JSON \
             (json.dumps)"
        );
    }
    format!("column {column:?} holds text, not turns")
}

/// Whether a cell holds turns.
pub(super) fn is_turns(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(is_turn),
        // An answer may be JSON of another kind.
        Value::String(text) => {
            let begins = text.starts_with("[{\"") || text.starts_with("[{'");
            let items = || serde_json::from_str::<Vec<Value>>(&inside::json_of(text)).unwrap_or_default();
            begins && items().iter().any(is_turn)
        }
        _ => false,
    }
}

/// Descriptions of tools: a list of objects, or such a list, or its objects, as JSON in a text.
pub(super) fn tools(value: &Value, column: &str) -> Result<Vec<Value>, String> {
    let parsed;
    let value = match value {
        Value::String(text) if text.trim().is_empty() => return Ok(Vec::new()),
        Value::String(text) => {
            parsed = from_text(text, column)?;
            &parsed
        }
        other => other,
    };
    let odd = |value: &Value| format!("column {column:?} holds {}, not a list of tools", kind_of(value));
    let whole = |tool: Value| match tool.get("name") {
        // As the older `functions` have them.
        Some(_) if tool.get("parameters").is_some() => json!({"type": "function", "function": tool}),
        _ => tool,
    };
    let tool = |tool: &Value| match tool {
        Value::Object(_) => Ok(whole(tool.clone())),
        Value::String(text) => from_text(text, column).map(whole),
        other => Err(odd(other)),
    };
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(tools) => tools.iter().map(tool).collect(),
        other => Err(odd(other)),
    }
}

/// Tools in a text.
fn from_text(text: &str, column: &str) -> Result<Value, String> {
    let json = inside::json_of(text);
    if serde_json::from_str::<IgnoredAny>(&json).is_err() {
        return Err(format!("column {column:?} holds text, not tools"));
    }
    inside::read(&json).ok_or_else(|| {
        format!(
            "column {column:?} holds tools with a number that does not fit into 64 bits, or with a key twice"
        )
    })
}

/// Earlier questions and answers: a list of pairs of texts, or turns; either as JSON in a text too.
pub(super) fn history(value: &Value, column: &str) -> Result<Vec<Message>, String> {
    let odd = || format!("column {column:?} holds {}, not pairs of a question and an answer", kind_of(value));
    let parsed;
    let pairs = match value {
        Value::Null => return Ok(Vec::new()),
        Value::String(text) if text.trim().is_empty() => return Ok(Vec::new()),
        said if is_turns(said) => return turns(said, column),
        Value::String(text) => {
            parsed = inside::parse(text).map_err(|_| odd())?;
            return if parsed.is_string() { Err(odd()) } else { history(&parsed, column) };
        }
        other => other.as_array().ok_or_else(odd)?,
    };
    let mut turns = Vec::new();
    for pair in pairs {
        match pair.as_array().map(Vec::as_slice) {
            Some([Value::String(question), Value::String(answer)]) => {
                turns.push(Message::new(Role::User, question));
                turns.push(Message::new(Role::Assistant, answer));
            }
            _ => return Err(odd()),
        }
    }
    Ok(turns)
}
