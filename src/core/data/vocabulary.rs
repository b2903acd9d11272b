//! Tokens that a tokenizer knows and a model doesn't: a vocabulary may name more tokens than the embedding has rows
//! (Gemma 3's image token, a padding token that was added). Only a text that uses one can't be computed.

use anyhow::{Result, bail};
use tokenizers::Tokenizer;

/// Refuses tokens that have no row in an embedding of so many.
///
/// # Errors
/// Where there is one; the message names the first.
pub fn check_rows(tokens: &[u32], rows: usize, tokenizer: &Tokenizer) -> Result<()> {
    let Some(&token) = tokens.iter().find(|&&token| token as usize >= rows) else { return Ok(()) };
    match tokenizer.id_to_token(token) {
        Some(text) => bail!(
            "it holds the token {text:?} ({token}), for which the model has no row: its embedding has {rows} rows"
        ),
        None => {
            bail!("it holds token {token}, for which the model has no row: its embedding has {rows} rows")
        }
    }
}
