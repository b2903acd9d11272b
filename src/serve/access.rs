//! A line for each request, for whoever runs the server.

use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;

/// A request that was answered, or whose answer has begun.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    pub method: Method,
    /// Without what follows a question mark, which may be a secret.
    pub path: String,
    pub status: u16,
    /// Until the answer began.
    pub seconds: f64,
}

/// Who is told of requests.
pub type Log = fn(&Access);

pub(crate) async fn tell(State(log): State<Log>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let started = Instant::now();
    let response = next.run(request).await;
    let seconds = started.elapsed().as_secs_f64();
    log(&Access { method, path, status: response.status().as_u16(), seconds });
    response
}
