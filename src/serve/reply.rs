//! From a request's events to OpenAI's answers: chat and plain completions, whole and streamed, differ in names only.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokenizers::Tokenizer;
use tokio::sync::mpsc::UnboundedReceiver;

use super::answer::{finish_reason, gather, token_text, usage};
use super::{Shared, now, stream};
use crate::engine::generate::{ChosenToken, Event, RequestId, Usage, What};

/// Which endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Chat,
    Plain,
}

/// An answer in the making: everything that stays the same in all of its objects.
pub(crate) struct Reply {
    pub style: Style,
    pub service: Shared,
    /// The model's name, as the client said it.
    pub name: String,
    pub choices: usize,
    pub log_probabilities: bool,
    created: u64,
    id: Option<RequestId>,
}

impl Style {
    const fn whole(self) -> &'static str {
        match self {
            Self::Chat => "chat.completion",
            Self::Plain => "text_completion",
        }
    }

    const fn chunk(self) -> &'static str {
        match self {
            Self::Chat => "chat.completion.chunk",
            Self::Plain => "text_completion",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Chat => "chatcmpl",
            Self::Plain => "cmpl",
        }
    }
}

impl Reply {
    pub(crate) fn new(style: Style, service: Shared, name: Option<String>, choices: usize) -> Self {
        let name = name.unwrap_or_else(|| service.name.clone());
        Self { style, service, name, choices, log_probabilities: false, created: now(), id: None }
    }

    /// One object when everything is there.
    pub(crate) async fn whole(mut self, events: UnboundedReceiver<Event>) -> Response {
        let answers = gather(events, self.choices).await;
        self.id = answers.first().and_then(|answer| answer.request);
        let all: Vec<Usage> = answers.iter().map(|answer| answer.usage).collect();
        let list = answers.iter().enumerate().map(|(index, answer)| {
            let own = self.log_probabilities.then(|| self.log_probabilities(&answer.tokens));
            let mut choice = json!({
                "index": index,
                "logprobs": own,
                "finish_reason": answer.why.map(finish_reason),
            });
            match self.style {
                Style::Chat => {
                    choice["message"] =
                        json!({ "role": "assistant", "content": answer.text, "refusal": null });
                }
                Style::Plain => choice["text"] = Value::from(answer.text.as_str()),
            }
            choice
        });
        let list: Vec<Value> = list.collect();
        let mut whole = self.object(self.style.whole());
        whole["choices"] = Value::Array(list);
        whole["usage"] = usage(&all);
        Json(whole).into_response()
    }

    /// An object for each piece of text, as it comes.
    pub(crate) fn streamed(mut self, events: UnboundedReceiver<Event>, with_usage: bool) -> Response {
        let mut taken = Vec::new();
        let mut begun = vec![false; self.choices];
        stream::respond(events, Vec::new(), move |event| {
            self.id = Some(event.request);
            let mut out = Vec::new();
            let first = begun.get_mut(event.choice).is_some_and(|begun| !std::mem::replace(begun, true));
            if first && self.style == Style::Chat {
                let delta = json!({ "role": "assistant", "content": "" });
                out.push(self.chunk(event.choice, ("delta", delta), None, None));
            }
            match &event.what {
                What::Token { text, token } => {
                    let own =
                        self.log_probabilities.then(|| self.log_probabilities(std::slice::from_ref(token)));
                    if !text.is_empty() || own.is_some() {
                        out.push(self.chunk(event.choice, self.piece(text), own, None));
                    }
                }
                What::Finished { text, why, usage: own } => {
                    if !text.is_empty() {
                        out.push(self.chunk(event.choice, self.piece(text), None, None));
                    }
                    out.push(self.chunk(event.choice, self.nothing(), None, Some(finish_reason(*why))));
                    taken.push(*own);
                    if with_usage && taken.len() == self.choices {
                        let mut last = self.object(self.style.chunk());
                        last["choices"] = json!([]);
                        last["usage"] = usage(&taken);
                        out.push(last);
                    }
                }
            }
            out
        })
    }

    /// What every object begins with.
    fn object(&self, kind: &str) -> Value {
        let number = self.id.map_or(0, RequestId::number);
        json!({
            "id": format!("{}-{}-{number}", self.style.prefix(), self.created),
            "object": kind,
            "created": self.created,
            "model": self.name,
        })
    }

    fn piece(&self, text: &str) -> (&'static str, Value) {
        match self.style {
            Style::Chat => ("delta", json!({ "content": text })),
            Style::Plain => ("text", Value::from(text)),
        }
    }

    fn nothing(&self) -> (&'static str, Value) {
        match self.style {
            Style::Chat => ("delta", json!({})),
            Style::Plain => ("text", Value::from("")),
        }
    }

    fn chunk(
        &self,
        choice: usize,
        (key, value): (&str, Value),
        log_probabilities: Option<Value>,
        reason: Option<&str>,
    ) -> Value {
        let mut chunk = self.object(self.style.chunk());
        let mut own = json!({ "index": choice, "finish_reason": reason });
        own["logprobs"] = log_probabilities.unwrap_or(Value::Null);
        own[key] = value;
        chunk["choices"] = Value::Array(vec![own]);
        chunk
    }

    fn log_probabilities(&self, tokens: &[ChosenToken]) -> Value {
        let tokenizer = &self.service.tokenizer;
        match self.style {
            Style::Chat => chat_log_probabilities(tokenizer, tokens),
            Style::Plain => plain_log_probabilities(tokenizer, tokens),
        }
    }
}

fn chat_log_probabilities(tokenizer: &Tokenizer, tokens: &[ChosenToken]) -> Value {
    let entry = |id: u32, value: f32| {
        let text = token_text(tokenizer, id);
        json!({ "token": text, "logprob": value, "bytes": text.as_bytes() })
    };
    let content: Vec<Value> = tokens
        .iter()
        .filter_map(|token| {
            let mut own = entry(token.id, token.log_probability?);
            let top: Vec<Value> = token.likeliest.iter().map(|&(id, value)| entry(id, value)).collect();
            own["top_logprobs"] = Value::Array(top);
            Some(own)
        })
        .collect();
    json!({ "content": content })
}

fn plain_log_probabilities(tokenizer: &Tokenizer, tokens: &[ChosenToken]) -> Value {
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
