//! What tools answered, each to its call. Templates show calls and results one after another, and many name no call
//! with a result: it is read as the result of the call that stands at its place.

use serde_json::Value;

use super::error::ApiError;
use crate::domain::message::{Message, Role, TOOL_CALLS};

/// A call that waits for its result.
struct OpenCall {
    id: Option<String>,
    answered: bool,
}

/// What a client calls the parts of a conversation.
pub(crate) struct CallNames<'n> {
    /// What a result's call is named by.
    pub id: &'static str,
    /// Where a call is, by its id and the place of its turn.
    pub place: &'n dyn Fn(Option<&str>, &str) -> String,
}

/// Puts results in the order of their calls; turns are given with their places.
///
/// # Errors
/// Where a result names no call before it, or a call has none and the conversation goes on.
pub(crate) fn in_order(
    turns: Vec<(String, Message)>,
    names: &CallNames<'_>,
) -> Result<Vec<Message>, ApiError> {
    let mut ordered = Vec::with_capacity(turns.len());
    let mut calls: Vec<OpenCall> = Vec::new();
    let mut called_at = String::new();
    let mut results: Vec<(usize, Message)> = Vec::new();
    for (place, turn) in turns {
        if turn.role == Role::Tool {
            let at = take_call(&mut calls, &turn, &format!("{place}.{}", names.id))?;
            results.push((at, turn));
            continue;
        }
        all_answered(&calls, &called_at, names)?;
        put(&mut ordered, &mut results);
        calls = calls_of(&turn);
        called_at = place;
        ordered.push(turn);
    }
    if !results.is_empty() {
        all_answered(&calls, &called_at, names)?;
    }
    put(&mut ordered, &mut results);
    Ok(ordered)
}

fn put(ordered: &mut Vec<Message>, results: &mut Vec<(usize, Message)>) {
    results.sort_by_key(|(at, _)| *at);
    ordered.extend(results.drain(..).map(|(_, turn)| turn));
}

fn calls_of(turn: &Message) -> Vec<OpenCall> {
    let calls = turn.extra.get(TOOL_CALLS).and_then(Value::as_array);
    let open = |call: &Value| OpenCall { id: text(call.get("id")), answered: false };
    calls.into_iter().flatten().map(open).collect()
}

fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).map(str::to_owned)
}

/// Which call a result is of.
fn take_call(calls: &mut [OpenCall], result: &Message, place: &str) -> Result<usize, ApiError> {
    let bad = |why: String| Err(ApiError::bad(why).parameter(place.to_owned()));
    let named = text(result.extra.get("tool_call_id"));
    let own = calls.iter().position(|call| !call.answered && call.id == named);
    let unnamed = || calls.iter().position(|call| !call.answered && call.id.is_none());
    if let Some(at) = own.or_else(unnamed) {
        calls.iter_mut().skip(at).take(1).for_each(|call| call.answered = true);
        return Ok(at);
    }
    match named {
        // Said by a tool that nobody is known to have called.
        None if calls.is_empty() => Ok(0),
        None => bad(format!("{place} is missing: name the call that this is the result of")),
        Some(id) if calls.iter().any(|call| call.id.as_ref() == Some(&id)) => {
            bad(format!("{place} is {id:?}, a call that has its result already: leave one out"))
        }
        Some(id) => {
            bad(format!("{place} is {id:?}, and the turn of the assistant before it has no call of that id"))
        }
    }
}

fn all_answered(calls: &[OpenCall], turn: &str, names: &CallNames<'_>) -> Result<(), ApiError> {
    let Some(open) = calls.iter().find(|call| !call.answered) else { return Ok(()) };
    let place = (names.place)(open.id.as_deref(), turn);
    let which = open.id.as_ref().map_or_else(String::new, |id| format!(" {id:?}"));
    let message = format!("{place}: the call{which} has no result: send one for it right after");
    Err(ApiError::bad(message).parameter(place))
}
