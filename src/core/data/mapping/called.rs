//! Answers that are calls of the tools that a column beside them describes, as xLAM's data have them.

use serde_json::{Value, json};

use super::TOOLS;
use super::apply::MappedRow;
use super::beside::MORE_TOOLS;
use super::calls::{are_calls, in_value};
use crate::data::rows::inside;
use crate::domain::message::{Message, Role, TOOL_CALLS};

impl MappedRow<'_> {
    /// The turn of an answer that calls tools, in a list or as JSON in a text; none where no tools are beside it, or the
    /// answer is something else.
    ///
    /// # Errors
    /// Where the answer calls nothing, or what is none of the tools.
    pub(super) fn called(&self, column: &str, value: &Value) -> Result<Option<Message>, String> {
        if !TOOLS.into_iter().chain(MORE_TOOLS).any(|name| self.beside(name).is_some()) {
            return Ok(None);
        }
        let parsed;
        let value = match value {
            Value::String(text) if text.trim_start().starts_with(['[', '{']) => {
                match inside::parse(text.trim()) {
                    Ok(value) => {
                        parsed = value;
                        &parsed
                    }
                    Err(_) => return Ok(None),
                }
            }
            other => other,
        };
        let one = json!([value]);
        let is_empty = value.as_array().is_some_and(Vec::is_empty);
        if !is_empty && !are_calls(value) && !are_calls(&one) {
            return Ok(None);
        }
        let tools = self.tools()?;
        if tools.is_empty() {
            return Ok(None);
        }
        if is_empty {
            return Err(format!("column {column:?} is a list of calls, and there is none in it"));
        }
        let name = |function: &Value| {
            function.get("function").unwrap_or(function).get("name")?.as_str().map(str::to_owned)
        };
        let known: Vec<String> = tools.iter().filter_map(name).collect();
        let calls = in_value(value).map_err(|reason| format!("column {column:?} {reason}"))?;
        if let Some(name) = calls.iter().filter_map(name).find(|name| !known.contains(name)) {
            return Err(format!(
                "column {column:?} calls {name:?}, which is none of the tools beside it ({})",
                known.join(", ")
            ));
        }
        let mut turn = Message::new(Role::Assistant, "");
        turn.extra.insert("content".to_owned(), Value::Null);
        turn.extra.insert(TOOL_CALLS.to_owned(), Value::Array(calls));
        Ok(Some(turn))
    }
}
