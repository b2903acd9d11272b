//! `POST /v1/embeddings`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::SharedService;
use super::asked::ReceivedRequest;
use super::completions::tokens;
use super::error::ApiError;
use super::fields::{Fields, texts, wrong};
use crate::engine::embed::Embedder;

/// Texts of one request at most, as OpenAI has it.
const TEXTS: usize = 2048;
/// Texts embedded before others have their turn.
const TOGETHER: usize = 16;

/// What answers, one turn of one request at a time: it uses all cores.
pub(crate) type SharedEmbedder = Arc<tokio::sync::Mutex<Embedder>>;

/// What is done with a text that is longer than the model reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TooLong {
    Refuse,
    Truncate,
}

/// What is asked for.
struct EmbeddingRequest {
    inputs: Vec<Input>,
    packing: Packing,
    too_long: TooLong,
    dimensions: Option<usize>,
}

/// How a vector is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    Numbers,
    Base64,
}

pub(crate) async fn create(
    State(service): State<SharedService>,
    asked: ReceivedRequest,
) -> Result<Json<Value>, ApiError> {
    let model = service.shelf.embedder(asked.model()).await?;
    let EmbeddingRequest { inputs, packing, too_long, dimensions } = asked.read(read).await?;
    let texts = {
        let embedder = model.desk.lock().await;
        if dimensions.is_some_and(|dimensions| dimensions != embedder.dimensions()) {
            let message = format!("this model's embeddings have {} dimensions", embedder.dimensions());
            return Err(ApiError::bad(message).parameter("dimensions"));
        }
        inputs.into_iter().map(|input| input.text(&embedder)).collect::<Result<Vec<_>, _>>()?
    };
    let (mut data, mut tokens) = (Vec::with_capacity(texts.len()), 0);
    for (turn, texts) in texts.chunks(TOGETHER).enumerate() {
        let embedded = embed(Arc::clone(&model.desk), texts.to_vec(), turn * TOGETHER, too_long).await?;
        tokens += embedded.tokens;
        for vector in &embedded.vectors {
            let embedding = match packing {
                Packing::Numbers => json!(vector),
                Packing::Base64 => packed(vector),
            };
            data.push(json!({ "object": "embedding", "index": data.len(), "embedding": embedding }));
        }
    }
    Ok(Json(json!({
        "object": "list",
        "data": data,
        "model": model.name,
        "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
    })))
}

fn read(mut fields: Fields) -> Result<EmbeddingRequest, ApiError> {
    let inputs = inputs(&mut fields)?;
    let packing = match fields.text("encoding_format")?.as_deref() {
        None | Some("float") => Packing::Numbers,
        Some("base64") => Packing::Base64,
        Some(other) => {
            let message = format!("encoding_format is {other:?}, and must be float or base64");
            return Err(ApiError::bad(message).parameter("encoding_format"));
        }
    };
    let truncate = fields.flag("truncate")?.unwrap_or(false);
    let too_long = if truncate { TooLong::Truncate } else { TooLong::Refuse };
    let dimensions = fields.count("dimensions")?;
    fields.text("user")?;
    fields.finish()?;
    Ok(EmbeddingRequest { inputs, packing, too_long, dimensions })
}

/// One turn. Whoever goes away has no further ones.
async fn embed(
    desk: SharedEmbedder,
    texts: Vec<String>,
    first: usize,
    too_long: TooLong,
) -> Result<crate::engine::embed::Embedded, ApiError> {
    let embedder = desk.lock_owned().await;
    let work = tokio::task::spawn_blocking(move || {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let refuse = |_| ApiError::bad("the input can't be cut into the model's tokens").parameter("input");
        let longer = (too_long == TooLong::Refuse).then(|| embedder.first_too_long(&texts)).transpose();
        if let Some(index) = longer.map_err(refuse)?.flatten() {
            let message = format!(
                "input[{}] has more than {} tokens, which is all that the model reads: shorten it, or send \
                 \"truncate\": true",
                first + index,
                embedder.longest()
            );
            return Err(ApiError::bad(message).code("context_length_exceeded").parameter("input"));
        }
        embedder.embed(&texts).map_err(|error| {
            tracing::error!("texts can't be embedded: {error:#}");
            fault()
        })
    });
    work.await.map_err(|_| fault())?
}

fn fault() -> ApiError {
    let message = "the texts can't be embedded: that is a fault of the server";
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, message)
}

/// One thing to embed.
enum Input {
    Text(String),
    Tokens(Vec<u32>),
}

impl Input {
    /// The text; token ids are read as the model's own. Some clients send those of another tokenizer.
    fn text(self, embedder: &Embedder) -> Result<String, ApiError> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Tokens(ids) => embedder.text_of(&ids).ok_or_else(|| {
                let message = "input holds token ids that this model's tokenizer doesn't write: send texts (with \
                               LangChain's OpenAIEmbeddings set check_embedding_ctx_length=False)";
                ApiError::bad(message).parameter("input")
            }),
        }
    }
}

fn inputs(fields: &mut Fields) -> Result<Vec<Input>, ApiError> {
    let value = fields.value("input").ok_or_else(|| fields.missing("input"))?;
    let refuse = |value: &Value| {
        wrong("input", "a text, a list of texts, a list of token ids or a list of such lists", value)
    };
    let Value::Array(values) = value else {
        let Value::String(text) = value else { return Err(refuse(&value)) };
        return Ok(vec![Input::Text(text)]);
    };
    if let Some(ids) = tokens(&values) {
        return Ok(vec![Input::Tokens(ids)]);
    }
    if values.is_empty() || values.len() > TEXTS {
        let message = format!("input holds {} texts: from 1 to {TEXTS}", values.len());
        return Err(ApiError::bad(message).parameter("input"));
    }
    if let Some(texts) = texts(&values) {
        return Ok(texts.into_iter().map(Input::Text).collect());
    }
    let lists = values.iter().map(|value| match value {
        Value::Array(ids) => tokens(ids).map(Input::Tokens).ok_or_else(|| refuse(value)),
        other => Err(refuse(other)),
    });
    lists.collect()
}

/// Little-endian f32, in base64.
fn packed(vector: &[f32]) -> Value {
    let bytes: Vec<u8> = vector.iter().flat_map(|value| value.to_le_bytes()).collect();
    Value::from(STANDARD.encode(bytes))
}
