//! A request's JSON, read so that it means one thing: a key that an object has twice is found, wherever it is. Of two
//! values the last would hold without a word. Knows no field.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Why a text isn't the JSON of one value.
pub(crate) enum Unclear {
    /// An object has a key twice; this is its place.
    Doubled(String),
    Invalid(serde_json::Error),
}

/// The value of a text in which no object has a key twice.
pub(crate) fn parse(text: &[u8]) -> Result<Value, Unclear> {
    let doubled = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(text);
    let read = ValueReader { place: &JsonPlace::Top, doubled: &doubled }.deserialize(&mut reader);
    let read = read.and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| doubled.take().map_or(Unclear::Invalid(error), Unclear::Doubled))
}

/// Where a value is; it is written down only if something is wrong there.
enum JsonPlace<'p> {
    Top,
    Key(&'p Self, &'p str),
    Item(&'p Self, usize),
}

impl fmt::Display for JsonPlace<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Top => Ok(()),
            Self::Key(Self::Top, key) => out.write_str(key),
            Self::Key(within, key) => write!(out, "{within}.{key}"),
            Self::Item(within, index) => write!(out, "{within}[{index}]"),
        }
    }
}

/// Reads the value of one place.
struct ValueReader<'r> {
    place: &'r JsonPlace<'r>,
    doubled: &'r RefCell<Option<String>>,
}

impl<'de> DeserializeSeed<'de> for ValueReader<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueReader<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Value, E> {
        Ok(Value::String(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        loop {
            let place = JsonPlace::Item(self.place, values.len());
            let Some(value) = items.next_element_seed(ValueReader { place: &place, ..self })? else {
                return Ok(Value::Array(values));
            };
            values.push(value);
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            let place = JsonPlace::Key(self.place, &key);
            if values.contains_key(&key) {
                *self.doubled.borrow_mut() = Some(place.to_string());
                return Err(A::Error::custom("a key is there twice"));
            }
            let value = fields.next_value_seed(ValueReader { place: &place, ..self })?;
            values.insert(key, value);
        }
        Ok(Value::Object(values))
    }
}
