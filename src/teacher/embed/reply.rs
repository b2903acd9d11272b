//! The body of an answer to `POST /embeddings`: vectors as numbers or in base64, put in the order of the texts, checked,
//! and made to have length 1.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::teacher::request::error_message;

/// Vectors, one for each text in their order: (dimensions), of length 1.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct EmbeddingReply {
    pub(super) vectors: Vec<Vec<f32>>,
    /// As the endpoint counts them.
    pub(super) tokens: Option<u64>,
}

/// What is wrong with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum BadReply {
    /// Another attempt may bring a whole one.
    Broken(String),
    /// It is what the endpoint has to give, and no embedding of these texts.
    Wrong(String),
}

/// # Errors
/// What is wrong with it.
pub(super) fn read(
    bytes: &[u8],
    texts: usize,
    dimensions: Option<usize>,
) -> Result<EmbeddingReply, BadReply> {
    let broken = |why: &str| BadReply::Broken(why.to_owned());
    let value: Value = serde_json::from_slice(bytes).map_err(|_| match bytes.trim_ascii_start().first() {
        None => broken("an empty body"),
        Some(b'<') => broken("a web page instead of vectors; is base_url right?"),
        Some(_) => broken("a body that is no JSON"),
    })?;
    if let Some(message) = error_message(&value) {
        return Err(BadReply::Broken(message));
    }
    let data = value.get("data").and_then(Value::as_array).ok_or_else(|| broken("a body without data"))?;
    if data.len() != texts {
        return Err(BadReply::Wrong(format!("{} vectors for {texts} texts", data.len())));
    }
    let mut vectors: Vec<Option<Vec<f32>>> = vec![None; texts];
    for (place, entry) in data.iter().enumerate() {
        let index = entry.get("index").and_then(Value::as_u64).map_or(place, |index| index as usize);
        let vector = entry.get("embedding").and_then(numbers);
        let vector =
            vector.ok_or_else(|| BadReply::Wrong(format!("vector {index} is neither numbers nor base64")))?;
        let slot = vectors.get_mut(index).filter(|slot| slot.is_none());
        let slot = slot.ok_or_else(|| {
            BadReply::Wrong(format!("index {index} twice, or of none of the {texts} texts"))
        })?;
        *slot = Some(vector);
    }
    let vectors: Vec<Vec<f32>> = vectors.into_iter().flatten().collect();
    let long = dimensions.or_else(|| vectors.first().map(Vec::len)).unwrap_or(0);
    let vectors = vectors.into_iter().map(|vector| of_length_one(vector, long).map_err(BadReply::Wrong));
    // More tokens than that are no count.
    let tokens = ["/usage/prompt_tokens", "/usage/total_tokens"]
        .iter()
        .find_map(|name| value.pointer(name).and_then(Value::as_u64))
        .filter(|tokens| *tokens < 1 << 40);
    Ok(EmbeddingReply { vectors: vectors.collect::<Result<_, _>>()?, tokens })
}

/// A list of numbers, or little-endian f32 in base64.
fn numbers(value: &Value) -> Option<Vec<f32>> {
    match value {
        // What is no number (`NaN` is written as null) is refused with its value's name below.
        Value::Array(values) => values
            .iter()
            .map(|value| match value {
                Value::Null => Some(f32::NAN),
                value => value.as_f64().map(|number| number as f32),
            })
            .collect(),
        Value::String(packed) => {
            let bytes = STANDARD.decode(packed).ok()?;
            let (words, rest) = bytes.as_chunks::<4>();
            rest.is_empty().then(|| words.iter().map(|&word| f32::from_le_bytes(word)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

fn of_length_one(mut vector: Vec<f32>, dimensions: usize) -> Result<Vec<f32>, String> {
    if vector.len() != dimensions || vector.is_empty() {
        return Err(format!("a vector has {} dimensions, and not {dimensions}", vector.len()));
    }
    if vector.iter().any(|value| !value.is_finite()) {
        return Err("a vector holds what is no number".to_owned());
    }
    let length = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
    if length < 1e-12 {
        return Err("a vector is all zeros".to_owned());
    }
    vector.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
    Ok(vector)
}
