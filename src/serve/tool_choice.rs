//! Which tools an answer may, or must, call, as `tool_choice` says it.

use serde_json::{Value, json};

use super::error::ApiError;
use super::fields::{Fields, wrong};
use crate::engine::generate::CallChoice;

/// Where a function's own fields are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToolForm {
    /// In `function`, as chats have it.
    Nested,
    /// Beside the tool's type, as the Responses API has it.
    Flat,
}

/// What a client says of calls.
pub(crate) struct AskedCalls {
    pub choice: CallChoice,
    /// The functions that may be called, each with the place that names it; all may, if none are named.
    pub allowed: Option<Vec<(String, String)>>,
}

impl AskedCalls {
    const fn of(choice: CallChoice) -> Self {
        Self { choice, allowed: None }
    }

    /// None if nothing may be called.
    pub(crate) fn read(fields: &mut Fields, form: ToolForm) -> Result<Option<Self>, ApiError> {
        let place = fields.place("tool_choice");
        let expected = "\"none\", \"auto\", \"required\", or an object of the type function or allowed_tools";
        match fields.value("tool_choice") {
            None => Ok(Some(Self::of(CallChoice::Auto))),
            Some(Value::String(word)) => match word.as_str() {
                "none" => Ok(None),
                "auto" => Ok(Some(Self::of(CallChoice::Auto))),
                "required" | "any" => Ok(Some(Self::of(CallChoice::Required))),
                other => Err(wrong(&place, expected, &Value::from(other))),
            },
            Some(Value::Object(object)) => {
                let mut asked = Fields::of(Value::Object(object), place)?;
                match asked.text("type")?.as_deref() {
                    None | Some("function") => Ok(Some(Self::of(CallChoice::One(named(asked, form)?)))),
                    Some("allowed_tools") => allowed(asked, form).map(Some),
                    Some(other) => {
                        let place = asked.place("type");
                        let message = format!(
                            "{place} is {other:?}: this server knows function and allowed_tools, since its tools \
                             are functions"
                        );
                        Err(ApiError::bad(message).parameter(place))
                    }
                }
            }
            Some(other) => Err(wrong(&place, expected, &other)),
        }
    }

    /// Refuses a function that isn't there.
    pub(crate) fn check(&self, is_there: impl Fn(&str) -> bool) -> Result<(), ApiError> {
        let one = match &self.choice {
            CallChoice::One(name) => vec![("tool_choice".to_owned(), name.clone())],
            CallChoice::Auto | CallChoice::Required => Vec::new(),
        };
        match one.iter().chain(self.allowed.iter().flatten()).find(|(_, name)| !is_there(name)) {
            None => Ok(()),
            Some((place, name)) => {
                let message = format!("{place} asks for {name:?}, which isn't among the tools");
                Err(ApiError::bad(message).parameter(place.clone()))
            }
        }
    }
}

/// The functions that alone may be called; others are shown to the model nevertheless, so that a prompt stays the same.
fn allowed(mut asked: Fields, form: ToolForm) -> Result<AskedCalls, ApiError> {
    let missing = asked.missing("allowed_tools");
    let mut own = match (form, asked.object("allowed_tools")?) {
        (_, Some(own)) => {
            asked.finish()?;
            own
        }
        (ToolForm::Flat, None) => asked,
        (ToolForm::Nested, None) => return Err(missing),
    };
    let choice = match own.text("mode")?.as_deref() {
        Some("auto") => CallChoice::Auto,
        Some("required") => CallChoice::Required,
        None => return Err(own.missing("mode")),
        Some(other) => {
            return Err(wrong(&own.place("mode"), "\"auto\" or \"required\"", &Value::from(other)));
        }
    };
    let place = own.place("tools");
    let tools = own.list("tools")?.ok_or_else(|| own.missing("tools"))?;
    if tools.is_empty() {
        let message = format!("{place} is empty: name a tool, or send the tool_choice \"none\"");
        return Err(ApiError::bad(message).parameter(place));
    }
    own.finish()?;
    let read = |(index, tool)| {
        let place = format!("{place}[{index}]");
        let mut tool = Fields::of(tool, place.clone())?;
        tool.only("type", &[json!("function")])?;
        Ok((place, named(tool, form)?))
    };
    let allowed = tools.into_iter().enumerate().map(read).collect::<Result<_, ApiError>>()?;
    Ok(AskedCalls { choice, allowed: Some(allowed) })
}

/// The function that an object names, in either form.
fn named(mut asked: Fields, form: ToolForm) -> Result<String, ApiError> {
    let flat = asked.text("name")?;
    let nested = asked.object("function")?;
    let missing = asked.missing(match form {
        ToolForm::Flat => "name",
        ToolForm::Nested => "function.name",
    });
    asked.finish()?;
    match nested {
        Some(mut function) => {
            let name = function.text("name")?.ok_or_else(|| function.missing("name"))?;
            function.finish()?;
            Ok(name)
        }
        None => flat.ok_or(missing),
    }
}
