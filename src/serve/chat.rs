//! `POST /v1/chat/completions`.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::Shared;
use super::error::ApiError;
use super::options::Options;
use super::reply::{Reply, Style};
use crate::domain::message::{Message, Role};
use crate::engine::generate::Request;

#[derive(Deserialize)]
pub(crate) struct ChatRequest {
    model: Option<String>,
    messages: Vec<ChatMessage>,
    max_tokens: Option<usize>,
    max_completion_tokens: Option<usize>,
    #[serde(default)]
    logprobs: bool,
    top_logprobs: Option<usize>,
    tools: Option<Vec<Value>>,
    functions: Option<Vec<Value>>,
    #[serde(flatten)]
    options: Options,
}

#[derive(Deserialize)]
struct ChatMessage {
    role: String,
    content: Option<Content>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<Part>),
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

pub(crate) async fn create(
    State(service): State<Shared>,
    body: Result<Json<ChatRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(asked) = body.map_err(|error| ApiError::new(error.status(), error.body_text()))?;
    let has = |list: &Option<Vec<Value>>| list.as_ref().is_some_and(|list| !list.is_empty());
    if has(&asked.tools) || has(&asked.functions) {
        return Err(ApiError::bad("tools aren't supported by this server").parameter("tools"));
    }
    let adapter = service.adapter(asked.model.as_deref())?;
    let messages: Vec<Message> = asked.messages.iter().map(message).collect::<Result<_, _>>()?;
    let prompt = service.prompter.chat(&messages).map_err(|error| ApiError::bad(format!("{error:#}")))?;
    let room = service.context.saturating_sub(prompt.len()).max(1);
    let most = asked.max_completion_tokens.or(asked.max_tokens).unwrap_or(room).min(room);
    let mut request = Request::new(prompt, most);
    let logprobs = asked.logprobs.then(|| asked.top_logprobs.unwrap_or(0));
    asked.options.apply(&mut request, logprobs)?;
    request.adapter = adapter;
    let mut reply = Reply::new(Style::Chat, service, asked.model, request.choices);
    reply.log_probabilities = asked.logprobs;
    let events = reply.service.worker.submit(request).await?;
    if asked.options.stream {
        return Ok(reply.streamed(events, asked.options.wants_usage()));
    }
    Ok(reply.whole(events).await)
}

fn message(asked: &ChatMessage) -> Result<Message, ApiError> {
    let role = match asked.role.as_str() {
        "system" | "developer" => Role::System,
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "tool" => Role::Tool,
        other => return Err(ApiError::bad(format!("{other:?} is no role")).parameter("messages")),
    };
    let content = match &asked.content {
        None => String::new(),
        Some(Content::Text(text)) => text.clone(),
        Some(Content::Parts(parts)) => {
            let mut text = String::new();
            for part in parts {
                match (&part.text, part.kind.as_str()) {
                    (Some(part), "text") => text.push_str(part),
                    (_, kind) => {
                        let message = format!("a content part of type {kind:?} can't be read: only text can");
                        return Err(ApiError::bad(message).parameter("messages"));
                    }
                }
            }
            text
        }
    };
    Ok(Message::new(role, content))
}
