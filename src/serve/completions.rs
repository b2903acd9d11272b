//! `POST /v1/completions`: plain text, continued.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokenizers::Tokenizer;

use super::answer::{finish_reason, gather, token_text, usage};
use super::chat::Head;
use super::error::ApiError;
use super::options::Options;
use super::{Shared, now, stream};
use crate::engine::generate::{ChosenToken, Event, Request, Usage, What};

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
    let choices = request.choices;
    let name = asked.model.unwrap_or_else(|| service.name.clone());
    let events = service.worker.submit(request).await?;
    let head = Head { id: None, name, created: now() };
    let logprobs = asked.logprobs.is_some();
    if asked.options.stream {
        let with_usage = asked.options.stream_options.is_some_and(|options| options.include_usage);
        return Ok(streamed(service, events, head, choices, logprobs, with_usage));
    }
    let answers = gather(events, choices).await;
    let all: Vec<Usage> = answers.iter().map(|answer| answer.usage).collect();
    let list: Vec<Value> = answers
        .iter()
        .enumerate()
        .map(|(index, answer)| {
            let logprobs = logprobs.then(|| log_probabilities(&service.tokenizer, &answer.tokens));
            json!({
                "index": index,
                "text": answer.text,
                "logprobs": logprobs,
                "finish_reason": answer.why.map(finish_reason),
            })
        })
        .collect();
    let mut whole = head.object("text_completion");
    whole["choices"] = Value::Array(list);
    whole["usage"] = usage(&all);
    Ok(Json(whole).into_response())
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

fn log_probabilities(tokenizer: &Tokenizer, tokens: &[ChosenToken]) -> Value {
    let texts: Vec<String> = tokens.iter().map(|token| token_text(tokenizer, token.id)).collect();
    let values: Vec<Option<f32>> = tokens.iter().map(|token| token.log_probability).collect();
    let top: Vec<Value> = tokens
        .iter()
        .map(|token| {
            let entries =
                token.likeliest.iter().map(|&(id, value)| (token_text(tokenizer, id), json!(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        })
        .collect();
    json!({ "tokens": texts, "token_logprobs": values, "top_logprobs": top })
}

fn streamed(
    service: Shared,
    events: tokio::sync::mpsc::UnboundedReceiver<Event>,
    mut head: Head,
    choices: usize,
    logprobs: bool,
    with_usage: bool,
) -> Response {
    let mut taken = Vec::new();
    stream::respond(events, Vec::new(), move |event| {
        head.id = Some(event.request);
        let chunk = |text: &str, logprobs: Option<Value>, reason: Option<&str>| {
            let mut chunk = head.object("text_completion");
            chunk["choices"] = json!([{
                "index": event.choice,
                "text": text,
                "logprobs": logprobs,
                "finish_reason": reason,
            }]);
            chunk
        };
        match &event.what {
            What::Token { text, token } => {
                let own =
                    logprobs.then(|| log_probabilities(&service.tokenizer, std::slice::from_ref(token)));
                if text.is_empty() && own.is_none() { Vec::new() } else { vec![chunk(text, own, None)] }
            }
            What::Finished { text, why, usage: own } => {
                let mut out = vec![chunk(text, None, Some(finish_reason(*why)))];
                taken.push(*own);
                if with_usage && taken.len() == choices {
                    let mut last = head.object("text_completion");
                    last["choices"] = json!([]);
                    last["usage"] = usage(&taken);
                    out.push(last);
                }
                out
            }
        }
    })
}
