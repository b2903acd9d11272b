//! What an import passes over: columns of text that nothing uses, rows that say they are to be left out, and what a file
//! has beside its rows. Counted while files are read, and told in sentences.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use crate::data::idle::Idle;
use crate::data::mapping::{RowMapping, Unused};
use crate::data::split::{self, Use};
use crate::domain::name::one_line;
use crate::domain::record::Record;

/// How programs write that a value is missing.
const MISSING: [&str; 10] = ["nan", "NaN", "None", "null", "NULL", "N/A", "n/a", "NA", "#N/A", "<NA>"];
/// Columns that a sentence names.
const NAMED: usize = 8;
/// Columns that are counted, and sentences about files that are kept: a file may have a name for each row.
const MOST: usize = 256;

/// Shared by who reads and who tells.
#[derive(Debug, Default)]
pub struct Noticed(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    rows: u64,
    held_out: u64,
    unused: BTreeMap<String, u64>,
    /// Columns that are learnt as they stand, beside unused ones.
    whole: BTreeSet<String>,
    idle: Idle,
    /// Answers that may stand for a missing one.
    missing: BTreeMap<String, u64>,
    excluded: BTreeMap<String, u64>,
    passed: Vec<String>,
}

impl Noticed {
    /// Takes in rows, and how they were read: what of each isn't in its record.
    pub(in crate::data) fn rows(&self, rows: &RowMapping, records: &[Record], unused: &[Unused]) {
        let is_held_out = |record: &&Record| record.split.as_deref().and_then(Use::of) == Some(Use::HeldOut);
        let held_out = records.iter().filter(is_held_out).count() as u64;
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.rows += records.len() as u64;
        counts.held_out += held_out;
        for record in records {
            counts.idle.look(rows, &record.fields, &record.numbers);
            if let Some(answer) = record.answer().map(str::trim).filter(|answer| MISSING.contains(answer)) {
                count(&mut counts.missing, answer);
            }
        }
        for one in unused {
            for column in &one.columns {
                count(&mut counts.unused, column);
            }
            if let Some(whole) = one.whole.as_ref().filter(|whole| !counts.whole.contains(*whole)) {
                counts.whole.insert(whole.clone());
            }
        }
    }

    /// Takes in a row that is left out, by what it says.
    pub(in crate::data) fn excluded(&self, told: &str) {
        count(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner).excluded, told);
    }

    /// Takes in what a file has beside its rows.
    pub(in crate::data) fn passed(&self, told: Vec<String>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let more = MOST.saturating_sub(counts.passed.len());
        counts.passed.extend(told.into_iter().take(more).map(|told| one_line(&told)));
    }

    /// How many records are held out so far, in a sentence.
    #[must_use]
    pub fn held_out(&self) -> Option<String> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        split::told_of(counts.held_out, counts.rows)
    }

    /// The columns that change nothing of what is learnt, and of which no other sentence speaks.
    #[must_use]
    pub fn idle(&self) -> Option<String> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_told = |name: &str| counts.unused.contains_key(name) || counts.whole.contains(name);
        counts.idle.told(is_told)
    }

    /// The columns of text that no record has, in a sentence.
    #[must_use]
    pub fn unused(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).unused()
    }

    /// What was noticed so far, in sentences.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut told = counts.passed.clone();
        told.extend(counts.excluded());
        told.extend(counts.unused());
        told.extend(counts.missing());
        told
    }
}

impl Counts {
    fn excluded(&self) -> Option<String> {
        let all: u64 = self.excluded.values().sum();
        let named: Vec<String> =
            self.excluded.iter().take(NAMED).map(|(told, count)| format!("{told} ({count})")).collect();
        let more = if self.excluded.len() > NAMED { " and others" } else { "" };
        let (rows, they) = if all == 1 { ("row is", "it says") } else { ("rows are", "they say") };
        let column = self.excluded.keys().next().and_then(|told| told.split('"').nth(1)).unwrap_or_default();
        (all > 0).then(|| {
            format!(
                "{all} {rows} left out, by what {they}: {}{more}; --map unused={column} (data.map in a recipe) has them \
                 all the same",
                named.join(", ")
            )
        })
    }

    fn missing(&self) -> Option<String> {
        let all: u64 = self.missing.values().sum();
        let named: Vec<String> = self.missing.keys().map(|answer| format!("{answer:?}")).collect();
        (all > 0).then(|| {
            format!(
                "the answer is {} in {all} of {} rows, which is learnt as it stands; if it stands for a value that is \
                 missing, take these rows out",
                named.join(" or "),
                self.rows
            )
        })
    }

    fn unused(&self) -> Option<String> {
        let mut columns: Vec<(&String, &u64)> = self.unused.iter().collect();
        columns.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let named: Vec<String> = columns
            .iter()
            .take(NAMED)
            .map(|(column, count)| format!("{column:?} (in {count} of {} rows)", self.rows))
            .collect();
        let more = if columns.len() > NAMED { " and others" } else { "" };
        let beside = self.whole.iter().map(|column| format!("{column:?}")).collect::<Vec<_>>().join(", ");
        let beside = if beside.is_empty() {
            String::new()
        } else {
            format!(", beside {beside}, which is learnt as it stands without a question")
        };
        (!named.is_empty()).then(|| {
            format!(
                "not used: {}{more}{beside}; map it with --map part=column (data.map in a recipe) if it should be learnt",
                named.join(", ")
            )
        })
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
    } else if counts.len() < MOST {
        counts.insert(name.to_owned(), 1);
    }
}
