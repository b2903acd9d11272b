//! JSON that stands as a text inside a row: turns, the calls of tools and their arguments. Nothing of it is read so that
//! it would be written otherwise. Where Python printed it, it is taken for what it would be as JSON.

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value;

use super::exact::{self, COMPUTED, make_number, write_row};
pub(crate) use super::python::is_of_python;
use super::{python, twice};

/// Reads JSON that holds turns or calls. As in the row itself, what is computed with is a number; but the
/// arguments of a call with a number that would come back otherwise are their own text, as `OpenAI` writes them.
///
/// # Errors
/// As JSON's own, and where an object has a key twice.
pub(crate) fn parse(text: &str) -> serde_json::Result<Value> {
    let text = &*json_of(text);
    let (mut value, numbers) = exact::parse(text.as_bytes())?;
    let mut rest = numbers.as_slice();
    while let Some(pointer) = rest.first() {
        let arguments = arguments_of(pointer);
        let inside = |number: &&String| arguments.is_some_and(|arguments| number.starts_with(arguments));
        let count = rest.iter().take_while(inside).count().max(1);
        let (these, others) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        rest = others;
        match arguments {
            Some(arguments) => close(&mut value, arguments, these)?,
            None if pointer.split('/').any(|part| COMPUTED.contains(&part)) => {
                // What doesn't fit stays a text, which whoever needs a number refuses.
                let _ = make_number(value.pointer_mut(pointer));
            }
            None => {}
        }
    }
    Ok(value)
}

/// A list or an object as JSON, where Python printed it (`[{'role': 'user'}]`, as tables hold it); any other text as it is.
pub(crate) fn json_of(text: &str) -> Cow<'_, str> {
    if !is_of_python(text) || serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return Cow::Borrowed(text);
    }
    python::to_json(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The place of the outermost arguments that a pointer leads into, with the slash behind it. Llama and its kin call them
/// parameters, as a tool's description calls what it takes.
fn arguments_of(pointer: &str) -> Option<&str> {
    const NAMES: [&str; 2] = ["/arguments/", "/parameters/"];
    let end = NAMES.iter().filter_map(|name| Some(pointer.find(name)? + name.len())).min()?;
    let place = pointer.get(..end)?;
    let is_tool = place.split('/').any(|part| ["tools", "functions"].contains(&part));
    (!is_tool).then_some(place)
}

/// Makes a value its own text.
fn close(value: &mut Value, place: &str, numbers: &[String]) -> serde_json::Result<()> {
    let place = place.trim_end_matches('/');
    let Some(Value::Object(fields)) = value.pointer(place) else { return Ok(()) };
    let own: Vec<String> = numbers.iter().filter_map(|n| Some(n.strip_prefix(place)?.to_owned())).collect();
    let text = write_row(fields, &own)?;
    if let Some(value) = value.pointer_mut(place) {
        *value = Value::String(text);
    }
    Ok(())
}

/// An object in a text, if it would be written again with the same keys and numbers.
///
/// # Errors
/// Says what would be lost.
pub(crate) fn open(text: &str) -> Result<Value, String> {
    let (value, numbers) = exact::parse(text.as_bytes()).map_err(|error| why(&error))?;
    match numbers.first().and_then(|pointer| value.pointer(pointer)?.as_str()) {
        Some(number) => Err(format!("the number {number}")),
        None => Ok(value),
    }
}

/// An object in a text as Python reads it, if its numbers fit into 64 bits and no key is there twice.
pub(crate) fn read(text: &str) -> Option<Value> {
    python(text).ok()
}

/// The same, or what can't be read so.
///
/// # Errors
/// Says what is no JSON, or would be lost.
pub(crate) fn python(text: &str) -> Result<Value, String> {
    let (mut value, numbers) = exact::parse(text.as_bytes()).map_err(|error| why(&error))?;
    for pointer in &numbers {
        if make_number(value.pointer_mut(pointer)).is_none() {
            let number = value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            return Err(format!("the number {number}, which does not fit into 64 bits"));
        }
    }
    Ok(value)
}

/// That a key is there twice, where this is what is wrong.
pub(crate) fn twice(error: &serde_json::Error) -> Option<String> {
    twice::sentence(error)
}

/// What is wrong with a text that should be JSON.
fn why(error: &serde_json::Error) -> String {
    if twice::is_told(error) { "a key twice".to_owned() } else { format!("no JSON ({error})") }
}
