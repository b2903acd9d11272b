//! Cells become texts and turns.

use serde_json::Value;

use crate::data::rows::kind_of;
use crate::domain::message::{Message, Role};

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
            parsed =
                serde_json::from_str(text).map_err(|_| format!("column {column:?} holds text, not turns"))?;
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
    items.iter().zip(1..).map(|(item, number)| turn(item, column, number)).collect()
}

pub(super) fn turn(item: &Value, column: &str, number: usize) -> Result<Message, String> {
    let place = || format!("turn {number} of column {column:?}");
    let (name, content) = match (item.get("role"), item.get("from")) {
        (Some(role), _) => (role, item.get("content")),
        (None, Some(from)) => (from, item.get("value")),
        (None, None) => return Err(format!("{} has no role", place())),
    };
    let role =
        name.as_str().and_then(role).ok_or_else(|| format!("{} has the unknown role {name}", place()))?;
    let content = match content {
        None if item.get("tool_calls").is_some() => String::new(),
        None => return Err(format!("{} has no content", place())),
        Some(Value::Array(parts)) => parts
            .iter()
            .map(part)
            .collect::<Option<Vec<_>>>()
            .map(|parts| parts.concat())
            .ok_or_else(|| format!("{} holds something that is no text (an image?)", place()))?,
        Some(other) => text(other),
    };
    Ok(Message { role, content })
}

/// One part of a message's content: a text, or `{"type": "text", "text": ...}`.
fn part(part: &Value) -> Option<&str> {
    part.as_str().or_else(|| part.get("text")?.as_str())
}

/// The names that datasets have for who speaks.
fn role(name: &str) -> Option<Role> {
    match name.to_ascii_lowercase().as_str() {
        "system" | "developer" => Some(Role::System),
        "user" | "human" | "prompter" => Some(Role::User),
        "assistant" | "gpt" | "chatgpt" | "bot" | "model" | "function_call" => Some(Role::Assistant),
        "tool" | "function" | "observation" | "function_response" | "ipython" => Some(Role::Tool),
        _ => None,
    }
}

/// Whether a cell holds turns.
pub(super) fn is_turns(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(Value::is_object),
        Value::String(text) => text.starts_with("[{\"") && serde_json::from_str::<Vec<Value>>(text).is_ok(),
        _ => false,
    }
}
