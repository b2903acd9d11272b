//! Columns that play no part: whatever stands in them, the record is the same. Found by trying, on the first rows that
//! have something in a column, so that no list of names has to be kept for it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::data::mapping::RowMapping;
use crate::domain::message::is_unseen;
use crate::domain::record::Fields;

/// Rows in which a column is tried.
const TRIES: u8 = 4;
/// Columns that are tried: a file may have a name for each row.
const MOST: usize = 256;
/// A row of more bytes than this is tried once.
const LARGE: usize = 1 << 18;
/// Columns that a sentence names.
const NAMED: usize = 24;

/// What is known of the columns of an import.
#[derive(Debug, Default)]
pub(in crate::data) struct Idle {
    columns: BTreeMap<String, Known>,
    /// The columns of the last row of which nothing is left to find out.
    settled: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Plays,
    /// In so many rows it changed nothing.
    Idle(u8),
}

impl Known {
    const fn is_settled(self) -> bool {
        matches!(self, Self::Plays | Self::Idle(TRIES..))
    }
}

impl Idle {
    /// Takes in a row that is a record.
    pub(in crate::data) fn look(&mut self, rows: &RowMapping, fields: &Fields, numbers: &[String]) {
        if !rows.learns() || self.settled.len() == fields.len() && self.settled.iter().eq(fields.keys()) {
            return;
        }
        let open: Vec<&String> = fields
            .keys()
            .filter(|name| !self.columns.get(*name).is_some_and(|known| known.is_settled()))
            .collect();
        if open.is_empty() {
            self.settled = fields.keys().cloned().collect();
            return;
        }
        let Ok((record, _)) = rows.read(fields, numbers) else { return };
        let tries = if size(fields) > LARGE { TRIES } else { 1 };
        for name in open {
            let Some(value) = fields.get(name).filter(|value| says(value)) else { continue };
            if !self.columns.contains_key(name) && self.columns.len() == MOST {
                continue;
            }
            let is_same = |other: Option<Value>| {
                let mut changed = fields.clone();
                match other {
                    None => drop(changed.shift_remove(name)),
                    Some(other) => drop(changed.insert(name.clone(), other)),
                }
                let read = rows.read(&changed, numbers);
                rows.excluded(&changed).is_none() && read.is_ok_and(|(other, _)| other == record)
            };
            let others = [None, Some(another(value, "no")), Some(another(value, "rejected"))];
            let idle = !rows.plays(name) && others.into_iter().all(is_same);
            let known = self.columns.entry(name.clone()).or_insert(Known::Idle(0));
            *known = match (*known, idle) {
                (Known::Idle(tried), true) => Known::Idle(tried.saturating_add(tries)),
                (Known::Plays, _) | (_, false) => Known::Plays,
            };
        }
    }

    /// The columns that play no part, in a sentence, but for those that are told of otherwise.
    pub(in crate::data) fn told(&self, is_told: impl Fn(&str) -> bool) -> Option<String> {
        let idle = self.columns.iter().filter(|(_, known)| matches!(known, Known::Idle(_)));
        let names: Vec<&String> = idle.map(|(name, _)| name).filter(|name| !is_told(name)).collect();
        let named: Vec<String> = names.iter().take(NAMED).map(|name| format!("{name:?}")).collect();
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!names.is_empty()).then(|| format!("no part in what is learnt: {}{more}", named.join(", ")))
    }
}

fn says(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !is_unseen(text),
        Value::Array(items) => items.iter().any(says),
        Value::Object(fields) => fields.values().any(says),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// A value of the same form that says something else.
fn another(value: &Value, word: &str) -> Value {
    match value {
        Value::Null => Value::Null,
        Value::Bool(own) => Value::Bool(!own),
        Value::Number(own) => Value::from(i64::from(own.as_f64() == Some(0.0))),
        Value::String(_) => Value::String(word.to_owned()),
        Value::Array(items) => items.iter().map(|item| another(item, word)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, value)| (name.clone(), another(value, word))).collect()
        }
    }
}

/// Bytes of text in a row, nearly.
fn size(fields: &Fields) -> usize {
    fn of(value: &Value) -> usize {
        match value {
            Value::String(text) => text.len(),
            Value::Array(items) => items.iter().map(of).sum(),
            Value::Object(fields) => fields.values().map(of).sum(),
            Value::Null | Value::Bool(_) | Value::Number(_) => 1,
        }
    }
    fields.values().map(of).sum()
}
