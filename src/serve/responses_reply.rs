//! From a request's events to the Responses API's objects, whole and streamed.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::de::IgnoredAny;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::answer::failed;
use super::error::ApiError;
use super::fields::Fields;
use super::shelf::ModelInUse;
use super::sources::{CITATIONS, Sources};
use super::stopping::Cut;
use super::stream::{self, ClosingMark, Heard};
use super::tools::{PieceReader, written};
use crate::engine::generate::{AnswerPiece, Event, Fault, Finish, Usage, What};
use crate::ground::clock;

/// An answer in the making.
pub(crate) struct ResponsesReply {
    /// In use until the answer is whole.
    _model: ModelInUse,
    /// The model's name, as the client said it.
    name: String,
    asked: Echo,
    /// The field that holds the answer to something.
    pub constraint: Option<&'static str>,
    /// Where the answer is from, if it is from a library.
    pub sources: Option<Sources>,
    /// Whether what is said stands in the place of an answer, which had to have a form.
    pub is_refusal: bool,
    pieces: PieceReader,
    created: u64,
    /// The request's own number, once something of it came.
    number: u64,
    /// What is finished, and the text that isn't.
    output: Vec<Value>,
    text: Option<String>,
    /// The call that is being written.
    call: Option<Calling>,
    /// Events so far.
    told: usize,
    /// Whether the last of them was told.
    ended: bool,
    /// Why there is no end, if there is none.
    fault: Fault,
}

/// What a response repeats of its request.
pub(crate) struct Echo(Map<String, Value>);

impl Echo {
    /// Fields and what they are if nobody gives them.
    pub(crate) fn of(fields: &Fields) -> Self {
        let usual = [
            ("instructions", Value::Null),
            ("max_output_tokens", Value::Null),
            ("metadata", json!({})),
            ("parallel_tool_calls", json!(true)),
            ("reasoning", json!({ "effort": null, "summary": null })),
            ("temperature", json!(1.0)),
            ("text", json!({ "format": { "type": "text" } })),
            ("tool_choice", json!("auto")),
            ("tools", json!([])),
            ("top_p", json!(1.0)),
        ];
        let given = |name: &str| fields.rest().get(name).filter(|value| !value.is_null()).cloned();
        Self(usual.into_iter().map(|(name, usual)| (name.to_owned(), given(name).unwrap_or(usual))).collect())
    }
}

struct Calling {
    id: String,
    call_id: Value,
    name: String,
    arguments: String,
}

impl Calling {
    fn item(&self, status: &str) -> Value {
        json!({
            "id": self.id,
            "type": "function_call",
            "status": status,
            "call_id": self.call_id,
            "name": self.name,
            "arguments": self.arguments,
        })
    }
}

impl ResponsesReply {
    pub(crate) fn new(model: ModelInUse, name: Option<String>, asked: Echo, pieces: PieceReader) -> Self {
        let name = name.unwrap_or_else(|| model.name.clone());
        let (output, text, number, told, ended) = (Vec::new(), None, 0, 0, false);
        Self {
            _model: model,
            name,
            asked,
            constraint: None,
            sources: None,
            is_refusal: false,
            pieces,
            created: clock::seconds(),
            number,
            output,
            text,
            call: None,
            told,
            ended,
            fault: Fault::Computation,
        }
    }

    /// One object when everything is there.
    pub(crate) async fn whole(mut self, mut events: UnboundedReceiver<Event>) -> Response {
        let mut last = Value::Null;
        while let Some(event) = events.recv().await {
            if let Some(told) = self.translate(event).pop() {
                last = told;
            }
        }
        if self.ended {
            Json(last["response"].take()).into_response()
        } else {
            failed(self.fault, self.constraint).into_response()
        }
    }

    /// An event for each fact, as it comes.
    pub(crate) fn streamed(mut self, events: UnboundedReceiver<Event>, cut: Cut) -> Response {
        stream::respond(events, cut, ClosingMark::Silent, move |heard| match heard {
            Heard::Event(event) => self.translate(event),
            Heard::End | Heard::Cut if self.ended => Vec::new(),
            Heard::End => {
                let code = match self.fault {
                    Fault::Constraint => "invalid_prompt",
                    Fault::Computation | Fault::Numbers => "server_error",
                };
                self.fail(code, &failed(self.fault, self.constraint))
            }
            Heard::Cut => self.fail("server_error", &ApiError::stopping()),
        })
    }

