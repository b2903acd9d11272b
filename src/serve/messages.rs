//! A request's conversation, from OpenAI's form to ours.

use serde_json::{Value, json};

use super::error::ApiError;
use super::fields::{Fields, wrong};
use super::results::{self, CallNames};
use super::sources::CITATIONS;
use crate::domain::message::{Message, Role, THOUGHTS, TOOL_CALLS};

/// The turns of a request; there is at least one.
pub(crate) fn read(fields: &mut Fields) -> Result<Vec<Message>, ApiError> {
    let turns = fields.list("messages")?.ok_or_else(|| fields.missing("messages"))?;
    if turns.is_empty() {
        let message = "messages is empty: it needs at least one turn";
        return Err(ApiError::bad(message).parameter("messages"));
    }
    let read = |(index, turn)| {
        let place = format!("messages[{index}]");
        Ok((place.clone(), message(Fields::of(turn, place)?)?))
    };
    let turns: Vec<(String, Message)> =
        turns.into_iter().enumerate().map(read).collect::<Result<_, ApiError>>()?;
    let place = |_: Option<&str>, turn: &str| format!("{turn}.{TOOL_CALLS}");
    results::in_order(turns, &CallNames { id: "tool_call_id", place: &place })
}

fn message(mut fields: Fields) -> Result<Message, ApiError> {
    let role = role(&mut fields, Speakers::WithTools)?;
    let content = content(&mut fields, "content")?;
    let refusal = fields.text("refusal")?;
    let mut turn = Message::new(role, "");
    for key in ["name", "tool_call_id"].into_iter().chain(THOUGHTS) {
        if let Some(text) = fields.text(key)? {
            turn.extra.insert(key.to_owned(), Value::from(text));
        }
    }
    // Their own answers, as clients send them back.
    fields.only("annotations", &[json!([])])?;
    fields.only("audio", &[])?;
    fields.pass_over(&[CITATIONS]);
    let calls = calls(&mut fields)?;
    if !calls.is_empty() {
        if role != Role::Assistant {
            let place = fields.place(TOOL_CALLS);
            let message = format!("{place} is of {:?}: only the assistant calls tools", role.name());
            return Err(ApiError::bad(message).parameter(place));
        }
        turn.extra.insert(TOOL_CALLS.to_owned(), Value::Array(calls));
    }
    match content.or(refusal) {
        Some(text) => turn.content = text,
        None if turn.said_beside().next().is_some() => {
            turn.extra.insert("content".to_owned(), Value::Null);
        }
        None => return Err(fields.missing("content")),
    }
    fields.finish()?;
    Ok(turn)
}

/// Who may speak in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speakers {
    WithTools,
    /// What tools say is written otherwise.
    People,
}

/// Who speaks in a turn.
pub(crate) fn role(fields: &mut Fields, speakers: Speakers) -> Result<Role, ApiError> {
    let name = fields.text("role")?.ok_or_else(|| fields.missing("role"))?;
    Ok(match (name.as_str(), speakers) {
        ("system", _) => Role::System,
        ("developer", _) => Role::Developer,
        ("user", _) => Role::User,
        ("assistant", _) => Role::Assistant,
        ("tool" | "function", Speakers::WithTools) => Role::Tool,
        (other, _) => {
            let place = fields.place("role");
            let known = match speakers {
                Speakers::WithTools => "system, developer, user, assistant or tool",
                Speakers::People => "system, developer, user or assistant",
            };
            let message = format!("{place} is {other:?}, and must be {known}");
            return Err(ApiError::bad(message).parameter(place));
        }
    })
}

/// A text, or the parts of one.
pub(crate) fn content(fields: &mut Fields, name: &str) -> Result<Option<String>, ApiError> {
    let place = fields.place(name);
    match fields.value(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(Value::Array(parts)) => {
            let mut text = String::new();
            for (index, part) in parts.into_iter().enumerate() {
                text.push_str(&part_text(Fields::of(part, format!("{place}[{index}]"))?)?);
            }
            Ok(Some(text))
        }
        Some(other) => Err(wrong(&place, "a text or a list of parts", &other)),
    }
}

fn part_text(mut part: Fields) -> Result<String, ApiError> {
    let own = part.text("type")?.ok_or_else(|| part.missing("type"))?;
    let key = match own.as_str() {
        "refusal" => "refusal",
        "text" | "input_text" | "output_text" => "text",
        other => {
            let place = part.place("type");
            let message = format!("{place} is {other:?}: this server reads text only");
            return Err(ApiError::bad(message).parameter(place));
        }
    };
    let text = part.text(key)?.ok_or_else(|| part.missing(key))?;
    part.only("annotations", &[json!([])])?;
    part.only("logprobs", &[json!([])])?;
    // How long a provider keeps what it has computed of it.
    part.pass_over(&["cache_control", "prompt_cache_breakpoint"]);
    part.finish()?;
    Ok(text)
}

/// The calls of a turn; the one of the older form among them.
fn calls(fields: &mut Fields) -> Result<Vec<Value>, ApiError> {
    let place = fields.place(TOOL_CALLS);
    let mut calls = Vec::new();
    for (index, call) in fields.list(TOOL_CALLS)?.unwrap_or_default().into_iter().enumerate() {
        let mut call = Fields::of(call, format!("{place}[{index}]"))?;
        call.only("type", &[json!("function")])?;
        call.pass_over(&["index"]);
        let id = call.text("id")?;
        let function = call.object("function")?.ok_or_else(|| call.missing("function"))?;
        let mut own = json!({ "type": "function", "function": called(function)? });
        if let Some(id) = id {
            own["id"] = Value::from(id);
        }
        call.finish()?;
        calls.push(own);
    }
    if let Some(function) = fields.object("function_call")? {
        calls.push(json!({ "type": "function", "function": called(function)? }));
    }
    Ok(calls)
}

fn called(mut function: Fields) -> Result<Value, ApiError> {
    let name = function.text("name")?.ok_or_else(|| function.missing("name"))?;
    let place = function.place("arguments");
    let arguments = match function.value("arguments") {
        None => Value::from("{}"),
        Some(value @ (Value::String(_) | Value::Object(_))) => value,
        Some(other) => return Err(wrong(&place, "JSON in a text", &other)),
    };
    function.finish()?;
    Ok(json!({ "name": name, "arguments": arguments }))
}
