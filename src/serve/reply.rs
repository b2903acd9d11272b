//! From a request's events to OpenAI's answers: chat and plain completions, whole and streamed, differ in names only.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::answer::{self, Choice, STOP, failed, finish_reason, gather, usage};
use super::error::ApiError;
use super::shelf::ModelInUse;
use super::sources::{CITATIONS, Sources};
use super::stopping::Cut;
use super::stream::{self, ClosingMark, Heard};
pub(crate) use super::style::Style;
use super::told::{TokensInText, ToldTokens};
use super::tools::{PieceReader, written};
use super::words::WrittenSoFar;
use crate::engine::generate::{
    AnswerPiece, CallForm, ChosenToken, Event, Fault, Finish, RequestId, Usage, What,
};
use crate::ground::clock;

/// An answer in the making: everything that stays the same in all of its objects.
pub(crate) struct CompletionReply {
    pub style: Style,
    pub model: ModelInUse,
    /// The model's name, as the client said it.
    pub name: String,
    /// The prompts' texts; a conversation is one without a text.
    pub prompts: Vec<String>,
    /// Choices of each prompt.
    pub each: usize,
    /// Whether texts begin with their prompts.
    pub echo: bool,
    pub log_probabilities: bool,
    /// How calls of tools are written, if there are tools.
    pub calls: Option<CallForm>,
    /// The field that holds the answer to something.
    pub constraint: Option<&'static str>,
    /// Where the answers are from, if they are from a library.
    pub sources: Option<Sources>,
    /// Whether what is said stands in the place of an answer, which had to have a form.
    pub is_refusal: bool,
    created: u64,
    id: Option<RequestId>,
}

/// OpenAI's word for an answer that ends with calls.
const CALLS: &str = "tool_calls";

/// What a choice's client knows by now.
#[derive(Clone, Default)]
struct ChoiceProgress {
    begun: bool,
    /// The prompt's tokens, until they are told.
    prompt: Vec<ChosenToken>,
    /// Tokens whose log-probabilities are told when their text is.
    tokens: TokensInText,
    written: WrittenSoFar,
    pieces: PieceReader,
    /// Calls so far.
    calls: usize,
    /// The text so far, if it is to be held against its sources.
    said: String,
}

impl CompletionReply {
    pub(crate) fn new(style: Style, model: ModelInUse, name: Option<String>, each: usize) -> Self {
        let name = name.unwrap_or_else(|| model.name.clone());
        let prompts = vec![String::new()];
        let (log_probabilities, echo) = (false, false);
        Self {
            style,
            model,
            name,
            prompts,
            each,
            echo,
            log_probabilities,
            calls: None,
            constraint: None,
            sources: None,
            is_refusal: false,
            created: clock::seconds(),
            id: None,
        }
    }

    /// One object when everything is there.
    pub(crate) async fn whole(mut self, events: UnboundedReceiver<Event>) -> Response {
        let (answers, scored) = gather(events, (self.prompts.len(), self.each)).await;
        if let Some(fault) = answers.iter().find_map(|answer| answer::fault(answer.why)) {
            return failed(fault, self.constraint).into_response();
        }
        self.id = answers.first().and_then(|answer| answer.request);
        if !self.log_probabilities {
            return self.of_gathered(&answers, &scored);
        }
        // Those of a long prompt in many choices take seconds to write, and others don't wait for it.
        let whole = tokio::task::spawn_blocking(move || self.of_gathered(&answers, &scored)).await;
        whole.unwrap_or_else(|_| failed(Fault::Computation, None).into_response())
    }