    fn translate(&mut self, event: Event) -> Vec<Value> {
        let mut out = Vec::new();
        if self.told == 0 {
            self.number = event.request.number();
            for kind in ["response.created", "response.in_progress"] {
                let response = self.response("in_progress", None, None);
                self.tell(&mut out, kind, json!({ "response": response }));
            }
        }
        match event.what {
            What::Prompt { .. } => {}
            // The end of all events tells of it.
            What::Finished { why: Finish::Failed(fault), .. } => self.fault = fault,
            What::Token { text, .. } => {
                let pieces = self.pieces.push(text);
                self.take(pieces, &mut out);
            }
            What::Finished { text, why, usage } => {
                let pieces = self.pieces.finish(text);
                self.take(pieces, &mut out);
                self.ended = true;
                let (status, kind) = match why {
                    Finish::EndToken | Finish::StopText => ("completed", "response.completed"),
                    Finish::Length | Finish::Context | Finish::Cancelled | Finish::Failed(_) => {
                        ("incomplete", "response.incomplete")
                    }
                };
                self.end_call(status, &mut out);
                if self.output.is_empty() && self.text.is_none() {
                    self.begin_text(&mut out);
                }
                self.end_text(status, &mut out);
                let response = self.response(status, Some(why), Some(usage));
                self.tell(&mut out, kind, json!({ "response": response }));
            }
        }
        out
    }

    /// Tells that nothing more comes: as the last state of the response, and as an error for those who look for one.
    fn fail(&mut self, code: &str, error: &ApiError) -> Vec<Value> {
        let mut out = Vec::new();
        let said = error.body();
        let mut response = self.response("failed", None, None);
        response["error"] = json!({ "code": code, "message": said["error"]["message"] });
        self.tell(&mut out, "response.failed", json!({ "response": response }));
        let fields = said["error"].as_object().into_iter().flatten();
        let beside =
            fields.filter(|(name, _)| *name != "type").map(|(name, value)| (name.clone(), value.clone()));
        self.tell(&mut out, "error", with(Value::Object(beside.collect()), said));
        out
    }

    fn take(&mut self, pieces: Vec<AnswerPiece>, out: &mut Vec<Value>) {
        for piece in pieces {
            match piece {
                AnswerPiece::Text(text) => {
                    self.end_call("completed", out);
                    if self.text.is_none() {
                        self.begin_text(out);
                    }
                    if let Some(own) = &mut self.text {
                        own.push_str(&text);
                    }
                    let place = self.place();
                    let (kind, delta) = if self.is_refusal {
                        ("response.refusal.delta", json!({ "delta": text }))
                    } else {
                        ("response.output_text.delta", json!({ "delta": text, "logprobs": [] }))
                    };
                    self.tell(out, kind, with(place, delta));
                }
                AnswerPiece::Call(name) => {
                    self.end_call("completed", out);
                    self.end_text("completed", out);
                    self.begin_call(name, out);
                }
                AnswerPiece::Arguments(text) => {
                    let Some(call) = &mut self.call else { continue };
                    call.arguments.push_str(&text);
                    let place = json!({ "item_id": call.id, "output_index": self.output.len() });
                    let kind = "response.function_call_arguments.delta";
                    self.tell(out, kind, with(place, json!({ "delta": text })));
                }
            }
        }
    }

    fn begin_text(&mut self, out: &mut Vec<Value>) {
        self.text = Some(String::new());
        let item = self.message("in_progress", &json!([]));
        let index = self.output.len();
        self.tell(out, "response.output_item.added", json!({ "output_index": index, "item": item }));
        let place = self.place();
        self.tell(out, "response.content_part.added", with(place, json!({ "part": self.part("") })));
    }

