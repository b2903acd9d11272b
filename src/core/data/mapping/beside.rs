//! What columns beside a conversation change of it: tools, a system prompt, earlier turns, what a prompt is about, a
//! thought, a weight. Each is taken in or refused by name.

use serde_json::Value;

use super::apply::MappedRow;
use super::columns::Columns;
use super::detect::names;
use super::masks::{is_list_of_weights, weigh_by};
use super::thoughts::{plain, settle_thoughts};
use super::turn::{MEDIA, is_turn, learnt};
use super::turn_weights::give_no_weight;
use super::values::{history, text, tools};
use super::words::{is_any, yes_or_no};
use super::{ColumnPart, Mapping, SETTINGS, TOOLS, leave_out};
use crate::data::rows::{inside, kind_of};
use crate::domain::inline_thought::{MARKS, leading};
use crate::domain::message::{Message, Role, THOUGHTS, WEIGHTS};
use crate::domain::record::{Fields, Record};

/// The column of earlier questions and answers beside Alpaca's, as LLaMA-Factory has it.
const HISTORY: &str = "history";
/// More names of columns of tools.
pub(super) const MORE_TOOLS: [&str; 4] =
    ["available_tools", "tool_definitions", "tool_schemas", "tool_schema"];
/// Columns of their own for what a template is given by its name.
const GIVEN: [&str; 4] = ["enable_thinking", "reasoning_effort", "thinking_budget", "thinking_mode"];
/// Columns that ask for another rendering, which a row can't.
const RENDERING: [&str; 3] = ["chat_template", "add_generation_prompt", "continue_final_message"];
/// All columns beside the mapped ones that are read or refused by their names.
pub(super) const NAMED_BESIDE: [&[&str]; 6] = [
    &TOOLS,
    &MORE_TOOLS,
    &[SETTINGS, HISTORY, "system_instruction", "systeminstruction"],
    &GIVEN,
    &RENDERING,
    &MEDIA,
];
/// What a template is given by whoever renders, and by no row.
const RESERVED: [&str; 8] = [
    "messages",
    "conversation",
    "tools",
    "chat_template",
    "add_generation_prompt",
    "continue_final_message",
    "tokenize",
    "return_assistant_tokens_mask",
];
/// Names of columns, beside those that turns have too, that say whether a row is learnt.
pub(super) const ROW_WEIGHTS: [&str; 2] = ["sample_weight", "example_weight"];

