//! A record: one example of a dataset, as it was imported and as a person has shaped it since.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::message::{Message, Role, TOOL_CALLS};

/// A record's number within its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(pub i64);

impl fmt::Display for RecordId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// The columns and cells of an imported row, in their order.
pub type Fields = serde_json::Map<String, serde_json::Value>;

/// One example.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Record {
    /// The row as imported, never changed afterwards.
    pub fields: Fields,
    /// Where in the row a text stands for a number that JSON's own would change: JSON pointers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub numbers: Vec<String>,
    /// The conversation; for a preference pair, the turns that both answers continue. Empty for plain text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    /// What the assistant may call: descriptions of functions, as `OpenAI` writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<serde_json::Value>,
    /// What the chat template is given beside turns and tools, such as `enable_thinking`.
    #[serde(default, skip_serializing_if = "Fields::is_empty")]
    pub settings: Fields,
    /// How many of the turns, from the first, are a prompt: what the assistant says in them is not trained on.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub prompt_turns: usize,
    /// Two answers to the same turns, where the record is a preference pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preference: Option<Preference>,
    /// Text to train on as it stands, without a chat template, where there is no conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The true class or the short reference answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// `train`, `eval`, `test`, or whatever else the data or the user says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
    #[serde(default)]
    pub status: Status,
    pub provenance: Provenance,
}

impl Record {
    /// What the user asks first: the first user turn, else the first turn, else the text.
    #[must_use]
    pub fn prompt(&self) -> &str {
        self.messages
            .iter()
            .find(|message| message.role == Role::User)
            .or_else(|| self.messages.first())
            .map(|message| message.content.as_str())
            .or(self.text.as_deref())
            .unwrap_or_default()
    }

    /// The question that is answered last: the last user turn before the last answer; the prompt where there is none.
    #[must_use]
    pub fn question(&self) -> &str {
        let last = self.messages.iter().rposition(|turn| turn.role == Role::Assistant);
        // The two answers of a pair come after all turns.
        let end = last.filter(|_| self.preference.is_none()).unwrap_or(self.messages.len());
        let before = self.messages.get(..end).unwrap_or_default();
        let asked = before.iter().rfind(|turn| turn.role == Role::User);
        asked.map_or_else(|| self.prompt(), |turn| &turn.content)
    }

    /// The turn that answers last: the last assistant turn, else the last of the chosen answer.
    fn last_answer(&self) -> Option<&Message> {
        let chosen = self.preference.iter().flat_map(|pair| &pair.chosen);
        self.messages.iter().chain(chosen).rfind(|turn| turn.role == Role::Assistant)
    }

    /// The last answer for people: its text; its calls and thoughts where it has no text.
    #[must_use]
    pub fn answer_shown(&self) -> Cow<'_, str> {
        self.last_answer().map_or(Cow::Borrowed(""), |turn| {
            if turn.content.trim().is_empty() { turn.text() } else { Cow::Borrowed(&turn.content) }
        })
    }

    /// The calls that its turns make.
    #[must_use]
    pub fn tool_calls(&self) -> usize {
        self.turns().map(|turn| turn.tool_calls().len()).sum()
    }

    /// The turns that hold a thought.
    #[must_use]
    pub fn thoughts(&self) -> usize {
        self.turns().filter(|turn| turn.said_beside().any(|key| key != TOOL_CALLS)).count()
    }

    /// Every turn, those of both answers of a pair too.
    pub fn turns(&self) -> impl Iterator<Item = &Message> {
        let pair = self.preference.iter().flat_map(|pair| pair.chosen.iter().chain(&pair.rejected));
        self.messages.iter().chain(pair)
    }

    /// The turns that training may learn of: those of the better answer of a pair, or those behind the prompt.
    #[must_use]
    pub fn learnt(&self) -> &[Message] {
        match &self.preference {
            Some(pair) => &pair.chosen,
            None => self.messages.get(self.prompt_turns..).unwrap_or_default(),
        }
    }

    /// The turns of the prompt, and those that are learnt, where the record tells them apart.
    #[must_use]
    pub fn prompt_and_completion(&self) -> Option<(&[Message], &[Message])> {
        let parts = self.messages.split_at_checked(self.prompt_turns);
        parts.filter(|(prompt, rest)| self.preference.is_none() && !prompt.is_empty() && !rest.is_empty())
    }

    /// Whether its data gives its answers no weight, all of them.
    #[must_use]
    pub fn is_unlearnt(&self) -> bool {
        let mut answers = self.messages.iter().filter(|turn| turn.role == Role::Assistant).peekable();
        answers.peek().is_some() && answers.all(|turn| !turn.is_learnt())
    }

    /// Whether its conversation has more than texts: tools, settings, calls, thoughts, names, weights.
    #[must_use]
    pub fn has_more_than_texts(&self) -> bool {
        !self.tools.is_empty() || !self.settings.is_empty() || self.turns().any(|turn| !turn.extra.is_empty())
    }

    /// What the chat template is given beside the turns, under the data's names, for people: a tool a line, and settings
    /// (`enable_thinking: false`).
    pub fn given(&self) -> impl Iterator<Item = (&'static str, String)> {
        let tools = self.tools.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        let settings = self.settings.iter().map(|(name, value)| format!("{name}: {value}"));
        let settings = settings.collect::<Vec<_>>().join("\n");
        [("tools", tools), ("chat_template_kwargs", settings)]
            .into_iter()
            .filter(|(_, told)| !told.is_empty())
    }

    /// Where it came from, for messages to people: `file:line`, the source's name, or "a record".
    #[must_use]
    pub fn place(&self) -> String {
        let Provenance { source, line, .. } = &self.provenance;
        match (source.as_str(), line) {
            ("", _) => "a record written by hand".to_owned(),
            (source, 0) => source.to_owned(),
            (source, line) => format!("{source}:{line}"),
        }
    }

    /// What is answered last: the last assistant turn, else the chosen answer.
    #[must_use]
    pub fn answer(&self) -> Option<&str> {
        self.last_answer().map(|turn| turn.content.as_str())
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
pub(super) const fn is_zero(turns: &usize) -> bool {
    *turns == 0
}

/// Two answers of which the first is better.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Preference {
    pub chosen: Vec<Message>,
    pub rejected: Vec<Message>,
}

/// A person's word on a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    #[default]
    New,
    Approved,
    Rejected,
}

impl Status {
    pub const ALL: [Self; 3] = [Self::New, Self::Approved, Self::Rejected];

    /// The name that filters and files use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Where a record came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Provenance {
    /// The file as named at import, `hf:owner/name/file`, a job's name, or empty for one written by hand.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source: String,
    /// The line or row within it, from 1; 0 where there is none.
    #[serde(default)]
    pub line: u64,
    /// Of the imported row.
    #[serde(default)]
    pub hash: ContentHash,
    /// How many equal rows came before this one in the same import. A row whose (hash, occurrence) is known to a
    /// session was imported before; equal rows of one file stay apart.
    #[serde(default)]
    pub occurrence: u32,
}

/// The first half of a SHA-256 over a row, written as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct ContentHash(pub [u8; 16]);

impl fmt::Display for ContentHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ContentHash({self})")
    }
}

impl From<ContentHash> for String {
    fn from(hash: ContentHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for ContentHash {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        u128::from_str_radix(&text, 16)
            .ok()
            .filter(|_| text.len() == 32)
            .map(|number| Self(number.to_be_bytes()))
            .ok_or_else(|| format!("{text:?} is not a content hash of 32 hexadecimal digits"))
    }
}
