//! What of turns has no part in a template's text, whatever its source names: with another value there, the text is the
//! same one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Number, Value};

use super::is_hidden;
use crate::data::chat::{ChatTemplate, RenderEnding};
use crate::domain::message::{Conversation, Message, TOOL_CALLS};

/// Renderings that are compared at most; what isn't looked at is taken for unread.
const MOST_RENDERINGS: usize = 96;
/// What a call has beside its function, and what a function has: what tells calls apart is no part of what is said.
const OF_CALL: [&str; 6] = ["function", "id", "call_id", "tool_call_id", "type", "index"];
const OF_FUNCTION: [&str; 7] = ["name", "arguments", "id", "call_id", "tool_call_id", "type", "index"];

/// Where a turn says something beside its content, its thought and its calls.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum KeyPlace {
    Turn(String),
    /// In one of its calls, beside the function.
    Call(String),
    Function(String),
}

/// As people read it.
impl fmt::Display for KeyPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Turn(key) => out.write_str(key),
            Self::Call(key) => write!(out, "{TOOL_CALLS}.{key}"),
            Self::Function(key) => write!(out, "{TOOL_CALLS}.function.{key}"),
        }
    }
}

/// What a template decides by whether it shows a key: who speaks, whether it is the last turn, and who spoke before.
type TurnKind = (&'static str, bool, Option<&'static str>);

/// The other keys of turns (`name`, `tool_call_id`, ...) and of calls that a template doesn't read: they are kept with the
/// data, and nothing of them is learnt. `rendering`: of the conversation, whole.
pub(crate) fn unread(
    template: &ChatTemplate,
    conversation: Conversation<'_>,
    rendering: &str,
) -> BTreeSet<String> {
    let messages = conversation.messages;
    let mut found: BTreeMap<KeyPlace, BTreeMap<TurnKind, Vec<usize>>> = BTreeMap::new();
    for (turn, message) in messages.iter().enumerate() {
        for place in places(message) {
            found.entry(place).or_default().entry(kind(messages, turn)).or_default().push(turn);
        }
    }
    let mut asked = TemplateProbe { template, conversation, rendering, left: MOST_RENDERINGS };
    let turns_of =
        |kinds: &BTreeMap<TurnKind, Vec<usize>>| kinds.values().flatten().copied().collect::<Vec<_>>();
    let all: Vec<_> = found.iter().map(|(place, kinds)| (place, turns_of(kinds))).collect();
    let none_is_read = !all.is_empty() && asked.same_with_others(&all) == Some(true);
    let mut unread = BTreeSet::new();
    for (place, kinds) in &found {
        if none_is_read
            || asked.is_unread(place, turns_of(kinds))
            || kinds.len() > 1 && kinds.values().any(|turns| asked.is_unread(place, turns.clone()))
        {
            unread.insert(place.to_string());
        }
    }
    unread
}

/// Asks a template by rendering.
struct TemplateProbe<'a> {
    template: &'a ChatTemplate,
    conversation: Conversation<'a>,
    rendering: &'a str,
    /// Renderings that may yet be made.
    left: usize,
}

impl TemplateProbe<'_> {
    /// Whether what these turns say in a place has no part in the text.
    fn is_unread(&mut self, place: &KeyPlace, turns: Vec<usize>) -> bool {
        if self.left == 0 {
            return true;
        }
        let first = turns.first().copied().unwrap_or_default();
        self.same_with_others(&[(place, turns)]).unwrap_or_else(|| match place {
            // A template that refuses another value may yet be the same without one.
            KeyPlace::Turn(key) => {
                is_hidden(self.template, self.conversation, first..first + 1, key, self.rendering)
            }
            KeyPlace::Call(_) | KeyPlace::Function(_) => false,
        })
    }

    /// Whether the text is the same with other values in these places; none if the template refuses them.
    fn same_with_others(&mut self, places: &[(&KeyPlace, Vec<usize>)]) -> Option<bool> {
        self.left = self.left.saturating_sub(1);
        let mut messages = self.conversation.messages.to_vec();
        for (place, turns) in places {
            for turn in turns {
                if let Some(message) = messages.get_mut(*turn) {
                    change(message, place);
                }
            }
        }
        let changed = Conversation { messages: &messages, ..self.conversation };
        let text = self.template.render(changed, RenderEnding::Complete).ok()?;
        Some(text == self.rendering)
    }
}

