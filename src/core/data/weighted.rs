//! Weights that ask to learn what somebody other than the assistant says: only the assistant's turns are learnt.

use std::collections::BTreeSet;

use crate::domain::message::{Message, Role};
use crate::domain::record::Record;

/// The key that data gives all turns of a conversation. The others of its kind are refused in such a turn.
const WEIGHT: &str = "weight";

/// Counted while rows are read.
#[derive(Debug, Default)]
pub(in crate::data) struct WeightedOthers {
    speakers: BTreeSet<&'static str>,
    rows: u64,
    first: Option<String>,
}

impl WeightedOthers {
    pub(in crate::data) fn look(&mut self, record: &Record) {
        let asks = |turn: &&Message| {
            turn.role != Role::Assistant && turn.is_learnt() && turn.extra.contains_key(WEIGHT)
        };
        let mut asking = record.messages.iter().filter(asks).map(|turn| turn.role.name()).peekable();
        if asking.peek().is_none() {
            return;
        }
        self.speakers.extend(asking);
        self.rows += 1;
        self.first.get_or_insert_with(|| record.place());
    }

    /// What was found, in a sentence.
    pub(in crate::data) fn told(&self, rows: u64) -> Option<String> {
        let first = self.first.as_ref()?;
        let speakers: Vec<&str> = self.speakers.iter().copied().collect();
        Some(format!(
            "turns of the {} have the weight 1 in {} of {rows} rows (the first is {first}), and aren't learnt: only what \
             the assistant says is",
            speakers.join(" and the "),
            self.rows
        ))
    }
}
