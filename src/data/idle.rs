//! Columns that play no part: whatever stands in them, the record is the same. Found by trying, on the first rows that
//! have something in a column, so that no list of names has to be kept for it. A column in which another word would count
//! is named with its own words, which mean nothing here.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::data::mapping::{RowMapping, agrees, is_no};
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
/// Words of a column that are tried, how long they are at most, and in how many rows they are looked for.
const WORDS: usize = 8;
const LONGEST: usize = 40;
const LOOKED: usize = 2_000;
/// Words of a column that a sentence gives.
const GIVEN: usize = 3;

/// What is known of the columns of an import.
#[derive(Debug, Default)]
pub(in crate::data) struct Idle {
    columns: BTreeMap<String, Known>,
    /// The columns of the last row of which nothing is left to find out.
    settled: Vec<String>,
    rows: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Plays,
    /// In so many rows it changed nothing.
    Idle(u8),
    /// Another word would count: those that were tried, and whether each is understood.
    Words(BTreeMap<String, bool>),
}

impl Known {
    /// Whether a value has nothing more to tell.
    fn is_settled(&self, value: &Value, rows: usize) -> bool {
        match self {
            Self::Plays | Self::Idle(TRIES..) => true,
            Self::Idle(_) => false,
            Self::Words(tried) => {
                rows > LOOKED
                    || tried.len() >= WORDS
                    || word(value).is_none_or(|word| tried.contains_key(word))
            }
        }
    }
}

/// A value that may be a word of a judgement.
fn word(value: &Value) -> Option<&str> {
    let text = value.as_str()?.trim();
    let is_word = text.chars().count() <= LONGEST && text.parse::<f64>().is_err();
    (!text.is_empty() && is_word).then_some(text)
}

impl Idle {
    /// Takes in a row that is a record.
    pub(in crate::data) fn look(&mut self, rows: &RowMapping, fields: &Fields, numbers: &[String]) {
        if !rows.learns() || self.settled.len() == fields.len() && self.settled.iter().eq(fields.keys()) {
            return;
        }
        self.rows += 1;
        let has_room = self.columns.len() < MOST;
        let is_open = |(name, value): &(&String, &Value)| {
            let known = self.columns.get(*name);
            known.map_or(has_room, |known| !known.is_settled(value, self.rows)) && says(value)
        };
        // Most rows have none: they are not read a second time.
        let open: Vec<(&String, &Value)> = fields.iter().filter(is_open).collect();
        if open.is_empty() {
            let all =
                |name: &String| matches!(self.columns.get(name), Some(Known::Plays | Known::Idle(TRIES..)));
            if self.rows > LOOKED || fields.keys().all(all) {
                self.settled = fields.keys().cloned().collect();
            }
            return;
        }
        let Ok((record, _)) = rows.read(fields, numbers) else { return };
        let tries = if size(fields) > LARGE { TRIES } else { 1 };
        for (name, value) in open {
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
            let found = if rows.plays(name) || !is_same(None) {
                Known::Plays
            } else {
                let counts = |word: &str| !is_same(Some(another(value, word)));
                let (by_no, by_yes) = (counts("no") || counts("rejected"), counts("yes"));
                // A yes where a no would count is understood, and a no where a yes would.
                let is_read = |word: &str| by_no && agrees(word) || by_yes && is_no(word);
                let tried = word(value).map(|word| (word.to_owned(), is_read(word)));
                if by_no || by_yes { Known::Words(tried.into_iter().collect()) } else { Known::Idle(tries) }
            };
            self.take(name, found);
        }
    }

    fn take(&mut self, name: &str, found: Known) {
        match (self.columns.get_mut(name), found) {
            (None, found) => drop(self.columns.insert(name.to_owned(), found)),
            (Some(Known::Words(tried)), Known::Words(more)) => tried.extend(more),
            (Some(Known::Idle(tried)), Known::Idle(more)) => *tried = tried.saturating_add(more),
            (Some(Known::Plays), _) | (Some(Known::Words(_)), Known::Idle(_)) => {}
            (Some(known), found) => *known = found,
        }
    }

    /// The columns that play no part, in a sentence, but for those that are told of otherwise.
    pub(in crate::data) fn told(&self, is_told: impl Fn(&str) -> bool) -> Option<String> {
        let is_idle = |known: &Known| match known {
            Known::Plays => false,
            Known::Idle(_) => true,
            Known::Words(tried) => tried.values().any(|is_read| !is_read),
        };
        let idle = self.columns.iter().filter(|(name, known)| is_idle(known) && !is_told(name));
        let names: Vec<String> = idle.map(|(name, known)| shown(name, known)).collect();
        let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        (!names.is_empty()).then(|| format!("no part in what is learnt: {}{more}", named.join(", ")))
    }
}

/// A column's name, with the words in it that mean nothing here.
fn shown(name: &str, known: &Known) -> String {
    let Known::Words(tried) = known else { return format!("{name:?}") };
    let words: Vec<&String> = tried.iter().filter(|(_, is_read)| !**is_read).map(|(word, _)| word).collect();
    let given: Vec<String> = words.iter().take(GIVEN).map(|word| format!("{word:?}")).collect();
    let more = if words.len() > GIVEN { ", ..." } else { "" };
    format!("{name:?} ({}{more})", given.join(", "))
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