    fn of_gathered(mut self, answers: &[Choice], scored: &[Vec<ChosenToken>]) -> Response {
        let all: Vec<Usage> = answers.iter().map(|answer| answer.usage).collect();
        let citations = answers.iter().map(|answer| self.citations(&answer.text));
        let mut citations = citations.collect::<Vec<Option<Value>>>().into_iter();
        let list = answers.iter().enumerate().map(|(index, answer)| {
            let prompt = scored.get(index / self.each).map_or(&[][..], Vec::as_slice);
            let own = self.log_probabilities.then(|| {
                let mut told = ChoiceProgress { prompt: prompt.to_vec(), ..ChoiceProgress::default() };
                let mut tokens = TokensInText::default();
                answer.tokens.iter().cloned().for_each(|token| tokens.push(token, &self.model.words));
                let told_now = tokens.rest(&answer.text, answer.why == Some(Finish::StopText));
                self.told(index, &mut told, &told_now)
            });
            let mut choice = json!({
                "index": index,
                "logprobs": own,
                "finish_reason": answer.why.map(finish_reason),
            });
            match self.style {
                Style::Chat => {
                    let (mut message, calls) = self.message(&answer.text);
                    if let Some(citations) = citations.next().flatten() {
                        message[CITATIONS] = citations;
                    }
                    choice["message"] = message;
                    if calls && choice["finish_reason"] == STOP {
                        choice["finish_reason"] = Value::from(CALLS);
                    }
                }
                Style::Plain => choice["text"] = Value::from(format!("{}{}", self.head(index), answer.text)),
            }
            choice
        });
        let list: Vec<Value> = list.collect();
        let mut whole = self.object(self.style.whole());
        whole["choices"] = Value::Array(list);
        whole["usage"] = usage(&all, self.each, self.before());
        Json(whole).into_response()
    }

    /// An object for each piece of text, as it comes.
    #[expect(clippy::too_many_lines, reason = "what is heard, case by case, in one closure")]
    pub(crate) fn streamed(
        mut self,
        events: UnboundedReceiver<Event>,
        cut: Cut,
        with_usage: bool,
    ) -> Response {
        let count = self.prompts.len() * self.each;
        let mut taken = vec![None; count];
        let pieces = PieceReader::of(self.calls.as_ref());
        let mut told = vec![ChoiceProgress { pieces, ..ChoiceProgress::default() }; count];
        let mut fault = Fault::Computation;
        stream::respond(events, cut, ClosingMark::Done, move |heard| {
            let is_whole = taken.iter().all(Option::is_some);
            let event = match heard {
                Heard::Event(event) => event,
                Heard::End | Heard::Cut if is_whole => return Vec::new(),
                Heard::End => return vec![failed(fault, self.constraint).body()],
                Heard::Cut => return vec![ApiError::stopping().body()],
            };
            self.id.get_or_insert(event.request);
            if let What::Prompt { tokens } = event.what {
                // Its other choices tell of it too.
                let siblings = told.iter_mut().skip(event.choice).take(self.each);
                siblings.for_each(|told| told.prompt.extend_from_slice(&tokens));
                return Vec::new();
            }
            let Some(own) = told.get_mut(event.choice) else { return Vec::new() };
            let mut out = Vec::new();
            let first = !std::mem::replace(&mut own.begun, true);
            if first && self.style == Style::Chat {
                let delta = json!({ "role": "assistant", "content": "" });
                out.push(self.chunk(event.choice, ("delta", delta), None, None));
            }
            let head = if first { self.head(event.choice) } else { "" };
            match &event.what {
                What::Prompt { .. } => {}
                What::Token { text, token } => {
                    let said = self.log_probabilities.then(|| {
                        let told_now = own.tokens.next(token, text, &self.model.words);
                        self.told(event.choice, own, &told_now)
                    });
                    let pieces = own.pieces.push(format!("{head}{text}"));
                    out.extend(self.chunks(event.choice, own, pieces, said));
                }
                What::Finished { text, why, usage: took } => {
                    let told_now = own.tokens.rest(text, *why == Finish::StopText);
                    let late =
                        self.log_probabilities && !(own.prompt.is_empty() && told_now.tokens.is_empty());
                    let said = late.then(|| self.told(event.choice, own, &told_now));
                    let pieces = own.pieces.finish(format!("{head}{text}"));
                    out.extend(self.chunks(event.choice, own, pieces, said));
                    if let Finish::Failed(why) = *why {
                        // The end of all events tells of it.
                        fault = why;
                        return out;
                    }
                    let why = match finish_reason(*why) {
                        STOP if own.calls > 0 && !own.pieces.is_within_call() => CALLS,
                        other => other,
                    };
                    out.push(self.last(event.choice, &own.said, why));
                    if let Some(place) = taken.get_mut(event.choice) {
                        *place = Some(*took);
                    }
                    let all: Option<Vec<Usage>> = taken.iter().copied().collect();
                    if let Some(all) = all.filter(|_| with_usage) {
                        out.push(self.usage_chunk(&all));
                    }
                }
            }
            out
        })
    }

