//! What is asked of a model and what comes back, in the form of OpenAI's chat completions. Pure.
//!
//! Requests are `async-openai`'s types. Answers are read by hand: its types want fields that smaller servers leave out
//! (`id`, `created`, `object`, a total of tokens), and an answer that was paid for is not to be lost for those.

use async_openai::types::chat::{
    ChatCompletionRequestAssistantMessage, ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage,
    ChatCompletionRequestUserMessage, CreateChatCompletionRequest, ResponseFormat, ResponseFormatJsonSchema,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error::AskError;
use crate::domain::message::{Message, Role};
use crate::domain::teacher::Money;
use crate::domain::thought::estimated_tokens;

/// One question.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub messages: Vec<Message>,
    /// The longest answer, in tokens.
    pub max_tokens: u32,
    pub temperature: f64,
    /// A JSON schema with its name, which the endpoint is held to where it can be.
    pub schema: Option<(&'static str, Value)>,
    /// Sets apart answers that are drawn several times for one prompt.
    pub draw: u32,
}

impl Request {
    /// The body to send. `with_schema` leaves the schema out for an endpoint that doesn't know it.
    #[must_use]
    pub fn body(&self, model: &str, with_schema: bool) -> Value {
        let format = self.schema.as_ref().filter(|_| with_schema).map(|(name, schema)| {
            let json_schema = ResponseFormatJsonSchema {
                description: None,
                name: (*name).to_owned(),
                schema: schema.clone(),
                strict: Some(true),
            };
            ResponseFormat::JsonSchema { json_schema }
        });
        #[expect(deprecated, reason = "smaller servers know max_tokens only")]
        let body = CreateChatCompletionRequest {
            model: model.to_owned(),
            messages: self.messages.iter().map(message).collect(),
            temperature: Some(self.temperature as f32),
            max_tokens: Some(self.max_tokens),
            response_format: format,
            ..CreateChatCompletionRequest::default()
        };
        // Texts and numbers only: nothing in it can't be written as JSON.
        serde_json::to_value(body).unwrap_or_default()
    }

    /// Names the question to this model at this place: equal questions are paid for once.
    #[must_use]
    pub fn hash(&self, base_url: &str, model: &str) -> RequestHash {
        let whole = json!([base_url, self.body(model, true), self.draw]);
        RequestHash(Sha256::digest(whole.to_string().as_bytes()).into())
    }

    /// Tokens of the prompt, estimated: four characters each, and four for each turn's frame.
    #[must_use]
    pub fn prompt_tokens(&self) -> u64 {
        self.messages.iter().map(|message| u64::from(estimated_tokens(&message.content)) + 4).sum()
    }
}

fn message(message: &Message) -> ChatCompletionRequestMessage {
    let text = message.content.as_str();
    match message.role {
        Role::System | Role::Developer => ChatCompletionRequestSystemMessage::from(text).into(),
        Role::Assistant => ChatCompletionRequestAssistantMessage::from(text).into(),
        // No prompt of ours calls a tool: what one said is told by the user.
        Role::User | Role::Tool => ChatCompletionRequestUserMessage::from(text).into(),
    }
}

/// SHA-256 of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RequestHash(pub [u8; 32]);

impl RequestHash {
    /// Spreads what happens to different requests.
    #[must_use]
    pub fn salt(&self) -> u64 {
        self.0.iter().take(8).fold(0, |salt, &byte| (salt << 8) | u64::from(byte))
    }
}

/// One answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeacherAnswer {
    pub text: String,
    /// The model that says it answered.
    pub model: String,
    /// `stop`, `length`, `content_filter`, ...
    pub finish: String,
    pub prompt_tokens: u64,
    pub answer_tokens: u64,
    pub cost: Money,
}

impl TeacherAnswer {
    /// Itself, if there is something to read in it.
    ///
    /// # Errors
    /// Where it was held back, or has no text.
    pub(super) fn usable(self, teacher: &str) -> Result<Self, AskError> {
        let teacher = || teacher.to_owned();
        if self.finish == FILTERED {
            return Err(AskError::Filtered { teacher: teacher() });
        }
        if self.text.trim().is_empty() {
            let help = if self.finish == LENGTH { "; more of them may help" } else { "" };
            let why = format!("no text in {} tokens{help}", self.answer_tokens);
            return Err(AskError::Unusable { teacher: teacher(), why });
        }
        Ok(self)
    }
}

