//! Who may ask.

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Shared;
use super::error::ApiError;

/// Lets a request through whose key is right, or all where there is none.
pub(crate) async fn check_key(State(service): State<Shared>, request: Request, next: Next) -> Response {
    if let Some(key) = &service.api_key {
        let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if !same(shown.as_bytes(), key.as_bytes()) {
            let message = "the API key is missing or wrong: send `Authorization: Bearer KEY`";
            return ApiError::new(StatusCode::UNAUTHORIZED, message).code("invalid_api_key").into_response();
        }
    }
    next.run(request).await
}

/// Compares in a time that doesn't tell how much of the key was right.
fn same(shown: &[u8], key: &[u8]) -> bool {
    let differences = shown.iter().zip(key).fold(0, |sum, (a, b)| sum | (a ^ b));
    shown.len() == key.len() && differences == 0
}
