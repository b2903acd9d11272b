//! Several lines for one question: words for BM25, questions and passages that look like the answer for the
//! embeddings. A query-expansion model writes them, or an assistant.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use super::{CANDIDATES, MOST, milliseconds};
use crate::domain::retrieval::{
    FoundPassages, Fusion, ListPlace, PassageQuery, SearchMode, SearchTimes, SearchTrace,
};
use crate::rag::embedding::TextEmbedder;
use crate::rag::fusion::RankedChunk;
use crate::rag::index::IndexQuery;
use crate::rag::library::Library;

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineKind {
    /// Words, for BM25.
    Lex,
    /// A question, for the embeddings.
    Vec,
    /// A passage that looks like the answer, for the embeddings (Gao et al. 2022).
    Hyde,
}

/// One line of a query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryLine {
    pub kind: LineKind,
    pub text: String,
}

impl LineKind {
    /// The kind of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "lex" => Some(Self::Lex),
            "vec" => Some(Self::Vec),
            "hyde" => Some(Self::Hyde),
            _ => None,
        }
    }
}

/// The lines of a text: those that begin with `lex:`, `vec:` or `hyde:`. Nothing if any other says something: it is
/// plain words then.
#[must_use]
pub fn typed(text: &str) -> Option<Vec<QueryLine>> {
    let said = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines: Option<Vec<QueryLine>> = said
        .map(|line| {
            let (kind, text) = line.split_once(':')?;
            let kind = LineKind::of_name(kind.trim().to_lowercase().as_str())?;
            Some(QueryLine { kind, text: text.trim().to_owned() })
        })
        .collect();
    lines.filter(|lines| !lines.is_empty())
}

/// The first line's weight: it is the question's own, or its asker's strongest.
const FIRST: f64 = 2.0;
/// Reciprocal rank fusion's constant (Cormack et al. 2009).
const RANK_CONSTANT: f64 = 60.0;

impl Library {
    /// Finds passages by several lines, fused by rank; the first counts double. Of `query` its words and mode are not
    /// read.
    ///
    /// # Errors
    /// Where there are no lines, or as [`Library::search`].
    pub fn search_lines(
        &mut self,
        lines: &[QueryLine],
        query: &PassageQuery,
        embedder: Option<&dyn TextEmbedder>,
    ) -> Result<FoundPassages> {
        ensure!(
            lines.iter().any(|line| !line.text.trim().is_empty()),
            "a search needs a line that says something"
        );
        let began = Instant::now();
        let documents = self.looked_in(query)?;
        let within = documents.as_deref();
        let limit = query.top.clamp(CANDIDATES, MOST);
        let mut times = SearchTimes::default();
        let mut fused: HashMap<u64, RankedChunk> = HashMap::new();
        let (mut bm25, mut dense) = (0, 0);
        for (place, line) in lines.iter().enumerate().filter(|(_, line)| !line.text.trim().is_empty()) {
            let weight = if place == 0 { FIRST } else { 1.0 };
            let finding = Instant::now();
            let list = if line.kind == LineKind::Lex {
                let terms = self.question_terms(&line.text)?;
                let list = self.index()?.find(IndexQuery::Terms(&terms), within, limit)?;
                (bm25, times.bm25_ms) = (bm25 + list.len(), times.bm25_ms + milliseconds(finding));
                list
            } else {
                let vector = self.question_vector(&line.text, embedder)?;
                times.embed_ms += milliseconds(finding);
                let finding = Instant::now();
                let list = self.index()?.find(IndexQuery::Dense(&vector), within, limit)?;
                (dense, times.dense_ms) = (dense + list.len(), times.dense_ms + milliseconds(finding));
                list
            };
            take_in(&mut fused, &list, line.kind, weight);
        }
        let fusing = Instant::now();
        let mut candidates: Vec<RankedChunk> = fused.into_values().collect();
        candidates.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.id.cmp(&b.id)));
        times.fuse_ms = milliseconds(fusing);
        let reading = Instant::now();
        let passages = self.passages(&candidates, query)?;
        times.read_ms = milliseconds(reading);
        times.total_ms = milliseconds(began);
        let trace = SearchTrace {
            mode: SearchMode::Hybrid,
            fusion: Some(Fusion::Ranks { k: RANK_CONSTANT, bm25: 1.0, dense: 1.0 }),
            bm25_candidates: bm25,
            dense_candidates: dense,
            filtered_to: documents.map(|documents| documents.len()),
            times,
        };
        Ok(FoundPassages { passages, trace })
    }
}

/// Adds a list's shares; of several lists of a kind, a chunk keeps its best place.
fn take_in(fused: &mut HashMap<u64, RankedChunk>, list: &[(u64, f32)], kind: LineKind, weight: f64) {
    for (place, &(id, score)) in list.iter().enumerate() {
        let rank = place as u32 + 1;
        let chunk = fused.entry(id).or_insert(RankedChunk { id, score: 0.0, bm25: None, dense: None });
        chunk.score += weight / (RANK_CONSTANT + f64::from(rank));
        let own = if kind == LineKind::Lex { &mut chunk.bm25 } else { &mut chunk.dense };
        if own.is_none_or(|known: ListPlace| rank < known.rank) {
            *own = Some(ListPlace { rank, score });
        }
    }
}
