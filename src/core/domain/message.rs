//! A conversation, as every chat format ends up.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use super::inline_thought::Inline;
use super::unseen::is_unseen;

/// The keys under which data holds what a model thought before it answered.
pub const THOUGHTS: [&str; 3] = ["reasoning_content", "reasoning", "thinking"];
/// Other keys that say something of a turn: a template shows them, or the turn can't be used.
pub const SAID: [&str; 19] = [
    "thought",
    "thoughts",
    "thought_process",
    "chain_of_thought",
    "cot",
    "think",
    "thinking_content",
    "reasoning_trace",
    "rationale",
    "scratchpad",
    "reasoning_details",
    "reasoning_text",
    "thinking_blocks",
    "tool_plan",
    "analysis",
    "internal_monologue",
    "tool_responses",
    "tools",
    "functions",
];
/// The key of the calls that a turn makes.
pub const TOOL_CALLS: &str = "tool_calls";
/// The keys under which data says whether a turn is learnt: `weight` in `OpenAI`'s fine-tuning format (0 or 1), the others
/// in the formats of other trainers (true or false).
pub const WEIGHTS: [&str; 6] = ["weight", "train", "training", "trainable", "loss", "loss_weight"];

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Message {
    pub role: Role,
    /// What is said; empty where the data has null.
    pub content: String,
    /// What the turn has beside role and content, under the data's own names: `tool_calls`, `reasoning_content`, `name`,
    /// `weight`, ... Never null, but for `content`: a null there says that the data has null, which templates tell
    /// from an empty text.
    pub extra: BTreeMap<String, Value>,
}

impl Message {
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into(), extra: BTreeMap::new() }
    }

    /// Whether the turn's content is null and not an empty text.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.content.is_empty() && self.extra.contains_key("content")
    }

    /// What the speaker thought first, where the data holds it apart from the content.
    #[must_use]
    pub fn thought(&self) -> Option<&str> {
        THOUGHTS.iter().find_map(|key| self.extra.get(*key)?.as_str()).filter(|thought| !thought.is_empty())
    }

    /// The calls that the turn makes, as OpenAI writes them.
    #[must_use]
    pub fn tool_calls(&self) -> &[Value] {
        self.extra.get(TOOL_CALLS).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// The keys under which the turn says something beside its content: thoughts, calls, and their kin.
    pub fn said_beside(&self) -> impl Iterator<Item = &'static str> {
        let keys = THOUGHTS.into_iter().chain(SAID).chain([TOOL_CALLS]);
        keys.filter(|key| self.extra.contains_key(*key))
    }

    /// What the turn has that says nothing by itself and is no weight: `name`, `tool_call_id`, ...
    pub fn beside(&self) -> impl Iterator<Item = (&str, &Value)> {
        let told = |key: &str| {
            key == "content"
                || key == TOOL_CALLS
                || THOUGHTS.contains(&key)
                || SAID.contains(&key)
                || WEIGHTS.contains(&key)
        };
        self.extra.iter().map(|(key, value)| (key.as_str(), value)).filter(move |(key, _)| !told(key))
    }

    /// Whether training learns what is said here, if the assistant speaks: not when the data gives the turn no weight
    /// (`weight: 0`, `train: false`).
    #[must_use]
    pub fn is_learnt(&self) -> bool {
        self.no_weight().is_none()
    }

    /// The key and the value that give the turn no weight.
    #[must_use]
    pub fn no_weight(&self) -> Option<(&'static str, &Value)> {
        let none = |value: &Value| value.as_bool() == Some(false) || value.as_f64() == Some(0.0);
        WEIGHTS.into_iter().filter_map(|key| Some((key, self.extra.get(key)?))).find(|(_, value)| none(value))
    }

    /// Whether there is neither text, thought nor call.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.content.trim().is_empty() && self.said_beside().next().is_none()
    }

    /// Whether the assistant is to learn to say nothing here: a model would learn to end at once.
    #[must_use]
    pub fn is_learnt_as_nothing(&self) -> bool {
        self.role == Role::Assistant
            && self.is_learnt()
            && self.tool_calls().is_empty()
            && (is_unseen(&self.content) || Inline::of(&self.content) == Inline::Nothing)
    }

    /// The mark that begins a thought in an answer that is learnt, and the one that should end it and isn't there: what is
    /// thought would be learnt as the answer.
    #[must_use]
    pub fn unended_thought(&self) -> Option<(&'static str, &'static str)> {
        match Inline::of(&self.content) {
            Inline::Open { mark, end } if self.role == Role::Assistant && self.is_learnt() => {
                Some((mark, end))
            }
            Inline::Open { .. } | Inline::Answered | Inline::Alone | Inline::Nothing => None,
        }
    }

    /// Whether the assistant is to learn to think here, and to end without an answer.
    #[must_use]
    pub fn is_thought_alone(&self) -> bool {
        self.role == Role::Assistant
            && self.is_learnt()
            && self.tool_calls().is_empty()
            && Inline::of(&self.content) == Inline::Alone
    }

    /// All that the turn says, for people and for search: thought, content, calls and what else it has.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let thought = self.thought();
        let rest = self.rest();
        if thought.is_none() && rest.is_empty() && self.tool_calls().is_empty() {
            return Cow::Borrowed(&self.content);
        }
        let thought = thought.map(|thought| format!("[thought] {thought}"));
        let content = (!self.content.is_empty()).then(|| self.content.clone());
        let calls = self.tool_calls().iter().map(|call| format!("[tool call] {}", call_text(call)));
        let rest = (!rest.is_empty()).then(|| format!("[{}]", rest.join(", ")));
        let parts: Vec<String> = thought.into_iter().chain(content).chain(calls).chain(rest).collect();
        Cow::Owned(parts.join("\n"))
    }

    /// Keys that are neither a thought nor calls, with their values, for people.
    #[must_use]
    pub fn rest(&self) -> Vec<String> {
        let told = |key: &str| key == "content" || key == TOOL_CALLS || THOUGHTS.contains(&key);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        self.extra
            .iter()
            .filter(|(key, _)| !told(key))
            .map(|(key, value)| format!("{key}: {}", text(value)))
            .collect()
    }
}

