//! Answers over HTTP/2 that their client takes nothing of. Its connection goes on reading and writing meanwhile, so
//! that the connection's own clock doesn't run: each answer has one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::{Stream, StreamExt, stream};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::room::Seat;

/// Since when it is the client's turn; none while the answer waits for its next part.
type Handed = Mutex<Option<Instant>>;

/// Bytes of a part at most: so many may wait in the connection when the last part has been asked for.
const PART: usize = 4 << 10;

/// A body whose connection ends when its client takes nothing of it for so long. HTTP/2 asks for a part when the client
/// has room for one.
pub(crate) fn bounded(body: Body, seat: Arc<Seat>, patience: Duration) -> Body {
    let handed: Arc<Handed> = Arc::new(Mutex::new(Some(Instant::now())));
    let (open, closed) = oneshot::channel();
    tokio::spawn(watch(Arc::clone(&handed), seat, patience, closed));
    let small = |part: Result<Bytes, axum::Error>| stream::iter(split(part));
    let mut parts = Box::pin(body.into_data_stream().flat_map(small));
    Body::from_stream(stream::poll_fn(move |context| {
        let _: &oneshot::Sender<()> = &open;
        let part = parts.as_mut().poll_next(context);
        *handed.lock().unwrap_or_else(PoisonError::into_inner) = part.is_ready().then(Instant::now);
        part
    }))
}

fn split(part: Result<Bytes, axum::Error>) -> Vec<Result<Bytes, axum::Error>> {
    let Ok(mut left) = part else { return vec![part] };
    let mut parts = Vec::new();
    while left.len() > PART {
        parts.push(Ok(left.split_to(PART)));
    }
    parts.push(Ok(left));
    parts
}

async fn watch(handed: Arc<Handed>, seat: Arc<Seat>, patience: Duration, mut closed: oneshot::Receiver<()>) {
    loop {
        let since = *handed.lock().unwrap_or_else(PoisonError::into_inner);
        let end = since.unwrap_or_else(Instant::now) + patience;
        if end <= Instant::now() {
            return seat.send_away();
        }
        tokio::select! {
            _ = &mut closed => return,
            () = sleep_until(end) => {}
        }
    }
}
