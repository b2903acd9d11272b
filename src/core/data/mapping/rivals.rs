//! Columns that say something else than those that are read: two for one part, or one beside a whole conversation or
//! text. What they say is there already, or the row is refused by name.

use serde_json::Value;

use super::apply::MappedRow;
use super::beside::stands_in;
use super::columns::Columns;
use super::detect::{is_listed, names};
use super::forms::{is_conversation, of_any_form};
use super::values::{text, turns};
use super::verdicts::DECISION;
use super::{ColumnPart, Mapping, MappingKind};
use crate::domain::message::Message;
use crate::domain::record::Fields;

/// Names of columns that commonly hold what a conversation has too. A solution or a reference answer is about a
/// conversation and is no part of it.
const REPEATED: [(ColumnPart, &[&str]); 3] = [
    (ColumnPart::Prompt, &ASKED),
    (ColumnPart::Input, &["input", "context"]),
    (ColumnPart::Completion, &["completion", "response", "output"]),
];

const ASKED: [&str; 5] = ["prompt", "instruction", "question", "query", "problem"];
/// A solution or a reference answer beside an answer is ordinary.
const ANSWERED: [&str; 5] = ["completion", "response", "answer", "output", "assistant"];

impl MappedRow<'_> {
    /// Fails where a column beside a conversation says what isn't in it.
    pub(super) fn check_repeated(&self, said: &[Message]) -> Result<(), String> {
        for (part, names) in REPEATED {
            if part == ColumnPart::Completion && self.mapping.kind() == MappingKind::Preference {
                continue;
            }
            let mapped = self.mapping.column(part).and_then(|column| Some((column, self.optional(part)?)));
            let others = names.iter().filter(|_| !self.mapping.is_decided(part));
            let mut found = mapped.into_iter().chain(others.filter_map(|name| self.beside(name)));
            let odd = found.find(|(_, value)| {
                let is_text = value.is_string() || value.is_array() || value.is_object();
                is_text && !stands_in(value, said)
            });
            if let Some((column, _)) = odd {
                let part = part.name();
                return Err(format!(
                    "column {column:?} says something that the conversation beside it doesn't; write it into the turns, \
                     or leave it out with --map {part}="
                ));
            }
        }
        Ok(())
    }

    /// Fails where a text that is learnt as it stands has a system prompt or a thought beside it.
    pub(super) fn check_alone(&self, whole: &str) -> Result<(), String> {
        self.check_turn_alone()?;
        for part in [ColumnPart::System, ColumnPart::Thought] {
            let mapped = self.mapping.column(part).and_then(|column| Some((column, self.optional(part)?)));
            let others = names(part).iter().filter(|_| !self.mapping.is_decided(part));
            let mut found = mapped.into_iter().chain(others.filter_map(|name| self.beside(name)));
            let odd =
                found.find(|(_, value)| value.as_str().is_some_and(|said| !whole.contains(said.trim())));
            if let Some((column, _)) = odd {
                let part = part.name();
                return Err(format!(
                    "column {column:?} has no place in a text that is learnt as it stands; write it into the text, or \
                     leave it out with --map {part}="
                ));
            }
        }
        Ok(())
    }
}

/// Fails where two columns say different things for one part, and nobody has said which it is.
pub(super) fn check_rivals(
    mapping: &Mapping,
    by_hand: &Mapping,
    columns: &Columns,
    fields: &Fields,
) -> Result<(), String> {
    let row = MappedRow { mapping, columns, fields };
    let parts: [(ColumnPart, &[&str]); 4] = [
        (ColumnPart::System, names(ColumnPart::System)),
        (ColumnPart::Prompt, &ASKED),
        (ColumnPart::Input, names(ColumnPart::Input)),
        (ColumnPart::Completion, &ANSWERED),
    ];
    for (part, names) in parts.into_iter().filter(|(part, _)| !by_hand.is_decided(*part)) {
        let Some(first) = mapping.column(part) else { continue };
        if !names.iter().any(|name| name.eq_ignore_ascii_case(first)) {
            continue;
        }
        let said = fields.get(first).map(text).unwrap_or_default();
        let differs = |value: &Value| {
            let other = text(value);
            let counts = part == ColumnPart::Input || !(value.is_array() || value.is_object());
            let is_there = if part == ColumnPart::System {
                other.trim() == said.trim()
            } else {
                said.contains(other.trim())
            };
            counts && !is_there
        };
        // Whether a row was accepted is no answer.
        let names = names.iter().filter(|name| !columns.decisions || **name != DECISION);
        let mut others = names.filter_map(|name| row.beside(name));
        if let Some((other, _)) = others.find(|(_, value)| differs(value)) {
            return Err(two(part, first, other));
        }
    }
    if by_hand.is_decided(ColumnPart::Messages) { Ok(()) } else { check_conversations(&row) }
}

fn check_conversations(row: &MappedRow<'_>) -> Result<(), String> {
    let column = row.mapping.column(ColumnPart::Messages);
    let Some((first, value)) = column.and_then(|column| Some((column, row.optional(ColumnPart::Messages)?)))
    else {
        return Ok(());
    };
    let read = |column: &str, value: &Value| turns(&of_any_form(value), column);
    let others = names(ColumnPart::Messages).iter().filter_map(|name| row.beside(name));
    let others = others
        .filter(|(name, value)| is_conversation(value) && !is_listed(ColumnPart::Messages, name, value));
    for (other, another) in others {
        match (read(first, value), read(other, another)) {
            (Err(_), _) => {}
            (Ok(one), Ok(another)) if one == another => {}
            (Ok(_), _) => return Err(two(ColumnPart::Messages, first, other)),
        }
    }
    Ok(())
}

fn two(part: ColumnPart, first: &str, other: &str) -> String {
    let part = part.name();
    format!(
        "columns {first:?} and {other:?} may both be the {part} and say different things; say which is it with --map \
         {part}={first}"
    )
}
