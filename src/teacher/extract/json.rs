//! A loosely read value as JSON, where all of it was there.

use serde_json::{Map, Value};

use super::loose::Loose;

/// Nothing for a value whose end is missing: it may have been cut.
pub(super) fn value(loose: &Loose) -> Option<Value> {
    match loose {
        Loose::Text { text, closed } => closed.then(|| Value::String(text.clone())),
        Loose::Bare { text, closed } => closed.then(|| {
            let plain = serde_json::from_str::<Value>(text.trim());
            plain.unwrap_or_else(|_| Value::String(text.trim().to_owned()))
        }),
        Loose::List(items) => items.iter().map(value).collect::<Option<Vec<_>>>().map(Value::Array),
        Loose::Object(object) => {
            let pair = |(key, inside): &(String, Loose)| Some((key.clone(), value(inside)?));
            let pairs: Option<Map<String, Value>> = object.pairs.iter().map(pair).collect();
            pairs.filter(|_| object.whole).map(Value::Object)
        }
    }
}
