//! Changing single keys of a recipe's text, comments and order kept; and printing a resolved recipe.

use serde_json::Value;
use toml_edit::{Array, DocumentMut, InlineTable, Item, Table};

use super::check::{self, Issue};
use super::keys::{self, RecipeKey};
use super::{Method, Recipe, parse};

/// Sets a key to what a person typed, and gives back the new text. A bare text needs no quotes.
///
/// # Errors
/// Where the text is not TOML, the key is unknown, or the value doesn't fit it.
pub fn set(text: &str, name: &str, typed: &str) -> Result<String, Issue> {
    let (mut document, key) = open(text, name)?;
    let value = parse::scalar_or_text(typed);
    check::check(key, &value).map_err(|message| refused(name, message))?;
    let place = section(document.as_table_mut(), key)?;
    // As typed (`2e-4` stays so), where it reads as TOML.
    let mut new = typed.trim().parse().unwrap_or_else(|_| toml_value(&value));
    // A comment behind the old value stays behind the new one.
    if let Some(old) = place.get(key.short()).and_then(Item::as_value) {
        *new.decor_mut() = old.decor().clone();
    }
    match place.get_mut(key.short()) {
        Some(item) => *item = Item::Value(new),
        None => drop(place.insert(key.short(), Item::Value(new))),
    }
    Ok(document.to_string())
}

/// Takes a key out, so that its default counts again, and gives back the new text.
///
/// # Errors
/// Where the text is not TOML or the key is unknown.
pub fn unset(text: &str, name: &str) -> Result<String, Issue> {
    let (mut document, key) = open(text, name)?;
    section(document.as_table_mut(), key)?.remove(key.short());
    Ok(document.to_string())
}

/// A key's value in a text, as TOML; `None` where the text doesn't name it (its default counts) or is damaged.
#[must_use]
pub fn get(text: &str, name: &str) -> Option<String> {
    let document: DocumentMut = text.parse().ok()?;
    let key = keys::key(name)?;
    let place = if key.section().is_empty() {
        document.as_table()
    } else {
        document.get(key.section())?.as_table()?
    };
    let item = place.get(key.short())?;
    let table = || Some(toml_edit::Value::InlineTable(item.as_table()?.clone().into_inline_table()));
    Some(item.as_value().cloned().or_else(table)?.decorated("", "").to_string())
}

/// The method that a text names; supervised training, if it names none.
#[must_use]
pub fn method(text: &str) -> Method {
    get(text, "method").and_then(|named| Method::of(named.trim_matches('"'))).unwrap_or(Method::Sft)
}

fn open(text: &str, name: &str) -> Result<(DocumentMut, &'static RecipeKey), Issue> {
    let document = text.parse::<DocumentMut>();
    let document =
        document.map_err(|error| refused("", format!("this is not valid TOML: {}", error.message())))?;
    let key = keys::key(name).ok_or_else(|| refused(name, check::unknown_key(name)))?;
    Ok((document, key))
}

fn refused(key: &str, message: String) -> Issue {
    Issue { key: key.to_owned(), line: None, message }
}

fn section<'a>(top: &'a mut Table, key: &RecipeKey) -> Result<&'a mut Table, Issue> {
    if key.section().is_empty() {
        return Ok(top);
    }
    let item = top.entry(key.section()).or_insert_with(|| Item::Table(Table::new()));
    if let Some(inline) = item.as_inline_table() {
        *item = Item::Table(inline.clone().into_table());
    }
    item.as_table_mut().ok_or_else(|| refused(key.name, format!("`{}` is no section", key.section())))
}

/// Prints every key that has a value, in the table's order.
pub(super) fn print(recipe: &Recipe) -> String {
    let whole = serde_json::to_value(recipe).unwrap_or_default();
    let mut lines = String::new();
    let mut section = "";
    for key in keys::keys() {
        let place = if key.section().is_empty() { Some(&whole) } else { whole.get(key.section()) };
        let Some(value) = place.and_then(|place| place.get(key.short())).filter(|value| !value.is_null())
        else {
            continue;
        };
        if key.section() != section {
            section = key.section();
            lines.extend(["\n[", section, "]\n"]);
        }
        lines.extend([key.short(), " = ", &written(value).to_string(), "\n"]);
    }
    lines
}

/// As a person writes it: `32`, where the type would allow `32.5`.
fn written(value: &Value) -> toml_edit::Value {
    let whole = value.as_f64().filter(|number| number.fract() == 0.0 && number.abs() < 1e15);
    whole.map_or_else(|| toml_value(value), |number| toml_edit::Value::from(number as i64))
}

fn toml_value(value: &Value) -> toml_edit::Value {
    match value {
        Value::Null => toml_edit::Value::from(""),
        Value::Bool(flag) => toml_edit::Value::from(*flag),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => toml_edit::Value::from(whole),
            None => toml_edit::Value::from(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::String(text) => toml_edit::Value::from(text.as_str()),
        Value::Array(list) => toml_edit::Value::Array(list.iter().map(toml_value).collect::<Array>()),
        Value::Object(fields) => {
            let pairs = fields.iter().map(|(name, value)| (name.as_str(), toml_value(value)));
            toml_edit::Value::InlineTable(pairs.collect::<InlineTable>())
        }
    }
}
