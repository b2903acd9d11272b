//! Whether a value fits its key, and what to tell the person where it doesn't.

use serde_json::Value;

use super::keys::{self, KeyKind, RecipeKey};
use super::{ExampleSource, RewardTable};
use crate::domain::device::DeviceName;

/// One thing that is wrong with a recipe.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// The dotted key, where one is to blame; empty for damaged TOML.
    pub key: String,
    /// Counted from 1; missing for overrides and for keys that are not there.
    pub line: Option<usize>,
    /// One sentence: what is wrong and what would be right.
    pub message: String,
}

/// The linear layers of a decoder layer, by their Hugging Face names.
pub const PROJECTIONS: [&str; 7] =
    ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

/// What to say of a name that is no key.
#[must_use]
pub fn unknown_key(name: &str) -> String {
    match keys::nearest(name) {
        Some(key) => format!("unknown key `{name}`; the nearest known one is `{}`", key.name),
        None => format!("unknown key `{name}`; `dojo train RECIPE --print` shows the known ones"),
    }
}

/// Checks a value against its key's kind and range; the error is the sentence to show.
///
/// # Errors
/// Where the type is another or the value out of range; the sentence says what is allowed.
pub fn check(key: &RecipeKey, value: &Value) -> Result<(), String> {
    match key.kind {
        KeyKind::Text | KeyKind::Path => text(key, value).map(drop),
        KeyKind::Examples => examples(key, text(key, value)?),
        KeyKind::Flag => value.is_boolean().then_some(()).ok_or_else(|| wrong(key, value, "true or false")),
        KeyKind::Texts => {
            let texts = value.as_array().is_some_and(|list| list.iter().all(Value::is_string));
            texts.then_some(()).ok_or_else(|| wrong(key, value, "a list of texts"))
        }
        KeyKind::Choice(choices) => choice(key, value, choices),
        KeyKind::Choices(choices) => several(key, value, choices),
        KeyKind::Integer(low, high) => integer(key, value, low, high),
        KeyKind::Number(range) => match value.as_f64() {
            Some(number) if range.holds(number) => Ok(()),
            _ => Err(wrong(key, value, &format!("a number, {range}"))),
        },
        KeyKind::Numbers(range) => {
            let fits = |item: &Value| item.as_f64().is_some_and(|number| range.holds(number));
            let all = value.as_array().is_some_and(|list| list.iter().all(fits));
            all.then_some(()).ok_or_else(|| wrong(key, value, &format!("a list of numbers, each {range}")))
        }
        KeyKind::Modules => modules(key, value),
        KeyKind::Rates => rates(key, value),
        KeyKind::Rewards => RewardTable::try_from(value.clone()).map(drop),
        KeyKind::Device => match value.as_str() {
            Some(name) => match name.parse::<DeviceName>() {
                Ok(_) => Ok(()),
                Err(sentence) => Err(format!("`{}`: {sentence}", key.name)),
            },
            None => Err(wrong(key, value, "\"auto\", \"cpu\", \"cuda:N\" or \"metal\"")),
        },
    }
}

fn text<'v>(key: &RecipeKey, value: &'v Value) -> Result<&'v str, String> {
    match value.as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text),
        Some(_) => Err(format!("`{}` is empty", key.name)),
        None => Err(wrong(key, value, "a text in quotes")),
    }
}

fn examples(key: &RecipeKey, text: &str) -> Result<(), String> {
    ExampleSource::parse(text).map(drop).map_err(|why| format!("`{}` is \"{text}\": {why}", key.name))
}

fn wrong(key: &RecipeKey, value: &Value, allowed: &str) -> String {
    // A recipe has no null: it is what becomes of a number that JSON can't hold.
    let shown = if value.is_null() { "not a finite number".to_owned() } else { value.to_string() };
    format!("`{}` is {shown}, but must be {allowed}", key.name)
}

fn choice(key: &RecipeKey, value: &Value, choices: &[&str]) -> Result<(), String> {
    if value.as_str().is_some_and(|text| choices.contains(&text)) {
        return Ok(());
    }
    let quoted: Vec<String> = choices.iter().map(|choice| format!("\"{choice}\"")).collect();
    Err(wrong(key, value, &format!("one of {}", quoted.join(", "))))
}

/// One of the choices, or a list of some, none twice.
fn several(key: &RecipeKey, value: &Value, choices: &[&str]) -> Result<(), String> {
    let Some(list) = value.as_array() else { return choice(key, value, choices) };
    if list.is_empty() {
        return Err(format!("`{}` is an empty list", key.name));
    }
    list.iter().try_for_each(|item| choice(key, item, choices))?;
    match list.iter().enumerate().find(|(at, item)| list.iter().take(*at).any(|other| other == *item)) {
        Some((_, twice)) => Err(format!("`{}` names {twice} twice", key.name)),
        None => Ok(()),
    }
}

fn integer(key: &RecipeKey, value: &Value, low: i64, high: i64) -> Result<(), String> {
    if value.as_i64().is_some_and(|number| (low..=high).contains(&number)) {
        return Ok(());
    }
    let allowed = if high == i64::MAX {
        format!("a whole number, at least {low}")
    } else {
        format!("a whole number from {low} to {high}")
    };
    Err(wrong(key, value, &allowed))
}

fn modules(key: &RecipeKey, value: &Value) -> Result<(), String> {
    let allowed = "\"all-linear\" or a list of layer names";
    if value.as_str() == Some("all-linear") {
        return Ok(());
    }
    let list = value.as_array().filter(|list| !list.is_empty()).ok_or_else(|| wrong(key, value, allowed))?;
    for item in list {
        let name = item.as_str().ok_or_else(|| wrong(key, value, allowed))?;
        if !PROJECTIONS.contains(&name) {
            let known = PROJECTIONS.join(", ");
            return Err(format!(
                "`{}` names `{name}`, which is no linear layer; known are {known}",
                key.name
            ));
        }
    }
    Ok(())
}

fn rates(key: &RecipeKey, value: &Value) -> Result<(), String> {
    let allowed = "a list of { pattern = \"…\", learning_rate = … }, each rate more than 0 and at most 10";
    let fits = |item: &Value| {
        let Some(fields) = item.as_object().filter(|fields| fields.len() == 2) else { return false };
        let rate = fields.get("learning_rate").and_then(Value::as_f64);
        let pattern = fields.get("pattern").and_then(Value::as_str);
        rate.is_some_and(|rate| rate > 0.0 && rate <= 10.0) && pattern.is_some_and(|text| !text.is_empty())
    };
    let all = value.as_array().is_some_and(|list| list.iter().all(fits));
    all.then_some(()).ok_or_else(|| wrong(key, value, allowed))
}
