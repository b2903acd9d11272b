//! A request as it came. A long one is read, rendered and tokenised off the thread that answers, one at a time: that
//! takes seconds, and others don't wait for it.

use std::fmt;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::SharedService;
use super::error::ApiError;
use super::fields::{Fields, wrong};
use crate::engine::priority::{Behind, Later};

/// Leave for a body to be in memory; none for one that is short.
#[derive(Clone, Default)]
pub(crate) struct Kept(pub Option<Arc<OwnedSemaphorePermit>>);

pub(crate) struct ReceivedRequest {
    body: Bytes,
    model: Option<String>,
    kept: Kept,
    turns: Arc<Semaphore>,
}

impl ReceivedRequest {
    /// The model that is asked for. Long before everything else is read: it may have to be loaded first.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Reads all other fields, and does with them whatever takes long.
    pub(crate) async fn read<T: Send + 'static>(
        self,
        read: impl FnOnce(Fields) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let Self { body, kept, turns, .. } = self;
        let work = move || {
            let mut fields = Fields::parse(&body)?;
            drop(body);
            fields.pass_over(&["model"]);
            read(fields)
        };
        if kept.0.is_none() {
            return work();
        }
        let turn = turns.acquire_owned().await;
        let fault = || {
            let message = "the request can't be read: that is a fault of the server";
            ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, message)
        };
        let (tell, told) = oneshot::channel();
        // A long text is cut into tokens on all cores otherwise, by threads that go before nobody.
        let alone =
            rayon::ThreadPoolBuilder::new().num_threads(1).thread_name(|_| "dojo-serve-read".to_owned());
        // Whoever waits is told of a panic by the channel's end.
        let alone = alone.panic_handler(drop).build().map_err(|_| fault())?;
        alone.spawn(move || {
            let _ = Later::this(Behind::Somewhat);
            let outcome = work();
            drop((kept, turn));
            tell.send(outcome).ok();
        });
        told.await.unwrap_or_else(|_| Err(fault()))
    }
}

impl FromRequest<SharedService> for ReceivedRequest {
    type Rejection = ApiError;

    async fn from_request(mut request: Request, service: &SharedService) -> Result<Self, ApiError> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind != "application/json" && !kind.ends_with("+json") {
            let message = "send JSON, with the header `Content-Type: application/json`";
            return Err(ApiError::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let kept = request.extensions_mut().remove::<Kept>().unwrap_or_default();
        let body = Bytes::from_request(request, service)
            .await
            .map_err(|error| ApiError::new(error.status(), "the body can't be read to its end"))?;
        let model = match model(&body)? {
            None | Some(Value::Null) => None,
            Some(Value::String(name)) => Some(name),
            Some(other) => return Err(wrong("model", "a text", &other)),
        };
        Ok(Self { body, model, kept, turns: Arc::clone(&service.turns) })
    }
}

/// The model of a request, without holding the rest of it.
fn model(body: &[u8]) -> Result<Option<Value>, ApiError> {
    struct ModelVisitor;

    impl<'de> Visitor<'de> for ModelVisitor {
        type Value = Option<Value>;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some(key) = map.next_key::<String>()? {
                if key == "model" {
                    found = Some(map.next_value()?);
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    let mut reader = serde_json::Deserializer::from_slice(body);
    match reader.deserialize_map(ModelVisitor) {
        Ok(found) => Ok(found),
        // Of another kind, or not to be read: whoever reads the whole says so.
        Err(_) => Fields::parse(body).map(|_| None),
    }
}
