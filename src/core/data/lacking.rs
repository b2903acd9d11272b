//! What may stand for a value that is missing, part by part of what is learnt or read, and questions that ask nothing.

use std::collections::BTreeMap;

use crate::data::mapping::RowMapping;
use crate::data::missing::is_missing;
use crate::data::tally::Tally;
use crate::domain::inline_thought::behind;
use crate::domain::message::{Message, Role};
use crate::domain::record::Record;
use crate::domain::unseen::is_unseen;

/// Words that a sentence names.
const NAMED: usize = 8;

/// A part of a record, the answer first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RecordPart {
    Answer,
    EarlierAnswer,
    Rejected,
    Thought,
    Question,
    Input,
    System,
}

impl RecordPart {
    const fn name(self) -> &'static str {
        match self {
            Self::Answer => "the answer",
            Self::EarlierAnswer => "an earlier answer",
            Self::Rejected => "the rejected answer",
            Self::Thought => "the thought",
            Self::Question => "the question",
            Self::Input => "what the question is about",
            Self::System => "the system prompt",
        }
    }

    const fn is_learnt(self) -> bool {
        match self {
            Self::Answer | Self::EarlierAnswer | Self::Rejected | Self::Thought => true,
            Self::Question | Self::Input | Self::System => false,
        }
    }
}

/// Counted while rows are read.
#[derive(Debug, Default)]
pub(in crate::data) struct Lacking {
    missing: BTreeMap<RecordPart, Tally>,
    /// Rows whose question is empty, and where the first of them stands.
    unasked: u64,
    first_unasked: Option<String>,
}

impl Lacking {
    /// Takes in a record, and what its question is about where that is known.
    pub(in crate::data) fn look(&mut self, rows: Option<&RowMapping>, record: &Record) {
        let mut found: Vec<(RecordPart, &str)> = Vec::new();
        if let Some(answer) = record.answer() {
            found.push((RecordPart::Answer, behind(answer)));
        }
        let rejected = record.preference.iter().flat_map(|pair| &pair.rejected);
        found.extend(answers(rejected).map(|turn| (RecordPart::Rejected, behind(&turn.content))));
        let is_pair = record.preference.is_some();
        let last = record.learnt().iter().rposition(|turn| turn.role == Role::Assistant);
        for (at, turn) in record
            .learnt()
            .iter()
            .enumerate()
            .filter(|(_, turn)| turn.role == Role::Assistant && turn.is_learnt())
        {
            if Some(at) != last {
                found.push((RecordPart::EarlierAnswer, behind(&turn.content)));
            }
            found.extend(turn.thought().map(|thought| (RecordPart::Thought, thought)));
        }
        let prompt = if is_pair { record.messages.len() } else { record.prompt_turns };
        let before = record.messages.get(..prompt).unwrap_or_default();
        found.extend(answers(before).map(|turn| (RecordPart::EarlierAnswer, behind(&turn.content))));
        for turn in &record.messages {
            match turn.role {
                Role::User => found.push((RecordPart::Question, &turn.content)),
                Role::System | Role::Developer => found.push((RecordPart::System, &turn.content)),
                Role::Assistant | Role::Tool => {}
            }
        }
        found.extend(
            rows.into_iter().flat_map(|rows| rows.inputs(record)).map(|input| (RecordPart::Input, input)),
        );
        let mut told: Vec<RecordPart> = Vec::new();
        for (place, text) in found.into_iter().filter(|(_, text)| is_missing(text)) {
            if !told.contains(&place) {
                self.missing.entry(place).or_default().count(text.trim());
                told.push(place);
            }
        }
        let is_unasked = |turn: &Message| turn.role == Role::User && is_unseen(&turn.content);
        if record.messages.iter().any(is_unasked) {
            self.unasked += 1;
            self.first_unasked.get_or_insert_with(|| record.place());
        }
    }

    /// What was found, in sentences.
    pub(in crate::data) fn told(&self, rows: u64) -> Vec<String> {
        let mut told: Vec<String> =
            self.missing.iter().map(|(place, tally)| sentence(*place, tally, rows)).collect();
        told.extend(self.first_unasked.as_ref().map(|first| {
            format!(
                "the question is empty in {} of {rows} rows (the first is {first}), so their answers would be learnt for \
                 no question; if the question is missing, take these rows out",
                self.unasked
            )
        }));
        told
    }
}

fn sentence(place: RecordPart, tally: &Tally, rows: u64) -> String {
    let named: Vec<String> = tally.named().keys().take(NAMED).map(|word| format!("{word:?}")).collect();
    format!(
        "{} is {}{} in {} of {rows} rows, which is {} as it stands; if it stands for a value that is missing, take these \
         rows out",
        place.name(),
        named.join(" or "),
        tally.more(NAMED),
        tally.all(),
        if place.is_learnt() { "learnt" } else { "read" }
    )
}

/// The turns that answer without a call.
fn answers<'t>(turns: impl IntoIterator<Item = &'t Message>) -> impl Iterator<Item = &'t Message> {
    turns.into_iter().filter(|turn| turn.role == Role::Assistant && turn.tool_calls().is_empty())
}
