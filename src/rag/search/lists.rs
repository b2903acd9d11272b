//! The lists of a search: which are asked for, and what each finds.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{CANDIDATES, MOST, milliseconds};
use crate::domain::retrieval::{LineKind, ListTrace, PassageQuery, QueryLine};
use crate::rag::embedding::{EmbeddedAs, TextEmbedder};
use crate::rag::filter::DocumentFilter;
use crate::rag::fusion::RankedList;
use crate::rag::index::IndexQuery;
use crate::rag::library::Library;
use crate::rag::terms::TermVector;

/// How often the first line counts, and the question beside an expansion: it is what was asked.
pub(super) const FIRST: f64 = 2.0;
/// What an intent counts beside the question in one vector. Half of it leaves the question's own words the larger part,
/// however long the intent is.
const INTENT: f32 = 0.5;

/// A list that is to be found.
pub(super) struct PlannedList<'q> {
    pub(super) line: Option<LineKind>,
    pub(super) is_dense: bool,
    pub(super) is_expansion: bool,
    pub(super) text: &'q str,
    pub(super) weight: f64,
    pub(super) intent: Option<&'q str>,
}

/// A list, and how it came about.
pub(super) struct FoundList {
    pub(super) ranked: RankedList,
    pub(super) trace: ListTrace,
}

impl FoundList {
    /// Counts twice beside the lines of an expansion.
    pub(super) const fn count_double(&mut self) {
        (self.ranked.weight, self.trace.weight) = (FIRST, FIRST);
    }
}

/// The lists of what was asked, and what of it is asked in none, in sentences.
pub(super) fn asked(query: &PassageQuery) -> Result<(Vec<PlannedList<'_>>, Vec<String>)> {
    let intent = query.intent.as_deref();
    if query.lines.is_empty() {
        let list = |is_dense: bool| PlannedList {
            line: None,
            is_dense,
            is_expansion: false,
            text: &query.words,
            weight: 1.0,
            intent: intent.filter(|_| is_dense),
        };
        let words = query.mode.asks_words().then(|| list(false));
        let meanings = query.mode.asks_embeddings().then(|| list(true));
        return Ok((words.into_iter().chain(meanings).collect(), Vec::new()));
    }
    let (mut lists, mut notices) = (Vec::new(), Vec::new());
    for line in query.lines.iter().filter(|line| !line.text.trim().is_empty()) {
        if !line.kind.is_asked_in(query.mode) {
            let (mode, kind) = (query.mode.name(), line.kind.name());
            notices.push(format!("a {mode} search asks no {kind} lines: \"{}\" was left out", line.text));
            continue;
        }
        let weight = if lists.is_empty() { FIRST } else { 1.0 };
        let of_line = of_line(line, weight);
        lists.push(PlannedList { intent: intent.filter(|_| of_line.is_dense), ..of_line });
    }
    ensure!(!lists.is_empty(), "a search needs a line that says something");
    Ok((lists, notices))
}

/// The list of one line. An expansion was written with the intent, so it is not added again.
pub(super) fn of_line(line: &QueryLine, weight: f64) -> PlannedList<'_> {
    let is_dense = line.kind != LineKind::Lex;
    PlannedList {
        line: Some(line.kind),
        is_dense,
        is_expansion: false,
        text: &line.text,
        weight,
        intent: None,
    }
}

impl Library {
    /// Finds a list.
    pub(super) fn found(
        &mut self,
        planned: &PlannedList<'_>,
        query: &PassageQuery,
        within: Option<&[u64]>,
        embedder: Option<&dyn TextEmbedder>,
    ) -> Result<FoundList> {
        let limit = query.top.clamp(CANDIDATES, MOST);
        let began = Instant::now();
        let (chunks, embed_ms) = if planned.is_dense {
            let vector = self.question_vector(planned.text, planned.intent, embedder)?;
            let embed_ms = milliseconds(began);
            (self.index()?.find(IndexQuery::Dense(&vector), within, limit)?, embed_ms)
        } else {
            let terms = self.question_terms(planned.text)?;
            (self.index()?.find(IndexQuery::Terms(&terms), within, limit)?, 0.0)
        };
        let trace = ListTrace {
            line: planned.line,
            is_dense: planned.is_dense,
            is_expansion: planned.is_expansion,
            text: planned.text.to_owned(),
            weight: planned.weight,
            candidates: chunks.len(),
            best: chunks.first().map(|&(_, score)| score),
            embed_ms,
            find_ms: milliseconds(began) - embed_ms,
        };
        let PlannedList { is_dense, is_expansion, weight, .. } = *planned;
        let ranked = RankedList { is_dense, is_asked: !is_expansion, weight, chunks };
        Ok(FoundList { ranked, trace })
    }

    /// The question's vector; with an intent, that of both together, of length 1.
    fn question_vector(
        &self,
        words: &str,
        intent: Option<&str>,
        embedder: Option<&dyn TextEmbedder>,
    ) -> Result<Vec<f32>> {
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
        let texts: Vec<&str> = std::iter::once(words).chain(intent).collect();
        let vectors = embedder.embed(&texts, EmbeddedAs::Query).context("embed the question")?;
        let mut vectors = vectors.into_iter();
        let mut vector = vectors.next().context("embed the question: no vector came back")?;
        if intent.is_some() {
            let meant = vectors.next().context("embed the intent: no vector came back")?;
            vector.iter_mut().zip(&meant).for_each(|(value, meant)| *value += INTENT * meant);
            let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            vector.iter_mut().for_each(|value| *value /= length);
        }
        Ok(vector)
    }

    fn question_terms(&mut self, words: &str) -> Result<TermVector> {
        let languages = self.database.languages()?;
        self.terms.question(words, &languages)
    }

    /// The documents that the filter leaves; nothing if there is no filter.
    pub(super) fn looked_in(&self, query: &PassageQuery) -> Result<Option<Vec<u64>>> {
        if query.filter.is_empty() {
            return Ok(None);
        }
        let filter = DocumentFilter::new(&query.filter)?;
        let documents = self.database.documents()?;
        Ok(Some(documents.iter().filter(|one| filter.takes(one)).map(|one| one.id).collect()))
    }
}
