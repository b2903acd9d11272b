//! A row becomes a record.

use serde_json::Value;

use super::beside::is_nothing;
use super::columns::Columns;
use super::turn::turn;
use super::values::{first_text, is_turns, tags, text, turns};
use super::{ColumnPart, Mapping, MappingKind, PROMPT_TURNS};
use crate::domain::message::{Message, Role};
use crate::domain::record::{Fields, Preference, Record};
use crate::domain::unseen::is_unseen;

impl Mapping {
    /// Makes a record of a row. The row itself and where it came from are for the caller to add.
    ///
    /// # Errors
    /// Says what is missing or of the wrong form, with the column's name.
    pub fn apply(&self, fields: &Fields) -> Result<Record, String> {
        self.apply_among(&Columns::default(), fields)
    }

    /// The same, of a row among others of a file.
    pub(super) fn apply_among(&self, columns: &Columns, fields: &Fields) -> Result<Record, String> {
        let row = MappedRow { mapping: self, columns, fields };
        let mut record = Record::default();
        match self.kind() {
            MappingKind::Preference => row.preference(&mut record)?,
            MappingKind::Messages | MappingKind::ShareGpt => {
                record.messages = row.conversation()?;
                record.prompt_turns = row.prompt_turns();
            }
            MappingKind::Nli => record.messages = row.sentence_pair()?,
            MappingKind::Alpaca
            | MappingKind::PromptCompletion
            | MappingKind::QuestionAnswer
            | MappingKind::QueryExpansion
            | MappingKind::Prompts => row.question_and_answer(&mut record)?,
            MappingKind::Text => {
                let whole = row.required(ColumnPart::Text)?;
                if is_unseen(&whole) {
                    return Err(row.empty(ColumnPart::Text));
                }
                row.check_alone(&whole)?;
                record.text = Some(whole);
            }
            MappingKind::Columns => {}
        }
        if !record.messages.is_empty() {
            row.check_columns()?;
            record.tools = row.tools()?;
            record.settings = row.settings()?;
            row.think(&mut record)?;
        }
        row.weigh(&mut record)?;
        row.check_said(&record)?;
        record.label = row.optional(ColumnPart::Label).map(text).filter(|label| !label.is_empty());
        record.split = row.split();
        record.tags = row.optional(ColumnPart::Tags).map(tags).unwrap_or_default().into_iter().collect();
        Ok(record)
    }
}

pub(super) struct MappedRow<'a> {
    pub(super) mapping: &'a Mapping,
    /// Of the file that the row is of.
    pub(super) columns: &'a Columns,
    pub(super) fields: &'a Fields,
}

