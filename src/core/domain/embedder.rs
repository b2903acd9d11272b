//! What the settings say of an endpoint that embeds texts.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::teacher::{Price, TeacherSettings, command, is_false};

/// One endpoint, under its name in `settings.toml`:
///
/// ```toml
/// [embedders.openai]
/// base_url = "https://api.openai.com/v1"
/// model = "text-embedding-3-small"
/// key_env = "OPENAI_API_KEY"
/// price_per_million_input = 0.02
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbedderSettings {
    /// Up to and without `/embeddings`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// As for teachers: the variable, the keyring or the command that has the key. The key itself is nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub key_ring: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "command")]
    pub key_command: Vec<String>,
    /// Asked of models that can give fewer than they have; else a vector is as long as it comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dimensions: Option<u32>,
    /// Said before a passage and before a question, if the model was trained so.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub passage_prefix: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub query_prefix: String,
    /// Tokens of a text at most: what is longer is embedded by its beginning.
    #[serde(default = "tokens_of_openai")]
    pub tokens_per_text: u32,
    /// Texts and tokens of one request at most.
    #[serde(default = "hundred_and_twenty_eight")]
    pub texts_per_request: u32,
    #[serde(default = "hundred_thousand")]
    pub tokens_per_request: u32,
    /// At most so many requests and tokens a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u32>,
    /// An answer that takes longer is given up and asked for again.
    #[serde(default = "two_minutes")]
    pub timeout_seconds: u64,
    /// Dollars for a million tokens.
    #[serde(default)]
    pub price_per_million_input: Price,
}

/// What OpenAI's models read of a text.
const fn tokens_of_openai() -> u32 {
    8191
}

const fn hundred_and_twenty_eight() -> u32 {
    128
}

const fn hundred_thousand() -> u32 {
    100_000
}

const fn two_minutes() -> u64 {
    120
}

impl EmbedderSettings {
    /// What it has in common with a teacher: where it is, its key, and its pace. One request at a time: vectors are kept
    /// as they come, and a stop loses one request at most.
    #[must_use]
    pub fn endpoint(&self) -> TeacherSettings {
        TeacherSettings {
            base_url: self.base_url.clone(),
            model: self.model.clone(),
            key_env: self.key_env.clone(),
            key_ring: self.key_ring,
            key_command: self.key_command.clone(),
            concurrency: 1,
            requests_per_minute: self.requests_per_minute,
            tokens_per_minute: self.tokens_per_minute,
            timeout_seconds: self.timeout_seconds,
            price_per_million_input: self.price_per_million_input,
            price_per_million_output: Price::default(),
            json_schema: false,
            terms: None,
        }
    }
}

/// Without what may be a key that was put in another place than it belongs.
impl fmt::Debug for EmbedderSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("EmbedderSettings").field("endpoint", &self.endpoint()).finish_non_exhaustive()
    }
}
