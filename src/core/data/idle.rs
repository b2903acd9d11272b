//! Columns that play no part: whatever stands in them, the record is the same. Found by trying, on the first rows that
//! have something in a column, so that no list of names has to be kept for it. A column in which another word would count
//! is named with its own words, which mean nothing here.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use crate::data::mapping::{RowMapping, agrees, is_no, keeps_in};
use crate::data::tally::{Further, MOST, more};
use crate::domain::record::{Fields, Record};
use crate::domain::unseen::is_unseen;

/// Rows in which a column is tried.
const TRIES: u8 = 4;
/// A row of more bytes than this is tried once.
const LARGE: usize = 1 << 18;
/// Columns that a sentence names.
const NAMED: usize = 24;
/// Words of a column that are kept, how many signs of one, and how many a sentence gives.
const WORDS: usize = 8;
const LONGEST: usize = 40;
const GIVEN: usize = 3;

/// What is known of the columns of an import.
#[derive(Debug, Default)]
pub(in crate::data) struct Idle {
    columns: BTreeMap<String, ColumnUse>,
    /// Beyond these: those that play no part, and those that do.
    further: Further,
    further_played: Further,
    /// The columns of the last row, and what is left to find out of each.
    layout: Vec<(String, Left)>,
}

/// What is left to find out of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    Nothing,
    /// Whether it plays a part, once it says something.
    Part,
    /// Its further words.
    Words,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ColumnUse {
    Plays,
    /// In so many rows it changed nothing.
    Idle(u8),
    /// Another word would count.
    Judges {
        by: Judging,
        odd: BTreeSet<String>,
    },
}

/// Which words would count in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judging {
    /// Those that say no.
    No,
    /// Those that say yes.
    Yes,
    Both,
}

impl Judging {
    /// What a value says that isn't understood: of a yes where a no would count it is, and of a no where a yes would.
    fn odd(self, rows: &RowMapping, column: &str, value: &Value) -> Option<String> {
        let plain = rows.plain(column, value);
        let text = match plain.as_ref().unwrap_or(value) {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
        };
        let (no, yes) = match self {
            Self::No => (true, false),
            Self::Yes => (false, true),
            Self::Both => (true, true),
        };
        if is_unseen(&text) || no && agrees(&text) || yes && is_no(&text) {
            return None;
        }
        let mut told: String = text.chars().take(LONGEST).collect();
        if told.len() < text.len() {
            told.push_str(" ...");
        }
        Some(told)
    }
}

type ColumnValue<'f> = (&'f String, &'f Value);

impl Idle {
    /// Takes in a row that is a record.
    pub(in crate::data) fn look(&mut self, rows: &RowMapping, fields: &Fields, numbers: &[String]) {
        if !rows.learns() {
            return;
        }
        let before = std::mem::take(&mut self.layout);
        let is_same = before.len() == fields.len() && before.iter().map(|(name, _)| name).eq(fields.keys());
        let layout = if is_same { before } else { self.layout(fields) };
        let open = self.open(rows, fields, &layout);
        // Most rows have none: they are not read a second time.
        if open.is_empty() && is_same {
            self.layout = layout;
            return;
        }
        if !open.is_empty() {
            self.try_out(rows, fields, numbers, &open);
        }
        self.layout = self.layout(fields);
    }

    fn layout(&self, fields: &Fields) -> Vec<(String, Left)> {
        let left = |name: &String| match self.columns.get(name) {
            Some(ColumnUse::Plays | ColumnUse::Idle(TRIES..)) => Left::Nothing,
            Some(ColumnUse::Judges { .. }) => Left::Words,
            None if self.is_further(name) => Left::Nothing,
            Some(ColumnUse::Idle(_)) | None => Left::Part,
        };
        fields.keys().map(|name| (name.clone(), left(name))).collect()
    }

    /// Whether nothing more is found out of a column beyond those that are kept.
    fn is_further(&self, name: &str) -> bool {
        self.further.has(name) || self.further_played.has(name) || self.further.is_full()
    }

