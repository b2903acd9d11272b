//! Passages put in order by a model, as far as it comes.

use std::time::Duration;

use dojo_studio::domain::retrieval::{
    FoundPassages, LineKind, Neighbours, PassageQuery, QueryLine, RerankPlace, SearchMode,
};
use dojo_studio::rag::search::{PassageReranker, RerankScores, RerankStep, SearchTools};

use super::world::{World, query};

/// A model that likes long passages, comes to the first few only, and remembers what it was asked.
struct LikesLong {
    comes_to: usize,
    asked: Vec<(String, usize)>,
}

impl LikesLong {
    fn coming_to(comes_to: usize) -> Self {
        Self { comes_to, asked: Vec::new() }
    }
}

impl PassageReranker for LikesLong {
    fn name(&self) -> &'static str {
        "likes-long"
    }

    fn score(&mut self, question: &str, passages: Vec<String>, _: Duration) -> RerankScores {
        self.asked.push((question.to_owned(), passages.len()));
        let score =
            |(place, passage): (usize, &String)| (place < self.comes_to).then_some(passage.len() as f64);
        let notice = (self.comes_to == 0).then(|| "it is away".to_owned());
        RerankScores { scores: passages.iter().enumerate().map(score).collect(), notice }
    }
}

fn world() -> World {
    World::with(&[
        ("a", "whales whales whales"),
        ("b", "whales whales and other animals"),
        ("c", "whales and very many other animals that live in all the seas of the world"),
        ("d", "whales among a few more words than those before it has"),
    ])
}

fn reranked(world: &mut World, query: &PassageQuery, reranker: &mut LikesLong) -> FoundPassages {
    let reranking = Some(RerankStep { reranker, budget: Duration::from_millis(500) });
    let mut tools = SearchTools { embedder: Some(&world.embedder), expansion: None, reranking };
    world.library.search_with(query, &mut tools).unwrap()
}

fn sources(found: &FoundPassages) -> Vec<&str> {
    found.passages.iter().map(|passage| passage.source.as_str()).collect()
}

fn whales() -> PassageQuery {
    PassageQuery { neighbours: Neighbours::Apart, ..query(SearchMode::Bm25, "whales") }
}

#[test]
fn passages_that_a_model_came_to_are_in_its_order_and_each_says_where_it_was() {
    let mut world = world();
    let plain = world.library.search(&whales(), None).unwrap();
    assert_eq!(sources(&plain), ["a", "b", "d", "c"]);
    let mut reranker = LikesLong::coming_to(3);
    let found = reranked(&mut world, &whales(), &mut reranker);
    let places: Vec<Option<(u32, u32)>> = found
        .passages
        .iter()
        .map(|passage| passage.reranked.map(|RerankPlace { before, after, .. }| (before, after)))
        .collect();
    let trace = found.trace.rerank.as_ref().unwrap();
    assert_eq!((trace.model.as_str(), trace.candidates, trace.reached), ("likes-long", 4, 3));
    assert_eq!(found.passages.last().map(|passage| passage.source.as_str()), Some("c"), "not reached");
    assert_eq!(places.last(), Some(&None));
    let after: Vec<u32> = places.iter().flatten().map(|(_, after)| *after).collect();
    assert_eq!(after, [1, 2, 3]);
    let score = found.passages.iter().find(|passage| passage.source == "b").unwrap().reranked.unwrap().score;
    assert!((score - "whales whales and other animals".len() as f64).abs() < f64::EPSILON);
}

#[test]
fn a_model_that_fails_leaves_the_fused_order_and_says_why() {
    let mut world = world();
    let found = reranked(&mut world, &whales(), &mut LikesLong::coming_to(0));
    assert_eq!(sources(&found), ["a", "b", "d", "c"]);
    assert!(found.passages.iter().all(|passage| passage.reranked.is_none()));
    assert_eq!(found.trace.all_notices().collect::<Vec<_>>(), ["it is away"]);
}

#[test]
fn a_model_reads_the_question_with_what_is_meant_and_as_many_passages_as_are_kept() {
    let mut world = world();
    let mut reranker = LikesLong::coming_to(9);
    let meant = PassageQuery { intent: Some("the animals".to_owned()), candidates: Some(2), ..whales() };
    let found = reranked(&mut world, &meant, &mut reranker);
    assert_eq!(found.passages.len(), 2);
    let line = |kind, text: &str| QueryLine { kind, text: text.to_owned() };
    let lines = vec![line(LineKind::Lex, "whales"), line(LineKind::Vec, "where do whales live")];
    let typed = PassageQuery { mode: SearchMode::Hybrid, lines, ..whales() };
    reranked(&mut world, &typed, &mut reranker);
    assert_eq!(
        reranker.asked,
        [("whales (the animals)".to_owned(), 2), ("where do whales live".to_owned(), 4)]
    );
}

#[test]
fn what_differs_is_looked_for_in_the_reranked_order() {
    let mut world = World::with(&[("a", "abc abc"), ("b", "abc abc abc abc"), ("c", "xyz abc xyz xyz xyz")]);
    let query = PassageQuery { diversity: Some(1.0), ..query(SearchMode::Hybrid, "abc") };
    let plain = reranked(
        &mut world,
        &PassageQuery { diversity: None, ..query.clone() },
        &mut LikesLong::coming_to(9),
    );
    let diverse = reranked(&mut world, &query, &mut LikesLong::coming_to(9));
    assert_eq!(sources(&plain), sources(&diverse));
    let scores = |found: &FoundPassages| found.passages.iter().map(|one| one.score).collect::<Vec<_>>();
    assert_eq!(scores(&plain), scores(&diverse), "the fused scores are still told");
    let differing = PassageQuery { diversity: Some(0.0), ..query };
    let differing = reranked(&mut world, &differing, &mut LikesLong::coming_to(9));
    assert_eq!(sources(&differing)[1], "c");
}
