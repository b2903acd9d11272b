//! How likely a model finds a text: for perplexity, and to compare with references.

use anyhow::{Context, Result, ensure};

use super::backend::{Span, Step};
use super::cache::{PAGE, PageId};
use super::generator::Generator;
use super::host::pointwise::{Largest, SumOfExponentials};
use super::request::AdapterId;
use crate::data::vocabulary::check_rows;
use crate::engine::kernels::quant::Isa;

/// Tokens computed at once: their logits are all in memory.
const CHUNK: usize = 64;

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
        let isa = Isa::best();
        let mut found = Vec::with_capacity(tokens.len());
        self.walk(tokens, adapter, &mut |position, logits| {
            let Some(target) = tokens.get(position + 1).and_then(|&token| logits.get(token as usize)) else {
                return;
            };
            // SAFETY: these kernels read the slices they are given and nothing else.
            let log_sum = unsafe {
                let largest = isa.run(Largest(logits));
                largest + isa.run(SumOfExponentials { values: logits, largest, factor: 1.0 }).ln()
            };
            found.push(log_sum - target);
        })?;
        Ok(found)
    }

    /// Computes all positions' logits, a chunk at a time, and hands each to `see`.
    fn walk(
        &mut self,
        tokens: &[u32],
        adapter: Option<AdapterId>,
        see: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<()> {
        ensure!(!tokens.is_empty(), "there are no tokens to score");
        ensure!(tokens.len() <= self.context(), "{} tokens don't fit the context", tokens.len());
        check_rows(tokens, self.vocabulary(), &self.tokenizer).context("the text can't be scored")?;
        let mut pages = Vec::new();
        let outcome = self.walk_over(tokens, adapter, &mut pages, see);
        for page in pages {
            self.cache.release(page);
        }
        outcome
    }

    fn walk_over(
        &mut self,
        tokens: &[u32],
        adapter: Option<AdapterId>,
        pages: &mut Vec<PageId>,
        see: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<()> {
        let vocabulary = self.vocabulary();
        let lora = match adapter {
            None => None,
            Some(id) => Some(self.adapters.get(&id).context("the adapter isn't loaded")?.clone()),
        };
        for (index, chunk) in tokens.chunks(CHUNK).enumerate() {
            let start = index * CHUNK;
            while pages.len() * PAGE < start + chunk.len() {
                pages.push(self.cache.take().context("the cache of keys and values is full")?);
            }
            let rows = 0..chunk.len();
            let step = Step {
                tokens: chunk.to_vec(),
                spans: vec![Span { pages: pages.clone(), start, rows: rows.clone() }],
                adapters: lora.iter().map(|lora| (lora.clone(), rows.clone())).collect(),
                wanted: rows.collect(),
            };
            self.backend.forward(&mut self.team, &step)?;
            let logits = self.backend.logits();
            for (offset, row) in logits.values.chunks(logits.stride).enumerate().take(chunk.len()) {
                see(start + offset, row.get(..vocabulary).unwrap_or_default());
            }
        }
        Ok(())
    }
}
