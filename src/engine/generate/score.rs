//! How likely a model finds a text: for perplexity, to compare with references, and for who asks about a prompt.

use anyhow::{Context, Result, ensure};

use super::backend::{SequenceSpan, Step};
use super::cache::{PAGE, PageId};
use super::generator::Generator;
use super::plan::SequenceStep;
use super::request::{AdapterId, ChosenToken, Event, What};
use super::sampler::Plain;
use crate::kernels::lanes::LaneIsa;
use crate::kernels::softmax::{Largest, SumOfExponentials};
use dojo_core::data::vocabulary::check_rows;

/// Tokens computed at once: their logits are all in memory.
const CHUNK: usize = 64;

/// Told of each position and its logits.
type See<'s> = &'s mut dyn FnMut(usize, &[f32]);

impl Generator {
    /// The logits behind the last of these tokens: (vocabulary).
    ///
    /// # Errors
    /// Where there are no tokens or more than the context holds.
    pub fn last_logits(&mut self, tokens: &[u32], adapter: Option<AdapterId>) -> Result<Vec<f32>> {
        let mut last = Vec::new();
        let end = tokens.len();
        self.walk(tokens, adapter, &mut |position, logits| {
            if position + 1 == end {
                last = logits.to_vec();
            }
        })?;
        Ok(last)
    }

    /// The negative log-likelihood, in nats, of each token after the first, given those before it.
    ///
    /// # Errors
    /// As [`Generator::last_logits`].
    pub fn negative_log_likelihoods(
        &mut self,
        tokens: &[u32],
        adapter: Option<AdapterId>,
    ) -> Result<Vec<f32>> {
        let mut found = Vec::with_capacity(tokens.len());
        self.walk(tokens, adapter, &mut |position, logits| {
            if let Some(&target) = tokens.get(position + 1).filter(|&&token| (token as usize) < logits.len())
            {
                found.push(surprise(logits, target));
            }
        })?;
        Ok(found)
    }

    /// The log-likelihood, in nats, of each continuation of some tokens. What they share is computed once.
    ///
    /// # Errors
    /// As [`Generator::last_logits`], and where a continuation has no tokens.
    pub fn log_likelihoods_of(
        &mut self,
        tokens: &[u32],
        continuations: &[Vec<u32>],
        adapter: Option<AdapterId>,
    ) -> Result<Vec<f64>> {
        let longest = continuations.iter().map(Vec::len).max().unwrap_or_default();
        ensure!(continuations.iter().all(|tokens| !tokens.is_empty()), "a continuation has no tokens");
        ensure!(
            tokens.len() + longest <= self.context(),
            "{} tokens don't fit the context",
            tokens.len() + longest
        );
        for text in std::iter::once(tokens).chain(continuations.iter().map(Vec::as_slice)) {
            check_rows(text, self.vocabulary(), &self.tokenizer).context("the text can't be scored")?;
        }
        let (last, shared) = tokens.split_last().context("there are no tokens to score")?;
        let mut pages = Vec::new();
        let outcome = self.walk_over(shared, 0, adapter, &mut pages, None).and_then(|()| {
            let mut found = Vec::with_capacity(continuations.len());
            for continuation in continuations {
                let behind: Vec<u32> = std::iter::once(*last).chain(continuation.iter().copied()).collect();
                let mut sum = 0.0;
                // Each is written over the one before it: what is behind a position is never looked at.
                self.walk_over(
                    &behind,
                    shared.len(),
                    adapter,
                    &mut pages,
                    Some(&mut |position, logits| {
                        if let Some(&next) = behind.get(position + 1 - shared.len()) {
                            sum -= f64::from(surprise(logits, next));
                        }
                    }),
                )?;
                found.push(sum);
            }
            Ok(found)
        });
        for page in pages {
            self.cache.release(page);
        }
        outcome
    }

