//! Files in which each turn of a conversation is a row of its own.

use serde_json::Value;

use super::apply::MappedRow;
use super::leave_out;
use super::turn::role;

/// Columns that say who speaks, where each turn of a conversation is a row.
const SPEAKERS: [&str; 8] =
    ["role", "speaker", "from", "author", "sender", "message_role", "speaker_role", "author_role"];

impl MappedRow<'_> {
    /// Fails where a text says who speaks: it would be learnt as one that stands alone.
    pub(super) fn check_turn_alone(&self) -> Result<(), String> {
        let is_role =
            |(_, value): &(&str, &Value)| value.as_str().is_some_and(|said| role(said.trim()).is_some());
        if let Some((column, value)) = SPEAKERS.iter().filter_map(|name| self.beside(name)).find(is_role) {
            return Err(format!(
                "column {column:?} is {value}: the row is one turn of a conversation, and would be learnt as a text of its \
                 own; write all turns of a conversation into one row, as \"messages\"; if it is about something else, {}",
                leave_out(column)
            ));
        }
        Ok(())
    }
}
