//! What the settings say of a teacher: where it is, what it costs, how fast it may be asked.

use std::fmt;

use super::secret;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One endpoint, under its name in `settings.toml`:
///
/// ```toml
/// [teachers.mistral]
/// base_url = "https://api.mistral.ai/v1"
/// model = "open-mistral-nemo"
/// key_env = "MISTRAL_API_KEY"
/// price_per_million_input = 0.15
/// price_per_million_output = 0.15
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeacherSettings {
    /// Up to and without `/chat/completions`.
    pub base_url: String,
    /// The model's name there.
    pub model: String,
    /// The environment variable that holds the key; missing for an endpoint without one. The key itself is nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Whether the key lies in the system's keyring, under the service `dojo` and the teacher's name. It is asked where
    /// the variable is not set.
    #[serde(default, skip_serializing_if = "is_false")]
    pub key_ring: bool,
    /// A command that says the key, with its arguments; instead of the system's keyring. Settings may write it as one
    /// text, which is split at white space.
    #[serde(default, skip_serializing_if = "Vec::is_empty", deserialize_with = "command")]
    pub key_command: Vec<String>,
    /// Requests under way at once.
    #[serde(default = "eight")]
    pub concurrency: usize,
    /// At most so many requests a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// At most so many tokens a minute, prompt and answer together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u32>,
    /// An answer that takes longer is given up and asked for again.
    #[serde(default = "two_minutes")]
    pub timeout_seconds: u64,
    /// Dollars for a million tokens of prompts.
    #[serde(default)]
    pub price_per_million_input: Price,
    /// Dollars for a million tokens of answers.
    #[serde(default)]
    pub price_per_million_output: Price,
    /// Whether the endpoint can be held to a JSON schema (`response_format`).
    #[serde(default = "yes")]
    pub json_schema: bool,
    /// What its provider says of using answers for training, in a few words: every record that it writes carries them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terms: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
pub(super) const fn is_false(value: &bool) -> bool {
    !*value
}

/// A command as a list, or as one text. No shell reads it, so what only a shell understands is refused.
pub(super) fn command<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<String>, D::Error> {
    const FOR_A_SHELL: &[char] =
        &['\'', '"', '\\', '`', '$', ';', '|', '&', '<', '>', '*', '?', '~', '#', '(', ')'];
    struct CommandVisitor;
    impl<'de> Visitor<'de> for CommandVisitor {
        type Value = Vec<String>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str("a command: a list of texts, or one text")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            if text.trim().is_empty() {
                return Err(E::custom("key_command is empty: name a program, or leave it out"));
            }
            if text.contains(FOR_A_SHELL) {
                return Err(E::custom(
                    "key_command is read by no shell and split at spaces: write a list, \
                     [\"sh\", \"-c\", ...] for a shell",
                ));
            }
            Ok(text.split_whitespace().map(str::to_owned).collect())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<Self::Value, A::Error> {
            let mut all = Vec::new();
            while let Some(word) = words.next_element()? {
                all.push(word);
            }
            Ok(all)
        }
    }
    input.deserialize_any(CommandVisitor)
}

const fn eight() -> usize {
    8
}

const fn two_minutes() -> u64 {
    120
}

const fn yes() -> bool {
    true
}

/// Without what may be a key that was put in another place than it belongs.
impl fmt::Debug for TeacherSettings {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key_env = self.key_env.as_deref().map(|name| if self.misplaces_key() { "…" } else { name });
        let key_command = if self.key_command.is_empty() { "" } else { secret::MASK };
        out.debug_struct("TeacherSettings")
            .field("base_url", &secret::mask(&self.base_url))
            .field("model", &self.model)
            .field("key_env", &key_env)
            .field("key_ring", &self.key_ring)
            .field("key_command", &key_command)
            .finish_non_exhaustive()
    }
}

impl TeacherSettings {
    /// Whether `key_env` holds something else than a variable's name: a key, perhaps, which is not to be shown.
    #[must_use]
    pub fn misplaces_key(&self) -> bool {
        self.key_env.as_deref().is_some_and(|name| !secret::is_variable_name(name))
    }

    /// What these tokens cost.
    #[must_use]
    pub fn cost(&self, prompt_tokens: u64, answer_tokens: u64) -> Money {
        let micros = |price: Price, tokens: u64| u128::from(price.0) * u128::from(tokens) / 1_000_000;
        let sum = micros(self.price_per_million_input, prompt_tokens)
            + micros(self.price_per_million_output, answer_tokens);
        Money(u64::try_from(sum).unwrap_or(u64::MAX))
    }
}

/// Dollars for a million tokens, kept in millionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Price(pub u64);

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_f64(self.0 as f64 / 1e6)
    }
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let dollars = f64::deserialize(input)?;
        if (0.0..=1e6).contains(&dollars) {
            Ok(Self((dollars * 1e6).round() as u64))
        } else {
            Err(serde::de::Error::custom("a price is a number of dollars, 0 or more"))
        }
    }
}

/// Millionths of a dollar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(pub u64);

impl Money {
    /// From dollars; what is below nothing is nothing.
    #[must_use]
    pub fn dollars(dollars: f64) -> Self {
        Self((dollars * 1e6).round().max(0.0) as u64)
    }

    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Money {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dollars = self.0 as f64 / 1e6;
        if self.0 == 0 || self.0 >= 10_000 {
            write!(out, "${dollars:.2}")
        } else {
            write!(out, "${dollars:.6}")
        }
    }
}