/// A tool call for people: `name(arguments)`.
#[must_use]
pub fn call_text(call: &Value) -> String {
    let function = call.get("function").unwrap_or(call);
    let name = function.get("name").and_then(Value::as_str).unwrap_or("?");
    let arguments = match function.get("arguments") {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    format!("{name}({arguments})")
}

/// As data files and templates have it: an object with `role`, `content` and what else the turn has.
impl Serialize for Message {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("role", &self.role)?;
        if self.is_null() {
            map.serialize_entry("content", &())?;
        } else {
            map.serialize_entry("content", &self.content)?;
        }
        for (key, value) in self.extra.iter().filter(|(key, _)| *key != "content") {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Message {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MessageVisitor)
    }
}

struct MessageVisitor;

impl<'de> Visitor<'de> for MessageVisitor {
    type Value = Message;

    fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("a turn with role and content")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Message, M::Error> {
        let (mut role, mut content) = (None, None::<Option<String>>);
        let mut extra = BTreeMap::new();
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            match key.as_ref() {
                "role" => role = Some(map.next_value()?),
                "content" => content = Some(map.next_value()?),
                _ => match map.next_value::<Value>()? {
                    Value::Null => {}
                    value => drop(extra.insert(key.into_owned(), value)),
                },
            }
        }
        if matches!(content, Some(None)) {
            extra.insert("content".to_owned(), Value::Null);
        }
        let role = role.ok_or_else(|| M::Error::missing_field("role"))?;
        let content = content.ok_or_else(|| M::Error::missing_field("content"))?.unwrap_or_default();
        Ok(Message { role, content, extra })
    }
}

/// Turns, and the tools that the assistant may call in them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conversation<'a> {
    pub messages: &'a [Message],
    /// Descriptions of functions, as `OpenAI` writes them.
    pub tools: &'a [Value],
    /// What the data gives the template beside them, such as `enable_thinking`.
    pub settings: Option<&'a Map<String, Value>>,
}

impl<'a, T: AsRef<[Message]> + ?Sized> From<&'a T> for Conversation<'a> {
    fn from(messages: &'a T) -> Self {
        Self { messages: messages.as_ref(), tools: &[], settings: None }
    }
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    /// Who instructs the assistant below the system, as `OpenAI` has it; few templates know one.
    Developer,
    User,
    Assistant,
    Tool,
}

impl Role {
    /// The name that chat templates and data files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Developer => "developer",
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::Tool => "tool",
        }
    }
}
