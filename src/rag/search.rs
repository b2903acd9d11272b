//! Passages for a question: lists of words and of embeddings, more of them by a model's expansion, fused, reranked,
//! diverse, with their neighbours. Says of each step what it found and how long it took.

mod expanding;
mod language;
mod lex;
mod lines;
mod lists;
mod reranking;
mod tools;
mod vectors;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use anyhow::Result;

use super::database::StoredChunk;
use super::embedding::TextEmbedder;
use super::fusion::{RankedChunk, RankedList, diverse, fuse};
use super::joining::joined;
use super::library::Library;
use crate::domain::retrieval::{
    FoundPassage, FoundPassages, Neighbours, PassageQuery, PlaceInList, RerankPlace, SearchTrace,
};
use lists::{FoundList, PlannedList, asked, of_line};

pub use expanding::SURE;
pub use lines::{TypedQuery, line, typed};
pub use reranking::RERANKED_UNLESS_SAID;
pub use tools::{
    Expansion, ExpansionStep, PassageReranker, QueryExpander, RerankScores, RerankStep, SearchTools,
};
pub use vectors::QUESTION_WITHIN;

/// Candidates of each list, or as many as are asked for if that is more.
pub const CANDIDATES: usize = 200;
/// What takes longer than this is not waited for with the index in hand.
const SOON: Duration = Duration::from_secs(1);
/// Passages that one search gives at most.
pub const MOST: usize = 1000;

/// Candidates in their order, and how they came about.
pub struct RankedChunks {
    pub candidates: Vec<RankedChunk>,
    /// As the trace names them.
    pub lists: Vec<RankedList>,
    /// What a reranker made of those that it came to.
    pub reranked: HashMap<u64, RerankPlace>,
    pub trace: SearchTrace,
}

impl Library {
    /// Finds passages; an embedder is needed unless words alone are asked for.
    ///
    /// # Errors
    /// Where the library has no embeddings of this model, or can't be read.
    pub fn search(
        &mut self,
        query: &PassageQuery,
        embedder: Option<&dyn TextEmbedder>,
    ) -> Result<FoundPassages> {
        self.search_with(query, &mut SearchTools::embedding(embedder))
    }

    /// Finds passages with all that is at hand. Whoever wants to show something at once takes [`Self::fused`] first,
    /// then [`Self::rerank`].
    ///
    /// # Errors
    /// As [`Self::search`]. What goes wrong with expanding and reranking is in the trace instead.
    pub fn search_with(
        &mut self,
        query: &PassageQuery,
        tools: &mut SearchTools<'_>,
    ) -> Result<FoundPassages> {
        let began = Instant::now();
        let mut ranked = self.rank(query, tools)?;
        let reading = Instant::now();
        let passages = self.passages(&ranked, query)?;
        ranked.trace.times.read_ms = milliseconds(reading);
        ranked.trace.times.total_ms = milliseconds(began);
        Ok(FoundPassages { passages, trace: ranked.trace })
    }

