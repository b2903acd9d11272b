//! The keys of a reward's row: what each may be, its default, and the sentences if a row is wrong. A table says it once;
//! reading, refusing and `dojo reward list` all read that.

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use crate::domain::reward::RewardUse;

/// One key of a reward's row.
#[derive(Debug)]
pub struct SettingKey {
    pub name: &'static str,
    pub kind: SettingKind,
    /// As JSON; without one the key may be missing.
    pub default: Option<&'static str>,
    pub help: &'static str,
}

/// What a key's value may be.
#[derive(Debug, Clone, Copy)]
pub enum SettingKind {
    Number(f64, f64),
    Whole(u64, u64),
    Flag,
    Text,
    Texts,
    Choice(&'static [&'static str]),
    /// A table, such as a schema.
    Table,
}

impl SettingKind {
    fn fits(self, value: &Value) -> bool {
        match self {
            Self::Number(low, high) => value.as_f64().is_some_and(|number| (low..=high).contains(&number)),
            Self::Whole(low, high) => value.as_u64().is_some_and(|number| (low..=high).contains(&number)),
            Self::Flag => value.is_boolean(),
            Self::Text => value.as_str().is_some_and(|text| !text.trim().is_empty()),
            Self::Texts => {
                value.as_array().is_some_and(|texts| !texts.is_empty() && texts.iter().all(Value::is_string))
            }
            Self::Choice(choices) => value.as_str().is_some_and(|text| choices.contains(&text)),
            Self::Table => value.is_object(),
        }
    }

    /// What may stand there, in words.
    #[must_use]
    pub fn allowed(self) -> String {
        match self {
            Self::Number(low, high) => format!("a number from {low} to {high}"),
            Self::Whole(low, high) => format!("a whole number from {low} to {high}"),
            Self::Flag => "true or false".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Choice(choices) => format!("one of {}", choices.join(", ")),
            Self::Table => "a table".to_owned(),
        }
    }
}

/// A row's values, checked, with the defaults under them.
pub struct RewardSettings<'a> {
    name: &'a str,
    keys: &'static [SettingKey],
    given: &'a Map<String, Value>,
}

impl<'a> RewardSettings<'a> {
    /// Checks a row against its reward's keys.
    ///
    /// # Errors
    /// Where a key is unknown or its value does not fit; the sentence names the row and the key.
    pub fn check(row: &'a RewardUse, keys: &'static [SettingKey]) -> Result<Self> {
        for (name, value) in &row.settings {
            let Some(key) = keys.iter().find(|key| key.name == name) else {
                bail!("rewards.{}.{name}: {}", row.name, unknown(keys, name));
            };
            if !key.kind.fits(value) {
                bail!("rewards.{}.{name} is {value}, but must be {}", row.name, key.kind.allowed());
            }
        }
        Ok(Self { name: &row.name, keys, given: &row.settings })
    }

    /// The row's name.
    #[must_use]
    pub const fn name(&self) -> &str {
        self.name
    }

    /// The row's value or the key's default; nothing if there is neither.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<Value> {
        let default = || self.keys.iter().find(|key| key.name == name)?.default;
        self.given.get(name).cloned().or_else(|| serde_json::from_str(default()?).ok())
    }

    #[must_use]
    pub fn number(&self, name: &str) -> Option<f64> {
        self.value(name)?.as_f64()
    }

    #[must_use]
    pub fn whole(&self, name: &str) -> Option<usize> {
        self.value(name)?.as_u64().and_then(|number| usize::try_from(number).ok())
    }

    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.value(name).and_then(|value| value.as_bool()).unwrap_or_default()
    }

    #[must_use]
    pub fn text(&self, name: &str) -> Option<String> {
        self.value(name)?.as_str().map(str::to_owned)
    }

    #[must_use]
    pub fn texts(&self, name: &str) -> Vec<String> {
        self.value(name).and_then(|value| serde_json::from_value(value).ok()).unwrap_or_default()
    }

    /// A number that has to be there.
    ///
    /// # Errors
    /// Where the row has none.
    pub fn need_number(&self, name: &str) -> Result<f64> {
        self.number(name).with_context(|| format!("rewards.{}.{name} is missing", self.name))
    }
}

fn unknown(keys: &[SettingKey], name: &str) -> String {
    if keys.is_empty() {
        return "this reward has no such key; it has weight and reward alone".to_owned();
    }
    let known: Vec<&str> = keys.iter().map(|key| key.name).collect();
    match nearest(known.iter().copied(), name) {
        Some(near) => format!("this reward has no such key; the nearest is {near}"),
        None => format!("this reward has no such key; it has {}", known.join(", ")),
    }
}

/// The known name that an unknown one most resembles.
#[must_use]
pub fn nearest<'n>(known: impl Iterator<Item = &'n str>, name: &str) -> Option<&'n str> {
    known
        .map(|known| (strsim::jaro_winkler(known, name), known))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(likeness, _)| *likeness > 0.8)
        .map(|(_, known)| known)
}
