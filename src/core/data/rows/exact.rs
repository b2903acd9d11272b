//! JSON whose numbers come back as they were written.
//!
//! JSON's own numbers here are 64 bits wide: `1180591620717411303424`, `1e400` and `0.10000000000000000555` don't fit,
//! and `1.10`, `1e5` or `-0` would be written otherwise. Such a number is held as a text, and its place (a JSON pointer,
//! RFC 6901) beside the row, so that the row is written again as it was. Every other number is a number (`serde_json`'s
//! `float_roundtrip` reads them to the last digit).

use std::borrow::Cow;
use std::ops::Range;

use serde_json::{Number, Value};

use super::twice;
use crate::domain::record::Fields;

/// Where in a row a text stands for a number: JSON pointers, in the row's order.
pub type Numbers = Vec<String>;

/// Whole numbers of so many digits fit into 64 bits whatever they are.
const SAFE_DIGITS: usize = 18;

/// What a held number is called between the scan and the walk over the values.
const MARK: &str = "\u{F8FE}number ";

/// Below these names a number is a number: they are handed to a chat template, which computes and writes as Python
/// does.
pub(super) const COMPUTED: [&str; 11] = [
    "tools",
    "tool_calls",
    "functions",
    "function_call",
    "function",
    "arguments",
    "parameters",
    "weight",
    "train",
    "prompt_turns",
    "chat_template_kwargs",
];

/// Reads a value.
///
/// # Errors
/// As JSON's own, and where an object has a key twice, of which only one value would be kept.
pub(crate) fn parse(bytes: &[u8]) -> serde_json::Result<(Value, Numbers)> {
    let Scanned { held, members } = scan(bytes);
    if held.is_empty() {
        let value = serde_json::from_slice(bytes)?;
        twice::check(&value, members, bytes)?;
        return Ok((value, Numbers::new()));
    }
    let mut marked = Vec::with_capacity(bytes.len() + held.len() * 24);
    let mut end = 0;
    for range in &held {
        marked.extend_from_slice(bytes.get(end..range.start).unwrap_or_default());
        marked.extend_from_slice(format!("\"{MARK}{}\"", range.start).as_bytes());
        end = range.end;
    }
    marked.extend_from_slice(bytes.get(end..).unwrap_or_default());
    let Ok(mut value) = serde_json::from_slice(&marked) else {
        // What is wrong is told by its place in the text as it is; numbers alone make nothing wrong.
        return Err(serde_json::from_slice::<Value>(bytes)
            .err()
            .unwrap_or_else(|| serde::de::Error::custom("a number stands where none should")));
    };
    twice::check(&value, members, bytes)?;
    let mut numbers = Numbers::new();
    name_numbers(&mut value, &mut String::new(), bytes, &held, &mut numbers);
    Ok((value, numbers))
}

/// Reads an object, as a session keeps a row.
///
/// # Errors
/// As JSON's own, and where it is no object.
pub fn parse_row(text: &str) -> serde_json::Result<(Fields, Numbers)> {
    match parse(text.as_bytes())? {
        (Value::Object(fields), numbers) => Ok((fields, numbers)),
        (other, _) => serde_json::from_value(other).map(|fields| (fields, Numbers::new())),
    }
}

/// Writes a row, its numbers as they were.
///
/// # Errors
/// As JSON's own.
pub fn write_row(fields: &Fields, numbers: &[String]) -> serde_json::Result<String> {
    if numbers.is_empty() {
        return serde_json::to_string(fields);
    }
    let mut writer = ExactWriter { out: String::new(), pointer: String::new(), numbers: numbers.iter() };
    writer.object(fields);
    Ok(writer.out)
}

/// The row as a mapping reads it: a number that is held is a text, but for what is computed with. `None` where the row
/// already is so.
///
/// # Errors
/// Names a number that is computed with and that 64 bits can't hold.
pub(crate) fn computable(fields: &Fields, numbers: &[String]) -> Result<Option<Fields>, String> {
    let is_computed = |pointer: &&String| pointer.split('/').any(|part| COMPUTED.contains(&part));
    let mut own = None;
    for pointer in numbers.iter().filter(is_computed) {
        let own = own.get_or_insert_with(|| fields.clone());
        let Some((column, rest)) = split_pointer(pointer) else { continue };
        let Some(value) = own.get_mut(&column).and_then(|cell| cell.pointer_mut(rest)) else { continue };
        if make_number(Some(value)).is_none() {
            let text = value.as_str().unwrap_or_default();
            return Err(format!("the number {text} in column {column:?} does not fit into 64 bits"));
        }
    }
    Ok(own)
}

/// Makes a held number a number again, if it fits into 64 bits.
pub(super) fn make_number(held: Option<&mut Value>) -> Option<()> {
    let value = held?;
    let text = value.as_str()?;
    let is_float = text.contains(['.', 'e', 'E']);
    // Python's whole numbers have no sign of nothing.
    let text = if text == "-0" { "0" } else { text };
    let number = text.parse::<Number>().ok().filter(|number| is_float || !number.is_f64())?;
    *value = Value::Number(number);
    Some(())
}

