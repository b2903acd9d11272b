//! What an import passes over: columns of text that nothing uses, rows that say they are to be left out, and what a file
//! has beside its rows. Counted while files are read, and told in sentences.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use crate::data::check::out_of_order;
use crate::data::idle::Idle;
use crate::data::labelled::LabelledAnswers;
use crate::data::lacking::Lacking;
use crate::data::mapping::{RowMapping, Unused};
use crate::data::placeholders::Placeholders;
use crate::data::split::{self, Use};
use crate::data::tally::{MOST, Tally};
use crate::data::weighted::WeightedOthers;
use crate::domain::message::Message;
use crate::domain::name::one_line;
use crate::domain::record::Record;

/// Columns that a sentence names.
const NAMED: usize = 8;

/// What is to be known of records that are learnt, wherever they come from, in sentences.
#[must_use]
pub fn told_of<'r>(records: impl IntoIterator<Item = &'r Record>) -> Vec<String> {
    let mut counts = Counts::default();
    records.into_iter().for_each(|record| counts.look(None, record));
    counts.of_records()
}

/// Shared by who reads and who tells.
#[derive(Debug, Default)]
pub struct Noticed(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    rows: u64,
    held_out: u64,
    unused: Tally,
    /// Columns that are learnt as they stand, beside unused ones.
    whole: BTreeSet<String>,
    idle: Idle,
    /// What may stand for a missing value.
    lacking: Lacking,
    labelled: LabelledAnswers,
    placeholders: Placeholders,
    weighted: WeightedOthers,
    /// Rows whose turns are out of order, and where and how the first of them is.
    disordered: u64,
    first_disordered: Option<String>,
    /// Answers that are a thought and nothing behind it, and where the first of them stands.
    thoughts_alone: u64,
    first_alone: Option<String>,
    excluded: Tally,
    /// Numbers that would judge a row in a column of their own, and don't where they stand.
    unjudged: Tally,
    passed: Vec<String>,
    /// Further sentences about files.
    more_passed: usize,
}

impl Noticed {
    /// Takes in rows, and how they were read: what of each isn't in its record.
    pub(in crate::data) fn rows(&self, rows: &RowMapping, records: &[Record], unused: &[Unused]) {
        let is_held_out = |record: &&Record| record.split.as_deref().and_then(Use::of) == Some(Use::HeldOut);
        let held_out = records.iter().filter(is_held_out).count() as u64;
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.held_out += held_out;
        for record in records {
            counts.idle.look(rows, &record.fields, &record.numbers);
            if let Some(told) = rows.unjudged(&record.fields) {
                counts.unjudged.count(&told);
            }
            counts.look(Some(rows), record);
        }
        for one in unused {
            for column in &one.columns {
                counts.unused.count(column);
            }
            if let Some(whole) = one.whole.as_ref().filter(|whole| !counts.whole.contains(*whole)) {
                counts.whole.insert(whole.clone());
            }
        }
    }

    /// Takes in a row that is left out, by what it says.
    pub(in crate::data) fn excluded(&self, told: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).excluded.count(told);
    }

    /// Takes in what a file has beside its rows.
    pub(in crate::data) fn passed(&self, told: Vec<String>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let room = MOST.saturating_sub(counts.passed.len());
        counts.more_passed += told.len().saturating_sub(room);
        counts.passed.extend(told.into_iter().take(room).map(|told| one_line(&told)));
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
        let is_told = |name: &str| counts.unused.named().contains_key(name) || counts.whole.contains(name);
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
        let more = counts.more_passed;
        told.extend((more > 0).then(|| format!("{more} more things beside the rows of files are not read")));
        told.extend(counts.excluded());
        told.extend(counts.unjudged());
        told.extend(counts.unused());
        told.extend(counts.of_records());
        told
    }
}

impl Counts {
    fn look(&mut self, rows: Option<&RowMapping>, record: &Record) {
        self.rows += 1;
        self.lacking.look(rows, record);
        self.labelled.look(record);
        self.placeholders.look(record);
        self.weighted.look(record);
        if let Some(how) = out_of_order(record) {
            self.disordered += 1;
            self.first_disordered.get_or_insert_with(|| format!("{}: {how}", record.place()));
        }
        if record.learnt().iter().any(Message::is_thought_alone) {
            self.thoughts_alone += 1;
            self.first_alone.get_or_insert_with(|| record.place());
        }
    }

    fn of_records(&self) -> Vec<String> {
        let told = self.lacking.told(self.rows).into_iter().chain(self.labelled.told());
        let told = told.chain(self.placeholders.told(self.rows)).chain(self.weighted.told(self.rows));
        told.chain(self.disordered()).chain(self.thoughts_alone()).collect()
    }

    fn disordered(&self) -> Option<String> {
        let first = self.first_disordered.as_ref()?;
        Some(format!(
            "turns are out of order in {} of {} rows (the first is {first}), which are learnt as they stand; if that isn't \
             meant, put the turns in order",
            self.disordered, self.rows
        ))
    }

    fn unjudged(&self) -> Option<String> {
        let all = self.unjudged.all();
        let named: Vec<&str> = self.unjudged.named().keys().take(NAMED).map(String::as_str).collect();
        let more = self.unjudged.more(NAMED);
        (all > 0).then(|| {
            format!(
                "{}{more} in {all} of {} rows, which are learnt all the same: a number inside of another column may be a \
                 count or a place, and judges no answer; in a column of its own it would leave the row out",
                named.join(", "),
                self.rows
            )
        })
    }

    fn excluded(&self) -> Option<String> {
        let all = self.excluded.all();
        let excluded = self.excluded.named();
        let named: Vec<String> =
            excluded.iter().take(NAMED).map(|(told, count)| format!("{told} ({count})")).collect();
        let more = self.excluded.more(NAMED);
        let (rows, they) = if all == 1 { ("row is", "it says") } else { ("rows are", "they say") };
        let column = excluded.keys().next().and_then(|told| told.split('"').nth(1)).unwrap_or_default();
        (all > 0).then(|| {
            format!(
                "{all} {rows} left out, by what {they}: {}{more}; --map unused={column} (data.map in a recipe) has them \
                 all the same",
                named.join(", ")
            )
        })
    }

    fn thoughts_alone(&self) -> Option<String> {
        let Self { thoughts_alone: alone, rows, .. } = self;
        let first = self.first_alone.as_ref()?;
        Some(format!(
            "the answer is a thought with nothing behind it in {alone} of {rows} rows (the first is {first}), so a model \
             would learn to end after the thought; if the answer is missing, take these rows out"
        ))
    }

    fn unused(&self) -> Option<String> {
        let mut columns: Vec<(&String, &u64)> = self.unused.named().iter().collect();
        columns.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        let named: Vec<String> = columns
            .iter()
            .take(NAMED)
            .map(|(column, count)| format!("{column:?} (in {count} of {} rows)", self.rows))
            .collect();
        let more = self.unused.more(NAMED);
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
