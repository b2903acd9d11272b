//! One turn of a conversation, as data files write it. What changes what is learnt is kept or refused, never dropped.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::beside::is_nothing;
use super::forms::is_unsaid;
use super::thoughts::{plain, settle_thoughts};
use super::turn_mask::{mask, obey};
use super::values::text;
use super::{TURN_EXTRA, calls, unfinished};
use crate::data::rows::{inside, kind_of};
use crate::domain::message::{Message, Role, SAID, THOUGHTS, TOOL_CALLS, WEIGHTS};

type JsonObject = Map<String, Value>;

/// What is no text: keys of turns, and columns of rows.
pub(super) const MEDIA: [&str; 8] =
    ["image", "images", "audio", "audios", "video", "videos", "image_url", "files"];

/// The names of who speaks and of what is said: `OpenAI`'s, then `ShareGPT`'s and its kin.
const SPEAKERS: [&str; 3] = ["role", "from", "speaker"];
/// The last is Gemini's.
const CONTENTS: [&str; 4] = ["content", "value", "text", "parts"];
/// Kinds of parts of a content that are texts, and those that are thoughts.
const TEXTS: [&str; 3] = ["text", "input_text", "output_text"];
const THINKING: [&str; 2] = ["thinking", "reasoning"];
/// What a part of a content may have beside its text, and nobody learns: signatures, and notes for caches.
const QUIET: [&str; 6] = ["type", "signature", "cache_control", "id", "index", "closed"];
/// What a part may have that is about the turn.
const NOTES: [&str; 3] = ["annotations", "citations", "logprobs"];
/// Who speaks where a thought is a turn of its own.
const THINKERS: [&str; 8] =
    ["thought", "thoughts", "thinking", "think", "reasoning", "reasoner", "cot", "chain_of_thought"];

/// Whether a value looks like a turn: an object that says who speaks.
pub(super) fn is_turn(value: &Value) -> bool {
    SPEAKERS.iter().any(|key| value.get(*key).is_some_and(Value::is_string))
}

/// Reads a turn as `OpenAI` writes it (`role`, `content`, `tool_calls`, ...) or as `ShareGPT` does (`from`, `value`).
///
/// # Errors
/// Says what of the turn can't be used.
pub(super) fn turn(item: &Value, column: &str, number: usize) -> Result<Message, String> {
    let place = || format!("turn {number} of column {column:?}");
    let Value::Object(object) = item else {
        return Err(format!("{} is {}, not a turn with role and content", place(), kind_of(item)));
    };
    read(object).map_err(|reason| format!("{} {reason}", place()))
}

fn read(object: &JsonObject) -> Result<Message, String> {
    let (speaker, name) = SPEAKERS
        .into_iter()
        .find_map(|key| Some((key, object.get(key)?)))
        .filter(|(_, name)| !name.is_null())
        .ok_or("has no role")?;
    let called = name.as_str().unwrap_or_default();
    let role = role(called).ok_or_else(|| format!("has the unknown role {name}"))?;
    let whole = with_own_extras(object);
    let object = whole.as_ref().unwrap_or(object);
    let content_key = CONTENTS.into_iter().find(|key| object.contains_key(*key));
    let mut message = Message::new(role, "");
    let mut masked = Vec::new();
    for (key, value) in object {
        if key == speaker || Some(key.as_str()) == content_key || value.is_null() {
            continue;
        }
        let known = known_as(key);
        if let Some(is_learnt) = mask(known, value)? {
            masked.push((key.as_str(), is_learnt));
            continue;
        }
        masked.extend(unfinished::about(known, value)?);
        if message.extra.get(known).is_some_and(|other| other != value && known != TOOL_CALLS) {
            return Err(format!("has two different values as its {known:?}; keep one"));
        }
        extra(&mut message.extra, known, value)?;
    }
    match content_key.and_then(|key| object.get(key)) {
        Some(Value::String(said)) if is_call(called) => {
            calls::add(&mut message.extra, calls::in_text(said)?)?;
            message.extra.insert("content".into(), Value::Null);
        }
        Some(said) if !said.is_null() => content(&mut message, said)?,
        _ if !message.tool_calls().is_empty() => {
            message.extra.insert("content".into(), Value::Null);
        }
        Some(_) => return Err("has the content null".into()),
        None => return Err("has no content".into()),
    }
    check_thoughts(&message)?;
    settle_thoughts(&mut message)?;
    check_weight(&message)?;
    obey(&mut message, &masked)?;
    unfinished::check(&message)?;
    Ok(message)
}

/// A key by the name that thoughts and weights have, which data files also write with capitals.
fn known_as(key: &str) -> &str {
    let mut known = THOUGHTS.iter().chain(&WEIGHTS);
    known.find(|name| key.eq_ignore_ascii_case(name)).copied().unwrap_or(key)
}