/// Whether a value is empty: null, or a text, list or object of nothing.
pub(super) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(entries) => entries.values().all(is_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

impl MappedRow<'_> {
    /// A column that plays no part and says something, by its name however it is written.
    pub(super) fn beside(&self, name: &str) -> Option<(&str, &Value)> {
        let column = |(key, value): &(&String, &Value)| {
            is_any(&[name], key) && !is_nothing(value) && !self.mapping.takes(key)
        };
        self.fields.iter().find(column).map(|(key, value)| (key.as_str(), value))
    }

    /// Fails where a column beside the conversation changes what is said in it and can't be used.
    pub(super) fn check_columns(&self) -> Result<(), String> {
        if let Some((name, _)) = MEDIA.into_iter().find_map(|name| self.beside(name)) {
            return Err(format!("the row has {name:?}, and only text can be read"));
        }
        Ok(())
    }

    /// What the chat template is given beside turns and tools. A null says nothing.
    pub(super) fn settings(&self) -> Result<Fields, String> {
        let mut settings = self.given()?;
        for (column, value) in GIVEN.into_iter().filter_map(|name| self.beside(name)) {
            let own = if value.is_string() {
                yes_or_no(value).map_or(value.clone(), Value::Bool)
            } else {
                value.clone()
            };
            match settings.get(column) {
                Some(other) if *other != own => {
                    return Err(format!(
                        "column {column:?} is {own}, and {SETTINGS:?} says {other}; keep one of them"
                    ));
                }
                _ => drop(settings.insert(column.to_owned(), own)),
            }
        }
        Ok(settings)
    }

    /// The settings in the column of that name.
    fn given(&self) -> Result<Fields, String> {
        if let Some((column, _)) = RENDERING.into_iter().find_map(|name| self.beside(name)) {
            return Err(format!(
                "column {column:?} says how the row is to be rendered, and all rows are rendered by the model's chat \
                 template; take it out, or {}",
                leave_out(column)
            ));
        }
        let Some((column, value)) = self.beside(SETTINGS) else { return Ok(Fields::new()) };
        let read = value.as_str().map(|text| inside::python(text).unwrap_or_else(|_| value.clone()));
        let Some(given) = read.as_ref().unwrap_or(value).as_object() else {
            let kind = kind_of(value);
            return Err(format!("column {column:?} holds {kind}, not an object of names with values"));
        };
        if let Some(name) = given.keys().find(|name| RESERVED.contains(&name.as_str())) {
            return Err(format!("column {column:?} sets {name:?}, which a row can't; take it out"));
        }
        let told = given.iter().filter(|(_, value)| !value.is_null());
        Ok(told.map(|(name, value)| (name.clone(), value.clone())).collect())
    }

    /// What the assistant may call, where a column of that name holds it.
    pub(super) fn tools(&self) -> Result<Vec<Value>, String> {
        let mut found: Option<(&str, Vec<Value>)> = None;
        for (name, value) in TOOLS.into_iter().chain(MORE_TOOLS).filter_map(|name| self.beside(name)) {
            let here = tools(value, name).map_err(|reason| {
                format!("{reason}; give the column another name if it is about something else")
            })?;
            match &found {
                _ if here.is_empty() => {}
                Some((first, known)) if *known != here => {
                    return Err(format!(
                        "columns {first:?} and {name:?} hold different tools; keep one of them"
                    ));
                }
                Some(_) => {}
                None => found = Some((name, here)),
            }
        }
        Ok(found.map(|(_, tools)| tools).unwrap_or_default())
    }

    /// Turns with the system turn of a column of its own.
    pub(super) fn with_system(&self, said: Vec<Message>) -> Result<Vec<Message>, String> {
        let Some(system) = self.system() else { return Ok(said) };
        match said.first().filter(|turn| turn.role == Role::System) {
            Some(own) if own.content.trim() == system.content.trim() => Ok(said),
            Some(_) => {
                let column = self.mapping.column(ColumnPart::System).unwrap_or_default();
                Err(format!(
                    "column {column:?} says something else than the conversation's own system turn; \
                     --map system= leaves the column out"
                ))
            }
            None => Ok([system].into_iter().chain(said).collect()),
        }
    }

    /// A prompt that is given as turns, with what the columns beside it say.
    pub(super) fn with_columns(&self, said: Vec<Message>) -> Result<Vec<Message>, String> {
        let input = match self.mapping.column(ColumnPart::Input) {
            Some(column) => self.optional(ColumnPart::Input).map(|value| (column, value)),
            None if self.mapping.is_decided(ColumnPart::Input) => None,
            None => self.beside("input").or_else(|| self.beside("context")),
        };
        if let Some((column, _)) = input.filter(|(_, value)| !stands_in(value, &said)) {
            return Err(format!(
                "column {column:?} says what the prompt is about, and the prompt's turns don't have it; write it into \
                 them, or leave it out with --map input="
            ));
        }
        self.with_system(self.with_earlier(said)?)
    }

    /// Turns with the earlier ones of a column of their own, if they aren't among them.
    pub(super) fn with_earlier(&self, mut said: Vec<Message>) -> Result<Vec<Message>, String> {
        let earlier = self.earlier()?;
        if earlier.is_empty() || said.windows(earlier.len()).any(|turns| turns == earlier) {
            return Ok(said);
        }
        let begin =
            said.iter().take_while(|turn| matches!(turn.role, Role::System | Role::Developer)).count();
        said.splice(begin..begin, earlier);
        Ok(said)
    }

    /// Earlier questions and answers.
    pub(super) fn earlier(&self) -> Result<Vec<Message>, String> {
        self.beside(HISTORY).map_or_else(|| Ok(Vec::new()), |(column, value)| history(value, column))
    }

    /// Gives the answer the thought of a column of its own.
    pub(super) fn think(&self, record: &mut Record) -> Result<(), String> {
        let Some(column) = self.mapping.column(ColumnPart::Thought) else { return Ok(()) };
        let plays_another =
            self.mapping.iter().any(|(part, other)| part != ColumnPart::Thought && other == column);
        let thought = self.optional(ColumnPart::Thought).map(text).unwrap_or_default();
        if plays_another || thought.trim().is_empty() {
            return Ok(());
        }
        let refused = |why: &str| {
            Err(format!("column {column:?} holds a thought, {why}; --map thought= leaves the column out"))
        };
        if record.preference.is_some() {
            return refused("and it can belong to either answer of the pair");
        }
        let turns = record.messages.iter_mut().skip(record.prompt_turns);
        let mut answers = turns.filter(|turn| turn.role == Role::Assistant);
        match (answers.next(), answers.next()) {
            (None, _) => Ok(()),
            (Some(_), Some(_)) => refused("and the conversation has several answers that it can belong to"),
            (Some(answer), None) => match answer.thought() {
                Some(own) if plain(own) == plain(&thought) => Ok(()),
                Some(_) => refused("and the answer has another one of its own"),
                None if stands_in_answer(plain(&thought), &answer.content) => Ok(()),
                None if leading(&answer.content).is_some() => {
                    refused("and the answer has another one of its own")
                }
                None => {
                    answer.extra.insert(THOUGHTS[0].to_owned(), Value::String(thought));
                    settle_thoughts(answer).or_else(|_| refused("and several between marks are in it"))
                }
            },
        }
    }

    /// Gives the answers the weight that a column gives the row.
    pub(super) fn weigh(&self, record: &mut Record) -> Result<(), String> {
        let answers = record.messages.iter().any(|turn| turn.role == Role::Assistant);
        if !answers && record.preference.is_none() && record.text.is_none() {
            return Ok(());
        }
        if !self.columns.speak_of_learning(self.fields) {
            return Ok(());
        }
        for name in WEIGHTS.into_iter().chain(ROW_WEIGHTS) {
            // A loss that is a number was measured.
            let told = self.beside(name).filter(|(_, value)| name != "loss" || value.is_boolean());
            let Some((column, value)) = told else { continue };
            let value = opened(value);
            // A list may have one for each turn.
            if !is_list_of_weights(&value) {
                weigh_by(record, column, &value)?;
            }
        }
        self.mask(record)
    }
}

