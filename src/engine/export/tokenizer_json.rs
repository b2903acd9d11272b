//! What a tokenizer is made of, as its `tokenizer.json` says it.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use tokenizers::Tokenizer;

/// A vocabulary with its merges, best first.
pub(super) struct TokenizerJson {
    pub(super) kind: VocabularyKind,
    pub(super) merges: Vec<(String, String)>,
    pub(super) ids: HashMap<String, u32>,
    /// What stands for what has no token.
    pub(super) unknown: Option<String>,
}

/// What tokens are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VocabularyKind {
    /// Bytes, each written as a letter (GPT-2 and most later models).
    ByteLevel,
    /// Characters, and bytes for those that the vocabulary lacks (Llama 2, Mistral, Gemma).
    SentencePiece,
}

impl TokenizerJson {
    /// # Errors
    /// If the tokenizer is none of these kinds.
    pub(super) fn of(tokenizer: &Tokenizer) -> Result<Self> {
        let text = tokenizer.to_string(false).map_err(|error| anyhow!("write the tokenizer: {error}"))?;
        let json: Value = serde_json::from_str(&text).context("read the tokenizer")?;
        let model = json.get("model").context("the tokenizer has no model")?;
        let kind = model.get("type").and_then(Value::as_str).unwrap_or_default();
        if kind != "BPE" {
            bail!("its tokenizer is of the kind {kind}; byte pair encoding (BPE) is what can be written");
        }
        let is_byte_level = ["pre_tokenizer", "decoder"]
            .iter()
            .any(|part| json.get(*part).is_some_and(|part| part.to_string().contains("\"ByteLevel\"")));
        let falls_back = model.get("byte_fallback") == Some(&Value::Bool(true));
        let kind = match (is_byte_level, falls_back) {
            (true, _) => VocabularyKind::ByteLevel,
            (false, true) => VocabularyKind::SentencePiece,
            (false, false) => {
                bail!("its tokenizer has neither bytes for letters nor bytes for what it lacks")
            }
        };
        let merges = model.get("merges").and_then(Value::as_array).context("the tokenizer has no merges")?;
        let merges =
            merges.iter().map(merge).collect::<Option<Vec<_>>>().context("one of its merges is no pair")?;
        let unknown = model.get("unk_token").and_then(Value::as_str).map(str::to_owned);
        Ok(Self { kind, merges, ids: tokenizer.get_vocab(false).into_iter().collect(), unknown })
    }
}

/// `["a", "b"]`, and in older files `"a b"`.
fn merge(value: &Value) -> Option<(String, String)> {
    if let Some(pair) = value.as_array() {
        let [left, right] = pair.as_slice() else { return None };
        return Some((left.as_str()?.to_owned(), right.as_str()?.to_owned()));
    }
    let (left, right) = value.as_str()?.split_once(' ')?;
    Some((left.to_owned(), right.to_owned()))
}
