//! The step that answers from documents, with citations that are checked.

use anyhow::{Context, Result, ensure};

use super::{Tour, TourHost};
use crate::app::library::adding::DocumentSources;
use crate::app::library::answer::{LibraryPrompts, asked_as, near};
use crate::app::library::of_session;
use crate::app::library::roots::{RootWords, root_of};
use crate::app::review::{Dry, speaker};
use crate::domain::counted::counted;
use crate::domain::library::ChunkSettings;
use crate::domain::retrieval::{FoundPassage, SearchMode};
use crate::domain::thought::estimated_tokens;
use crate::rag::add::{AddHost, AddProgress, Adder, ChunkCut};
use crate::rag::answer::check;

use crate::rag::files::FilesReport;
use crate::rag::library::Library;
use crate::rag::terms::TermReader;
use crate::teacher::budget::Budget;
use crate::teacher::request::Request;

const QUESTION: &str = "How many addresses does a /24 subnet have?";
const PASSAGES: usize = 2;
const PROMPT_TOKENS: usize = 1200;
const ANSWER_TOKENS: u32 = 96;

struct Unhurried;

impl AddHost for Unhurried {
    fn goes_on(&mut self, _progress: &AddProgress) -> bool {
        true
    }
}

pub(super) fn run(tour: &mut Tour, host: &mut dyn TourHost) -> Result<String> {
    let mut library = Library::create(&of_session(&tour.session.path))?;
    bring_in(tour, &mut library, host)?;
    let counts = library.counts()?;
    host.say(&format!(
        "the library has {} in {}",
        counted(counts.documents, "document"),
        counted(counts.chunks, "chunk")
    ))?;
    let found = near(library.search(&asked_as(QUESTION, SearchMode::Bm25, PASSAGES), None)?.passages);
    ensure!(!found.is_empty(), "nothing in the documents is near the question {QUESTION:?}");
    let (answer, shown) = answered(tour, &library, &found)?;
    host.say(&format!("\nasked: {QUESTION}\n{}\n", answer.trim()))?;
    let seen = found.get(..shown).unwrap_or_default();
    let languages = library.database().languages()?;
    let checked = check(&answer, seen, &mut TermReader::default(), &languages)?;
    for (number, passage) in (1_u32..).zip(seen) {
        let mark = if checked.cited.contains(&number) { '▌' } else { ' ' };
        host.say(&format!("{mark}[{number}] {}", passage.place_in_words()))?;
    }
    for sentence in checked.ungrounded() {
        host.say(&format!(
            "! in none of the passages: {}",
            answer.get(sentence.at.clone()).unwrap_or_default()
        ))?;
    }
    let (cited, nowhere) = (checked.cited.len(), checked.dangling().count());
    let ungrounded = checked.ungrounded().count();
    Ok(format!(
        "{} shown, {cited} cited, {nowhere} citations point nowhere, {} in no passage",
        counted(shown as u64, "passage"),
        counted(ungrounded as u64, "sentence")
    ))
}

/// The sample's documents, found by their words: a model of embeddings would have to be fetched.
fn bring_in(tour: &Tour, library: &mut Library, host: &mut dyn TourHost) -> Result<()> {
    let documents = tour.session.path.join("documents");
    let root =
        root_of(library, &documents.to_string_lossy(), RootWords { context: None, tags: &[], most: None })?;
    library.remember(&root)?;
    let (mut unhurried, mut report) = (Unhurried, FilesReport::default());
    let mut adder = Adder::new(library, None, ChunkCut::ToFit(ChunkSettings::default()), &mut unhurried)?;
    let mut tell = |text: &str| host.note(text);
    DocumentSources::new(tour.folders.clone()).add(&mut adder, &[root], &mut report, &mut tell)?;
    adder.finish()?;
    library.index()?;
    for (path, why) in &report.reasons {
        host.note(&format!("left out {path}: {why}"));
    }
    Ok(())
}

/// What the base model says with the passages before it, and how many of them it saw.
fn answered(tour: &Tour, library: &Library, found: &[FoundPassage]) -> Result<(String, usize)> {
    let session = library.folder().parent().context("find the library's session")?;
    let prompts = LibraryPrompts::load(&tour.folders, session)?;
    let prompt = prompts.answer(QUESTION, &[], found, PROMPT_TOKENS, |turns| {
        Ok(turns.iter().map(|turn| estimated_tokens(&turn.content) as usize).sum())
    })?;
    let name = format!("local:{}", tour.model);
    let speaker = speaker(&tour.folders, &name, session, Budget::default(), Dry::Run)?;
    let request = Request {
        messages: prompt.messages,
        max_tokens: ANSWER_TOKENS,
        temperature: 0.0,
        schema: None,
        draw: 0,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let answer = runtime.block_on(speaker.ask(&request))?;
    Ok((answer.text, prompt.shown.len()))
}