    fn end_text(&mut self, status: &str, out: &mut Vec<Value>) {
        let Some(text) = self.text.clone() else { return };
        let place = self.place();
        let (kind, body) = if self.is_refusal {
            ("response.refusal.done", json!({ "refusal": text }))
        } else {
            ("response.output_text.done", json!({ "text": text, "logprobs": [] }))
        };
        let part = self.part(&text);
        self.tell(out, kind, with(place.clone(), body));
        self.tell(out, "response.content_part.done", with(place, json!({ "part": part })));
        let mut item = self.message(status, &json!([part]));
        if let Some(sources) = &mut self.sources {
            item[CITATIONS] = sources.citations(&text);
        }
        let index = self.output.len();
        self.tell(out, "response.output_item.done", json!({ "output_index": index, "item": item }));
        self.output.push(item);
        self.text = None;
    }

    fn begin_call(&mut self, name: String, out: &mut Vec<Value>) {
        let index = self.output.len();
        let id = format!("fc_{}_{}_{index}", self.created, self.number);
        let call_id = written(&name, "")["id"].take();
        let call = Calling { id, call_id, name, arguments: String::new() };
        let added = json!({ "output_index": index, "item": call.item("in_progress") });
        self.tell(out, "response.output_item.added", added);
        self.call = Some(call);
    }

    fn end_call(&mut self, status: &str, out: &mut Vec<Value>) {
        let Some(call) = self.call.take() else { return };
        let index = self.output.len();
        let place = json!({ "item_id": call.id, "output_index": index });
        let done = with(place, json!({ "arguments": call.arguments, "name": call.name }));
        self.tell(out, "response.function_call_arguments.done", done);
        // A text that ends the answer may stand in the middle of them.
        let is_whole = serde_json::from_str::<IgnoredAny>(&call.arguments).is_ok();
        let item = call.item(if is_whole { status } else { "incomplete" });
        self.tell(out, "response.output_item.done", json!({ "output_index": index, "item": item }));
        self.output.push(item);
    }

    fn tell(&mut self, out: &mut Vec<Value>, kind: &str, body: Value) {
        out.push(with(json!({ "type": kind, "sequence_number": self.told }), body));
        self.told += 1;
    }

    /// Where the text that is being written goes.
    fn place(&self) -> Value {
        json!({ "item_id": self.text_id(), "output_index": self.output.len(), "content_index": 0 })
    }

    fn text_id(&self) -> String {
        format!("msg_{}_{}_{}", self.created, self.number, self.output.len())
    }

    fn message(&self, status: &str, content: &Value) -> Value {
        json!({
            "id": self.text_id(),
            "type": "message",
            "status": status,
            "role": "assistant",
            "content": content,
        })
    }

    fn part(&self, text: &str) -> Value {
        if self.is_refusal {
            return json!({ "type": "refusal", "refusal": text });
        }
        json!({ "type": "output_text", "text": text, "annotations": [], "logprobs": [] })
    }

    fn response(&self, status: &str, why: Option<Finish>, usage: Option<Usage>) -> Value {
        let before = self.sources.as_ref().and_then(|sources| sources.rewriting).unwrap_or_default();
        let cut = matches!(why, Some(Finish::Length | Finish::Context | Finish::Cancelled));
        let response = json!({
            "id": format!("resp_{}_{}", self.created, self.number),
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": null,
            "incomplete_details": cut.then(|| json!({ "reason": "max_output_tokens" })),
            "model": self.name,
            "output": self.output,
            "previous_response_id": null,
            "store": false,
            "truncation": "disabled",
            "usage": usage.map(|usage| json!({
                "input_tokens": usage.prompt_tokens + before.prompt_tokens,
                "input_tokens_details": { "cached_tokens": usage.cached_tokens + before.cached_tokens },
                "output_tokens": usage.completion_tokens + before.completion_tokens,
                "output_tokens_details": { "reasoning_tokens": 0 },
                "total_tokens": usage.prompt_tokens
                    + usage.completion_tokens
                    + before.prompt_tokens
                    + before.completion_tokens,
            })),
        });
        with(response, Value::Object(self.asked.0.clone()))
    }
}

/// An object with the fields of another.
fn with(mut object: Value, more: Value) -> Value {
    if let (Some(object), Value::Object(more)) = (object.as_object_mut(), more) {
        object.extend(more);
    }
    object
}
