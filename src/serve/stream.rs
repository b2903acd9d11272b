//! Answers as server-sent events.

use std::convert::Infallible;

use axum::response::sse::{Event as Sent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use serde_json::Value;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::engine::generate::Event;

/// Turns a request's events into JSON objects, one or more each, ended by `[DONE]`.
pub(crate) fn respond(
    events: UnboundedReceiver<Event>,
    first: Vec<Value>,
    translate: impl FnMut(Event) -> Vec<Value> + Send + 'static,
) -> Response {
    let body = Sse::new(messages(events, first, translate)).keep_alive(KeepAlive::default());
    body.into_response()
}

struct Feed<F> {
    events: UnboundedReceiver<Event>,
    /// Objects that are to be sent before the next event is read, last first.
    ready: Vec<Value>,
    translate: F,
    ended: bool,
}

fn messages<F: FnMut(Event) -> Vec<Value> + Send + 'static>(
    events: UnboundedReceiver<Event>,
    mut first: Vec<Value>,
    translate: F,
) -> impl Stream<Item = Result<Sent, Infallible>> {
    first.reverse();
    let feed = Feed { events, ready: first, translate, ended: false };
    stream::unfold(feed, async |mut feed| {
        loop {
            if let Some(value) = feed.ready.pop() {
                return Some((Ok(Sent::default().data(value.to_string())), feed));
            }
            if feed.ended {
                return None;
            }
            if let Some(event) = feed.events.recv().await {
                feed.ready = (feed.translate)(event);
                feed.ready.reverse();
            } else {
                feed.ended = true;
                return Some((Ok(Sent::default().data("[DONE]")), feed));
            }
        }
    })
}
