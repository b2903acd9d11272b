//! Numbers that JSON's own can't hold, in what turns have beside role and content: a record has them as texts, and they are
//! written again as the numbers that the imported row has.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::data::mapping::TURN_EXTRA;
use crate::data::rows::{inside, parse_value};
use crate::domain::record::Record;

/// What is a text in every turn, also if the data has a number there.
const IS_TEXT: [&str; 2] = ["role", "content"];

/// Where below its turn a number stands (`meta/0/n`), and how it is written.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct HeldNumbers(BTreeSet<(String, String)>);

impl HeldNumbers {
    /// Those of a record's row, also of turns that are JSON in a text there.
    pub(super) fn of(record: &Record) -> Self {
        if record.turns().all(|turn| turn.extra.is_empty()) {
            return Self::default();
        }
        let mut held = BTreeSet::new();
        if !record.numbers.is_empty() {
            add(&Value::Object(record.fields.clone()), &record.numbers, &mut held);
        }
        for text in record.fields.values().flat_map(texts) {
            if let Ok((value, numbers)) = parse_value(inside::json_of(text).as_bytes()) {
                // As the one entry of a list, so that a turn's own keys have an index before them too.
                let numbers: Vec<String> = numbers.iter().map(|pointer| format!("/0{pointer}")).collect();
                add(&Value::Array(vec![value]), &numbers, &mut held);
            }
        }
        Self(held)
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The places of an object with lists of turns in which a text stands for a number, in its order.
    pub(super) fn places(&self, object: &Map<String, Value>) -> Vec<String> {
        let mut places = Vec::new();
        for (name, value) in object.iter().filter(|_| !self.is_empty()) {
            let pointer = format!("/{}", escaped(name));
            for (turn, index) in value.as_array().into_iter().flatten().zip(0..) {
                let extra = turn
                    .as_object()
                    .into_iter()
                    .flatten()
                    .filter(|(key, _)| !IS_TEXT.contains(&key.as_str()));
                for (key, value) in extra {
                    let key = escaped(key);
                    self.find(value, &format!("{pointer}/{index}/{key}"), &key, &mut places);
                }
            }
        }
        places
    }

    /// The same of what one turn has beside role and content.
    pub(super) fn places_in_turn(&self, extra: &Map<String, Value>) -> Vec<String> {
        let mut places = Vec::new();
        for (name, value) in extra.iter().filter(|_| !self.is_empty()) {
            let name = escaped(name);
            self.find(value, &format!("/{name}"), &name, &mut places);
        }
        places
    }

    fn find(&self, value: &Value, pointer: &str, below: &str, places: &mut Vec<String>) {
        match value {
            Value::String(text) if self.0.contains(&(below.to_owned(), text.clone())) => {
                places.push(pointer.to_owned());
            }
            Value::Array(items) => {
                for (item, index) in items.iter().zip(0..) {
                    self.find(item, &format!("{pointer}/{index}"), &format!("{below}/{index}"), places);
                }
            }
            Value::Object(keys) => {
                for (name, item) in keys {
                    let name = escaped(name);
                    self.find(item, &format!("{pointer}/{name}"), &format!("{below}/{name}"), places);
                }
            }
            Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// The texts of a cell that may be turns as JSON, or what they have beside role and content.
fn texts(cell: &Value) -> Vec<&str> {
    let extras = cell.as_array().into_iter().flatten().filter_map(|turn| turn.get(TURN_EXTRA)?.as_str());
    cell.as_str().filter(|text| text.starts_with(['[', '{'])).into_iter().chain(extras).collect()
}

/// Adds the numbers at some places of a value, by what is behind the first index: that of a turn.
fn add(value: &Value, pointers: &[String], held: &mut BTreeSet<(String, String)>) {
    let is_index = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    for pointer in pointers {
        let Some(text) = value.pointer(pointer).and_then(Value::as_str) else { continue };
        let parts: Vec<&str> = pointer.split('/').collect();
        // A cell may be a list of turns, and its text one too.
        let behind = parts.iter().enumerate().filter(|(_, part)| is_index(part)).map(|(at, _)| at + 1);
        for from in behind.take(2) {
            if let Some(below) = parts.get(from..).filter(|below| !below.is_empty()) {
                held.insert((below.join("/"), text.to_owned()));
            }
        }
    }
}

fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