impl MappedRow<'_> {
    pub(super) fn optional(&self, part: ColumnPart) -> Option<&Value> {
        self.fields.get(self.mapping.column(part)?).filter(|value| !value.is_null())
    }

    /// The same, of a column that isn't blank: a table has all columns in each row.
    fn said(&self, part: ColumnPart) -> Option<&Value> {
        self.optional(part).filter(|value| !is_nothing(value))
    }

    fn value(&self, part: ColumnPart) -> Result<(&str, &Value), String> {
        let column = self.mapping.column(part).ok_or_else(|| format!("no column is the {}", part.name()))?;
        match self.fields.get(column) {
            Some(Value::Null) => Err(format!("column {column:?} is null")),
            Some(value) => Ok((column, value)),
            None => Err(format!("column {column:?} is missing")),
        }
    }

    fn required(&self, part: ColumnPart) -> Result<String, String> {
        self.value(part).map(|(_, value)| text(value))
    }

    fn empty(&self, part: ColumnPart) -> String {
        format!("column {:?} is empty", self.mapping.column(part).unwrap_or_default())
    }

    /// Fails where an answer that is to be learnt says nothing: a model would learn to end at once.
    fn check_said(&self, record: &Record) -> Result<(), String> {
        let (part, said, before) = match &record.preference {
            Some(pair) => (ColumnPart::Chosen, pair.chosen.as_slice(), record.messages.len()),
            None => (ColumnPart::Completion, record.messages.as_slice(), 0),
        };
        let begin = if before == 0 { record.prompt_turns } else { 0 };
        // An answer of a column of its own is known by it, and a turn of several by its number.
        let is_one = self.optional(part).is_some_and(|value| !is_turns(value));
        let column = || format!("column {:?}", self.mapping.column(part).unwrap_or_default());
        for (at, turn) in said.iter().enumerate().skip(begin) {
            let place = || format!("turn {} (the assistant's)", before + at + 1);
            if turn.is_learnt_as_nothing() {
                let told = format!("{} is empty, so a model would learn to end at once", place());
                return Err(if is_one { self.empty(part) } else { told });
            }
            if let Some((mark, end)) = turn.unended_thought() {
                let place = if is_one { column() } else { place() };
                return Err(format!(
                    "{place} begins a thought with {mark:?} that nothing ends, so the thought would be learnt as the \
                     answer; write {end:?} and the answer behind it"
                ));
            }
        }
        Ok(())
    }

    /// The system turn of a column of its own, if it says anything.
    pub(super) fn system(&self) -> Option<Message> {
        let said = self.optional(ColumnPart::System).map(text)?;
        (!said.is_empty()).then(|| Message::new(Role::System, said))
    }

    fn conversation(&self) -> Result<Vec<Message>, String> {
        let (column, value) = self.value(ColumnPart::Messages)?;
        let said = turns(value, column)?;
        self.check_repeated(&said)?;
        self.with_system(self.with_earlier(said)?)
    }

    /// How many turns of a conversation are a prompt, where our own export says so.
    fn prompt_turns(&self) -> usize {
        let told = self.fields.get(PROMPT_TURNS).and_then(Value::as_u64);
        told.and_then(|turns| usize::try_from(turns).ok()).unwrap_or_default()
    }

    /// The instruction, with what it is about below it.
    fn question(&self) -> Result<Vec<Message>, String> {
        let (column, value) = self.value(ColumnPart::Prompt)?;
        if is_turns(value) {
            return self.with_columns(turns(value, column)?);
        }
        match value.as_array().map(Vec::as_slice) {
            Some([]) => return Err(format!("column {column:?} holds an empty list, and no question")),
            Some(list) if list.iter().any(|item| item.is_array() || item.is_object()) => {
                return Err(format!("column {column:?} holds a list that is neither turns nor one question"));
            }
            Some([_, _, ..]) => {
                return Err(format!("column {column:?} holds a list of texts, not one question"));
            }
            Some([_]) | None => {}
        }
        let mut question = text(value);
        let is_asked = self.mapping.column(ColumnPart::Input) == Some(column);
        let input = self.optional(ColumnPart::Input).filter(|_| !is_asked).map(text).unwrap_or_default();
        if is_unseen(&question) && !is_unseen(&input) {
            question = input;
        } else if !input.trim().is_empty() {
            question = format!("{question}\n\n{input}");
        }
        let asked = [Message::new(Role::User, question)];
        Ok(self.system().into_iter().chain(self.earlier()?).chain(asked).collect())
    }

    /// What the assistant says in a prompt that is given as turns is not to be learnt, as in TRL.
    fn question_and_answer(&self, record: &mut Record) -> Result<(), String> {
        record.messages = self.question()?;
        if self.mapping.column(ColumnPart::Completion).is_some() {
            if self.optional(ColumnPart::Prompt).is_some_and(is_turns) {
                record.prompt_turns = record.messages.len();
            }
            record.messages.extend(self.answer(ColumnPart::Completion)?);
        }
        Ok(())
    }

    /// An answer: a text, one turn, or several.
    fn answer(&self, part: ColumnPart) -> Result<Vec<Message>, String> {
        let (column, value) = self.value(part)?;
        if let Some(called) = self.called(column, value)? {
            return Ok(vec![called]);
        }
        match value {
            _ if is_turns(value) => turns(value, column),
            Value::Object(_) => Ok(vec![turn(value, column, 1)?]),
            Value::Array(list) => {
                self.of_list(column, list).map(|said| vec![Message::new(Role::Assistant, said)])
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                Ok(vec![Message::new(Role::Assistant, text(value))])
            }
        }
    }

    /// The answer that a list holds: its only text, or the lines of an expanded query.
    fn of_list(&self, column: &str, list: &[Value]) -> Result<String, String> {
        if list.iter().all(is_nothing) {
            return Err(format!("column {column:?} holds no answer"));
        }
        if self.mapping.kind() == MappingKind::QueryExpansion {
            return Ok(text(&Value::from(list)));
        }
        match list {
            _ if list.iter().any(|item| item.is_array() || item.is_object()) => {
                Err(format!("column {column:?} holds a list that is neither turns nor one answer"))
            }
            [only] => Ok(text(only)),
            _ => Err(format!("column {column:?} holds {} answers; keep the one to be learnt", list.len())),
        }
    }

    fn sentence_pair(&self) -> Result<Vec<Message>, String> {
        let (premise, hypothesis) =
            (self.required(ColumnPart::Premise)?, self.required(ColumnPart::Hypothesis)?);
        // As SNLI says that those who were asked did not agree.
        if let Some(label) =
            self.optional(ColumnPart::Label).map(text).filter(|label| label == "-1" || label == "-")
        {
            return Err(format!("the label is {label}: nobody's, so there is nothing to learn"));
        }
        let question = format!("Premise: {premise}\nHypothesis: {hypothesis}");
        let mut messages: Vec<Message> =
            self.system().into_iter().chain([Message::new(Role::User, question)]).collect();
        let parts = [
            self.optional(ColumnPart::Explanation).map(first_text),
            self.optional(ColumnPart::Label).map(text),
        ];
        let said: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        if !said.is_empty() {
            messages.push(Message::new(Role::Assistant, said.join("\n")));
        }
        Ok(messages)
    }

    fn preference(&self, record: &mut Record) -> Result<(), String> {
        let (chosen, rejected) = (self.answer(ColumnPart::Chosen)?, self.answer(ColumnPart::Rejected)?);
        let shared = self.shared(&chosen, &rejected)?;
        if shared.last().is_some_and(|turn| turn.role == Role::Assistant) {
            return Err(
                "the turns that both answers share end with the assistant's, so nothing asks for the \
                        answers; move that turn into both of them"
                    .into(),
            );
        }
        let pair = Preference {
            chosen: behind(&shared, chosen.clone(), ColumnPart::Chosen)?,
            rejected: behind(&shared, rejected, ColumnPart::Rejected)?,
        };
        self.check_answered(&shared, &pair.chosen, &chosen)?;
        record.preference = Some(pair);
        record.messages = shared;
        Ok(())
    }

    /// The turns that both answers of a pair share.
    fn shared(&self, chosen: &[Message], rejected: &[Message]) -> Result<Vec<Message>, String> {
        // As TRL's "implicit prompt": both answers hold the whole conversation.
        let same = chosen.iter().zip(rejected).take_while(|(a, b)| a == b).count();
        let last = chosen.len().min(rejected.len()).saturating_sub(1);
        let implicit = chosen.get(..same.min(last)).unwrap_or_default();
        let elsewhere = !implicit.is_empty() || self.said(ColumnPart::Prompt).is_some();
        let is_there = self.said(ColumnPart::Messages).is_some() || !elsewhere;
        if self.mapping.column(ColumnPart::Messages).is_some() && is_there {
            let conversation = self.conversation()?;
            let answered = conversation.last().is_some_and(|turn| turn.role == Role::Assistant);
            if !answered || !elsewhere {
                return Ok(conversation);
            }
        }
        if self.said(ColumnPart::Prompt).is_some()
            || (self.mapping.column(ColumnPart::Prompt).is_some() && implicit.is_empty())
        {
            let asked = self.question()?;
            // The prompt may be the last question of several, or lack the system turn that both answers have.
            let question = without_system(&asked);
            let longer = implicit.len() > question.len() && implicit.ends_with(question);
            return if longer { self.with_system(implicit.to_vec()) } else { Ok(asked) };
        }
        if implicit.is_empty() {
            return Err("the chosen and the rejected answer share no prompt".into());
        }
        self.with_columns(implicit.to_vec())
    }

    /// Fails where a conversation beside a pair ends with another answer than the chosen one.
    fn check_answered(
        &self,
        shared: &[Message],
        answer: &[Message],
        chosen: &[Message],
    ) -> Result<(), String> {
        let Some((column, value)) = self
            .mapping
            .column(ColumnPart::Messages)
            .and_then(|column| Some((column, self.said(ColumnPart::Messages)?)))
        else {
            return Ok(());
        };
        let said = turns(value, column)?;
        let whole = [shared, answer].concat();
        let same = without_system(&said) == without_system(&whole) || said == chosen;
        if same || said.last().is_none_or(|turn| turn.role != Role::Assistant) {
            return Ok(());
        }
        Err(format!(
            "column {column:?} ends with another answer than the chosen one; --map messages= leaves the column out"
        ))
    }
}

/// Turns but for a system turn that begins them.
fn without_system(said: &[Message]) -> &[Message] {
    match said {
        [first, rest @ ..] if first.role == Role::System => rest,
        all => all,
    }
}

/// What an answer says behind the turns that both answers share. It may hold these itself, but for a system turn that
/// stands in a column of its own.
fn behind(shared: &[Message], answer: Vec<Message>, part: ColumnPart) -> Result<Vec<Message>, String> {
    let rest = [shared, without_system(shared)].into_iter().find_map(|shared| answer.strip_prefix(shared));
    let rest = rest.filter(|rest| !rest.is_empty()).map(<[Message]>::to_vec).unwrap_or(answer);
    let asks = |turn: Option<&Message>| turn.is_some_and(|turn| turn.role == Role::User);
    if asks(shared.last()) && asks(rest.first()) {
        return Err(format!("the {} answer begins with another question than the prompt's", part.name()));
    }
    if rest.iter().any(|turn| turn.role == Role::System) {
        return Err(format!("the {} answer has a system turn that the prompt lacks", part.name()));
    }
    Ok(rest)
}
