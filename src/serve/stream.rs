//! Answers as server-sent events.

use std::convert::Infallible;

use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use super::stopping::Cut;
use crate::engine::generate::Event;

/// How a stream says that it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClosingMark {
    /// By `[DONE]`, as chats and completions do.
    Done,
    /// By its last object; each is named by its `type`, as the Responses API has it.
    Silent,
}

/// What a stream hears of its answer.
pub(crate) enum Heard {
    Event(Event),
    /// Nothing more comes.
    End,
    /// The server ends before the answer does.
    Cut,
}

/// Turns a request's events into JSON objects, none or more each. What is said of the end is an error, after which
/// nothing says that the stream is whole.
pub(crate) fn respond(
    events: UnboundedReceiver<Event>,
    cut: Cut,
    ending: ClosingMark,
    translate: impl FnMut(Heard) -> Vec<Value> + Send + 'static,
) -> Response {
    let body = Sse::new(messages(events, cut, ending, translate)).keep_alive(KeepAlive::default());
    body.into_response()
}

struct Feed<F> {
    events: UnboundedReceiver<Event>,
    cut: Cut,
    /// Objects that are to be sent before the next event is read, last first.
    ready: Vec<Value>,
    translate: F,
    ending: ClosingMark,
    end: StreamEnd,
}

/// How far the end of a request's events has come.
enum StreamEnd {
    Open,
    Whole,
    Sent,
}

impl<F> Feed<F> {
    fn sent(&self, value: &Value) -> Sent {
        let name = value.get("type").and_then(Value::as_str).filter(|_| self.ending == ClosingMark::Silent);
        let sent = name.map_or_else(Sent::default, |name| Sent::default().event(name));
        sent.data(value.to_string())
    }
}

fn messages<F: FnMut(Heard) -> Vec<Value> + Send + 'static>(
    events: UnboundedReceiver<Event>,
    cut: Cut,
    ending: ClosingMark,
    translate: F,
) -> impl Stream<Item = Result<Sent, Infallible>> {
    let feed = Feed { events, cut, ready: Vec::new(), translate, ending, end: StreamEnd::Open };
    stream::unfold(feed, async |mut feed| {
        loop {
            if let Some(value) = feed.ready.pop() {
                return Some((Ok(feed.sent(&value)), feed));
            }
            match feed.end {
                StreamEnd::Open => {
                    let heard = tokio::select! {
                        biased;
                        () = feed.cut.given() => Heard::Cut,
                        event = feed.events.recv() => event.map_or(Heard::End, Heard::Event),
                    };
                    let is_end = matches!(heard, Heard::End | Heard::Cut);
                    feed.ready = (feed.translate)(heard);
                    feed.ready.reverse();
                    if is_end {
                        feed.end = if feed.ready.is_empty() { StreamEnd::Whole } else { StreamEnd::Sent };
                    }
                }
                StreamEnd::Whole => {
                    feed.end = StreamEnd::Sent;
                    if feed.ending == ClosingMark::Done {
                        return Some((Ok(Sent::default().data("[DONE]")), feed));
                    }
                }
                StreamEnd::Sent => return None,
            }
        }
    })
}