    /// An answer as a turn, and whether it ends with calls of tools: one that a stop text cut is no call.
    fn message(&self, text: &str) -> (Value, bool) {
        let mut reader = PieceReader::of(self.calls.as_ref());
        let pieces = reader.finish(text.to_owned());
        let (mut content, mut calls) = (String::new(), Vec::<(String, String)>::new());
        for piece in pieces {
            match piece {
                AnswerPiece::Text(text) => content.push_str(&text),
                AnswerPiece::Call(name) => calls.push((name, String::new())),
                AnswerPiece::Arguments(text) => {
                    if let Some((_, arguments)) = calls.last_mut() {
                        arguments.push_str(&text);
                    }
                }
            }
        }
        let calls: Vec<Value> = calls.iter().map(|(name, arguments)| written(name, arguments)).collect();
        let called = !calls.is_empty();
        let content = (!called || !content.is_empty()).then_some(content);
        let (content, refusal) = if self.is_refusal { (None, content) } else { (content, None) };
        let mut message = json!({ "role": "assistant", "content": content, "refusal": refusal });
        if called {
            message["tool_calls"] = Value::Array(calls);
        }
        (message, called && !reader.is_within_call())
    }

    /// Pieces of an answer; the first object says what is said of their tokens.
    fn chunks(
        &self,
        choice: usize,
        told: &mut ChoiceProgress,
        pieces: Vec<AnswerPiece>,
        mut said: Option<Value>,
    ) -> Vec<Value> {
        let mut out = Vec::new();
        for piece in pieces {
            match piece {
                AnswerPiece::Text(text) => {
                    if self.sources.is_some() {
                        told.said.push_str(&text);
                    }
                    out.push(self.chunk(choice, self.piece(&text), said.take(), None));
                }
                AnswerPiece::Call(name) => {
                    let mut call = written(&name, "");
                    call["index"] = Value::from(told.calls);
                    told.calls += 1;
                    out.push(self.chunk(choice, of_call(&call), said.take(), None));
                }
                AnswerPiece::Arguments(text) => {
                    let index = told.calls.saturating_sub(1);
                    let call = json!({ "index": index, "function": { "arguments": text } });
                    out.push(self.chunk(choice, of_call(&call), said.take(), None));
                }
            }
        }
        if said.is_some() {
            out.push(self.chunk(choice, self.piece(""), said, None));
        }
        out
    }

    /// What a choice's text begins with: its prompt, if the client wants it back.
    fn head(&self, choice: usize) -> &str {
        let prompt = self.prompts.get(choice / self.each).filter(|_| self.echo);
        prompt.map_or("", String::as_str)
    }

    /// Log-probabilities of a choice's next tokens; of its prompt's first, if they weren't told yet.
    fn told(&self, choice: usize, told: &mut ChoiceProgress, now: &ToldTokens) -> Value {
        let words = &self.model.words;
        let ToldTokens { tokens, cut } = now;
        match self.style {
            Style::Chat => words.of_chat(tokens, *cut),
            Style::Plain => {
                let text = self.prompts.get(choice / self.each).map_or("", String::as_str);
                let mut all = std::mem::take(&mut told.prompt);
                let mut offsets = words.offsets_in(&all, text);
                offsets.extend(words.offsets_after(tokens, text.chars().count(), &mut told.written));
                all.extend_from_slice(tokens);
                words.of_plain(&all, &offsets)
            }
        }
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
            Style::Chat if self.is_refusal => ("delta", json!({ "refusal": text })),
            Style::Chat => ("delta", json!({ "content": text })),
            Style::Plain => ("text", Value::from(text)),
        }
    }

    /// What is said of an answer's sources, if it has any.
    fn citations(&mut self, answer: &str) -> Option<Value> {
        self.sources.as_mut().map(|sources| sources.citations(answer))
    }

    /// What was computed before the answers could be asked for.
    fn before(&self) -> Option<Usage> {
        self.sources.as_ref().and_then(|sources| sources.rewriting)
    }

    /// The end of a choice with this text, and where it is from.
    fn last(&mut self, choice: usize, said: &str, why: &str) -> Value {
        let mut last = self.nothing();
        if let Some(citations) = self.citations(said) {
            last.1[CITATIONS] = citations;
        }
        self.chunk(choice, last, None, Some(why))
    }

    /// What all of it took, after everything else.
    fn usage_chunk(&self, all: &[Usage]) -> Value {
        let mut last = self.object(self.style.chunk());
        last["choices"] = json!([]);
        last["usage"] = usage(all, self.each, self.before());
        last
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
}

/// What a chunk says of a call.
fn of_call(call: &Value) -> (&'static str, Value) {
    ("delta", json!({ "tool_calls": [call] }))
}
