//! `POST /v1/chat/completions`.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{chat_log_probabilities, finish_reason, gather, usage};
use super::error::ApiError;
use super::options::Options;
use super::{Shared, now, stream};
use crate::domain::message::{Message, Role};
use crate::engine::generate::{Event, Request, RequestId, Usage, What};

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
    let choices = request.choices;
    let name = asked.model.unwrap_or_else(|| service.name.clone());
    let events = service.worker.submit(request).await?;
    let head = Head { id: None, name, created: now() };
    if asked.options.stream {
        let usage = asked.options.stream_options.is_some_and(|options| options.include_usage);
        return Ok(streamed(service, events, head, choices, asked.logprobs, usage));
    }
    let answers = gather(events, choices).await;
    let all: Vec<Usage> = answers.iter().map(|answer| answer.usage).collect();
    let list: Vec<Value> = answers
        .iter()
        .enumerate()
        .map(|(index, answer)| {
            let logprobs = asked.logprobs.then(|| chat_log_probabilities(&service.tokenizer, &answer.tokens));
            json!({
                "index": index,
                "message": { "role": "assistant", "content": answer.text, "refusal": null },
                "logprobs": logprobs,
                "finish_reason": answer.why.map(finish_reason),
            })
        })
        .collect();
    let mut whole = head.object("chat.completion");
    whole["choices"] = Value::Array(list);
    whole["usage"] = usage(&all);
    Ok(Json(whole).into_response())
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

/// What every object of an answer begins with.
#[derive(Clone)]
pub(crate) struct Head {
    pub id: Option<RequestId>,
    pub name: String,
    pub created: u64,
}

impl Head {
    pub(crate) fn object(&self, kind: &str) -> Value {
        let prefix = if kind.starts_with("chat") { "chatcmpl" } else { "cmpl" };
        json!({
            "id": format!("{prefix}-{}-{}", self.created, self.id.map_or(0, RequestId::number)),
            "object": kind,
            "created": self.created,
            "model": self.name,
        })
    }
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
    let mut begun = vec![false; choices];
    stream::respond(events, Vec::new(), move |event| {
        head.id = Some(event.request);
        let chunk = |delta: Value, logprobs: Option<Value>, reason: Option<&str>| {
            let mut chunk = head.object("chat.completion.chunk");
            chunk["choices"] = json!([{
                "index": event.choice,
                "delta": delta,
                "logprobs": logprobs,
                "finish_reason": reason,
            }]);
            chunk
        };
        let mut out = Vec::new();
        if let Some(begun) = begun.get_mut(event.choice).filter(|begun| !**begun) {
            *begun = true;
            out.push(chunk(json!({ "role": "assistant", "content": "" }), None, None));
        }
        match &event.what {
            What::Token { text, token } => {
                let own =
                    logprobs.then(|| chat_log_probabilities(&service.tokenizer, std::slice::from_ref(token)));
                if !text.is_empty() || own.is_some() {
                    out.push(chunk(json!({ "content": text }), own, None));
                }
            }
            What::Finished { text, why, usage: own } => {
                if !text.is_empty() {
                    out.push(chunk(json!({ "content": text }), None, None));
                }
                out.push(chunk(json!({}), None, Some(finish_reason(*why))));
                taken.push(*own);
                if with_usage && taken.len() == choices {
                    let mut last = head.object("chat.completion.chunk");
                    last["choices"] = json!([]);
                    last["usage"] = usage(&taken);
                    out.push(last);
                }
            }
        }
        out
    })
}