    /// Tries columns of a row, many at once as long as none of them counts.
    fn try_out(&mut self, rows: &RowMapping, fields: &Fields, numbers: &[String], open: &[ColumnValue<'_>]) {
        let Ok((record, _)) = rows.read(fields, numbers) else { return };
        let trial = Trial { rows, fields, numbers, record };
        let tries = if size(fields) > LARGE { TRIES } else { 1 };
        let is_mapped = |name: &str| rows.plays(name) && !rows.is_found_label(name);
        let (mapped, open): (Vec<ColumnValue<'_>>, Vec<ColumnValue<'_>>) =
            open.iter().partition(|(name, _)| is_mapped(name));
        if let Some(alone) = trial.of_mapped_columns().filter(|_| !mapped.is_empty()) {
            mapped.iter().for_each(|(name, value)| self.take(name, alone.mapped(name, value, tries)));
        }
        let mut groups: Vec<&[ColumnValue<'_>]> = vec![&open];
        while let Some(group) = groups.pop() {
            match group {
                [] => {}
                _ if trial.are_idle(group) => {
                    group.iter().for_each(|(name, _)| self.take(name, trial.idle(name, tries)));
                }
                [(name, value)] => self.take(name, trial.one(name, value)),
                several => {
                    let (first, second) = several.split_at(several.len() / 2);
                    groups.extend([second, first]);
                }
            }
        }
    }

    /// The columns of a row that are to be tried. Words of those in which one would count are taken in.
    fn open<'f>(
        &mut self,
        rows: &RowMapping,
        fields: &'f Fields,
        layout: &[(String, Left)],
    ) -> Vec<ColumnValue<'f>> {
        let mut open = Vec::new();
        for ((name, value), (_, left)) in fields.iter().zip(layout) {
            if *left == Left::Nothing || *left == Left::Part && !says(value) {
                continue;
            }
            let is_further = self.columns.len() >= MOST && self.is_further(name);
            match self.columns.get_mut(name) {
                Some(ColumnUse::Plays | ColumnUse::Idle(TRIES..)) => {}
                Some(ColumnUse::Judges { by, odd }) => {
                    if odd.len() < WORDS {
                        odd.extend(by.odd(rows, name, value));
                        // Beside a no, a blank is neither.
                        let is_blank = keeps_in(name) && value.as_str().is_some_and(is_unseen);
                        odd.extend(is_blank.then(String::new));
                    }
                }
                None if rows.is_part_of_form(name) && !rows.is_found_label(name) => {
                    self.take(name, ColumnUse::Plays);
                }
                None if is_further => {}
                Some(ColumnUse::Idle(_)) | None => open.push((name, value)),
            }
        }
        open
    }

    fn take(&mut self, name: &str, found: ColumnUse) {
        if self.columns.len() >= MOST && !self.columns.contains_key(name) {
            match found {
                ColumnUse::Plays => self.further_played.add(name),
                ColumnUse::Judges { odd, .. } if odd.is_empty() => self.further_played.add(name),
                ColumnUse::Idle(_) | ColumnUse::Judges { .. } => self.further.add(name),
            }
            return;
        }
        match (self.columns.get_mut(name), found) {
            (Some(ColumnUse::Plays), _) | (Some(ColumnUse::Judges { .. }), ColumnUse::Idle(_)) => {}
            (Some(ColumnUse::Idle(tried)), ColumnUse::Idle(more)) => *tried = tried.saturating_add(more),
            (Some(known), found) => *known = found,
            (None, found) => drop(self.columns.insert(name.to_owned(), found)),
        }
    }

    /// The columns that play no part, in a sentence, but for those that are told of otherwise.
    pub(in crate::data) fn told(&self, is_told: impl Fn(&str) -> bool) -> Option<String> {
        let is_idle = |known: &ColumnUse| match known {
            ColumnUse::Plays => false,
            ColumnUse::Idle(_) => true,
            ColumnUse::Judges { odd, .. } => !odd.is_empty(),
        };
        let idle = self.columns.iter().filter(|(name, known)| is_idle(known) && !is_told(name));
        let names: Vec<String> = idle.map(|(name, known)| shown(name, known)).collect();
        let named: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
        let rest = names.len().saturating_sub(NAMED) + self.further.len();
        let more = more(rest, self.further.is_full());
        (!names.is_empty()).then(|| format!("no part in what is learnt: {}{more}", named.join(", ")))
    }
}

