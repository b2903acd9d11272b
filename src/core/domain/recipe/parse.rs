//! From a recipe's text and its overrides to typed values, collecting every issue with its line.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use toml_edit::{Document, Item, Table, TableLike};

use super::check::{self, Issue};
use super::keys::{self, Presence, RecipeKey};
use super::{Method, Recipe, source, together};

/// `--set key=value`: the value as TOML, or a bare text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    pub key: String,
    pub value: String,
}

impl std::str::FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (key, value) =
            text.split_once('=').ok_or_else(|| format!("`{text}` is not of the form key=value"))?;
        Ok(Self { key: key.trim().to_owned(), value: value.trim().to_owned() })
    }
}

/// A value and the line that it stands on, if it stands in the file.
pub(super) type ParsedValues = BTreeMap<String, (Value, Option<usize>)>;

/// Reads a recipe.
///
/// # Errors
/// Everything that is wrong with it, those with a line first and in the file's order.
pub fn parse(text: &str, overrides: &[Override]) -> Result<Recipe, Vec<Issue>> {
    let document = Document::parse(text).map_err(|error| vec![damaged(text, &error)])?;
    let mut found = ParsedValues::new();
    let mut issues = Vec::new();
    collect(document.as_table(), "", text, &mut found, &mut issues);
    for one in overrides {
        let value = scalar_or_text(&one.value);
        match keys::key(&one.key) {
            Some(_) => drop(found.insert(one.key.clone(), (value, None))),
            None => issues.push(issue(&one.key, None, check::unknown_key(&one.key))),
        }
    }
    check_values(&found, &mut issues);
    check_together(&found, &mut issues);
    if issues.is_empty() {
        return build(&found).map_err(|message| vec![issue("", None, message)]);
    }
    issues.sort_by_key(|issue| (issue.line.is_none(), issue.line));
    Err(issues)
}

pub(super) fn issue(key: &str, line: Option<usize>, message: String) -> Issue {
    Issue { key: key.to_owned(), line, message }
}

fn damaged(text: &str, error: &toml_edit::TomlError) -> Issue {
    let line = error.span().map(|span| line_of(text, span.start));
    issue("", line, format!("this is not valid TOML: {}", error.message().replace('\n', "; ")))
}

fn line_of(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

fn collect(
    table: &dyn TableLike,
    prefix: &str,
    text: &str,
    found: &mut ParsedValues,
    issues: &mut Vec<Issue>,
) {
    for (name, item) in table.iter() {
        let dotted = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
        let span = table.key(name).and_then(toml_edit::Key::span).or_else(|| item.span());
        let line = span.map(|span| line_of(text, span.start));
        let is_section = keys::keys().any(|key| key.section() == dotted);
        match item.as_table_like() {
            _ if keys::key(&dotted).is_some() => drop(found.insert(dotted, (json(item), line))),
            Some(section) if is_section => collect(section, &dotted, text, found, issues),
            None if is_section => {
                issues.push(issue(&dotted, line, format!("`{dotted}` is a section: write [{dotted}]")));
            }
            Some(section) if !section.is_empty() => collect(section, &dotted, text, found, issues),
            _ => issues.push(issue(&dotted, line, check::unknown_key(&dotted))),
        }
    }
}

/// A TOML item as JSON; dates become texts.
fn json(item: &Item) -> Value {
    match item {
        Item::None => Value::Null,
        Item::Value(value) => value_json(value),
        Item::Table(table) => {
            Value::Object(table.iter().map(|(name, item)| (name.to_owned(), json(item))).collect())
        }
        Item::ArrayOfTables(tables) => {
            let object =
                |table: &Table| table.iter().map(|(name, item)| (name.to_owned(), json(item))).collect();
            Value::Array(tables.iter().map(|table| Value::Object(object(table))).collect())
        }
    }
}

fn value_json(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::String(text) => Value::from(text.value().as_str()),
        toml_edit::Value::Integer(number) => Value::from(*number.value()),
        toml_edit::Value::Float(number) => Value::from(*number.value()),
        toml_edit::Value::Boolean(flag) => Value::from(*flag.value()),
        toml_edit::Value::Datetime(date) => Value::from(date.value().to_string()),
        toml_edit::Value::Array(list) => Value::Array(list.iter().map(value_json).collect()),
        toml_edit::Value::InlineTable(table) => {
            Value::Object(table.iter().map(|(name, value)| (name.to_owned(), value_json(value))).collect())
        }
    }
}

