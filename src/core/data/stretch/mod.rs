//! Long texts become tokens stretch by stretch, where a tokenizer surely begins anew: all at once, tokens with their texts
//! and places take a hundred times the text's memory. The tokens are the same ones. Where it isn't known where a tokenizer
//! begins anew, a text is cut into tokens as a whole, if it isn't too long for that.

mod joints;

use std::sync::{Mutex, PoisonError};

use anyhow::{Error, Result, bail};
use rayon::prelude::*;
use tokenizers::Tokenizer;

use super::control::TokenizedText;
pub(crate) use joints::Joint;

/// How models split a text before merging, as their `tokenizer.json` files have it. All that is said is matched.
pub const QWEN2: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub const LLAMA3: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub const TEKKEN: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";
pub const GPT_4O: &str = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// A stretch has at least so many bytes.
const STRETCH: usize = 64 << 10;
/// A stretch has so many bytes at most: it takes two hundred times as many while it becomes tokens.
const LONGEST: usize = 4 << 20;
/// Stretches beyond so many bytes become tokens one at a time, in whatever row they are.
const LARGE: usize = 1 << 20;
/// So many stretches become tokens side by side.
const GROUP: usize = 32;

static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Where the tokens of a text begin and end, in bytes.
type Offsets = Vec<(usize, usize)>;

/// Where a text may be cut into parts of at least so many bytes, of which the tokens are those of the text.
#[must_use]
pub fn cuts(tokenizer: &Tokenizer, text: &str, least: usize) -> Vec<usize> {
    let joint = Joint::of(tokenizer);
    let mut at = 0;
    let next = || {
        at += joint.cut(text.get(at..)?, least)?;
        Some(at)
    };
    std::iter::from_fn(next).collect()
}

impl Joint {
    /// A text in stretches: each but the first begins where the tokenizer begins anew.
    ///
    /// # Errors
    /// Where one is too long to become tokens at once.
    fn stretches<'t>(&self, text: &'t str) -> Result<Vec<&'t str>> {
        let (mut stretches, mut rest) = (Vec::new(), text);
        while let Some((stretch, after)) = self.cut(rest, STRETCH).and_then(|at| rest.split_at_checked(at)) {
            stretches.push(stretch);
            rest = after;
        }
        stretches.push(rest);
        let longest = stretches.iter().map(|stretch| stretch.len()).max().unwrap_or_default();
        if longest > LONGEST {
            bail!(
                "{:.1} MiB of its text have no place where the model's tokenizer surely begins anew, as it does at the end \
                 of most words and lines, and no more than {} MiB can become tokens at once; break the text up",
                longest as f64 / f64::from(1 << 20),
                LONGEST >> 20
            );
        }
        Ok(stretches)
    }

    /// A text in tokens, with their places.
    ///
    /// # Errors
    /// Where the tokenizer fails, or a stretch is too long.
    pub(crate) fn pieces(&self, tokenizer: &Tokenizer, text: &str) -> Result<TokenizedText> {
        let encode = |stretch: &&str| -> Result<(Vec<u32>, Offsets)> {
            let encoding = alone(stretch, || tokenizer.encode(*stretch, false)).map_err(Error::msg)?;
            Ok((encoding.get_ids().to_vec(), encoding.get_offsets().to_vec()))
        };
        let mut pieces = TokenizedText::default();
        // A token begins at the end of the one before it, since some tokenizers leave white space out of a token's own
        // range; the pieces of one character all begin where it does.
        let (mut at, mut reached) = (0, 0);
        for group in self.stretches(text)?.chunks(GROUP) {
            for (stretch, encoded) in group.iter().zip(side_by_side(group, encode)) {
                let (ids, offsets) = encoded?;
                pieces.tokens.extend(ids);
                for (start, end) in offsets {
                    pieces.begins.push((at + start).min(reached));
                    reached = reached.max(at + end);
                }
                at += stretch.len();
            }
        }
        Ok(pieces)
    }

    /// A text in tokens; `special` adds those that the tokenizer puts around a text.
    ///
    /// # Errors
    /// Where the tokenizer fails, or a stretch is too long.
    pub(crate) fn tokens(&self, tokenizer: &Tokenizer, text: &str, special: bool) -> Result<Vec<u32>> {
        let ids = |text: &str, special: bool| -> Result<Vec<u32>> {
            let encoding = alone(text, || tokenizer.encode_fast(text, special)).map_err(Error::msg)?;
            Ok(encoding.get_ids().to_vec())
        };
        let stretches = self.stretches(text)?;
        let Some((first, rest)) = stretches.split_first() else { return Ok(Vec::new()) };
        let mut tokens = ids(first, special)?;
        if rest.is_empty() {
            return Ok(tokens);
        }
        let bare = ids(first, false)?;
        let found = tokens.windows(bare.len().max(1)).position(|own| own == bare);
        let Some(before_it) = found else { return ids(text, special) };
        let end = tokens.split_off(before_it + bare.len());
        for group in rest.chunks(GROUP) {
            for stretch in side_by_side(group, |stretch| ids(stretch, false)) {
                tokens.extend(stretch?);
            }
        }
        tokens.extend(end);
        Ok(tokens)
    }
}

/// Does something with each stretch on all cores, in their order.
fn side_by_side<'t, T: Send>(group: &[&'t str], work: impl Fn(&&'t str) -> T + Sync + Send) -> Vec<T> {
    match group {
        [only] => vec![work(only)],
        several => several.par_iter().map(work).collect(),
    }
}

/// Does something with a text, and if it is long, with no other long one at the same time.
fn alone<T>(text: &str, work: impl FnOnce() -> T) -> T {
    let _guard = (text.len() > LARGE).then(|| ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner));
    work()
}