fn kind(messages: &[Message], turn: usize) -> TurnKind {
    let role = |turn: usize| messages.get(turn).map(|message| message.role.name());
    let own = role(turn).unwrap_or_default();
    (own, turn + 1 == messages.len(), turn.checked_sub(1).and_then(role))
}

/// Where a turn says something beside its content, its thought and its calls.
fn places(message: &Message) -> BTreeSet<KeyPlace> {
    let told = |(key, value): (&str, &Value)| other(value).is_some().then(|| KeyPlace::Turn(key.to_owned()));
    let mut places: BTreeSet<KeyPlace> = message.beside().filter_map(told).collect();
    for call in message.tool_calls().iter().filter_map(Value::as_object) {
        match call.get("function").and_then(Value::as_object) {
            Some(function) => {
                places.extend(odd_keys(call, &OF_CALL).into_iter().map(KeyPlace::Call));
                places.extend(odd_keys(function, &OF_FUNCTION).into_iter().map(KeyPlace::Function));
            }
            None => places.extend(odd_keys(call, &OF_FUNCTION).into_iter().map(KeyPlace::Call)),
        }
    }
    places
}

/// The keys that say something and aren't among the known ones.
fn odd_keys(fields: &Map<String, Value>, known: &[&str]) -> Vec<String> {
    let odd = |(key, value): &(&String, &Value)| !known.contains(&key.as_str()) && other(value).is_some();
    fields.iter().filter(odd).map(|(key, _)| key.clone()).collect()
}

/// Puts another value into a place.
fn change(message: &mut Message, place: &KeyPlace) {
    let put = |value: Option<&mut Value>| {
        if let Some(value) = value
            && let Some(other) = other(value)
        {
            *value = other;
        }
    };
    match place {
        KeyPlace::Turn(key) => put(message.extra.get_mut(key)),
        KeyPlace::Call(key) => calls(message).for_each(|call| put(call.get_mut(key))),
        KeyPlace::Function(key) => {
            calls(message).filter_map(super::function_of).for_each(|function| put(function.get_mut(key)));
        }
    }
}

fn calls(message: &mut Message) -> impl Iterator<Item = &mut Value> {
    message.extra.get_mut(TOOL_CALLS).and_then(Value::as_array_mut).into_iter().flatten()
}

/// A value of the same kind and length that says something else; none where nothing is said.
fn other(value: &Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::Bool(told) => Some(Value::Bool(!told)),
        Value::Number(number) => Some(Value::Number(match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Number::from(whole.wrapping_add(1)),
            (None, float) => Number::from_f64(float.unwrap_or_default() / 2.0 + 1.0)?,
        })),
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(Value::String(other_text(text))),
        Value::Array(items) => {
            let changed: Vec<Option<Value>> = items.iter().map(other).collect();
            let any = changed.iter().any(Option::is_some);
            let whole = items.iter().zip(changed).map(|(own, other)| other.unwrap_or_else(|| own.clone()));
            any.then(|| whole.collect())
        }
        Value::Object(fields) => {
            let mut changed = fields.clone();
            let mut any = false;
            for value in changed.values_mut() {
                if let Some(other) = other(value) {
                    (*value, any) = (other, true);
                }
            }
            any.then_some(Value::Object(changed))
        }
    }
}

/// Every letter and digit becomes the next one: some templates want texts of a length, and of letters and digits alone.
fn other_text(text: &str) -> String {
    let next = |sign: char| match sign {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(sign as u32 + 1).unwrap_or(sign),
        other => other,
    };
    let changed: String = text.chars().map(next).collect();
    if changed == text { format!("{text}a") } else { changed }
}