/// What is wrong with an answer's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadBody {
    Empty,
    Html,
    NotJson,
    /// An error in a body that came as a success.
    Error(String),
    NoChoice,
}

/// Reads a body of a successful answer; tokens are estimated where it doesn't count them. The cost is left at nothing.
///
/// # Errors
/// What is wrong with it.
pub fn read(body: &[u8], request: &Request) -> Result<TeacherAnswer, BadBody> {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    if text.is_empty() {
        return Err(BadBody::Empty);
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|_| if text.starts_with('<') { BadBody::Html } else { BadBody::NotJson })?;
    if let Some(message) = error_message(&value) {
        return Err(BadBody::Error(message));
    }
    // More tokens than that are no count.
    let count = |name: &str| value.pointer(name).and_then(Value::as_u64).filter(|tokens| *tokens < 1 << 40);
    // An answer without text is paid for too, and says nothing else when it is asked for again.
    let counts = ["/usage/prompt_tokens", "/usage/completion_tokens"];
    let billed = counts.into_iter().filter_map(count).any(|tokens| tokens > 0);
    let choice = match value.pointer("/choices/0") {
        Some(choice) => choice,
        None if billed => &Value::Null,
        None => return Err(BadBody::NoChoice),
    };
    let finish = choice.get("finish_reason").and_then(Value::as_str).unwrap_or("stop").to_owned();
    let message = choice.get("message").unwrap_or(&Value::Null);
    let content = text_of(message.get("content").unwrap_or(&Value::Null));
    let refused = message.get("refusal").and_then(Value::as_str).is_some();
    let finish = if refused { FILTERED.to_owned() } else { finish };
    let said = ["reasoning_content", "reasoning", "tool_calls", "function_call"];
    let said_beside = said.into_iter().filter_map(|name| message.get(name)).any(|said| !is_nothing(said));
    let whole = billed || said_beside || finish == LENGTH || finish == FILTERED;
    if content.trim().is_empty() && !whole {
        return Err(BadBody::NoChoice);
    }
    let estimated = estimated_tokens(&content).into();
    Ok(TeacherAnswer {
        text: content,
        model: value.get("model").and_then(Value::as_str).unwrap_or_default().to_owned(),
        finish,
        prompt_tokens: count("/usage/prompt_tokens").unwrap_or_else(|| request.prompt_tokens()),
        answer_tokens: count("/usage/completion_tokens").unwrap_or(estimated),
        cost: Money::default(),
    })
}

/// The text of an answer: a text, or parts of which some are text.
fn text_of(content: &Value) -> String {
    let part = |part: &Value| {
        let kind = part.get("type").and_then(Value::as_str);
        let is_text = matches!(kind, None | Some("text" | "output_text"));
        let text = part.as_str().or_else(|| part.get("text")?.as_str());
        text.filter(|_| is_text).unwrap_or_default().to_owned()
    };
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().map(part).collect(),
        Value::Object(_) => part(content),
        Value::Null | Value::Bool(_) | Value::Number(_) => String::new(),
    }
}

fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.is_empty(),
        Value::Object(values) => values.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The `finish_reason` of an answer that had no tokens left.
pub const LENGTH: &str = "length";

/// The `finish_reason` of an answer that the endpoint held back.
pub const FILTERED: &str = "content_filter";

/// What an error body says, in the forms that endpoints use.
#[must_use]
pub fn error_message(value: &Value) -> Option<String> {
    let error = value.get("error").filter(|error| !error.is_null())?;
    let message = error.get("message").or(Some(error)).and_then(Value::as_str);
    Some(message.map_or_else(|| error.to_string(), str::to_owned))
}

/// The `code` or `type` of an error body.
#[must_use]
pub fn error_code(value: &Value) -> Option<&str> {
    let error = value.get("error")?;
    [error.get("code"), error.get("type")].into_iter().flatten().find_map(Value::as_str)
}
