//! `POST /v1/completions`: plain text, continued.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::Response;
use serde::Deserialize;

use super::Shared;
use super::error::ApiError;
use super::options::Options;
use super::reply::{Reply, Style};
use crate::engine::generate::Request;

#[derive(Deserialize)]
pub(crate) struct CompletionRequest {
    model: Option<String>,
    prompt: Prompt,
    max_tokens: Option<usize>,
    logprobs: Option<usize>,
    #[serde(default)]
    echo: bool,
    suffix: Option<String>,
    #[serde(flatten)]
    options: Options,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Prompt {
    Text(String),
    Tokens(Vec<u32>),
    Texts(Vec<String>),
}

/// Tokens where a client names no number, as OpenAI has it.
const MAX_TOKENS: usize = 16;

pub(crate) async fn create(
    State(service): State<Shared>,
    body: Result<Json<CompletionRequest>, JsonRejection>,
) -> Result<Response, ApiError> {
    let Json(asked) = body.map_err(|error| ApiError::new(error.status(), error.body_text()))?;
    if asked.echo || asked.suffix.as_ref().is_some_and(|suffix| !suffix.is_empty()) {
        return Err(ApiError::bad("echo and suffix aren't supported by this server"));
    }
    let adapter = service.adapter(asked.model.as_deref())?;
    let prompt = tokens(&service, &asked.prompt)?;
    let room = service.context.saturating_sub(prompt.len()).max(1);
    let mut request = Request::new(prompt, asked.max_tokens.unwrap_or(MAX_TOKENS).min(room));
    asked.options.apply(&mut request, asked.logprobs)?;
    request.adapter = adapter;
    let mut reply = Reply::new(Style::Plain, service, asked.model, request.choices);
    reply.log_probabilities = asked.logprobs.is_some();
    let events = reply.service.worker.submit(request).await?;
    if asked.options.stream {
        return Ok(reply.streamed(events, asked.options.wants_usage()));
    }
    Ok(reply.whole(events).await)
}

fn tokens(service: &Shared, prompt: &Prompt) -> Result<Vec<u32>, ApiError> {
    let text = match prompt {
        Prompt::Tokens(tokens) => return Ok(tokens.clone()),
        Prompt::Text(text) => text,
        Prompt::Texts(texts) => match texts.as_slice() {
            [text] => text,
            _ => return Err(ApiError::bad("one prompt a request: send several requests").parameter("prompt")),
        },
    };
    service.prompter.raw(text).map_err(|error| ApiError::bad(format!("{error:#}")))
}
