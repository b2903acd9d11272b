//! Lines of a query: which there are, and what words in them must and must not be found.

use dojo_studio::domain::retrieval::{LibraryFilter, LineKind, PassageQuery, QueryLine, SearchMode};
use dojo_studio::rag::search::{TypedQuery, typed};

use super::world::{World, query};

const NOTES: [(&str, &str); 4] = [
    ("rivers", "Salmon swim upstream to spawn in cold rivers."),
    ("farms", "Salmon on farms swim in circles; trout do as well."),
    ("sea", "Upstream of the dam no salmon is seen, since they can't swim there."),
    ("stones", "Granite is a rock."),
];

fn lex(text: &str) -> PassageQuery {
    let lines = vec![QueryLine { kind: LineKind::Lex, text: text.to_owned() }];
    PassageQuery { lines, ..query(SearchMode::Bm25, "") }
}

fn found(world: &mut World, text: &str) -> Vec<String> {
    let mut found = world.found(&lex(text));
    found.sort();
    found
}

#[test]
fn a_word_after_a_dash_is_left_out_in_all_its_forms_and_a_quote_must_be_there_as_it_is() {
    let mut world = World::with(&NOTES);
    assert_eq!(found(&mut world, "salmon"), ["farms", "rivers", "sea"]);
    assert_eq!(found(&mut world, "salmon -trout"), ["rivers", "sea"]);
    assert_eq!(found(&mut world, "salmon -farm"), ["rivers", "sea"], "farms is a form of farm");
    assert_eq!(found(&mut world, "salmon -the"), ["farms", "rivers"], "BM25 doesn't count the");
    assert_eq!(found(&mut world, "\"swim upstream\""), ["rivers"]);
    assert_eq!(found(&mut world, "salmon -\"SWIM upstream\""), ["farms", "sea"]);
    assert_eq!(found(&mut world, "\"wim upstream\""), Vec::<String>::new(), "whole words");
    assert_eq!(found(&mut world, "salmon - swim"), ["farms", "rivers", "sea"], "a dash alone is none");
    let refused =
        |text: &str, world: &mut World| world.library.search(&lex(text), None).unwrap_err().to_string();
    assert!(refused("-salmon", &mut world).contains("says only what is left out"));
    assert!(refused("salmon \"swim", &mut world).contains("is not closed"));
}

#[test]
fn a_phrase_is_looked_for_beyond_the_best_hits() {
    let mut documents: Vec<(String, String)> =
        (0..230).map(|n| (format!("d{n}"), format!("Heron heron heron {n}."))).collect();
    documents.push((
        "last".to_owned(),
        "A grey heron waits for fish beside the still water of a long canal.".to_owned(),
    ));
    let documents: Vec<(&str, &str)> = documents.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    let mut world = World::with(&documents);
    assert_eq!(world.found(&lex("\"grey heron\" heron heron")), ["last"]);
    assert_eq!(world.found(&lex("heron -grey")).len(), 10);
}

#[test]
fn writing_without_spaces_has_phrases_too() {
    let mut world = World::with(&[("one", "深度学习改变了计算机视觉。"), ("two", "学习深度很重要。")]);
    assert_eq!(world.found(&lex("深度学习改变了计算机视觉 \"深度学习\"")), ["one"]);
}

#[test]
fn a_line_of_no_kind_among_typed_ones_is_named() {
    let line = |kind, text: &str| QueryLine { kind, text: text.to_owned() };
    let query = typed("lex: salmon\n\nintent: the fish\n vec: how do they swim?").unwrap().unwrap();
    let lines = vec![line(LineKind::Lex, "salmon"), line(LineKind::Vec, "how do they swim?")];
    assert_eq!(query, TypedQuery { lines, intent: Some("the fish".to_owned()) });
    for plain in ["how do salmon swim?", "TypeError: no such fish", "note: this\nand that", "intent: fish"] {
        assert_eq!(typed(plain).unwrap(), None, "{plain}");
    }
    let refused = |text: &str| typed(text).unwrap_err().to_string();
    assert!(refused("lex: salmon\nfoo: bar").contains("line 2 of the query begins with foo:"));
    assert!(refused("lex: salmon\nand trout").contains("line 2 of the query is of no kind"));
}

#[test]
fn what_means_nothing_outside_lines_is_told() {
    let mut world = World::with(&NOTES);
    let mut told = |words: &str| {
        world.library.search(&query(SearchMode::Bm25, words), None).unwrap().trace.notices.join("; ")
    };
    assert!(told("foo: salmon").contains("foo: is no kind of line"));
    assert!(told("salmon -trout").contains("-trout leaves nothing out here"));
    assert_eq!(told("salmon well-known -- 5 - 3"), "");
}

#[test]
fn a_filter_that_lets_nothing_through_is_told() {
    let mut world = World::with(&NOTES);
    let filter = LibraryFilter { tags: vec!["papers".to_owned()], ..LibraryFilter::default() };
    let asked = PassageQuery { filter, ..query(SearchMode::Bm25, "salmon") };
    let found = world.library.search(&asked, None).unwrap();
    assert_eq!(found.passages, []);
    assert_eq!(found.trace.notices, ["the filter lets none of the library's 4 documents through"]);
}

#[test]
fn lines_that_a_mode_doesnt_ask_are_named_if_there_are_no_others() {
    let mut world = World::with(&NOTES);
    let lines = vec![QueryLine { kind: LineKind::Vec, text: "swimming".to_owned() }];
    let error = world.library.search(&PassageQuery { lines, ..query(SearchMode::Bm25, "") }, None);
    assert!(error.unwrap_err().to_string().contains("a bm25 search asks no vec lines"));
}