/// A turn of our own Parquet exports, with what stands there as JSON in its place.
fn with_own_extras(object: &JsonObject) -> Option<JsonObject> {
    let Ok(Value::Object(extras)) = inside::parse(object.get(TURN_EXTRA)?.as_str()?) else { return None };
    let mut whole = object.clone();
    whole.remove(TURN_EXTRA);
    whole.extend(extras);
    Some(whole)
}

/// Takes in what a turn has beside role and content.
fn extra(extra: &mut BTreeMap<String, Value>, key: &str, value: &Value) -> Result<(), String> {
    let nothing = is_unsaid(value);
    match key {
        // Where one column holds many kinds of turns, those without have an empty one.
        TOOL_CALLS | "function_call" | "refusal" if nothing => {}
        _ if MEDIA.contains(&key) && nothing => {}
        TOOL_CALLS => calls::add(extra, calls::calls(value)?)?,
        "function_call" if is_nothing(value) => {}
        "function_call" => calls::add(extra, vec![calls::bare(value)?])?,
        "refusal" => return Err("is a refusal, which no chat template shows; write it as content".into()),
        _ if MEDIA.contains(&key) => return Err(format!("has {key:?}, and only text can be read")),
        _ if (THOUGHTS.contains(&key) || SAID.contains(&key)) && nothing => {}
        _ if THOUGHTS.contains(&key) => match value {
            Value::String(_) => drop(extra.insert(key.into(), value.clone())),
            other => return Err(format!("has {} as its {key:?}, not a text", kind_of(other))),
        },
        _ => drop(extra.insert(key.into(), value.clone())),
    }
    Ok(())
}

/// Whether the speaker's name says that the content is a call, as in `ShareGPT`.
fn is_call(speaker: &str) -> bool {
    speaker.eq_ignore_ascii_case("function_call") || speaker.eq_ignore_ascii_case("tool_call")
}

/// A content: a text, or a list of parts that are texts or thoughts.
fn content(message: &mut Message, said: &Value) -> Result<(), String> {
    match said {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => message.content = text(said),
        // Whether a space, a line or nothing belongs between them isn't known, and no template puts them together.
        Value::Array(parts) if parts.len() > 1 && parts.iter().all(Value::is_string) => {
            return Err(format!("has a list of {} texts as its content; join them into one", parts.len()));
        }
        Value::Array(parts) if parts.len() > 1 && parts.iter().any(Value::is_string) => {
            return Err("has bare texts among the parts of its content; write each as {\"type\": \"text\", \"text\": ...}, \
                        or join them into one"
                .into());
        }
        Value::Array(parts) => {
            for part in parts {
                add_part(message, part)?;
            }
        }
        Value::Null | Value::Object(_) => {
            return Err(format!("has {} as its content, not a text", kind_of(said)));
        }
    }
    Ok(())
}

/// Adds a part of a content: a text, `{"type": "text", "text": ...}`, or a thought.
fn add_part(message: &mut Message, part: &Value) -> Result<(), String> {
    let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
    let thinks = THINKING.contains(&kind);
    if thinks || TEXTS.contains(&kind) {
        check_part(message, part, thinks)?;
    }
    match part.as_str().or_else(|| part.get("text")?.as_str()) {
        Some(text) if TEXTS.contains(&kind) => {
            message.content.push_str(text);
            Ok(())
        }
        text if thinks && message.content.is_empty() => {
            let own = part.get("thinking").filter(|thinking| !is_nothing(thinking)).map(thought_text);
            let thought = own.transpose()?.or_else(|| text.map(str::to_owned));
            let thought = thought.ok_or("has a thought without text")?;
            if message.thought().is_some_and(|other| other != thought) {
                return Err(
                    "has different thoughts, among the parts of its content or beside it; keep one".into()
                );
            }
            message.extra.insert(THOUGHTS[0].into(), Value::String(thought));
            Ok(())
        }
        _ => {
            let kind = if part.is_object() { format!("of type {kind:?}") } else { kind_of(part).to_owned() };
            Err(format!("has a part of its content that is no text ({kind})"))
        }
    }
}

/// Fails where a part says more than its one text. Notes become the turn's.
fn check_part(message: &mut Message, part: &Value, thinks: bool) -> Result<(), String> {
    let says = |key: &str| part.get(key).is_some_and(|value| !is_nothing(value));
    let own = if thinks && says("thinking") { "thinking" } else { "text" };
    let told = part.as_object().into_iter().flatten().filter(|(_, value)| !is_nothing(value));
    for (key, value) in told.filter(|(key, _)| *key != own && !QUIET.contains(&key.as_str())) {
        if !NOTES.contains(&key.as_str()) {
            return Err(format!("has a part of its content with {key:?}, which can't be used"));
        }
        let more = value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]);
        match message.extra.get_mut(key) {
            Some(Value::Array(known)) => known.extend(more),
            Some(other) => {
                let known = other.take();
                *other = [known].into_iter().chain(more).collect();
            }
            None => drop(message.extra.insert(key.clone(), Value::Array(more))),
        }
    }
    Ok(())
}

