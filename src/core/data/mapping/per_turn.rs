//! Columns with a yes or no for each turn, under a name that speaks of learning and that isn't known: nobody can tell what
//! a yes means there, so the row is refused by name.

use serde_json::Value;

use super::apply::MappedRow;
use super::beside::opened;
use super::leave_out;
use super::masks::is_known;
use super::turn_mask::WORDS;
use super::words::yes_or_no;

/// More words in names of such columns than a turn's own keys have.
const MORE: [&str; 13] = [
    "weight",
    "weights",
    "supervise",
    "supervised",
    "target",
    "targets",
    "ignore",
    "ignored",
    "use",
    "include",
    "exclude",
    "keep",
    "skip",
];

/// Whether a column's name, in small letters, speaks of what is learnt.
pub(super) fn speaks(name: &str) -> bool {
    name.split(['_', '-', ' ', '.']).any(|word| WORDS.contains(&word) || MORE.contains(&word))
}

impl MappedRow<'_> {
    /// Fails where an unknown column holds a yes or no for each of the turns.
    pub(super) fn check_per_turn(&self, turns: usize) -> Result<(), String> {
        if turns < 2 {
            return Ok(());
        }
        let is_one_each = |value: &Value| {
            // A number that is no yes or no was measured.
            let told = |item: &Value| item.is_boolean() || item.is_number() && yes_or_no(item).is_some();
            value.as_array().is_some_and(|items| items.len() == turns && items.iter().all(told))
        };
        let found = self.fields.iter().find(|(name, value)| {
            !is_known(name)
                && speaks(&name.to_ascii_lowercase())
                && !self.mapping.takes(name)
                && is_one_each(&opened(value))
        });
        match found {
            Some((column, _)) => Err(format!(
                "column {column:?} says something of each of the {turns} turns, and whether a yes is learnt can't be told; \
                 call it \"turn_weights\" if a 1 is learnt; if it is about something else, {}",
                leave_out(column)
            )),
            None => Ok(()),
        }
    }
}
