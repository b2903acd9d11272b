//! How often names came up, with bounded memory: a file may have a name for each row.

use std::collections::{BTreeMap, HashSet};

use crate::data::hash::seeded;

/// Names that are kept.
pub(in crate::data) const MOST: usize = 256;
/// Further names that are told apart. Beyond, each counts as one more.
const APART: usize = 1 << 20;

/// Names with their counts, and further names that are only counted.
#[derive(Debug, Default)]
pub(in crate::data) struct Tally {
    named: BTreeMap<String, u64>,
    all: u64,
    further: Further,
}

/// How many names came up that aren't kept.
#[derive(Debug, Default)]
pub(in crate::data) struct Further(HashSet<u64>);

impl Further {
    pub(in crate::data) fn add(&mut self, name: &str) {
        if self.0.len() < APART {
            self.0.insert(seeded(0, name));
        }
    }

    pub(in crate::data) fn has(&self, name: &str) -> bool {
        !self.0.is_empty() && self.0.contains(&seeded(0, name))
    }

    pub(in crate::data) fn is_full(&self) -> bool {
        self.0.len() >= APART
    }

    pub(in crate::data) fn len(&self) -> usize {
        self.0.len()
    }
}

impl Tally {
    pub(in crate::data) fn count(&mut self, name: &str) {
        self.all += 1;
        if let Some(count) = self.named.get_mut(name) {
            *count += 1;
        } else if self.named.len() < MOST {
            self.named.insert(name.to_owned(), 1);
        } else {
            self.further.add(name);
        }
    }

    pub(in crate::data) const fn named(&self) -> &BTreeMap<String, u64> {
        &self.named
    }

    /// How often any name came up.
    pub(in crate::data) const fn all(&self) -> u64 {
        self.all
    }

    /// ` and 7 more` behind so many of the names; nothing where these are all.
    pub(in crate::data) fn more(&self, named: usize) -> String {
        more((self.named.len() + self.further.len()).saturating_sub(named), self.further.is_full())
    }
}

/// ` and 7 more`, or nothing.
pub(in crate::data) fn more(count: usize, at_least: bool) -> String {
    match (count, at_least) {
        (0, _) => String::new(),
        (count, false) => format!(" and {count} more"),
        (count, true) => format!(" and {count} more at least"),
    }
}
