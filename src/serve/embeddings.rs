//! `POST /v1/embeddings`.

use std::sync::{Arc, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;
use super::error::ApiError;
use super::options::OneOrMany;

/// Texts of one request at most, as OpenAI has it.
const TEXTS: usize = 2048;

#[derive(Deserialize)]
pub(crate) struct EmbeddingsRequest {
    model: Option<String>,
    input: OneOrMany,
    encoding_format: Option<String>,
    dimensions: Option<usize>,
}

pub(crate) async fn create(
    State(service): State<Shared>,
    body: Result<Json<EmbeddingsRequest>, JsonRejection>,
) -> Result<Json<Value>, ApiError> {
    let Json(asked) = body.map_err(|error| ApiError::new(error.status(), error.body_text()))?;
    let (Some(embedder), Some(name)) = (&service.embedder, &service.embedder_name) else {
        let message = "this server was started without an embedding model: start it with \
                       `dojo serve --embeddings all-minilm-l6-v2`";
        return Err(ApiError::new(StatusCode::NOT_IMPLEMENTED, message));
    };
    if let Some(other) = asked.model.filter(|asked| asked != name) {
        let message = format!("{other:?} gives no embeddings here: ask for {name}");
        return Err(ApiError::new(StatusCode::NOT_FOUND, message).code("model_not_found").parameter("model"));
    }
    let texts = match asked.input {
        OneOrMany::One(text) => vec![text],
        OneOrMany::Many(texts) => texts,
    };
    if texts.is_empty() || texts.len() > TEXTS {
        let message = format!("input holds {} texts: from 1 to {TEXTS}", texts.len());
        return Err(ApiError::bad(message).parameter("input"));
    }
    let as_base64 = match asked.encoding_format.as_deref() {
        None | Some("float") => false,
        Some("base64") => true,
        Some(other) => {
            let message = format!("encoding_format is {other:?}, and must be float or base64");
            return Err(ApiError::bad(message).parameter("encoding_format"));
        }
    };
    let embedder = Arc::clone(embedder);
    let dimensions = asked.dimensions;
    let work = tokio::task::spawn_blocking(move || {
        let embedder = embedder.lock().unwrap_or_else(PoisonError::into_inner);
        if dimensions.is_some_and(|dimensions| dimensions != embedder.dimensions()) {
            anyhow::bail!("this model's embeddings have {} dimensions", embedder.dimensions());
        }
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        embedder.embed(&texts)
    });
    let embedded = work
        .await
        .map_err(|error| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))?
        .map_err(|error| ApiError::bad(format!("{error:#}")))?;
    let data = embedded.vectors.iter().enumerate().map(|(index, vector)| {
        let embedding = if as_base64 { packed(vector) } else { json!(vector) };
        json!({ "object": "embedding", "index": index, "embedding": embedding })
    });
    Ok(Json(json!({
        "object": "list",
        "data": data.collect::<Vec<_>>(),
        "model": name,
        "usage": { "prompt_tokens": embedded.tokens, "total_tokens": embedded.tokens },
    })))
}

/// Little-endian f32, in base64.
fn packed(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    Value::from(STANDARD.encode(bytes))
}
