//! Tokens that stand across the border of a turn's head and its answer: `Assistant: ` and `the` are cut into `:` and ` the`.

use super::Masker;
use super::begun::{BegunAnswer, Otherwise};
use super::spans::LearntSpan;

impl Masker<'_> {
    /// The first token that has any of the answer's own characters in it, as transformers' masks of generation blocks have
    /// it. A control token that takes the white space behind it has none.
    pub(super) fn first_token(&self, tokens: &[u32], begins: &[usize], start: usize, text: &str) -> usize {
        let behind = begins.partition_point(|&begin| begin < start);
        let at = |index: usize| begins.get(index).copied().unwrap_or(text.len());
        let Some(before) = behind.checked_sub(1).filter(|_| at(behind) > start) else { return behind };
        let name = tokens.get(before).and_then(|token| self.tokenizer.id_to_token(*token));
        let head = text.get(at(before)..start).unwrap_or_default();
        if name.is_some_and(|name| head.contains(&name)) { behind } else { before }
    }

    /// An answer whose first token, which begins at `first`, holds the end of what the model is asked with.
    pub(super) fn joined(
        &self,
        turn: usize,
        first: usize,
        span: LearntSpan,
        text: &str,
    ) -> Option<BegunAnswer> {
        let asked = text.get(first..span.start).filter(|asked| !asked.is_empty())?;
        // Where the tokenizer leaves white space out, the model isn't asked with it.
        let alone = self.tokenizer.encode_fast(asked, false).ok()?;
        let trained = text.get(first..span.end).unwrap_or_default();
        (!alone.get_ids().is_empty()).then(|| BegunAnswer::of(turn, asked, trained, Otherwise::Joined))
    }
}