/// A column's name, with the words in it that mean nothing here.
fn shown(name: &str, known: &ColumnUse) -> String {
    let ColumnUse::Judges { odd, .. } = known else { return format!("{name:?}") };
    let given: Vec<String> = odd.iter().take(GIVEN).map(|word| format!("{word:?}")).collect();
    let more = if odd.len() > GIVEN { ", ..." } else { "" };
    format!("{name:?} ({}{more})", given.join(", "))
}

/// A row whose columns are tried, and its record.
struct Trial<'r> {
    rows: &'r RowMapping,
    fields: &'r Fields,
    numbers: &'r [String],
    record: Record,
}

/// The columns of a row that were given a part, alone, and their record: beside others, one of the same name would take
/// the place of a column that is tried.
struct LoneColumns<'r> {
    rows: &'r RowMapping,
    fields: Fields,
    numbers: &'r [String],
    record: Record,
}

impl LoneColumns<'_> {
    /// A column that was given a part: its form may have no place for it.
    fn mapped(&self, name: &String, value: &Value, tries: u8) -> ColumnUse {
        let read = |fields: &Fields| self.rows.read(fields, self.numbers).map(|(record, _)| record);
        let mut without = self.fields.clone();
        without.remove(name);
        let is_same = |fields: &Fields| read(fields).is_ok_and(|record| record == self.record);
        // A word in its place is no conversation, so it would be refused.
        let is_idle = is_same(&without)
            && (self.rows.is_conversation_of(name)
                || ["no", "yes"].iter().all(|word| {
                    let mut changed = self.fields.clone();
                    changed.insert(name.clone(), another(value, word));
                    is_same(&changed)
                }));
        if is_idle { ColumnUse::Idle(tries) } else { ColumnUse::Plays }
    }
}

impl<'r> Trial<'r> {
    fn of_mapped_columns(&self) -> Option<LoneColumns<'r>> {
        let Self { rows, numbers, .. } = *self;
        let mut fields = self.fields.clone();
        fields.retain(|name, _| rows.plays(name));
        let (record, _) = rows.read(&fields, numbers).ok()?;
        Some(LoneColumns { rows, fields, numbers, record })
    }

    /// Whether the row is the same record without these columns, and with any judgement in them.
    fn are_idle(&self, columns: &[ColumnValue<'_>]) -> bool {
        self.is_same(columns, None)
            && ["no", "rejected", "yes"].iter().all(|word| self.is_same(columns, Some(word)))
    }

    /// A column that changes nothing that is learnt. A label is read all the same, and shown.
    fn idle(&self, name: &str, tries: u8) -> ColumnUse {
        if self.rows.is_found_label(name) && self.rows.plays(name) {
            ColumnUse::Plays
        } else {
            ColumnUse::Idle(tries)
        }
    }

    fn one(&self, name: &String, value: &Value) -> ColumnUse {
        let column = [(name, value)];
        let counts = |word: &str| !self.is_same(&column, Some(word));
        if !self.is_same(&column, None) {
            return ColumnUse::Plays;
        }
        let by = match (counts("no") || counts("rejected"), counts("yes")) {
            (false, false) => return self.idle(name, 1),
            (true, false) => Judging::No,
            (false, true) => Judging::Yes,
            (true, true) => Judging::Both,
        };
        ColumnUse::Judges { by, odd: by.odd(self.rows, name, value).into_iter().collect() }
    }

    /// With a word in the place of what the columns say, or without them.
    fn is_same(&self, columns: &[ColumnValue<'_>], word: Option<&str>) -> bool {
        let mut changed = self.fields.clone();
        if let Some(word) = word {
            for (name, value) in columns {
                changed.insert((*name).clone(), another(value, word));
            }
        } else {
            // One by one would move all the others each time.
            let names: HashSet<&String> = columns.iter().map(|(name, _)| *name).collect();
            changed.retain(|name, _| !names.contains(name));
        }
        let read = self.rows.read(&changed, self.numbers);
        let is_label = columns.iter().any(|(name, _)| self.rows.is_found_label(name));
        let is_other = |other: Record| {
            // A label is no part of what is learnt.
            let label = if is_label { self.record.label.clone() } else { other.label.clone() };
            Record { label, ..other } != self.record
        };
        self.rows.excluded(&changed).is_none() && read.is_ok_and(|(other, _)| !is_other(other))
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