/// A thought: a text, or parts that are texts.
fn thought_text(thinking: &Value) -> Result<String, String> {
    let Value::Array(parts) = thinking else { return Ok(text(thinking)) };
    if parts.len() > 1 && parts.iter().any(Value::is_string) {
        return Err("has bare texts among the parts of its thought; join them into one".into());
    }
    let said = |part: &Value| part.as_str().or_else(|| part.get("text")?.as_str()).map(str::to_owned);
    let texts: Option<Vec<String>> = parts.iter().map(said).collect();
    texts.map(|texts| texts.concat()).ok_or_else(|| "has a part of its thought that is no text".into())
}

/// Whether somebody of that name thinks, where thoughts are turns of their own.
pub(super) fn is_thinker(name: &str) -> bool {
    THINKERS.iter().any(|thinker| thinker.eq_ignore_ascii_case(name))
}

/// The thought that a turn of its own is; none of any other turn.
///
/// # Errors
/// Says what more the turn has.
pub(super) fn thought_alone(item: &Value) -> Result<Option<String>, String> {
    let named = SPEAKERS.into_iter().find(|key| item.get(*key).is_some_and(|name| !name.is_null()));
    let thinks = |key: &&str| item.get(*key).and_then(Value::as_str).is_some_and(is_thinker);
    let Some(speaker) = named.filter(thinks) else { return Ok(None) };
    let said = CONTENTS.into_iter().find(|key| item.get(*key).is_some_and(|said| !is_nothing(said)));
    let told = said.and_then(|key| Some((key, item.get(key)?.as_str()?)));
    let (key, thought) = told.ok_or("is a thought without a text")?;
    let mut beside = item.as_object().into_iter().flatten().filter(|(_, value)| !is_nothing(value));
    match beside.find(|(other, _)| *other != speaker && *other != key && *other != "id") {
        Some((other, _)) => Err(format!("is a thought with {other:?}; write both into the answer's turn")),
        None => Ok(Some(thought.to_owned())),
    }
}

/// A weight is all or nothing, and only what the assistant says is learnt.
fn check_weight(message: &Message) -> Result<(), String> {
    for key in WEIGHTS {
        let Some(value) = message.extra.get(key) else { continue };
        let learnt = learnt(value)
            .ok_or_else(|| format!("has the {key} {value}; a turn is learnt (1, true) or not (0, false)"))?;
        if learnt && message.role != Role::Assistant && key != "weight" {
            let who = message.role.name();
            return Err(format!(
                "asks with {key:?} to learn what the {who} says; only the assistant's turns are"
            ));
        }
    }
    Ok(())
}

/// Whether a weight says that something is learnt; `None` where it says neither yes nor no.
pub(super) fn learnt(weight: &Value) -> Option<bool> {
    match (weight.as_bool(), weight.as_f64()) {
        (Some(learnt), _) => Some(learnt),
        (None, Some(0.0)) => Some(false),
        (None, Some(1.0)) => Some(true),
        (None, _) => None,
    }
}

/// A turn has one thought, however many keys it has for it.
fn check_thoughts(message: &Message) -> Result<(), String> {
    let mut said = THOUGHTS.iter().filter_map(|key| Some((key, message.extra.get(*key)?)));
    let Some((first, thought)) = said.next() else { return Ok(()) };
    let text = |value: &Value| value.as_str().map(|text| plain(text).to_owned());
    match said.find(|(_, other)| text(other) != text(thought)) {
        Some((other, _)) => {
            Err(format!("has different thoughts as its {first:?} and its {other:?}; keep one"))
        }
        None => Ok(()),
    }
}

/// The names that datasets have for who speaks.
pub(super) fn role(name: &str) -> Option<Role> {
    match name.to_ascii_lowercase().as_str() {
        "system" => Some(Role::System),
        "developer" => Some(Role::Developer),
        "user" | "human" | "prompter" => Some(Role::User),
        "assistant" | "ai" | "gpt" | "chatgpt" | "bot" | "model" | "function_call" | "tool_call" => {
            Some(Role::Assistant)
        }
        "tool" | "function" | "observation" | "function_response" | "tool_response" | "ipython" => {
            Some(Role::Tool)
        }
        _ => None,
    }
}
