//! Keys that stand twice in an object. JSON's own reader keeps the last value and drops the others without a word.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// How the error ends, by which it is known.
const TOLD: &str = "is there twice";

/// Fails where a value has fewer keys than its text. `members` are those of the text; it is read again only to find the
/// key's name.
///
/// # Errors
/// Names the key.
pub(super) fn check(value: &Value, members: usize, bytes: &[u8]) -> serde_json::Result<()> {
    if members == 0 || members == entries(value) {
        return Ok(());
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Err(Unique
        .deserialize(&mut reader)
        .err()
        .filter(is_told)
        .unwrap_or_else(|| Error::custom(format!("a key {TOLD}"))))
}

/// Whether an error says that a key is there twice.
pub(super) fn is_told(error: &serde_json::Error) -> bool {
    sentence(error).is_some()
}

/// The sentence about the key, without the place in the text.
pub(super) fn sentence(error: &serde_json::Error) -> Option<String> {
    let told = error.to_string();
    told.find(TOLD).and_then(|at| told.get(..at + TOLD.len())).map(str::to_owned)
}

/// How many keys with values a value has, after those that stand twice became one.
fn entries(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(entries).sum(),
        Value::Object(fields) => fields.len() + fields.values().map(entries).sum::<usize>(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// Reads a value and keeps nothing, but fails at a key that is there twice.
struct Unique;

impl<'de> DeserializeSeed<'de> for Unique {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(Self)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut known = HashSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            if known.contains(&name) {
                return Err(A::Error::custom(format!("the key {name:?} {TOLD}")));
            }
            known.insert(name);
            entries.next_value_seed(Self)?;
        }
        Ok(())
    }
}
