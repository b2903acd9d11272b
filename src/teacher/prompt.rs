//! The prompts: files of turns with places for values, shipped with the program, replaced by a user's own.
//!
//! A file is a list of turns, each under a line `=== system`, `=== user` or `=== assistant`; the whole is a minijinja
//! template. A prompt's version is a hash of its text, so that every thought says what it was asked with.

use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::domain::message::{Message, Role};

/// The shipped prompts.
const SHIPPED: [(&str, &str); 14] = [
    ("again", include_str!("../../assets/prompts/again.txt")),
    ("answer", include_str!("../../assets/prompts/answer.txt")),
    ("claim", include_str!("../../assets/prompts/claim.txt")),
    ("entail", include_str!("../../assets/prompts/entail.txt")),
    ("expand", include_str!("../../assets/prompts/expand.txt")),
    ("follow-up", include_str!("../../assets/prompts/follow-up.txt")),
    ("grade", include_str!("../../assets/prompts/grade.txt")),
    ("improve", include_str!("../../assets/prompts/improve.txt")),
    ("judge", include_str!("../../assets/prompts/judge.txt")),
    ("leads", include_str!("../../assets/prompts/leads.txt")),
    ("reflect", include_str!("../../assets/prompts/reflect.txt")),
    ("relevance", include_str!("../../assets/prompts/relevance.txt")),
    ("rerank", include_str!("../../assets/prompts/rerank.txt")),
    ("think", include_str!("../../assets/prompts/think.txt")),
];

/// One prompt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    name: String,
    text: String,
}

impl Prompt {
    /// The prompt of this name: from the first of the folders that has `NAME.txt`, else the shipped one.
    ///
    /// # Errors
    /// Where there is none of that name, or a file of the user can't be read or has no turns.
    pub fn load(name: &str, folders: &[&Path]) -> Result<Self> {
        for folder in folders {
            let path = folder.join(format!("{name}.txt"));
            match std::fs::read_to_string(&path) {
                Ok(text) => {
                    return Self::parse(name, &text).with_context(|| format!("read {}", path.display()));
                }
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
            }
        }
        let shipped = SHIPPED.iter().find(|(known, _)| *known == name);
        let (_, text) = shipped.with_context(|| format!("find the prompt {name}"))?;
        Self::parse(name, text)
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        if !text.lines().any(|line| role(line).is_some()) {
            bail!("a prompt needs turns, each under a line like `=== user`");
        }
        Ok(Self { name: name.to_owned(), text: text.to_owned() })
    }

    /// Name and version: `think@1f2e3d4c`.
    #[must_use]
    pub fn version(&self) -> String {
        let hash = Sha256::digest(self.text.as_bytes());
        let short: String =
            hash.iter().take(4).fold(String::new(), |short, byte| format!("{short}{byte:02x}"));
        format!("{}@{short}", self.name)
    }

    /// The turns with the values in their places.
    ///
    /// # Errors
    /// Where the template has a mistake, or names a value that isn't there.
    pub fn turns(&self, values: impl Serialize) -> Result<Vec<Message>> {
        let mut environment = minijinja::Environment::new();
        environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
        // Turns are told apart before values are put in: a value may hold a line like a turn's head.
        let mut turns: Vec<Message> = Vec::new();
        let marked = self.marked();
        let values = serde_json::to_value(values).map(unmarked);
        let text = values
            .map_err(anyhow::Error::from)
            .and_then(|values| Ok(environment.render_str(&marked, minijinja::value::Serde(&values))?))
            .with_context(|| format!("fill in the prompt {}", self.name))?;
        for part in text.split(MARK).skip(1) {
            let (head, content) = part.split_once('\n').unwrap_or((part, ""));
            let role =
                role(&format!("=== {head}")).with_context(|| format!("prompt {}: turn {head}", self.name))?;
            turns.push(Message::new(role, content.trim()));
        }
        Ok(turns)
    }

    /// The text with its turns' heads replaced by a mark that no value holds.
    fn marked(&self) -> String {
        let line = |line: &str| match role(line) {
            Some(role) => format!("{MARK}{}\n", role.name()),
            None => format!("{line}\n"),
        };
        self.text.lines().map(line).collect()
    }
}

/// A character of the private-use area: no text of people has it, and none of a value is left.
const MARK: char = '\u{F8F0}';

/// Values without the mark: a stranger's text begins no turn.
fn unmarked(value: Value) -> Value {
    match value {
        Value::String(text) if text.contains(MARK) => Value::String(text.replace(MARK, "")),
        Value::Array(values) => values.into_iter().map(unmarked).collect(),
        Value::Object(entries) => {
            entries.into_iter().map(|(name, value)| (name.replace(MARK, ""), unmarked(value))).collect()
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value,
    }
}

fn role(line: &str) -> Option<Role> {
    match line.trim_end().strip_prefix("=== ")? {
        "system" => Some(Role::System),
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        _ => None,
    }
}
