//! The bytes that each token stands for. Knows no model.

use anyhow::{Context, Result, anyhow};
use llguidance::token_bytes_from_tokenizer_json;
use llguidance::toktrie::TokTrie;
use tokenizers::Tokenizer;

/// Of every token of a tokenizer, by its id.
pub struct TokenBytes(Vec<Vec<u8>>);

impl TokenBytes {
    /// # Errors
    /// Where the tokenizer's form is unknown.
    pub fn new(tokenizer: &Tokenizer) -> Result<Self> {
        let json =
            tokenizer.to_string(false).map_err(|error| anyhow!("write the tokenizer as JSON: {error}"))?;
        let json: serde_json::Value = serde_json::from_str(&json)?;
        Ok(Self(token_bytes_from_tokenizer_json(&json).context("find the bytes of each token")?))
    }

    /// A token's bytes; a control token's are its name's. None where there is no such token.
    pub fn of(&self, token: u32) -> Option<&[u8]> {
        let bytes = self.0.get(token as usize).filter(|bytes| !bytes.is_empty())?;
        Some(bytes.strip_prefix(&[TokTrie::SPECIAL_TOKEN_MARKER]).unwrap_or(bytes))
    }

    /// With a mark before the names of control tokens, for [`TokTrie`].
    pub(super) fn marked(self) -> Vec<Vec<u8>> {
        self.0
    }
}
