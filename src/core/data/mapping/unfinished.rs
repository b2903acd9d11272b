//! Keys of a turn that say that it is no whole answer, or that hold a part of it in a place of their own. A model that
//! learnt such a turn would learn to end where it was cut off, or to leave out what is elsewhere: refused by name.

use serde_json::{Map, Value};

use super::beside::is_nothing;
use super::turn::{MEDIA, learnt};
use super::turn_mask::{is_mask, mask};
use super::words::{ABOUT, is_any, yes_or_no};
use crate::domain::message::{Message, Role, SAID, THOUGHTS, TOOL_CALLS, WEIGHTS};

/// How an answer ended.
const ENDINGS: [&str; 3] = ["finish_reason", "stop_reason", "done_reason"];
/// What they say of one that didn't end by itself.
const CUT: [&str; 15] = [
    "length",
    "max_tokens",
    "max_length",
    "max_new_tokens",
    "max_output_tokens",
    "model_length",
    "content_filter",
    "incomplete",
    "cancelled",
    "canceled",
    "error",
    "timeout",
    "abort",
    "aborted",
    "safety",
];
/// What is said of an answer that isn't whole, or not for whoever asked.
const FLAGS: [(&str, bool); 15] = [
    ("end_turn", false),
    ("is_complete", false),
    ("completed", false),
    ("is_finished", false),
    ("finished", false),
    ("prefix", true),
    ("partial", true),
    ("is_partial", true),
    ("truncated", true),
    ("is_truncated", true),
    ("incomplete", true),
    ("interrupted", true),
    ("is_interrupted", true),
    ("hidden", true),
    ("is_hidden", true),
];
/// Objects, and one word, that say how an answer ended where it didn't end by itself.
const DETAILS: [&str; 2] = ["finish_details", "incomplete_details"];
const GOES_ON: [&str; 2] = ["in_progress", "incomplete"];
/// Channels of a turn that is a thought or a call.
const ASIDE: [&str; 6] = ["analysis", "commentary", "thought", "thoughts", "thinking", "reasoning"];
/// To whom answers are addressed.
const ADDRESSED: [&str; 4] = ["all", "user", "assistant", "human"];
/// Objects in which other programs keep parts of a turn.
const KWARGS: [&str; 2] = ["additional_kwargs", "response_metadata"];

/// Fails where a turn that is learnt says that it is no whole answer.
///
/// # Errors
/// Names the key.
pub(super) fn check(message: &Message) -> Result<(), String> {
    if message.role != Role::Assistant || !message.is_learnt() {
        return Ok(());
    }
    let calls = !message.tool_calls().is_empty();
    let within = message.beside().filter(|(key, _)| is_any(&ABOUT, key) || is_any(&KWARGS, key));
    let within = within.filter_map(|(_, value)| value.as_object()).flatten();
    let within = within.map(|(key, value)| (key.as_str(), value));
    match message.beside().chain(within).find(|(key, value)| is_unfinished(key, value, calls)) {
        Some((key, value)) => Err(format!(
            "has {key:?} {value}, and would be learnt as a whole answer all the same; give it the weight 0 if it isn't to be \
             learnt, or take the key out"
        )),
        None => Ok(()),
    }
}

fn is_unfinished(key: &str, value: &Value, calls: bool) -> bool {
    let says = |words: &[&str]| value.as_str().is_some_and(|word| is_any(words, word));
    if is_any(&ENDINGS, key) {
        return says(&CUT);
    }
    if is_any(&DETAILS, key) {
        let told =
            |name: &str| value.get(name).and_then(Value::as_str).is_some_and(|word| is_any(&CUT, word));
        return ["type", "reason"].into_iter().any(told);
    }
    match key {
        "status" => says(&GOES_ON),
        "channel" => !calls && says(&ASIDE),
        "recipient" => !calls && !is_nothing(value) && value.is_string() && !says(&ADDRESSED),
        _ => FLAGS.iter().any(|(name, odd)| is_any(&[name], key) && yes_or_no(value) == Some(*odd)),
    }
}

/// What an object about a turn says of whether it is learnt.
///
/// # Errors
/// Names a key of it that can't be obeyed, and one that holds what belongs into the turn.
pub(super) fn about<'o>(key: &str, value: &'o Value) -> Result<Option<(&'o str, bool)>, String> {
    let Some(object) = value.as_object() else { return Ok(None) };
    if is_any(&KWARGS, key) {
        return held(key, object).map(|()| None);
    }
    if !is_any(&ABOUT, key) {
        return Ok(None);
    }
    for (name, told) in object {
        // Numbers of other names were measured, a loss above all.
        let is_weight = name.ends_with("weight") && told.is_number();
        let is_known = name != "loss" && (WEIGHTS.contains(&name.as_str()) || is_mask(name));
        let is_learnt = match told {
            Value::Number(_) if is_weight => Some(learnt(told).ok_or_else(|| {
                format!("has the {name} {told} within {key:?}; a turn is learnt (1, true) or not (0, false)")
            })?),
            Value::Bool(_) | Value::Number(_) | Value::String(_) if is_known => {
                mask(name, told)?.or_else(|| yes_or_no(told))
            }
            Value::Bool(_) if WEIGHTS.contains(&name.as_str()) => yes_or_no(told),
            Value::Bool(_) => mask(name, told)?,
            _ => None,
        };
        if is_learnt == Some(false) {
            return Ok(Some((name, false)));
        }
    }
    Ok(None)
}

/// Fails where an object holds a part of its turn.
fn held(key: &str, object: &Map<String, Value>) -> Result<(), String> {
    let parts = [TOOL_CALLS, "function_call"].into_iter().chain(THOUGHTS).chain(SAID).chain(MEDIA);
    let full = |name: &&str| object.get(*name).is_some_and(|value| !is_nothing(value));
    match parts.into_iter().find(full) {
        Some(name) => Err(format!("has its {name:?} within {key:?}; write it into the turn itself")),
        None => Ok(()),
    }
}
