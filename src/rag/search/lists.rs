//! The lists of a search: which are asked for, and what each finds.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use super::lex::LexLine;
use super::lines::only_in_lines;
use super::{CANDIDATES, MOST, milliseconds};
use crate::domain::counted::counted;
use crate::domain::retrieval::{LineKind, ListTrace, PassageQuery, QueryLine};
use crate::rag::filter::DocumentFilter;
use crate::rag::fusion::RankedList;
use crate::rag::index::IndexQuery;
use crate::rag::library::Library;
use crate::rag::terms::TermVector;

/// How often the first line counts, and the question beside an expansion: it is what was asked.
pub(super) const FIRST: f64 = 2.0;
/// Hits of words that are looked at to find those that a line takes.
const LOOKED_AT: usize = 25_000;

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
        let told = only_in_lines(&query.words);
        return Ok((words.into_iter().chain(meanings).collect(), told));
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
    if let (true, Some(left)) =
        (lists.is_empty(), query.lines.iter().find(|line| !line.text.trim().is_empty()))
    {
        let (mode, kind) = (query.mode.name(), left.kind.name());
        bail!("a {mode} search asks no {kind} lines, and there are no others: search in another mode");
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

/// A vector that was computed before the index is opened, and how long that took.
pub(super) struct QuestionVector {
    pub(super) numbers: Vec<f32>,
    pub(super) embed_ms: f64,
}

impl Library {
    /// Finds a list; that of embeddings by a vector.
    pub(super) fn found(
        &mut self,
        planned: &PlannedList<'_>,
        query: &PassageQuery,
        within: Option<&[u64]>,
        vector: Option<&QuestionVector>,
    ) -> Result<FoundList> {
        let limit = query.top.clamp(CANDIDATES, MOST);
        let began = Instant::now();
        let chunks = if planned.is_dense {
            let vector = vector.context("this search needs a vector of its question")?;
            self.index()?.find(IndexQuery::Dense(&vector.numbers), within, limit)?
        } else {
            let line = match planned.line {
                Some(LineKind::Lex) if !planned.is_expansion => LexLine::read(planned.text)?,
                Some(_) | None => LexLine::plain(planned.text),
            };
            self.found_by_words(&line, within, limit)?
        };
        let trace = ListTrace {
            line: planned.line,
            is_dense: planned.is_dense,
            is_expansion: planned.is_expansion,
            text: planned.text.to_owned(),
            weight: planned.weight,
            candidates: chunks.len(),
            best: chunks.first().map(|&(_, score)| score),
            embed_ms: vector.map_or(0.0, |vector| vector.embed_ms),
            find_ms: milliseconds(began),
        };
        let PlannedList { is_dense, is_expansion, weight, .. } = *planned;
        let ranked = RankedList { is_dense, is_asked: !is_expansion, weight, chunks };
        Ok(FoundList { ranked, trace })
    }

    /// The best by BM25 of those that the line takes; it looks further until it has enough of them.
    fn found_by_words(
        &mut self,
        line: &LexLine,
        within: Option<&[u64]>,
        limit: usize,
    ) -> Result<Vec<(u64, f32)>> {
        let terms = self.question_terms(&line.words)?;
        let mut looked_at = limit;
        loop {
            let hits = self.index()?.find(IndexQuery::Terms(&terms), within, looked_at)?;
            if line.takes_all() {
                return Ok(hits);
            }
            let is_all = hits.len() < looked_at || looked_at >= LOOKED_AT;
            let mut taken = Vec::new();
            for (id, score) in hits {
                if let Some(stored) = self.database.chunk(id)?
                    && line.takes(&stored, &mut self.terms)?
                {
                    taken.push((id, score));
                }
            }
            if is_all || taken.len() >= limit {
                taken.truncate(limit);
                return Ok(taken);
            }
            looked_at *= 5;
        }
    }

    fn question_terms(&mut self, words: &str) -> Result<TermVector> {
        let languages = self.database.languages()?;
        self.terms.question(words, &languages)
    }

    /// The documents that the filter leaves; nothing if there is no filter.
    pub(super) fn looked_in(
        &self,
        query: &PassageQuery,
        notices: &mut Vec<String>,
    ) -> Result<Option<Vec<u64>>> {
        if query.filter.is_empty() {
            return Ok(None);
        }
        let filter = DocumentFilter::new(&query.filter)?;
        let documents = self.database.documents()?;
        let left: Vec<u64> = documents.iter().filter(|one| filter.takes(one)).map(|one| one.id).collect();
        if left.is_empty() && !documents.is_empty() {
            let all = counted(documents.len() as u64, "document");
            notices.push(format!("the filter lets none of the library's {all} through"));
        }
        Ok(Some(left))
    }
}
