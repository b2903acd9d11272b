//! The calls of tools that a turn makes, in the forms that data files have them in, brought to a name with arguments.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};

use super::beside::is_nothing;
use super::turn::{MEDIA, learnt};
use super::turn_mask::is_mask;
use crate::data::rows::{inside, kind_of};
use crate::domain::message::{SAID, THOUGHTS, TOOL_CALLS, WEIGHTS};

/// How the arguments are called by `OpenAI`, and by Llama and its kin.
const ARGUMENTS: &str = "arguments";
const PARAMETERS: &str = "parameters";
/// What a call without arguments may have beside its name.
const BESIDE: [&str; 6] = ["name", "id", "call_id", "tool_call_id", "type", "index"];

/// Gives a turn its calls. It may have them twice, in the newer form and in the older one, but not others.
pub(super) fn add(extra: &mut BTreeMap<String, Value>, calls: Vec<Value>) -> Result<(), String> {
    match extra.get(TOOL_CALLS).and_then(Value::as_array) {
        None => drop(extra.insert(TOOL_CALLS.into(), Value::Array(calls))),
        Some(known) if known.is_empty() => drop(extra.insert(TOOL_CALLS.into(), Value::Array(calls))),
        Some(known) => {
            let same =
                known.len() == calls.len() && known.iter().zip(&calls).all(|(a, b)| said(a) == said(b));
            if !same {
                return Err(format!("has different calls as its {TOOL_CALLS:?} and elsewhere; keep one"));
            }
            // The newer form has what tells calls apart.
            if calls.iter().any(|call| call.get("id").is_some()) {
                extra.insert(TOOL_CALLS.into(), Value::Array(calls));
            }
        }
    }
    Ok(())
}

/// A call's name with its arguments as they are meant.
fn said(call: &Value) -> (Option<&Value>, Option<Value>) {
    let function = call.get("function").unwrap_or(call);
    let arguments = function.get(ARGUMENTS).map(|value| match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_else(|_| value.clone()),
        other => other.clone(),
    });
    (function.get("name"), arguments)
}

/// The calls of a turn: a list of objects with a function's name and arguments, one such object, or either as JSON in a
/// text.
pub(super) fn calls(value: &Value) -> Result<Vec<Value>, String> {
    let parsed;
    let value = match value {
        Value::String(text) => {
            parsed = inside::parse(text)
                .map_err(|error| format!("has a text as its {TOOL_CALLS:?} that is no JSON ({error})"))?;
            &parsed
        }
        other => other,
    };
    match value {
        Value::Array(calls) => calls.iter().map(whole).collect(),
        Value::Object(_) => Ok(vec![whole(value)?]),
        other => Err(format!("has {} as its {TOOL_CALLS:?}", kind_of(other))),
    }
}

/// A call with the arguments where they belong.
fn whole(call: &Value) -> Result<Value, String> {
    match (call, call.get("function").filter(|inner| !inner.is_null())) {
        (Value::Object(call), Some(inner)) => {
            check_keys(call)?;
            let mut call = call.clone();
            call.insert("function".into(), function(inner)?);
            Ok(Value::Object(call))
        }
        _ => function(call),
    }
}

/// A function's name with its arguments, in the form that has no other place for them.
pub(super) fn bare(value: &Value) -> Result<Value, String> {
    Ok(json!({"type": "function", "function": function(value)?}))
}

/// The call, or the calls at once, that the content of a turn is.
pub(super) fn in_text(said: &str) -> Result<Vec<Value>, String> {
    let called = inside::parse(said)
        .map_err(|error| format!("is a tool call that is no JSON with name and arguments ({error})"))?;
    in_value(&called)
}

/// The call, or the calls at once, that a value is.
pub(super) fn in_value(called: &Value) -> Result<Vec<Value>, String> {
    let one = |call: &Value| match call.get("function").filter(|inner| inner.is_object()) {
        Some(_) => whole(call),
        None => bare(call),
    };
    match called {
        Value::Array(calls) if calls.is_empty() => Err("is a tool call that calls nothing".into()),
        Value::Array(calls) => calls.iter().map(one).collect(),
        other => Ok(vec![one(other)?]),
    }
}

/// Whether a value is a list of calls: names with arguments.
pub(super) fn are_calls(value: &Value) -> bool {
    let is_call = |call: &Value| {
        let function = call.get("function").filter(|inner| inner.is_object()).unwrap_or(call);
        let is_named = function.get("name").is_some_and(Value::is_string);
        is_named && [ARGUMENTS, PARAMETERS].iter().any(|key| function.get(*key).is_some())
    };
    value.as_array().is_some_and(|calls| !calls.is_empty() && calls.iter().all(is_call))
}

/// A function's name with its arguments: an object, or JSON in a text. None are an empty object, as `OpenAI` means an
/// empty text.
fn function(value: &Value) -> Result<Value, String> {
    let Some(fields) = value.as_object() else { return Err("calls a tool without a name".into()) };
    let Some(name) = fields.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
        return Err("calls a tool without a name".into());
    };
    check_keys(fields)?;
    let arguments = arguments(name, fields)?;
    let mut fields = fields.clone();
    fields.remove(PARAMETERS);
    fields.insert(ARGUMENTS.into(), arguments);
    Ok(Value::Object(fields))
}

/// Fails where a call has what only a turn can have: a weight, a mask, a thought, or what is no text.
fn check_keys(call: &Map<String, Value>) -> Result<(), String> {
    for (key, value) in call.iter().filter(|(_, value)| !is_nothing(value)) {
        let is = |names: &[&str]| names.iter().any(|name| key.eq_ignore_ascii_case(name));
        if is(&WEIGHTS) && learnt(value) == Some(true) {
            continue;
        }
        if is(&WEIGHTS) || is_mask(key) {
            return Err(format!(
                "has a call with {key:?}, and a turn can only be learnt as a whole or not at all; give the turn the \
                 weight 1 or 0"
            ));
        }
        if is(&THOUGHTS) || is(&SAID) {
            return Err(format!(
                "has a call with {key:?}, and only a turn can have a thought; write it as the turn's {:?}",
                THOUGHTS[0]
            ));
        }
        if is(&MEDIA) {
            return Err(format!("has a call with {key:?}, and only text can be read"));
        }
    }
    Ok(())
}

fn arguments(name: &str, fields: &Map<String, Value>) -> Result<Value, String> {
    let none = |value: &&Value| value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty());
    let given = |key: &str| fields.get(key).filter(|value| !none(value));
    let arguments = match (given(ARGUMENTS), given(PARAMETERS)) {
        (Some(one), Some(other)) if one != other => {
            return Err(format!("calls {name:?} with different {ARGUMENTS:?} and {PARAMETERS:?}; keep one"));
        }
        (Some(given), _) | (None, Some(given)) => given,
        (None, None) => {
            let known = |key: &str| [ARGUMENTS, PARAMETERS].contains(&key) || BESIDE.contains(&key);
            let odd = fields.iter().find(|(key, value)| !known(key) && !value.is_null());
            return match odd {
                Some((key, _)) => Err(format!(
                    "calls {name:?} without {ARGUMENTS:?} and has {key:?}; if these are the arguments, call them so"
                )),
                None => Ok(json!({})),
            };
        }
    };
    match arguments {
        Value::String(text) => match serde_json::from_str::<IgnoredAny>(text) {
            Ok(_) => Ok(arguments.clone()),
            Err(error) => Err(format!("calls {name:?} with {ARGUMENTS:?} that are no JSON ({error})")),
        },
        other => Ok(other.clone()),
    }
}