    /// Tells of the prompts that are scored what the step's logits say of their next tokens.
    pub(super) fn score_prompts(&mut self, parts: &[SequenceStep], events: &mut Vec<Event>) {
        let vocabulary = self.vocabulary();
        let logits = self.backend.logits();
        for part in parts {
            let Some(sequence) = self.active.get(part.index) else { continue };
            let Some(count) = sequence.options.prompt_log_probabilities else { continue };
            if !sequence.is_scored() || sequence.computed + part.count > sequence.options.prompt.len() {
                continue;
            }
            let mut tokens = Vec::with_capacity(part.count + 1);
            if sequence.computed == 0 {
                tokens.extend(sequence.tokens.first().copied().map(ChosenToken::certain));
            }
            let rows = logits.values.chunks(logits.stride).take(part.wanted.end).skip(part.wanted.start);
            let next = sequence.tokens.get(sequence.computed + 1..).unwrap_or_default();
            for (row, &token) in rows.zip(next) {
                let plain = Plain::of(row.get(..vocabulary).unwrap_or_default(), count, 1.0, LaneIsa::best());
                tokens.push(plain.told(token));
            }
            sequence.tell(What::Prompt { tokens }, events);
        }
    }

    /// Computes all positions' logits, a chunk at a time, and hands each to `see`.
    pub(crate) fn walk(
        &mut self,
        tokens: &[u32],
        adapter: Option<AdapterId>,
        see: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<()> {
        ensure!(!tokens.is_empty(), "there are no tokens to score");
        ensure!(tokens.len() <= self.context(), "{} tokens don't fit the context", tokens.len());
        check_rows(tokens, self.vocabulary(), &self.tokenizer).context("the text can't be scored")?;
        let mut pages = Vec::new();
        let outcome = self.walk_over(tokens, 0, adapter, &mut pages, Some(see));
        for page in pages {
            self.cache.release(page);
        }
        outcome
    }

    /// Tokens that stand at the position `from` and behind it; what is before them is in the pages.
    fn walk_over(
        &mut self,
        tokens: &[u32],
        from: usize,
        adapter: Option<AdapterId>,
        pages: &mut Vec<PageId>,
        mut see: Option<See<'_>>,
    ) -> Result<()> {
        let vocabulary = self.vocabulary();
        let lora = match adapter {
            None => None,
            Some(id) => Some(self.adapters.get(&id).context("the adapter isn't loaded")?.clone()),
        };
        for (index, chunk) in tokens.chunks(CHUNK).enumerate() {
            let start = from + index * CHUNK;
            while pages.len() * PAGE < start + chunk.len() {
                pages.push(self.cache.take().context("the cache of keys and values is full")?);
            }
            let rows = 0..chunk.len();
            let step = Step {
                tokens: chunk.to_vec(),
                spans: vec![SequenceSpan { pages: pages.clone(), start, rows: rows.clone() }],
                adapters: lora.iter().map(|lora| (lora.clone(), rows.clone())).collect(),
                wanted: if see.is_some() { rows.collect() } else { Vec::new() },
            };
            self.backend.forward(&mut self.team, &step)?;
            let Some(see) = &mut see else { continue };
            let logits = self.backend.logits();
            for (offset, row) in logits.values.chunks(logits.stride).enumerate().take(chunk.len()) {
                see(start + offset, row.get(..vocabulary).unwrap_or_default());
            }
        }
        Ok(())
    }
}

/// The negative log-likelihood, in nats, of a token by the logits of its place.
fn surprise(logits: &[f32], token: u32) -> f32 {
    let isa = LaneIsa::best();
    let target = logits.get(token as usize).copied().unwrap_or(f32::NEG_INFINITY);
    // SAFETY: these kernels read the slices they are given and nothing else.
    let log_sum = unsafe {
        let largest = isa.run(Largest(logits));
        largest + isa.run(SumOfExponentials { values: logits, largest, factor: 1.0 }).ln()
    };
    log_sum - target
}
