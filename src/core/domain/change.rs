//! What a person or a program does to records, each undone as one. Knows no database.

use serde::{Deserialize, Serialize};

use crate::domain::filter::Filter;
use crate::domain::message::Message;
use crate::domain::record::{self, Preference, Record, RecordId, Status};

/// Which records a change is for.
#[derive(Debug, Clone, PartialEq)]
pub enum Selection {
    Records(Vec<RecordId>),
    /// Whatever the filter matches at the moment of the change.
    Matching(Filter),
    /// The same without these.
    AllBut(Filter, Vec<RecordId>),
}

/// Something done to many records at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    SetStatus(Status),
    SetSplit(Option<String>),
    SetLabel(Option<String>),
    AddTag(String),
    RemoveTag(String),
    Remove,
}

impl Change {
    /// In words, for the history and for confirmations: `tag physics`.
    #[must_use]
    pub fn words(&self) -> String {
        let named = |what: &str, name: Option<&String>| match name {
            Some(name) => format!("set {what} {name}"),
            None => format!("clear {what}"),
        };
        match self {
            Self::SetStatus(status) => format!("mark {}", status.name()),
            Self::SetSplit(split) => named("split", split.as_ref()),
            Self::SetLabel(label) => named("label", label.as_ref()),
            Self::AddTag(tag) => format!("tag {tag}"),
            Self::RemoveTag(tag) => format!("untag {tag}"),
            Self::Remove => "delete".to_owned(),
        }
    }
}

/// The part of a record that is trained on, and that a person edits. Its JSON is what a session stores.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub messages: Vec<Message>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<serde_json::Value>,
    #[serde(default, skip_serializing_if = "record::Fields::is_empty")]
    pub settings: record::Fields,
    #[serde(default, skip_serializing_if = "record::is_zero")]
    pub prompt_turns: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preference: Option<Preference>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

impl Body {
    /// A record's content.
    #[must_use]
    pub fn of(record: &Record) -> Self {
        Self {
            messages: record.messages.clone(),
            tools: record.tools.clone(),
            settings: record.settings.clone(),
            prompt_turns: record.prompt_turns,
            preference: record.preference.clone(),
            text: record.text.clone(),
        }
    }

    /// Gives a record this content.
    pub fn put(self, record: &mut Record) {
        let Self { messages, tools, settings, prompt_turns, preference, text } = self;
        (record.messages, record.tools, record.prompt_turns) = (messages, tools, prompt_turns);
        (record.settings, record.preference, record.text) = (settings, preference, text);
    }
}

/// Whether a change stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChangeState {
    Done,
    /// Undone; redo brings it back.
    Undone,
    /// Undone, and something else was done since: it stays in the history only.
    Abandoned,
}

/// One change of a session's past.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    pub id: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    pub who: String,
    pub what: String,
    pub records: u64,
    pub state: ChangeState,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub undone_by: Option<String>,
}

/// What one change did to one record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordChange {
    #[serde(flatten)]
    pub entry: HistoryEntry,
    /// `status`, `split`, `label`, `tag`, `content`, `record`.
    pub field: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
