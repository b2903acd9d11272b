//! The fused order put in that of a model, as far as it came in its time.

use std::time::Instant;

use anyhow::Result;

use super::tools::{RerankStep, with_intent};
use super::{RankedChunks, milliseconds};
use crate::domain::retrieval::{LineKind, PassageQuery, RerankPlace, RerankTrace};
use crate::rag::fusion::{RankedChunk, blended};
use crate::rag::library::{ChunkWords, Library};

/// Candidates that are reranked unless a query says how many are kept: what a small cross-encoder scores in a few seconds.
pub const RERANKED_UNLESS_SAID: usize = 40;

impl Library {
    /// Puts the first candidates in the order of a model, as many as it scores within its budget. If it fails they stay
    /// as they are, and the trace says why.
    ///
    /// # Errors
    /// Where the library can't be read.
    pub fn rerank(
        &self,
        ranked: &mut RankedChunks,
        query: &PassageQuery,
        step: &mut RerankStep<'_>,
    ) -> Result<()> {
        let began = Instant::now();
        let looked_at = ranked.candidates.len().min(query.candidates.unwrap_or(RERANKED_UNLESS_SAID));
        let mut passages = Vec::with_capacity(looked_at);
        let mut first: Vec<RankedChunk> = Vec::with_capacity(looked_at);
        for candidate in ranked.candidates.drain(..looked_at) {
            // Another process may have taken it out meanwhile.
            let Some(stored) = self.database().chunk(candidate.id)? else { continue };
            passages.push(ChunkWords::of(&stored).embedded());
            first.push(candidate);
        }
        let question = with_intent(question(query), query.intent.as_deref());
        let made = step.reranker.score(&question, passages, step.budget);
        let scores: Vec<Option<f64>> =
            made.scores.into_iter().map(|score| score.filter(|score| score.is_finite())).collect();
        let order = blended(&first, &scores);
        for (after, &before) in order.iter().enumerate() {
            if let (Some(chunk), Some(score)) = (first.get(before), scores.get(before).copied().flatten()) {
                let place = RerankPlace { score, before: before as u32 + 1, after: after as u32 + 1 };
                ranked.reranked.insert(chunk.id, place);
            }
        }
        let rest = std::mem::take(&mut ranked.candidates);
        ranked.candidates = order.iter().filter_map(|&place| first.get(place).copied()).chain(rest).collect();
        ranked.trace.rerank = Some(RerankTrace {
            model: step.reranker.name().to_owned(),
            budget_ms: step.budget.as_secs_f64() * 1000.0,
            candidates: first.len(),
            reached: scores.iter().flatten().count(),
            notice: made.notice,
        });
        ranked.trace.times.rerank_ms = milliseconds(began);
        Ok(())
    }
}

/// What passages are held against: the question or, of lines, the first that is one.
fn question(query: &PassageQuery) -> &str {
    let line = query.lines.iter().find(|line| line.kind == LineKind::Vec).or_else(|| query.lines.first());
    line.map_or(&query.words, |line| &line.text)
}
