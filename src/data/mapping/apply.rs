//! A row becomes a record.

use serde_json::Value;

use super::turn::{MEDIA, turn};
use super::values::{first_text, history, is_turns, tags, text, tools, turns};
use super::{Kind, Mapping, PROMPT_TURNS, Part, TOOLS};
use crate::domain::message::{Message, Role};
use crate::domain::record::{Fields, Preference, Record};

impl Mapping {
    /// Makes a record of a row. The row itself and where it came from are for the caller to add.
    ///
    /// # Errors
    /// Says what is missing or of the wrong form, with the column's name.
    pub fn apply(&self, fields: &Fields) -> Result<Record, String> {
        let row = Row { mapping: self, fields };
        let mut record = Record::default();
        match self.kind() {
            Kind::Preference => row.preference(&mut record)?,
            Kind::Messages | Kind::ShareGpt => {
                record.messages = row.conversation()?;
                record.prompt_turns = row.prompt_turns();
            }
            Kind::Nli => record.messages = row.sentence_pair()?,
            Kind::Alpaca
            | Kind::PromptCompletion
            | Kind::QuestionAnswer
            | Kind::QueryExpansion
            | Kind::Prompts => row.question_and_answer(&mut record)?,
            Kind::Text => record.text = Some(row.required(Part::Text)?),
            Kind::Columns => {}
        }
        if !record.messages.is_empty() {
            row.check_columns()?;
            record.tools = row.tools()?;
        }
        record.label = row.optional(Part::Label).map(text).filter(|label| !label.is_empty());
        record.split = row.optional(Part::Split).map(text).filter(|split| !split.is_empty());
        record.tags = row.optional(Part::Tags).map(tags).unwrap_or_default().into_iter().collect();
        Ok(record)
    }
}

/// The column of earlier questions and answers beside Alpaca's, as LLaMA-Factory has it.
const HISTORY: &str = "history";
/// Whether a column's name says that it holds several answers, and not the lines of one.
fn is_plural(column: &str) -> bool {
    ["answers", "responses", "completions"].iter().any(|name| column.eq_ignore_ascii_case(name))
}

/// TRL's column of variables for the chat template.
const TEMPLATE_SETTINGS: &str = "chat_template_kwargs";

/// Whether a value is empty: null, or a text, list or object of nothing.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(is_nothing),
        Value::Object(entries) => entries.values().all(is_nothing),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

struct Row<'a> {
    mapping: &'a Mapping,
    fields: &'a Fields,
}

