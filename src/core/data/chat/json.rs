//! `tojson`, as Python writes it.

use std::io::{Result, Write};

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind};
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use super::python::float;

/// Spaces that one level is indented by; more is nobody's wish.
const WIDEST: usize = 64;

/// `json.dumps` as transformers has it in templates: `tojson(value, ensure_ascii=False, indent=None, separators=None,
/// sort_keys=False)`.
#[expect(clippy::needless_pass_by_value, reason = "the form that the template engine asks for")]
pub(super) fn to_json(
    value: &Value,
    ensure_ascii: Option<Value>,
    indent: Option<Value>,
    separators: Option<Value>,
    named: Kwargs,
) -> std::result::Result<String, Error> {
    let option = |given: Option<Value>, name: &str| -> std::result::Result<Option<Value>, Error> {
        let value = match given {
            Some(value) => Some(value),
            None => named.get(name)?,
        };
        Ok(value.filter(|value| !value.is_none() && !value.is_undefined()))
    };
    let is_set = |value: Option<Value>| value.is_some_and(|value| value.is_true());
    let characters =
        if is_set(option(ensure_ascii, "ensure_ascii")?) { Characters::Ascii } else { Characters::All };
    let indent = option(indent, "indent")?.map(indent_of).transpose()?;
    let separators = option(separators, "separators")?;
    let keys_sorted = is_set(option(None, "sort_keys")?);
    if let Err(error) = named.assert_all_used() {
        let told = format!("tojson: {}", error.detail().unwrap_or("an option that it doesn't have"));
        return Err(Error::new(ErrorKind::TooManyArguments, told));
    }
    let separators = match separators {
        Some(separators) => pair(&separators)?,
        None => (if indent.is_some() { "," } else { ", " }.to_owned(), ": ".to_owned()),
    };
    let style =
        Style { characters, indent: indent.as_deref(), separators: &separators, level: 0, is_empty: true };
    let mut bytes = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut bytes, style);
    let written =
        if keys_sorted { sorted(value).serialize(&mut serializer) } else { value.serialize(&mut serializer) };
    written.map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string())).and_then(|()| {
        String::from_utf8(bytes).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    })
}

/// What one level is indented by: so many spaces, or a text.
fn indent_of(value: Value) -> std::result::Result<String, Error> {
    let indent = if let Some(text) = value.as_str() {
        text.to_owned()
    } else {
        let huge = value.is_number().then_some(i64::MAX);
        let width = i64::try_from(value).or_else(|error| huge.ok_or(error))?;
        " ".repeat(usize::try_from(width).unwrap_or_default().min(WIDEST + 1))
    };
    if indent.len() > WIDEST {
        let told = format!("tojson takes an indent of up to {WIDEST}");
        return Err(Error::new(ErrorKind::InvalidOperation, told));
    }
    Ok(indent)
}

/// What stands between two values, and behind a key.
fn pair(separators: &Value) -> std::result::Result<(String, String), Error> {
    let texts: Vec<Value> = separators.try_iter()?.collect();
    match texts.as_slice() {
        [item, key] => item.as_str().zip(key.as_str()).map(|(item, key)| (item.to_owned(), key.to_owned())),
        _ => None,
    }
    .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "tojson takes two texts as its separators"))
}

/// A value with the keys of every mapping in their order.
fn sorted(value: &Value) -> Value {
    let items = || value.try_iter().into_iter().flatten();
    match value.kind() {
        ValueKind::Map => {
            let mut keys: Vec<Value> = items().collect();
            keys.sort();
            let inside = |key: Value| {
                let own = value.get_item(&key).unwrap_or_default();
                (key, sorted(&own))
            };
            Value::from_pairs(keys.into_iter().map(inside))
        }
        ValueKind::Seq => items().map(|item| sorted(&item)).collect(),
        _ => value.clone(),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Characters {
    All,
    /// Others are written as their numbers.
    Ascii,
}

/// How Python lays out JSON.
struct Style<'a> {
    characters: Characters,
    indent: Option<&'a str>,
    separators: &'a (String, String),
    level: usize,
    /// Nothing is written yet of the list or mapping that is open.
    is_empty: bool,
}

impl Style<'_> {
    fn begin<W: ?Sized + Write>(&mut self, out: &mut W, sign: &[u8]) -> Result<()> {
        self.level += 1;
        self.is_empty = true;
        out.write_all(sign)
    }

    fn end<W: ?Sized + Write>(&mut self, out: &mut W, sign: &[u8]) -> Result<()> {
        self.level = self.level.saturating_sub(1);
        if !self.is_empty {
            self.line(out)?;
        }
        out.write_all(sign)
    }

    fn begin_item<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        if !first {
            out.write_all(self.separators.0.as_bytes())?;
        }
        self.line(out)
    }

    fn line<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        let Some(indent) = self.indent else { return Ok(()) };
        out.write_all(b"\n")?;
        (0..self.level).try_for_each(|_| out.write_all(indent.as_bytes()))
    }
}

impl Formatter for Style<'_> {
    fn write_f64<W: ?Sized + Write>(&mut self, out: &mut W, number: f64) -> Result<()> {
        out.write_all(float(number).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + Write>(&mut self, out: &mut W, fragment: &str) -> Result<()> {
        if self.characters == Characters::All {
            return out.write_all(fragment.as_bytes());
        }
        for character in fragment.chars() {
            let mut units = [0; 2];
            match character {
                ' '..='~' => write!(out, "{character}")?,
                _ => {
                    for unit in character.encode_utf16(&mut units) {
                        write!(out, "\\u{unit:04x}")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.begin(out, b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.end(out, b"]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.begin_item(out, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        self.is_empty = false;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.begin(out, b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        self.end(out, b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> Result<()> {
        self.begin_item(out, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> Result<()> {
        out.write_all(self.separators.1.as_bytes())
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> Result<()> {
        self.is_empty = false;
        Ok(())
    }
}