/// A pointer's first part, unescaped, and the rest.
fn split_pointer(pointer: &str) -> Option<(String, &str)> {
    let inside = pointer.strip_prefix('/')?;
    let end = inside.find('/').unwrap_or(inside.len());
    let (first, rest) = inside.split_at_checked(end)?;
    Some((first.replace("~1", "/").replace("~0", "~"), rest))
}

/// What a look at a JSON text finds before it is parsed.
#[derive(Default)]
struct Scanned {
    /// The numbers that would not come back as they are.
    held: Vec<Range<usize>>,
    /// Keys with values in its objects: each is followed by a colon.
    members: usize,
}

fn scan(bytes: &[u8]) -> Scanned {
    let Scanned { mut held, mut members } = Scanned::default();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => at = end_of_text(bytes, at + 1),
            b'-' | b'0'..=b'9' => {
                let in_number = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
                let rest = bytes.get(at..).unwrap_or_default();
                let length = rest.iter().position(|byte| !in_number(byte)).unwrap_or(rest.len());
                if is_held(rest.get(..length).unwrap_or_default()) {
                    held.push(at..at + length);
                }
                at += length;
            }
            _ => {
                members += usize::from(*byte == b':');
                at += 1;
            }
        }
    }
    Scanned { held, members }
}

/// Behind the quote that closes a text.
pub(super) fn end_of_text(bytes: &[u8], from: usize) -> usize {
    let mut at = from;
    while let Some(found) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if bytes.get(at) == Some(&b'"') {
            return at + 1;
        }
        // A backslash, and what it is for.
        at += 2;
    }
    bytes.len()
}

fn is_held(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    let plain = digits.iter().all(u8::is_ascii_digit) && digits.first().is_some_and(|digit| *digit != b'0');
    if plain && digits.len() <= SAFE_DIGITS || number == b"0" {
        return false;
    }
    let Ok(text) = std::str::from_utf8(number) else { return false };
    is_number(text) && text.parse::<Number>().map_or(true, |number| number.to_string() != text)
}

/// Whether a text is a number by JSON's grammar.
fn is_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) =
        text.split_once(['e', 'E']).map_or((text, None), |(mantissa, exponent)| (mantissa, Some(exponent)));
    let (whole, fraction) =
        mantissa.split_once('.').map_or((mantissa, None), |(whole, fraction)| (whole, Some(fraction)));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// Puts the numbers' own texts where their marks stand, and notes the places.
fn name_numbers(
    value: &mut Value,
    pointer: &mut String,
    bytes: &[u8],
    held: &[Range<usize>],
    numbers: &mut Numbers,
) {
    let length = pointer.len();
    match value {
        Value::String(text) => {
            let start = text.strip_prefix(MARK).and_then(|start| start.parse::<usize>().ok());
            // A text of the file that looks like a mark names no number, or one that is there.
            let found = start.and_then(|start| held.binary_search_by_key(&start, |range| range.start).ok());
            let range = found.and_then(|index| held.get(index));
            let number = range.and_then(|range| std::str::from_utf8(bytes.get(range.clone())?).ok());
            if let Some(number) = number {
                number.clone_into(text);
                numbers.push(pointer.clone());
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter_mut().enumerate() {
                pointer.push_str(&format!("/{index}"));
                name_numbers(item, pointer, bytes, held, numbers);
                pointer.truncate(length);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields.iter_mut() {
                push_name(pointer, name);
                name_numbers(item, pointer, bytes, held, numbers);
                pointer.truncate(length);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn push_name(pointer: &mut String, name: &str) {
    let name = if name.contains(['~', '/']) {
        Cow::Owned(name.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(name)
    };
    pointer.push('/');
    pointer.push_str(&name);
}

/// Writes values, and knows which of the numbers comes next: they are in the row's order.
struct ExactWriter<'a> {
    out: String,
    pointer: String,
    numbers: std::slice::Iter<'a, String>,
}

impl ExactWriter<'_> {
    fn object(&mut self, fields: &Fields) {
        let length = self.pointer.len();
        self.out.push('{');
        for (index, (name, value)) in fields.iter().enumerate() {
            if index > 0 {
                self.out.push(',');
            }
            self.out.push_str(&Value::String(name.clone()).to_string());
            self.out.push(':');
            push_name(&mut self.pointer, name);
            self.value(value);
            self.pointer.truncate(length);
        }
        self.out.push('}');
    }

    fn value(&mut self, value: &Value) {
        let length = self.pointer.len();
        let next = self.numbers.as_slice().first();
        let inside = next.is_some_and(|number| number.starts_with(&self.pointer));
        match value {
            Value::String(text) if next == Some(&self.pointer) => {
                self.numbers.next();
                if is_number(text) {
                    self.out.push_str(text);
                } else {
                    self.out.push_str(&value.to_string());
                }
            }
            Value::Object(fields) if inside => self.object(fields),
            Value::Array(items) if inside => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.out.push(',');
                    }
                    self.pointer.push_str(&format!("/{index}"));
                    self.value(item);
                    self.pointer.truncate(length);
                }
                self.out.push(']');
            }
            other => self.out.push_str(&other.to_string()),
        }
    }
}
