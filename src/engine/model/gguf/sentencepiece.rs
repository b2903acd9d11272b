//! SentencePiece vocabularies with scores (Llama 2, Mistral, Gemma), as byte pair merges.
//!
//! SentencePiece's BPE joins, again and again, the neighbours whose union has the highest score. The same result
//! comes from a list of merges in order of that score, which is how the models' `tokenizer.json` files were made.

use std::collections::HashMap;

use anyhow::{Context, Result, anyhow, ensure};
use tokenizers::Tokenizer;
use tokenizers::decoders::byte_fallback::ByteFallback;
use tokenizers::decoders::fuse::Fuse;
use tokenizers::decoders::sequence::Sequence as Decoders;
use tokenizers::decoders::strip::Strip;
use tokenizers::models::bpe::{BPE, Merges, Vocab};
use tokenizers::normalizers::{Prepend, Replace, Sequence as Normalizers};

use super::Header;

/// What stands for a space.
const SPACE: &str = "▁";

/// ggml's types of tokens that merges make (`llama_token_type`).
const NORMAL_TOKEN: i64 = 1;

/// The sum of the squares of the tokens' lengths, at most: a quarter of a million tokens of 64 bytes.
const MOST_WORK: usize = 1 << 30;

pub(super) fn build(header: &Header, tokens: &[String]) -> Result<Tokenizer> {
    let failed = |error| anyhow!("build the tokenizer: {error}");
    let scores = header.floats("tokenizer.ggml.scores").context("tokenizer.ggml.scores is missing")?;
    ensure!(
        scores.len() == tokens.len(),
        "{} tokens have {} scores in tokenizer.ggml.scores",
        tokens.len(),
        scores.len()
    );
    let kinds = header.integers("tokenizer.ggml.token_type").unwrap_or_default();
    // Each token is tried to be cut at each of its characters.
    let work =
        tokens.iter().fold(0_usize, |all, token| all.saturating_add(token.len().saturating_mul(token.len())));
    ensure!(work <= MOST_WORK, "its tokens are far longer than any model's");
    let merges = merges(tokens, scores, kinds);
    let vocabulary: Vocab = tokens.iter().zip(0..).map(|(token, id)| (token.clone(), id)).collect();
    let mut builder = BPE::builder().vocab_and_merges(vocabulary, merges).fuse_unk(true).byte_fallback(true);
    let unknown = header.token_id("tokenizer.ggml.unknown_token_id").unwrap_or(0);
    if let Some(unknown) = tokens.get(unknown as usize) {
        builder = builder.unk_token(unknown.clone());
    }
    let mut tokenizer = Tokenizer::new(builder.build().map_err(failed)?);
    let replace = Replace::new(" ", SPACE).map_err(failed)?;
    let back = Replace::new(SPACE, " ").map_err(failed)?;
    let plain = [back.into(), ByteFallback::new().into(), Fuse::new().into()];
    if header.boolean("tokenizer.ggml.add_space_prefix").unwrap_or(true) {
        let steps = vec![Prepend::new(SPACE.to_owned()).into(), replace.into()];
        tokenizer.with_normalizer(Some(Normalizers::new(steps))).map_err(failed)?;
        let steps = plain.into_iter().chain([Strip::new(' ', 1, 0).into()]);
        tokenizer.with_decoder(Some(Decoders::new(steps.collect())));
    } else {
        tokenizer.with_normalizer(Some(replace)).map_err(failed)?;
        tokenizer.with_decoder(Some(Decoders::new(plain.to_vec())));
    }
    Ok(tokenizer)
}

/// Every way to make a token of two others, best score first; at equal scores in the order of the tokens, and of
/// their parts.
fn merges(tokens: &[String], scores: &[f64], kinds: &[i64]) -> Merges {
    let mergeable = |id: usize| kinds.get(id).is_none_or(|&kind| kind == NORMAL_TOKEN);
    let ids: HashMap<&str, usize> =
        tokens.iter().enumerate().map(|(id, token)| (token.as_str(), id)).collect();
    let mut found: Vec<(usize, usize, usize)> = Vec::new();
    for (id, token) in tokens.iter().enumerate().filter(|&(id, _)| mergeable(id)) {
        let parts = token.char_indices().skip(1).filter_map(|(at, _)| {
            let (left, right) = token.split_at(at);
            Some((id, *ids.get(left)?, *ids.get(right)?))
        });
        let first = found.len();
        found.extend(parts.filter(|&(_, left, right)| mergeable(left) && mergeable(right)));
        if let Some(own) = found.get_mut(first..) {
            own.sort_unstable();
        }
    }
    let score = |id: usize| scores.get(id).copied().unwrap_or(f64::NEG_INFINITY);
    found.sort_by(|a, b| score(b.0).total_cmp(&score(a.0)));
    let text = |id: usize| tokens.get(id).cloned().unwrap_or_default();
    found.into_iter().map(|(_, left, right)| (text(left), text(right))).collect()
}