/// Whether an answer has a thought in it, between its marks.
fn stands_in_answer(thought: &str, answer: &str) -> bool {
    MARKS.iter().any(|(_, end)| answer.contains(end)) && answer.contains(thought.trim())
}

/// Gives the answers the weight of their row: true or false.
pub(super) fn weigh_row(record: &mut Record, column: &str, value: &Value) -> Result<(), String> {
    if learnt(value) != Some(false) {
        return Ok(());
    }
    if record.preference.is_some() || record.text.is_some() {
        return Err(format!("column {column:?} gives the row no weight, so it is left out"));
    }
    let answers = record.messages.iter_mut().filter(|turn| turn.role == Role::Assistant);
    answers.for_each(|turn| give_no_weight(turn, column));
    Ok(())
}

/// A cell of a table is a text, whatever stands in it.
pub(super) fn opened(value: &Value) -> Value {
    let inside = value.as_str().and_then(|text| serde_json::from_str(&text.trim().to_ascii_lowercase()).ok());
    inside.unwrap_or_else(|| value.clone())
}

/// Whether turns have all that a value says.
pub(super) fn stands_in(value: &Value, turns: &[Message]) -> bool {
    let spoken = |key: &str| value.get(key).filter(|said| said.is_string());
    match value {
        Value::Object(_) if is_turn(value) && (spoken("content").is_some() || spoken("value").is_some()) => {
            spoken("content").or_else(|| spoken("value")).is_some_and(|said| stands_in(said, turns))
        }
        Value::Array(items) => items.iter().all(|item| stands_in(item, turns)),
        other => {
            let said = text(other);
            turns.iter().any(|turn| turn.content.contains(said.trim()))
        }
    }
}

/// Fails where a second column holds another thought.
pub(super) fn check_thoughts(mapping: &Mapping, columns: &Columns, fields: &Fields) -> Result<(), String> {
    let Some(first) = mapping.column(ColumnPart::Thought) else { return Ok(()) };
    let thought = fields.get(first).and_then(Value::as_str).unwrap_or_default();
    let row = MappedRow { mapping, columns, fields };
    let mut others = names(ColumnPart::Thought).iter().filter_map(|name| row.beside(name));
    match others.find(|(_, value)| value.as_str().is_some_and(|other| plain(other) != plain(thought))) {
        Some((other, _)) => Err(format!(
            "columns {first:?} and {other:?} hold different thoughts; say which is the answer's with --map thought={first}"
        )),
        None => Ok(()),
    }
}
