//! A request's body, read whole before a handler sees it: within its time, its size, and the memory of all together.

use std::sync::Arc;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::asked::Kept;
use super::connection::Seated;
use super::error::ApiError;
use super::room::{Clients, ConnectionRoom, Seat, Stage};
use super::unread;

/// Reads the body, and says to the connection how far its request is.
pub(crate) async fn read_whole(
    State(room): State<Arc<ConnectionRoom>>,
    request: Request,
    next: Next,
) -> Response {
    let seat = request.extensions().get::<ConnectInfo<Seated>>().map(|seated| Arc::clone(&seated.0.0));
    let (mut parts, body) = request.into_parts();
    if let Some(error) = encoded(&parts.headers) {
        return refused(error);
    }
    let version = parts.version;
    let mut asked = RequestProgress::begin(seat);
    let (bytes, kept) = match timeout(room.clients.body, read(&room, body)).await {
        Ok(Ok(whole)) => whole,
        Ok(Err(error)) => return refused(error),
        Err(_) => {
            let message = format!("the body didn't come within {} seconds", room.clients.body.as_secs_f64());
            return refused(ApiError::new(StatusCode::REQUEST_TIMEOUT, message).code("body_timeout"));
        }
    };
    asked.answer();
    parts.extensions.insert(kept);
    let mut cut = room.cut.listen();
    let response = tokio::select! {
        response = next.run(Request::from_parts(parts, Body::from(bytes))) => response,
        () = cut.given() => return refused(ApiError::stopping()),
    };
    // Over HTTP/2 each answer waits for its client by itself, be it of known length or not.
    let alone = asked.seat.clone().filter(|_| version == Version::HTTP_2);
    if alone.is_none() && response.body().size_hint().exact().is_some() {
        return response;
    }
    // A stream is being answered until its end.
    response.map(|body| {
        let body = Body::from_stream(body.into_data_stream().map(move |part| {
            let _open = &asked;
            part
        }));
        match alone {
            Some(seat) => unread::bounded(body, seat, room.clients.write),
            None => body,
        }
    })
}

/// Refuses a body that is packed: it could be of any size unpacked.
fn encoded(headers: &HeaderMap) -> Option<ApiError> {
    let mut values = headers.get_all(header::CONTENT_ENCODING).iter();
    let packed = |value: &&HeaderValue| !value.as_bytes().eq_ignore_ascii_case(b"identity");
    values.find(packed).map(|_| {
        let message = "this server reads no packed bodies: send the JSON as it is, without the header `Content-Encoding`";
        ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).code("unsupported_content_encoding")
    })
}

/// What is left of the body isn't read, so the connection can't be used again.
fn refused(error: ApiError) -> Response {
    let mut response = error.into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// How far a request is, until it is answered or its client has gone.
struct RequestProgress {
    seat: Option<Arc<Seat>>,
    stage: Stage,
}

impl RequestProgress {
    fn begin(seat: Option<Arc<Seat>>) -> Self {
        let mut asked = Self { seat, stage: Stage::Idle };
        asked.enter(Stage::Body);
        asked
    }

    fn answer(&mut self) {
        self.enter(Stage::Answer);
    }

    fn enter(&mut self, stage: Stage) {
        let before = std::mem::replace(&mut self.stage, stage);
        if let Some(seat) = &self.seat {
            seat.pass(before, stage);
        }
    }
}

impl Drop for RequestProgress {
    fn drop(&mut self) {
        self.enter(Stage::Idle);
    }
}

/// A body, and its leave to be in memory.
async fn read(room: &ConnectionRoom, body: Body) -> Result<(Bytes, Kept), ApiError> {
    let too_long = || {
        let message = format!("the body is over this server's length limit of {} bytes", room.body);
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, message)
    };
    if body.size_hint().lower() > room.body as u64 {
        return Err(too_long());
    }
    let mut parts = body.into_data_stream();
    let mut held = BodyMemory::of(&room.memory);
    let mut bytes = Vec::new();
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| ApiError::bad("the body can't be read to its end"))?;
        if bytes.len() + part.len() > room.body {
            return Err(too_long());
        }
        held.hold(bytes.len() + part.len())?;
        bytes.extend_from_slice(&part);
    }
    Ok((Bytes::from(bytes), Kept(held.permit.map(Arc::new))))
}

/// Memory of one body, given back when the body has been read by whom it is for, or has failed.
struct BodyMemory<'m> {
    memory: &'m Arc<Semaphore>,
    permit: Option<OwnedSemaphorePermit>,
    bytes: usize,
}

impl<'m> BodyMemory<'m> {
    const fn of(memory: &'m Arc<Semaphore>) -> Self {
        Self { memory, permit: None, bytes: 0 }
    }

    fn hold(&mut self, length: usize) -> Result<(), ApiError> {
        let wanted = length.saturating_sub(Clients::FREE);
        let more = u32::try_from(wanted - self.bytes.min(wanted)).unwrap_or(u32::MAX);
        if more == 0 {
            return Ok(());
        }
        let permit = Arc::clone(self.memory).try_acquire_many_owned(more).map_err(|_| {
            let message = "the requests that are on their way fill the memory for them: try again later";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message).code("bodies_full")
        })?;
        match &mut self.permit {
            Some(held) => held.merge(permit),
            None => self.permit = Some(permit),
        }
        self.bytes = wanted;
        Ok(())
    }
}
