//! A collection put into a library of its own, and its questions asked in every way.

use std::collections::{HashMap, HashSet};
use std::time::Instant;

use anyhow::Result;

use super::add::{AddHost, AddProgress, Adder, ChunkCut};
use super::collection::JudgedQuestion;
use super::database::{DocumentSource, text_hash};
use super::embedding::TextEmbedder;
use super::library::Library;
use super::measure::{DEEP, QuestionScore, RankingFigures, score, summary};
use super::search::{SearchTools, milliseconds};
use crate::domain::library::SourceDocument;
use crate::domain::retrieval::PassageQuery;

/// Brings a library to these documents and no others. Nothing if the host wanted to stop.
///
/// # Errors
/// Where a file can't be read, a text not be embedded, or the disk is full.
pub fn fill(
    library: &mut Library,
    documents: impl Iterator<Item = Result<SourceDocument>>,
    embedder: Option<&dyn TextEmbedder>,
    cut: ChunkCut,
    host: &mut dyn AddHost,
) -> Result<Option<AddProgress>> {
    let known: HashMap<String, _> =
        library.database().documents()?.into_iter().map(|one| (one.from.source.clone(), one.from)).collect();
    let mut adder = Adder::new(library, embedder, cut, host)?;
    let mut seen = HashSet::new();
    for document in documents {
        let document = document?;
        let from = source_of(&document, cut);
        seen.insert(from.source.clone());
        if known.get(&from.source) != Some(&from) && !adder.offer(from, &document, None)? {
            return Ok(None);
        }
    }
    for gone in known.keys().filter(|source| !seen.contains(*source)) {
        adder.remove(gone)?;
    }
    adder.finish()
}

/// A document's words are its state, and how it is cut.
fn source_of(document: &SourceDocument, cut: ChunkCut) -> DocumentSource {
    let words: Vec<&str> = document.blocks.iter().map(|block| block.text.as_str()).collect();
    let state = format!("{cut:?}\n{}\n{}", document.title, words.join("\n"));
    DocumentSource {
        source: document.source.clone(),
        hash: text_hash(state.as_bytes()),
        bytes: state.len() as u64,
        modified: 0,
        changed: 0,
    }
}

/// Asks every question as `how` says, with its own words, and scores the documents that come.
///
/// # Errors
/// Where the library can't be read or a question not be embedded.
pub fn ask_all(
    library: &mut Library,
    questions: &[JudgedQuestion],
    how: &PassageQuery,
    tools: &mut SearchTools<'_>,
) -> Result<RankingFigures> {
    let sources = library.database().chunk_sources()?;
    let (mut scores, mut times): (Vec<QuestionScore>, Vec<f64>) = (Vec::new(), Vec::new());
    // The first search opens the index, which is no part of a question's time.
    library.index()?;
    for question in questions {
        let query = PassageQuery { words: question.text.clone(), top: DEEP, ..how.clone() };
        let began = Instant::now();
        let ranked = library.rank(&query, tools)?;
        let passages = library.passages(&ranked, &PassageQuery { top: how.top, ..query })?;
        times.push(milliseconds(began));
        drop(passages);
        let (mut ranking, mut seen): (Vec<&str>, HashSet<&str>) = (Vec::new(), HashSet::new());
        for candidate in &ranked.candidates {
            // A document is as good as its best chunk.
            let source = sources.get(&candidate.id).map(String::as_str);
            ranking.extend(source.filter(|source| seen.insert(source)));
        }
        let within = question.within.as_ref().map(|expected| expected.share(&ranking));
        scores.push(QuestionScore { within, ..score(&ranking, &question.judgements) });
    }
    Ok(summary(&scores, &times))
}