impl Row<'_> {
    fn optional(&self, part: Part) -> Option<&Value> {
        self.fields.get(self.mapping.column(part)?).filter(|value| !value.is_null())
    }

    fn value(&self, part: Part) -> Result<(&str, &Value), String> {
        let column = self.mapping.column(part).ok_or_else(|| format!("no column is the {}", part.name()))?;
        match self.fields.get(column) {
            Some(Value::Null) => Err(format!("column {column:?} is null")),
            Some(value) => Ok((column, value)),
            None => Err(format!("column {column:?} is missing")),
        }
    }

    fn required(&self, part: Part) -> Result<String, String> {
        self.value(part).map(|(_, value)| text(value))
    }

    /// The system turn of a column of its own, if it says anything.
    fn system(&self) -> Option<Message> {
        let said = self.optional(Part::System).map(text)?;
        (!said.is_empty()).then(|| Message::new(Role::System, said))
    }

    fn conversation(&self) -> Result<Vec<Message>, String> {
        let (column, value) = self.value(Part::Messages)?;
        let said = turns(value, column)?;
        let own = said.first().is_some_and(|turn| turn.role == Role::System);
        Ok(self.system().filter(|_| !own).into_iter().chain(said).collect())
    }

    /// How many turns of a conversation are a prompt, where our own export says so.
    fn prompt_turns(&self) -> usize {
        let told = self.fields.get(PROMPT_TURNS).and_then(Value::as_u64);
        told.and_then(|turns| usize::try_from(turns).ok()).unwrap_or_default()
    }

    /// Fails where a column beside the conversation changes what is said in it and can't be used.
    fn check_columns(&self) -> Result<(), String> {
        let mapped = |name: &str| self.mapping.iter().any(|(_, column)| column == name);
        let says =
            |name: &str| self.fields.get(name).is_some_and(|value| !is_nothing(value)) && !mapped(name);
        if let Some(name) = MEDIA.into_iter().find(|name| says(name)) {
            return Err(format!("the row has {name:?}, and only text can be read"));
        }
        if says(TEMPLATE_SETTINGS) {
            return Err(format!(
                "the row has {TEMPLATE_SETTINGS:?}, settings of a template of its own, which can't be given row by row"
            ));
        }
        Ok(())
    }

    /// What the assistant may call, where a column of that name holds it.
    fn tools(&self) -> Result<Vec<Value>, String> {
        let mapped = |name: &str| self.mapping.iter().any(|(_, column)| column == name);
        let found = TOOLS.iter().find_map(|name| Some((name, self.fields.get(*name)?)));
        let Some((name, value)) = found.filter(|(name, _)| !mapped(name)) else { return Ok(Vec::new()) };
        match (tools(value, name), self.mapping.kind()) {
            (Err(reason), Kind::Messages | Kind::ShareGpt) => Err(reason),
            // Beside questions and answers a column of that name may be about anything.
            (found, _) => Ok(found.unwrap_or_default()),
        }
    }

    /// The instruction, with what it is about below it.
    fn question(&self) -> Result<Vec<Message>, String> {
        let (column, value) = self.value(Part::Prompt)?;
        if is_turns(value) {
            return turns(value, column);
        }
        if value.as_array().is_some_and(|list| list.len() > 1 && list.iter().all(Value::is_string)) {
            return Err(format!("column {column:?} holds a list of texts, not one question"));
        }
        let mut question = text(value);
        let input = self.optional(Part::Input).map(text).unwrap_or_default();
        if !input.trim().is_empty() {
            question = format!("{question}\n\n{input}");
        }
        let earlier = match self.fields.get(HISTORY) {
            Some(value) if !self.mapping.iter().any(|(_, column)| column == HISTORY) => {
                history(value, HISTORY)?
            }
            _ => Vec::new(),
        };
        Ok(self.system().into_iter().chain(earlier).chain([Message::new(Role::User, question)]).collect())
    }

    /// What the assistant says in a prompt that is given as turns is not to be learnt, as in TRL.
    fn question_and_answer(&self, record: &mut Record) -> Result<(), String> {
        record.messages = self.question()?;
        if self.mapping.column(Part::Completion).is_some() {
            if self.optional(Part::Prompt).is_some_and(is_turns) {
                record.prompt_turns = record.messages.len();
            }
            record.messages.extend(self.answer(Part::Completion)?);
        }
        Ok(())
    }

    /// An answer: a text, one turn, or several.
    fn answer(&self, part: Part) -> Result<Vec<Message>, String> {
        let (column, value) = self.value(part)?;
        match value {
            _ if is_turns(value) => turns(value, column),
            Value::Object(_) => Ok(vec![turn(value, column, 1)?]),
            Value::Array(list)
                if list.len() > 1 && is_plural(column) && list.iter().all(Value::is_string) =>
            {
                Err(format!("column {column:?} holds {} answers; keep the one to be learnt", list.len()))
            }
            _ => Ok(vec![Message::new(Role::Assistant, text(value))]),
        }
    }

    fn sentence_pair(&self) -> Result<Vec<Message>, String> {
        let (premise, hypothesis) = (self.required(Part::Premise)?, self.required(Part::Hypothesis)?);
        let question = format!("Premise: {premise}\nHypothesis: {hypothesis}");
        let mut messages: Vec<Message> =
            self.system().into_iter().chain([Message::new(Role::User, question)]).collect();
        let parts = [self.optional(Part::Explanation).map(first_text), self.optional(Part::Label).map(text)];
        let said: Vec<String> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
        if !said.is_empty() {
            messages.push(Message::new(Role::Assistant, said.join("\n")));
        }
        Ok(messages)
    }

    fn preference(&self, record: &mut Record) -> Result<(), String> {
        let (chosen, rejected) = (self.answer(Part::Chosen)?, self.answer(Part::Rejected)?);
        let shared = if self.mapping.column(Part::Messages).is_some() {
            self.conversation()?
        } else if self.mapping.column(Part::Prompt).is_some() {
            self.question()?
        } else {
            // As TRL's "implicit prompt": both answers hold the whole conversation.
            let same = chosen.iter().zip(&rejected).take_while(|(a, b)| a == b).count();
            let last = chosen.len().min(rejected.len()).saturating_sub(1);
            chosen.iter().take(same.min(last)).cloned().collect()
        };
        if shared.is_empty() {
            return Err("the chosen and the rejected answer share no prompt".into());
        }
        let behind = |answer: Vec<Message>| match answer.strip_prefix(shared.as_slice()) {
            Some(rest) if !rest.is_empty() => rest.to_vec(),
            _ => answer,
        };
        record.preference = Some(Preference { chosen: behind(chosen), rejected: behind(rejected) });
        record.messages = shared;
        Ok(())
    }
}
