//! A record becomes a prompt, and the answer to learn.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, Value};

use super::Task;
use crate::domain::message::{Message, Role};
use crate::domain::record::Record;

impl Task {
    /// What the model is asked. A task without a prompt of its own takes the record's turns before the last answer.
    ///
    /// # Errors
    /// Where the record lacks a column that the prompt needs, or has no turn to ask with.
    pub fn prompt(&self, record: &Record) -> Result<Vec<Message>> {
        let Some(templates) = &self.templates else {
            let asked = record.messages.iter().rposition(|turn| turn.role == Role::User);
            let turns = asked.and_then(|last| record.messages.get(..=last));
            return turns
                .map(<[_]>::to_vec)
                .with_context(|| format!("{}: nobody asks anything", record.place()));
        };
        let variables = self.variables(record);
        let mut messages = Vec::new();
        if self.has_system {
            messages.push(Message::new(Role::System, self.render(templates, "system", &variables, record)?));
        }
        messages.push(Message::new(Role::User, self.render(templates, "user", &variables, record)?));
        Ok(messages)
    }

    /// The answer to learn, where the record has one.
    ///
    /// # Errors
    /// Where the answer's template fails for another reason than a missing column.
    pub fn answer_to_learn(&self, record: &Record) -> Result<Option<String>> {
        let Some(templates) = self.templates.as_ref().filter(|_| self.has_answer) else {
            return Ok(record.answer().map(str::to_owned));
        };
        if !self.answer_if_label.is_empty() {
            let label = record.label.as_deref().unwrap_or_default();
            if !self.answer_if_label.iter().any(|wanted| wanted.eq_ignore_ascii_case(label)) {
                return Ok(None);
            }
        }
        match templates.get_template("answer").and_then(|template| template.render(self.variables(record))) {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.kind() == ErrorKind::UndefinedError => Ok(None),
            Err(error) => bail!("{}: prompt.answer: {}", record.place(), told(&error)),
        }
    }

    /// The conversation to train on: prompt and answer.
    ///
    /// # Errors
    /// As [`Task::prompt`], and where there is no answer to learn.
    pub fn conversation(&self, record: &Record) -> Result<Vec<Message>> {
        if self.templates.is_none() {
            return Ok(record.messages.clone());
        }
        let answer = self.answer_to_learn(record)?;
        let answer = answer.with_context(|| format!("{}: it has no answer to learn", record.place()))?;
        let mut messages = self.prompt(record)?;
        messages.push(Message::new(Role::Assistant, answer));
        Ok(messages)
    }

    pub(super) fn render(
        &self,
        templates: &Environment<'_>,
        name: &str,
        variables: &BTreeMap<String, Value>,
        record: &Record,
    ) -> Result<String> {
        let rendered = templates.get_template(name).and_then(|template| template.render(variables));
        rendered.map_err(|error| {
            let needed = templates.get_template(name).map(|template| template.undeclared_variables(false));
            let needed = needed.unwrap_or_default();
            let missing: Vec<String> = self
                .fields
                .iter()
                .filter(|(name, _)| needed.contains(*name) && !variables.contains_key(*name))
                .map(|(name, columns)| format!("{name} ({})", columns.join(", ")))
                .collect();
            let hint = if missing.is_empty() {
                String::new()
            } else {
                format!("; it has no {}", missing.join(" and no "))
            };
            anyhow::anyhow!("{}: prompt.{name}: {}{hint}", record.place(), told(&error))
        })
    }

    /// One of the task's fields from the record's columns, as its prompt would say it; a name that is no field of the
    /// task means the column of that name.
    #[must_use]
    pub fn field(&self, record: &Record, name: &str) -> Option<String> {
        match self.fields.get(name) {
            Some(columns) => Self::from_columns(record, columns),
            None => Self::from_columns(record, &[name.to_owned()]),
        }
    }

    /// A cell as a prompt would say it.
    #[must_use]
    pub fn cell(cell: &serde_json::Value) -> String {
        plain_text(cell)
    }

    /// The first of the columns that the record has, as text.
    fn from_columns(record: &Record, columns: &[String]) -> Option<String> {
        let of_record = |column: &String| match column.as_str() {
            "prompt" if !record.prompt().is_empty() => Some(record.prompt().to_owned()),
            "completion" => record.answer().map(str::to_owned),
            _ => None,
        };
        let cell = |column: &String| {
            let cell = record.fields.get(column).filter(|cell| !cell.is_null());
            cell.map(plain_text).filter(|text| !text.is_empty())
        };
        columns.iter().find_map(|column| cell(column).or_else(|| of_record(column)))
    }

    /// The task's variables from the record's columns, with `label`, `prompt` and `completion` from the record itself.
    pub(super) fn variables(&self, record: &Record) -> BTreeMap<String, Value> {
        let mut variables: BTreeMap<String, Value> = BTreeMap::new();
        if let Some(label) = &record.label {
            variables.insert("label".into(), Value::from(self.canonical(label)));
        }
        if !record.prompt().is_empty() {
            variables.insert("prompt".into(), Value::from(record.prompt()));
        }
        if let Some(answer) = record.answer() {
            variables.insert("completion".into(), Value::from(answer));
        }
        for (name, columns) in &self.fields {
            if let Some(text) = Self::from_columns(record, columns) {
                variables.insert(name.clone(), Value::from(text));
            }
        }
        variables.insert("fields".into(), Value::from(Serde(&record.fields)));
        variables
    }
}

/// A cell as text: the first of several explanations, lines of a list, `type: text` for pairs.
fn plain_text(cell: &serde_json::Value) -> String {
    use serde_json::Value as Json;
    match cell {
        Json::String(text) => text.clone(),
        Json::Array(items) => {
            let pair = |item: &Json| match item.as_array().map(Vec::as_slice) {
                Some([Json::String(kind), Json::String(text)]) => format!("{kind}: {text}"),
                _ => plain_text(item),
            };
            items.iter().map(pair).collect::<Vec<_>>().join("\n")
        }
        Json::Null => String::new(),
        Json::Bool(_) | Json::Number(_) | Json::Object(_) => cell.to_string(),
    }
}

/// JSON without the escapes that web pages need.
#[expect(clippy::needless_pass_by_value, reason = "the form that the template engine asks for")]
pub(super) fn plain_json(value: Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "a variable for tojson is undefined"));
    }
    serde_json::to_string(&value).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
}

fn told(error: &Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}
