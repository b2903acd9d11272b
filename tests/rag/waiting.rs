//! An index that is kept and lent, and questions whose endpoint doesn't answer.

use std::time::{Duration, Instant};

use anyhow::Result;
use dojo_studio::domain::retrieval::{PassageQuery, SearchMode};
use dojo_studio::rag::embedding::{EmbeddedAs, EmbedderAway, EmbeddingModel, EmbeddingPace, TextEmbedder};
use dojo_studio::rag::library::Library;

use super::world::{Letters, World, query};

const TWO: [(&str, &str); 2] = [("fish", "Salmon swim."), ("stones", "Granite is a rock.")];

/// An endpoint, at work while somebody else asks the library, or away.
struct Endpoint<'w> {
    letters: Letters,
    meanwhile: Box<dyn Fn() -> Result<()> + 'w>,
}

impl TextEmbedder for Endpoint<'_> {
    fn model(&self) -> &EmbeddingModel {
        self.letters.model()
    }

    fn embed(&self, texts: &[&str], embedded_as: EmbeddedAs) -> Result<Vec<Vec<f32>>> {
        (self.meanwhile)()?;
        self.letters.embed(texts, embedded_as)
    }

    fn tokens(&self, text: &str) -> Result<usize> {
        self.letters.tokens(text)
    }

    fn longest(&self) -> usize {
        64
    }

    fn pace(&self) -> EmbeddingPace {
        EmbeddingPace::Slow
    }
}

#[test]
fn others_search_while_a_question_waits_for_its_endpoint() {
    let mut world = World::with(&TWO);
    world.library.index().unwrap();
    let folder = world.folder().to_path_buf();
    let meanwhile = || {
        let mut other = Library::open(&folder)?;
        let found = other.search(&query(SearchMode::Bm25, "granite"), None)?;
        assert_eq!(found.passages[0].source, "stones");
        Ok(())
    };
    let endpoint = Endpoint { letters: Letters::named("letters"), meanwhile: Box::new(meanwhile) };
    let began = Instant::now();
    let found = world.library.search(&query(SearchMode::Hybrid, "salmon"), Some(&endpoint)).unwrap();
    assert_eq!(found.passages[0].source, "fish");
    assert!(began.elapsed() < Duration::from_secs(15), "it waited for the other");
}

#[test]
fn a_question_whose_endpoint_is_away_is_searched_by_words_and_says_so() {
    let mut world = World::with(&TWO);
    let away = || Err(EmbedderAway("the embedder near gave no vector within 5 s".to_owned()).into());
    let endpoint = Endpoint { letters: Letters::named("letters"), meanwhile: Box::new(away) };
    let found = world.library.search(&query(SearchMode::Hybrid, "salmon"), Some(&endpoint)).unwrap();
    assert_eq!(found.passages[0].source, "fish");
    let told = "searched by words alone: the embedder near gave no vector within 5 s";
    assert_eq!(found.trace.notices, [told]);
    assert!(found.trace.lists.iter().all(|list| !list.is_dense));
    let dense = world.library.search(&query(SearchMode::Dense, "salmon"), Some(&endpoint));
    assert!(format!("{:#}", dense.unwrap_err()).contains("gave no vector within 5 s"));
}

#[test]
fn an_index_that_is_kept_open_is_let_go_when_another_waits_for_it() {
    let mut world = World::with(&TWO);
    world.library.index().unwrap();
    assert!(world.library.release_if_wanted(), "nobody waits");
    let folder = world.folder().to_path_buf();
    let other = std::thread::spawn(move || {
        let mut other = Library::open(&folder).unwrap();
        other.search(&query(SearchMode::Bm25, "granite"), None).unwrap().passages.len()
    });
    let began = Instant::now();
    while world.library.release_if_wanted() {
        assert!(began.elapsed() < Duration::from_secs(15), "nobody asked for it");
        std::thread::yield_now();
    }
    assert_eq!(other.join().unwrap(), 1);
    assert_eq!(world.found(&query(SearchMode::Bm25, "salmon")), ["fish"]);
}

#[test]
fn a_kept_index_of_another_model_is_opened_anew() {
    let mut world = World::with(&TWO);
    let dense = |world: &mut World, embedder: &Letters| {
        let asked = PassageQuery { top: 1, ..query(SearchMode::Dense, "granite rock") };
        world.library.search(&asked, Some(embedder)).map(|found| found.passages[0].source.clone())
    };
    let first = Letters::named("letters");
    assert_eq!(dense(&mut world, &first).unwrap(), "stones");
    // Another process gives it another model; it waits until this one lets go.
    world.library.release();
    let mut other = Library::open(world.folder()).unwrap();
    let second = Letters::named("others");
    let mut host = super::world::Patient(usize::MAX);
    assert!(dojo_studio::rag::add::embed_anew(&mut other, &second, &mut host).unwrap());
    drop(other);
    assert_eq!(dense(&mut world, &second).unwrap(), "stones");
    let said = dense(&mut world, &first).unwrap_err().to_string();
    assert!(
        said.contains("embedded with others (26 dimensions), and not with letters (26 dimensions)"),
        "{said}"
    );
}
