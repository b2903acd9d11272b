//! Passages for a question: both lists, fused, diverse, with their neighbours. Says of each step what it found and how
//! long it took.

mod lines;

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::database::StoredChunk;
use super::embedding::{EmbeddedAs, TextEmbedder};
use super::filter::DocumentFilter;
use super::fusion::{RankedChunk, diverse, fuse, single};
use super::index::IndexQuery;
use super::joining::joined;
use super::library::Library;
use crate::domain::retrieval::{
    FoundPassage, FoundPassages, Neighbours, PassageQuery, SearchMode, SearchTimes, SearchTrace,
};

pub use lines::{LineKind, QueryLine, typed};

/// Candidates of each list, or as many as are asked for if that is more.
pub const CANDIDATES: usize = 200;
/// Passages that one search gives at most.
pub const MOST: usize = 1000;

/// Candidates in their order, and how they came about.
pub struct RankedChunks {
    pub candidates: Vec<RankedChunk>,
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
        let began = Instant::now();
        let RankedChunks { candidates, mut trace } = self.rank(query, embedder)?;
        let reading = Instant::now();
        let passages = self.passages(&candidates, query)?;
        trace.times.read_ms = milliseconds(reading);
        trace.times.total_ms = milliseconds(began);
        Ok(FoundPassages { passages, trace })
    }

    /// Chunks in their order, without their words.
    ///
    /// # Errors
    /// As [`Self::search`].
    pub fn rank(
        &mut self,
        query: &PassageQuery,
        embedder: Option<&dyn TextEmbedder>,
    ) -> Result<RankedChunks> {
        let mut times = SearchTimes::default();
        let mode = query.mode;
        let vector = if mode.asks_embeddings() {
            let embedding = Instant::now();
            let vector = self.question_vector(&query.words, embedder)?;
            times.embed_ms = milliseconds(embedding);
            Some(vector)
        } else {
            None
        };
        let documents = self.looked_in(query)?;
        let within = documents.as_deref();
        let limit = query.top.clamp(CANDIDATES, MOST);
        let (mut bm25, mut dense) = (Vec::new(), Vec::new());
        let terms = if mode.asks_words() { self.question_terms(&query.words)? } else { <_>::default() };
        let index = self.index()?;
        if mode.asks_words() {
            let finding = Instant::now();
            bm25 = index.find(IndexQuery::Terms(&terms), within, limit)?;
            times.bm25_ms = milliseconds(finding);
        }
        if let Some(vector) = &vector {
            let finding = Instant::now();
            dense = index.find(IndexQuery::Dense(vector), within, limit)?;
            times.dense_ms = milliseconds(finding);
        }
        let fusing = Instant::now();
        let mut candidates = match mode {
            SearchMode::Bm25 => single(&bm25, false),
            SearchMode::Dense => single(&dense, true),
            SearchMode::Hybrid => fuse(&bm25, &dense, query.fusion),
        };
        if let Some(lambda) = query.diversity {
            candidates = self.diversified(&candidates, lambda, query.top)?;
        }
        times.fuse_ms = milliseconds(fusing);
        let trace = SearchTrace {
            mode,
            fusion: (mode == SearchMode::Hybrid).then_some(query.fusion),
            bm25_candidates: bm25.len(),
            dense_candidates: dense.len(),
            filtered_to: documents.map(|documents| documents.len()),
            times,
        };
        Ok(RankedChunks { candidates, trace })
    }

    fn question_vector(&self, words: &str, embedder: Option<&dyn TextEmbedder>) -> Result<Vec<f32>> {
        let embedder =
            embedder.context("this search needs an embedding model: say --mode bm25 to do without")?;
        let (_, model) = self.database.model()?.context(
            "this library has no embeddings: `dojo rag embed` computes them, --mode bm25 does without",
        )?;
        ensure!(
            model == *embedder.model(),
            "this library is embedded with {}, and the question would be with {}: say --embeddings {}, or embed the \
             library anew with `dojo rag embed --model {}`",
            model.name,
            embedder.model().name,
            model.name,
            embedder.model().name
        );
        let vectors = embedder.embed(&[words], EmbeddedAs::Query).context("embed the question")?;
        vectors.into_iter().next().context("embed the question: no vector came back")
    }

    fn question_terms(&mut self, words: &str) -> Result<super::terms::TermVector> {
        let languages = self.database.languages()?;
        self.terms.question(words, &languages)
    }

    /// The documents that the filter leaves; nothing if there is no filter.
    fn looked_in(&self, query: &PassageQuery) -> Result<Option<Vec<u64>>> {
        if query.filter.is_empty() {
            return Ok(None);
        }
        let filter = DocumentFilter::new(&query.filter)?;
        let documents = self.database.documents()?;
        Ok(Some(documents.iter().filter(|one| filter.takes(one)).map(|one| one.id).collect()))
    }

    fn diversified(&self, candidates: &[RankedChunk], lambda: f64, top: usize) -> Result<Vec<RankedChunk>> {
        let Some((number, _)) = self.database.model()? else { return Ok(candidates.to_vec()) };
        // What is far below can't come up, and each has to be compared with each.
        let looked_at = candidates.get(..(top * 4).clamp(20, 200).min(candidates.len())).unwrap_or_default();
        let ids: Vec<u64> = looked_at.iter().map(|one| one.id).collect();
        let vectors = self.database.vectors_of(number, &ids)?;
        Ok(diverse(looked_at, &vectors, lambda, looked_at.len()))
    }

    pub(super) fn passages(
        &self,
        candidates: &[RankedChunk],
        query: &PassageQuery,
    ) -> Result<Vec<FoundPassage>> {
        let mut passages: Vec<FoundPassage> = Vec::new();
        for candidate in candidates {
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
        }
        Ok(passages)
    }
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
    since.elapsed().as_secs_f64() * 1e3
}