    /// Chunks in their last order, without their words.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn rank(&mut self, query: &PassageQuery, tools: &mut SearchTools<'_>) -> Result<RankedChunks> {
        let mut ranked = self.fused(query, tools)?;
        if let Some(step) = &mut tools.reranking {
            if step.budget > SOON {
                self.lend_index();
            }
            self.rerank(&mut ranked, query, step)?;
        }
        if let Some(lambda) = query.diversity {
            let differing = Instant::now();
            ranked.candidates = self.diversified(&ranked, lambda, query.top)?;
            ranked.trace.times.fuse_ms += milliseconds(differing);
        }
        let is_read = ranked.trace.lists.iter().any(|list| list.is_dense)
            || ranked.trace.rerank.is_some()
            || ranked.trace.expansion.as_ref().is_some_and(|expansion| expansion.passed_over.is_none());
        if query.intent.is_some() && !is_read {
            let notice =
                "the intent changed nothing: words alone were searched, and an intent is no word to find";
            ranked.trace.notices.push(notice.to_owned());
        }
        Ok(ranked)
    }

    /// Chunks in the order of their lists, before a reranker sees them.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn fused(&mut self, query: &PassageQuery, tools: &mut SearchTools<'_>) -> Result<RankedChunks> {
        let (planned, mut notices) = asked(query)?;
        let documents = self.looked_in(query, &mut notices)?;
        let within = documents.as_deref();
        let mut found = self.found_all(planned, (query, within), tools.embedder, &mut notices)?;
        notices.extend(self.lacking_in_index()?);
        let mut trace = SearchTrace { mode: query.mode, notices, ..SearchTrace::default() };
        trace.intent.clone_from(&query.intent);
        if let Some(step) = &mut tools.expansion {
            let expanded = self.expanded(query, &found, step)?;
            let (lines, notices) = (&expanded.lines, &mut trace.notices);
            trace.times.expand_ms = expanded.milliseconds;
            trace.expansion = Some(expanded.trace);
            let lists = lines.iter().map(|line| PlannedList { is_expansion: true, ..of_line(line, 1.0) });
            found.extend(self.found_all(lists.collect(), (query, within), tools.embedder, notices)?);
            if !expanded.lines.is_empty() {
                found.iter_mut().filter(|list| list.ranked.is_asked).for_each(FoundList::count_double);
            }
        }
        let fusing = Instant::now();
        trace.filtered_to = documents.map(|documents| documents.len());
        for list in &found {
            let times = &mut trace.times;
            times.embed_ms += list.trace.embed_ms;
            let finding = if list.trace.is_dense { &mut times.dense_ms } else { &mut times.bm25_ms };
            *finding += list.trace.find_ms;
        }
        trace.fusion = (found.len() > 1).then_some(query.fusion);
        let (lists, traces): (Vec<_>, Vec<_>) =
            found.into_iter().map(|list| (list.ranked, list.trace)).unzip();
        trace.lists = traces;
        let mut candidates = fuse(&lists, query.fusion);
        candidates.truncate(query.candidates.unwrap_or(usize::MAX));
        trace.times.fuse_ms = milliseconds(fusing);
        Ok(RankedChunks { candidates, lists, reranked: HashMap::new(), trace })
    }

    /// Finds some lists, whose questions are embedded first.
    fn found_all(
        &mut self,
        mut planned: Vec<PlannedList<'_>>,
        (query, within): (&PassageQuery, Option<&[u64]>),
        embedder: Option<&dyn TextEmbedder>,
        notices: &mut Vec<String>,
    ) -> Result<Vec<FoundList>> {
        let vectors = self.embedded(&mut planned, embedder, notices)?;
        let both = planned.iter().zip(&vectors);
        both.map(|(list, vector)| self.found(list, query, within, vector.as_ref())).collect()
    }

    fn diversified(&self, ranked: &RankedChunks, lambda: f64, top: usize) -> Result<Vec<RankedChunk>> {
        let candidates = &ranked.candidates;
        let Some((number, _)) = self.database.model()? else { return Ok(candidates.clone()) };
        // What is far below can't come up, and each has to be compared with each.
        let count = (top * 4).clamp(20, 200).min(candidates.len());
        let mut looked_at = candidates.get(..count).unwrap_or_default().to_vec();
        let scores: HashMap<u64, f64> = looked_at.iter().map(|one| (one.id, one.score)).collect();
        if !ranked.reranked.is_empty() {
            // A reranked order has no score of its own: each place is worth as much as the next.
            looked_at.iter_mut().enumerate().for_each(|(place, one)| one.score = -(place as f64));
        }
        let ids: Vec<u64> = looked_at.iter().map(|one| one.id).collect();
        let vectors = self.database.vectors_of(number, &ids)?;
        let mut diverse = diverse(&looked_at, &vectors, lambda, count);
        diverse.iter_mut().for_each(|one| one.score = scores.get(&one.id).copied().unwrap_or(one.score));
        Ok(diverse)
    }

    /// The words of the first candidates.
    ///
    /// # Errors
    /// Where the library can't be read.
    pub fn passages(&self, ranked: &RankedChunks, query: &PassageQuery) -> Result<Vec<FoundPassage>> {
        let mut passages: Vec<FoundPassage> = Vec::new();
        for candidate in &ranked.candidates {
            // Another process may have taken it out meanwhile.
            let Some(stored) = self.database.chunk(candidate.id)? else { continue };
            let passage = passage(candidate, stored);
            if query.neighbours == Neighbours::Joined
                && let Some(beside) = passages
                    .iter_mut()
                    .find(|other| other.source == passage.source && is_beside(other, &passage))
            {
                joined(beside, &passage);
                continue;
            }
            if passages.len() >= query.top {
                break;
            }
            passages.push(passage);
        }
        for (place, passage) in passages.iter_mut().enumerate() {
            passage.rank = place as u32 + 1;
            passage.reranked = ranked.reranked.get(&passage.id).copied();
            if ranked.lists.len() > 2 {
                passage.lists = places(&ranked.lists, passage.id);
            }
        }
        Ok(passages)
    }
}

/// A chunk's place in each list that has it.
fn places(lists: &[RankedList], id: u64) -> Vec<PlaceInList> {
    let place = |(list, of): (usize, &RankedList)| {
        let rank = of.chunks.iter().position(|&(other, _)| other == id)?;
        let &(_, score) = of.chunks.get(rank)?;
        Some(PlaceInList { list, rank: rank as u32 + 1, score })
    };
    lists.iter().enumerate().filter_map(place).collect()
}

fn is_beside(a: &FoundPassage, b: &FoundPassage) -> bool {
    a.chunks.1 + 1 == b.chunks.0 || b.chunks.1 + 1 == a.chunks.0
}

fn passage(candidate: &RankedChunk, stored: StoredChunk) -> FoundPassage {
    let StoredChunk { id, chunk, source, title, context, .. } = stored;
    FoundPassage {
        rank: 0,
        score: candidate.score,
        bm25: candidate.bm25,
        dense: candidate.dense,
        lists: Vec::new(),
        reranked: None,
        source,
        title,
        context,
        section: chunk.section,
        pages: chunk.pages,
        chunks: (chunk.ordinal, chunk.ordinal),
        text: chunk.text,
        id,
    }
}

/// Milliseconds since a moment.
pub(super) fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
