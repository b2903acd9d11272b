//! Answers as server-sent events.

use std::convert::Infallible;

use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::engine::generate::Event;

/// How a stream says that it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClosingMark {
    /// By `[DONE]`, as chats and completions do.
    Done,
    /// By its last object; each is named by its `type`, as the Responses API has it.
    Silent,
}

/// Turns a request's events into JSON objects, none or more each; and their end, which is none.
pub(crate) fn respond(
    events: UnboundedReceiver<Event>,
    ending: ClosingMark,
    translate: impl FnMut(Option<Event>) -> Vec<Value> + Send + 'static,
) -> Response {
    let body = Sse::new(messages(events, ending, translate)).keep_alive(KeepAlive::default());
    body.into_response()
}

struct Feed<F> {
    events: UnboundedReceiver<Event>,
    /// Objects that are to be sent before the next event is read, last first.
    ready: Vec<Value>,
    translate: F,
    ending: ClosingMark,
    end: StreamEnd,
}

/// How far the end of a request's events has come.
enum StreamEnd {
    Open,
    Told,
    Sent,
}

impl<F> Feed<F> {
    fn sent(&self, value: &Value) -> Sent {
        let name = value.get("type").and_then(Value::as_str).filter(|_| self.ending == ClosingMark::Silent);
        let sent = name.map_or_else(Sent::default, |name| Sent::default().event(name));
        sent.data(value.to_string())
    }
}

fn messages<F: FnMut(Option<Event>) -> Vec<Value> + Send + 'static>(
    events: UnboundedReceiver<Event>,
    ending: ClosingMark,
    translate: F,
) -> impl Stream<Item = Result<Sent, Infallible>> {
    let feed = Feed { events, ready: Vec::new(), translate, ending, end: StreamEnd::Open };
    stream::unfold(feed, async |mut feed| {
        loop {
            if let Some(value) = feed.ready.pop() {
                return Some((Ok(feed.sent(&value)), feed));
            }
            match feed.end {
                StreamEnd::Open => {
                    let event = feed.events.recv().await;
                    if event.is_none() {
                        feed.end = StreamEnd::Told;
                    }
                    feed.ready = (feed.translate)(event);
                    feed.ready.reverse();
                }
                StreamEnd::Told => {
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
