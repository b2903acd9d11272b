//! Values as Python prints them, where the template engine prints them otherwise.

use std::fmt::{self, Write};

use anyhow::{Result, bail};
use minijinja::value::{Value, ValueKind};
use minijinja::{Error, Output, State, escape_formatter};

use crate::domain::message::Conversation;

/// What `{{ value }}` writes.
pub(super) fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if is_own(value) { Ok(write(value, out)?) } else { escape_formatter(out, state, value) }
}

/// The filter `string`.
pub(super) fn string(value: &Value) -> Value {
    if value.kind() == ValueKind::String {
        return value.clone();
    }
    if !is_own(value) {
        return Value::from(value.to_string());
    }
    let mut text = String::new();
    match write(value, &mut text) {
        Ok(()) => Value::from(text),
        Err(error) => Value::from(Error::from(error)),
    }
}

/// A number as Python's `repr` writes it: the fewest digits that say it, with an exponent of two digits at least from
/// 1e16 on and below 1e-4.
pub(super) fn float(number: f64) -> String {
    let short = format!("{number:e}");
    let (digits, exponent) = short.split_once('e').unwrap_or((&short, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    let plain = number.to_string();
    if plain.contains('.') { plain } else { format!("{plain}.0") }
}

/// Whether a value may be printed otherwise by the template engine.
fn is_own(value: &Value) -> bool {
    match value.kind() {
        ValueKind::Number => as_float(value).is_some(),
        ValueKind::Seq | ValueKind::Map => true,
        _ => false,
    }
}

fn as_float(value: &Value) -> Option<f64> {
    let float = value.is_number() && !value.is_integer();
    f64::try_from(value.clone()).ok().filter(|number| float && number.is_finite())
}

/// As `repr` does, which for what [`is_own`] is what `str` does.
fn write(value: &Value, out: &mut dyn Write) -> fmt::Result {
    let items = || value.try_iter().into_iter().flatten();
    match value.kind() {
        ValueKind::Number => match as_float(value) {
            Some(number) => out.write_str(&float(number)),
            None => write!(out, "{value}"),
        },
        ValueKind::String => write_text(value.as_str().unwrap_or_default(), out),
        ValueKind::Undefined => out.write_str("Undefined"),
        ValueKind::Seq => {
            let is_tuple = value.is_tuple() || is_group(value);
            let (open, close) = if is_tuple { ('(', ")") } else { ('[', "]") };
            out.write_char(open)?;
            let mut count = 0;
            for item in items() {
                separate(count, out)?;
                write(&item, out)?;
                count += 1;
            }
            out.write_str(if is_tuple && count == 1 { ",)" } else { close })
        }
        ValueKind::Map => {
            out.write_char('{')?;
            for (count, key) in items().enumerate() {
                separate(count, out)?;
                write(&key, out)?;
                out.write_str(": ")?;
                write(&value.get_item(&key).unwrap_or_default(), out)?;
            }
            out.write_char('}')
        }
        _ => write!(out, "{value:?}"),
    }
}

/// What the filter `groupby` gives is a tuple with names.
fn is_group(value: &Value) -> bool {
    value.get_attr("grouper").is_ok_and(|grouper| !grouper.is_undefined())
}

fn separate(count: usize, out: &mut dyn Write) -> fmt::Result {
    if count == 0 { Ok(()) } else { out.write_str(", ") }
}

/// A text in quotes.
fn write_text(text: &str, out: &mut dyn Write) -> fmt::Result {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.write_char(quote)?;
    for character in text.chars() {
        match character {
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            '\\' => out.write_str("\\\\")?,
            _ if character == quote => write!(out, "\\{quote}")?,
            _ if is_printable(character) => out.write_char(character)?,
            '\0'..='\u{FF}' => write!(out, "\\x{:02x}", u32::from(character))?,
            '\u{100}'..='\u{FFFF}' => write!(out, "\\u{:04x}", u32::from(character))?,
            _ => write!(out, "\\U{:08x}", u32::from(character))?,
        }
    }
    out.write_char(quote)
}

/// The marks that stand in a text while it is made are none of its characters, so that they have to come through.
fn is_printable(character: char) -> bool {
    if ('\u{FDD0}'..='\u{FDEF}').contains(&character) || matches!(character, '\'' | '"') {
        return true;
    }
    // Behind another character, one that joins it stands as it is.
    let mut text = String::from("a");
    text.push(character);
    text.escape_debug().eq(text.chars())
}

/// Refuses a rendering with a number that Python writes otherwise: what puts texts together, as `~` does, has its own way.
///
/// # Errors
/// Names the number.
pub(super) fn check_numbers(text: &str, conversation: Conversation<'_>) -> Result<()> {
    let Conversation { messages, tools, settings } = conversation;
    let extra = messages.iter().flat_map(|message| message.extra.values());
    let beside = || extra.clone().chain(tools).chain(settings.into_iter().flat_map(serde_json::Map::values));
    let mut numbers = Vec::new();
    beside().for_each(|value| far_numbers(value, &mut numbers));
    for number in numbers {
        let other = [Value::from(number).to_string(), format!("{number:?}")];
        let Some(shown) = other.iter().find(|other| text.contains(other.as_str())) else { continue };
        let said = messages.iter().any(|message| message.content.contains(shown.as_str()))
            || beside().any(|value| says(value, shown));
        if !said {
            bail!(
                "the model's chat template writes the number {} as {shown}, which transformers doesn't (it joins it with a \
                 text by ~ or join); write the number as a text, or use a model whose template writes it by tojson",
                float(number)
            );
        }
    }
    Ok(())
}

/// The numbers that Python writes with an exponent.
fn far_numbers(value: &serde_json::Value, found: &mut Vec<f64>) {
    match value {
        serde_json::Value::Number(number) if number.is_f64() => {
            found.extend(number.as_f64().filter(|number| float(*number).contains('e')));
        }
        serde_json::Value::Array(values) => values.iter().for_each(|value| far_numbers(value, found)),
        serde_json::Value::Object(map) => map.values().for_each(|value| far_numbers(value, found)),
        serde_json::Value::Null
        | serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::String(_) => {}
    }
}

/// Whether a text in a value has another in it.
fn says(value: &serde_json::Value, shown: &str) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains(shown),
        serde_json::Value::Array(values) => values.iter().any(|value| says(value, shown)),
        serde_json::Value::Object(map) => {
            map.iter().any(|(key, value)| key.contains(shown) || says(value, shown))
        }
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => false,
    }
}
