//! Errors as OpenAI's API gives them.

use std::borrow::Cow;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Bytes of a message at most, and of the name of a field: both may hold what the client wrote.
const MESSAGE: usize = 1000;
const PARAMETER: usize = 200;

/// What a client is told.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: String,
    parameter: Option<Cow<'static, str>>,
    code: Option<&'static str>,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        let mut message = one_line(message.into());
        shorten(&mut message, MESSAGE);
        Self { status, message, parameter: None, code: None }
    }

    /// The request is at fault.
    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) const fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// The field of the request that is at fault.
    pub(crate) fn parameter(mut self, parameter: impl Into<Cow<'static, str>>) -> Self {
        let mut parameter = parameter.into();
        if parameter.len() > PARAMETER {
            shorten(parameter.to_mut(), PARAMETER);
        }
        self.parameter = Some(parameter).filter(|parameter| !parameter.is_empty());
        self
    }

    /// A prompt that leaves no room, in the words that clients look for before they try a shorter one.
    pub(crate) fn too_long(tokens: usize, context: usize, parameter: &'static str) -> Self {
        let message = format!(
            "This model's maximum context length is {context} tokens. However, your {parameter} resulted in {tokens} \
             tokens. Please reduce the length of the {parameter}."
        );
        Self::bad(message).code("context_length_exceeded").parameter(parameter)
    }

    /// The server ends before the answer does.
    pub(crate) fn stopping() -> Self {
        let message = "the server was stopped before the answer was finished: ask again when it runs again";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message).code("server_stopping")
    }

    fn kind(&self) -> &'static str {
        match self.status {
            StatusCode::UNAUTHORIZED => "authentication_error",
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        }
    }

    pub(crate) fn body(&self) -> Value {
        json!({
            "error": {
                "message": self.message,
                "type": self.kind(),
                "param": self.parameter,
                "code": self.code,
            }
        })
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body())).into_response()
    }
}

/// A text without line ends, which templates write into their refusals.
fn one_line(text: String) -> String {
    if text.contains(['\n', '\r']) { text.split_whitespace().collect::<Vec<_>>().join(" ") } else { text }
}

/// Cuts a text that is too long, and shows that it is cut.
fn shorten(text: &mut String, bytes: usize) {
    if text.len() > bytes {
        text.truncate(text.floor_char_boundary(bytes));
        text.push('…');
    }
}
