//! Tools: those of a request, and calls as OpenAI writes them.

use serde_json::{Value, json};

use super::error::ApiError;
use super::fields::Fields;
use super::options::fresh_seed;
use super::tool_choice::{AskedCalls, ToolForm};
use crate::engine::generate::{AnswerPiece, CallChoice, CallForm, CallReader, Calls};

/// Tools of one request at most.
const TOOLS: usize = 128;

/// The tools that an answer may, or must, call.
pub(crate) struct Tools {
    /// As the template shows them.
    pub list: Vec<Value>,
    pub calls: Calls,
}

/// A function that is offered.
struct OfferedFunction {
    name: String,
    /// The schema of its arguments.
    parameters: Value,
    /// Where its name is.
    place: String,
    /// As the template shows it.
    shown: Value,
}

impl Tools {
    /// The tools of a request; none if it has none, or says that none may be called.
    pub(crate) fn read(fields: &mut Fields, form: ToolForm) -> Result<Option<Self>, ApiError> {
        for older in ["functions", "function_call"] {
            if fields.value(older).is_some_and(|value| value != json!([]) && value != "none") {
                let message = format!("{older} is of an older form: send tools and tool_choice");
                return Err(ApiError::bad(message).parameter(older));
            }
        }
        let list = fields.list("tools")?.unwrap_or_default();
        let several = fields.flag("parallel_tool_calls")?.unwrap_or(true);
        let asked = AskedCalls::read(fields, form)?;
        if list.is_empty() {
            return match asked {
                None | Some(AskedCalls { choice: CallChoice::Auto, allowed: None }) => Ok(None),
                Some(_) => {
                    let message = "tool_choice asks for a call, and there are no tools";
                    Err(ApiError::bad(message).parameter("tool_choice"))
                }
            };
        }
        if list.len() > TOOLS {
            let message = format!("tools holds {} tools, and may hold {TOOLS}", list.len());
            return Err(ApiError::bad(message).parameter("tools"));
        }
        let read = |(index, tool)| function(Fields::of(tool, format!("tools[{index}]"))?, form);
        let offered: Vec<OfferedFunction> =
            list.into_iter().enumerate().map(read).collect::<Result<_, ApiError>>()?;
        told_apart(&offered)?;
        let Some(asked) = asked else { return Ok(None) };
        asked.check(|name| offered.iter().any(|own| own.name == name))?;
        let AskedCalls { choice, allowed } = asked;
        let may_be_called = |name: &str| {
            allowed.as_ref().is_none_or(|allowed| allowed.iter().any(|(_, other)| other == name))
        };
        let (mut list, mut functions) = (Vec::new(), Vec::new());
        for OfferedFunction { name, parameters, shown, .. } in offered {
            list.push(shown);
            if may_be_called(&name) {
                functions.push((name, parameters));
            }
        }
        Ok(Some(Self { list, calls: Calls { functions, choice, several, answer: None } }))
    }
}

/// Refuses two functions of one name: a call couldn't say which it means.
fn told_apart(offered: &[OfferedFunction]) -> Result<(), ApiError> {
    for (index, OfferedFunction { name, place, .. }) in offered.iter().enumerate() {
        if offered.iter().take(index).any(|earlier| earlier.name == *name) {
            let message = format!("{place} is {name:?}, which another of the tools has: give each its own");
            return Err(ApiError::bad(message).parameter(place.clone()));
        }
    }
    Ok(())
}

/// A function's name and the schema of its arguments.
fn function(mut tool: Fields, form: ToolForm) -> Result<OfferedFunction, ApiError> {
    /// Characters of a name at most, as OpenAI has it.
    const NAME: usize = 64;
    let kind = tool.text("type")?.ok_or_else(|| tool.missing("type"))?;
    if kind != "function" {
        let place = tool.place("type");
        let message = format!("{place} is {kind:?}: this server knows tools that are functions only");
        return Err(ApiError::bad(message).parameter(place));
    }
    let mut function = match (tool.object("function")?, form) {
        (Some(function), _) => {
            tool.finish()?;
            function
        }
        (None, ToolForm::Flat) => tool,
        (None, ToolForm::Nested) => return Err(tool.missing("function")),
    };
    let shown = json!({ "type": kind, "function": function.rest() });
    let name = function.text("name")?.ok_or_else(|| function.missing("name"))?;
    let place = function.place("name");
    let is_of_name = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-');
    if name.is_empty() || name.len() > NAME || !name.chars().all(is_of_name) {
        let message = format!("{place} must be of at most {NAME} letters, digits, _ and -");
        return Err(ApiError::bad(message).parameter(place));
    }
    function.flag("strict")?;
    function.text("description")?;
    let parameters = match function.object("parameters")? {
        Some(parameters) => Value::Object(parameters.rest().clone()),
        None => json!({ "type": "object", "properties": {} }),
    };
    function.finish()?;
    Ok(OfferedFunction { name, parameters, place, shown })
}

/// Reads an answer's pieces as they come; all of it is text, if there are no tools.
#[derive(Debug, Clone, Default)]
pub(crate) struct PieceReader(Option<CallReader>);

impl PieceReader {
    pub(crate) fn of(form: Option<&CallForm>) -> Self {
        Self(form.cloned().map(CallReader::new))
    }

    /// What a text brings, as far as that is certain.
    pub(crate) fn push(&mut self, text: String) -> Vec<AnswerPiece> {
        match &mut self.0 {
            Some(reader) => reader.push(&text),
            None if text.is_empty() => Vec::new(),
            None => vec![AnswerPiece::Text(text)],
        }
    }

    /// What was held back, when nothing more comes after this text.
    pub(crate) fn finish(&mut self, text: String) -> Vec<AnswerPiece> {
        let mut pieces = self.push(text);
        pieces.extend(self.0.as_mut().map(CallReader::finish).unwrap_or_default());
        pieces
    }

    /// Whether the answer ended within a call.
    pub(crate) fn is_within_call(&self) -> bool {
        self.0.as_ref().is_some_and(CallReader::is_within_call)
    }
}

/// A call as OpenAI writes it.
pub(crate) fn written(name: &str, arguments: &str) -> Value {
    json!({ "id": call_id(), "type": "function", "function": { "name": name, "arguments": arguments } })
}

/// Nine letters and digits: some templates take no other.
fn call_id() -> String {
    const SIGNS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut number = fresh_seed();
    let mut sign = || {
        number = number.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f);
        SIGNS.get((number >> 33) as usize % SIGNS.len()).map_or('0', |sign| char::from(*sign))
    };
    (0..9).map(|_| sign()).collect()
}
