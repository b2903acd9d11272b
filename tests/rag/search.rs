//! What a search looks in, and what it says.

use dojo_studio::domain::retrieval::{LibraryFilter, Neighbours, PassageQuery, SearchMode};
use dojo_studio::rag::filter::DocumentFilter;

use super::world::{World, document, query};

fn dated() -> World {
    let mut world = World::new();
    let mut documents = Vec::new();
    for (name, date, tag) in [
        ("/notes/old.md", Some("2019-03-01"), "notes"),
        ("/notes/new.md", Some("2024"), "notes"),
        ("/papers/deep/new.pdf", Some("2024-05-17"), "papers"),
        ("/papers/undated.pdf", None, "papers"),
    ] {
        let mut one = document(name, "Retrieval supplies what a model does not know.");
        one.title = format!("About {name}");
        one.facts.date = date.map(str::to_owned);
        one.facts.tags = vec![tag.to_owned()];
        documents.push(one);
    }
    world.add_all(&documents);
    world
}

#[test]
fn a_filter_holds_before_anything_is_ranked() {
    let mut world = dated();
    let mut found = |filter: LibraryFilter| {
        let mut sources =
            world.found(&PassageQuery { filter, top: 1, ..query(SearchMode::Hybrid, "retrieval") });
        sources.extend(world.found(&PassageQuery {
            filter: LibraryFilter { tags: vec!["Papers".to_owned()], ..LibraryFilter::default() },
            top: 1,
            ..query(SearchMode::Dense, "retrieval")
        }));
        sources
    };
    let paper = "/papers/deep/new.pdf";
    let from = LibraryFilter { from: Some("2024".to_owned()), ..LibraryFilter::default() };
    assert_eq!(found(from), ["/notes/new.md", paper]);
    let until = LibraryFilter { until: Some("2020".to_owned()), ..LibraryFilter::default() };
    assert_eq!(found(until), ["/notes/old.md", paper]);
    let path = LibraryFilter { paths: vec!["deep/*.pdf".to_owned()], ..LibraryFilter::default() };
    assert_eq!(found(path), [paper, paper]);
    let named = LibraryFilter { documents: vec!["UNDATED".to_owned()], ..LibraryFilter::default() };
    assert_eq!(found(named), ["/papers/undated.pdf", paper]);
    let nothing = LibraryFilter { tags: vec!["letters".to_owned()], ..LibraryFilter::default() };
    assert_eq!(found(nothing), [paper]);
}

#[test]
fn the_trace_says_every_rank_and_score() {
    let mut world = World::with(&[("a", "apples and pears"), ("b", "pears and plums"), ("c", "zebras")]);
    let found =
        world.library.search(&query(SearchMode::Hybrid, "apples pears"), Some(&world.embedder)).unwrap();
    let first = &found.passages[0];
    assert_eq!((first.rank, first.source.as_str()), (1, "a"));
    assert_eq!(first.bm25.map(|place| place.rank), Some(1));
    assert_eq!(first.dense.map(|place| place.rank), Some(1));
    let trace = &found.trace;
    let lists: Vec<_> =
        trace.lists.iter().map(|list| (list.is_dense, list.is_expansion, list.candidates)).collect();
    assert_eq!(lists, [(false, false, 2), (true, false, 3)]);
    assert!(trace.times.total_ms >= trace.times.bm25_ms + trace.times.dense_ms);
    assert_eq!(found.passages.last().unwrap().bm25, None, "zebras share no word");
}

#[test]
fn hits_that_follow_each_other_become_one_passage() {
    let paragraphs: Vec<String> = (1..=6)
        .map(|n| format!("Part {n} of the text speaks of whales, whales and number {n} only."))
        .collect();
    let mut world = World::with(&[("book", &paragraphs.join("\n\n")), ("other", "Nothing of that.")]);
    let apart = PassageQuery { neighbours: Neighbours::Apart, ..query(SearchMode::Bm25, "whales") };
    let many = world.library.search(&apart, None).unwrap().passages;
    assert!(many.len() > 1, "{many:?}");
    let joined = world.library.search(&query(SearchMode::Bm25, "whales"), None).unwrap().passages;
    assert_eq!(joined.len(), 1);
    assert_eq!(joined[0].chunks, (0, many.len() as u32 - 1));
    for paragraph in &paragraphs {
        assert_eq!(joined[0].text.matches(paragraph).count(), 1, "{}", joined[0].text);
    }
}

#[test]
fn a_limit_that_is_no_date_is_refused_and_not_taken_for_a_fact_about_the_documents() {
    let refused = |from: &str| {
        let filter = LibraryFilter { from: Some(from.to_owned()), ..LibraryFilter::default() };
        DocumentFilter::new(&filter).err().map(|error| error.to_string())
    };
    for date in ["2024", "2024-05", "2024-05-17"] {
        assert_eq!(refused(date), None, "{date}");
    }
    for word in ["yesterday", "20x", "2024-13", "2024-5", "2024-05-32", "2024-05-17-1", ""] {
        assert!(refused(word).is_some_and(|said| said.contains("is no date")), "{word}");
    }
}