/// What a person typed after `key=`: TOML where it reads as TOML, else a text.
pub(super) fn scalar_or_text(typed: &str) -> Value {
    typed.parse::<toml_edit::Value>().map_or_else(|_| Value::from(typed), |value| value_json(&value))
}

fn check_values(found: &ParsedValues, issues: &mut Vec<Issue>) {
    for key in keys::keys() {
        match found.get(key.name) {
            Some((value, line)) => {
                if let Err(message) = check::check(key, value) {
                    issues.push(issue(key.name, *line, message));
                }
            }
            None if key.presence == Presence::Required => {
                issues.push(issue(key.name, None, format!("`{}` is missing: {}", key.name, key.help)));
            }
            None => {}
        }
    }
}

/// What no key can tell alone.
fn check_together(found: &ParsedValues, issues: &mut Vec<Issue>) {
    let number = |name: &str| found.get(name).and_then(|(value, _)| value.as_f64());
    let line = |name: &str| found.get(name).and_then(|(_, line)| *line);
    let method = method(found);
    for (name, (_, line)) in found {
        let of = keys::key(name).and_then(RecipeKey::method).filter(|of| *of != method);
        if let Some(of) = of {
            let message = format!(
                "`{name}` is for method = \"{}\", and this recipe's is \"{}\"",
                of.name(),
                method.name()
            );
            issues.push(issue(name, *line, message));
        }
    }
    issues.extend(together::check(found, method));
    let text = |name: &str| found.get(name).and_then(|(value, _)| value.as_str());
    let sources: Vec<&str> = ["data.train", "data.eval"].into_iter().filter_map(text).collect();
    let mapped = found.get("data.map").and_then(|(value, _)| value.as_array());
    if mapped.is_some_and(|map| !map.is_empty())
        && !sources.is_empty()
        && sources.iter().all(|named| source::of_session(named).is_some())
    {
        let message = format!(
            "`data.map` gives parts to the columns of files, and \"{}\" names records, which are as they were \
             imported: take it out; rows that came in as columns alone are trained on by naming their file in \
             `data.train`, or by importing it into a new session with its columns chosen",
            sources.join("\" and \"")
        );
        issues.push(issue("data.map", line("data.map"), message));
    }
    let patience = "eval.early_stopping_patience";
    let none_held_out = !found.contains_key("data.eval") && number("data.split") == Some(0.0);
    if none_held_out && number(patience).is_some_and(|patience| patience > 0.0) {
        let message =
            format!("`{patience}` needs held-out examples: set `data.eval`, or `data.split` above 0");
        issues.push(issue(patience, line(patience), message));
    }
    let best = "save.load_best_model_at_end";
    if none_held_out && found.get(best).is_some_and(|(value, _)| value == &Value::Bool(true)) {
        let message = format!("`{best}` needs held-out examples: set `data.eval`, or `data.split` above 0");
        issues.push(issue(best, line(best), message));
    }
}

/// A recipe's method; one that is none is told of where its value is checked.
fn method(found: &ParsedValues) -> Method {
    let named = found.get("method").and_then(|(value, _)| value.as_str());
    named.and_then(Method::of).unwrap_or(Method::Sft)
}

/// Lays the defaults under the values and reads the whole as a [`Recipe`].
fn build(found: &ParsedValues) -> Result<Recipe, String> {
    let (mut whole, method) = (Map::new(), method(found));
    for key in keys::keys().filter(|key| key.method().is_none_or(|of| of == method)) {
        let value = match (found.get(key.name), key.default_for(method)) {
            (Some((value, _)), _) => value.clone(),
            (None, Some(default)) => scalar_or_text(default),
            (None, None) => Value::Null,
        };
        let place = if key.section().is_empty() {
            &mut whole
        } else {
            let section = whole.entry(key.section()).or_insert_with(|| Value::Object(Map::new()));
            section.as_object_mut().ok_or_else(|| format!("`{}` is no section", key.section()))?
        };
        place.insert(key.short().to_owned(), value);
    }
    serde_json::from_value(Value::Object(whole)).map_err(|error| error.to_string())
}
