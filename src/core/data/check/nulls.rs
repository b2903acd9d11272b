//! Nulls that a table put where a tool or a call has nothing: rows that were saved with the keys of all of them.

use serde_json::Value;

use super::FindingKind;
use crate::domain::message::Message;
use crate::domain::record::Record;

pub(super) fn check(record: &Record, find: &mut impl FnMut(FindingKind, String)) {
    let why =
        "as tables have them where another row has the key; it is learnt so, leave it out if nobody wrote it";
    let tool = record.tools.iter().find_map(|tool| {
        let function = tool.get("function").unwrap_or(tool);
        Some((name(function), null_in(function.get("parameters")?.get("properties")?)?))
    });
    if let Some((name, key)) = tool {
        find(FindingKind::Null, format!("tool {name:?} has null as its {key:?}, {why}"));
    }
    let mut calls = record.turns().flat_map(Message::tool_calls);
    let call = calls.find_map(|call| {
        let function = call.get("function").unwrap_or(call);
        Some((name(function), null_in(function.get("arguments")?)?))
    });
    if let Some((name, key)) = call {
        find(FindingKind::Null, format!("a call of {name:?} has null as its {key:?}, {why}"));
    }
}

fn name(function: &Value) -> &str {
    function.get("name").and_then(Value::as_str).unwrap_or_default()
}

fn null_in(value: &Value) -> Option<&str> {
    value.as_object()?.iter().find(|(_, value)| value.is_null()).map(|(key, _)| key.as_str())
}
