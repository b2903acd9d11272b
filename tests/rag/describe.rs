//! What is said of a document, said anew; the list of documents; a document read whole.

use dojo_studio::domain::retrieval::{LibraryFilter, PassageQuery, SearchMode};
use dojo_studio::rag::database::LibraryRoot;
use dojo_studio::rag::describe::describe;
use dojo_studio::rag::reading::read_document;

use super::world::{Patient, World, query};

fn said(source: &str, context: Option<&str>, tags: &[&str]) -> LibraryRoot {
    LibraryRoot {
        path: source.to_owned(),
        context: context.map(str::to_owned),
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        ..LibraryRoot::default()
    }
}

fn world() -> World {
    World::with(&[("/a/salmon.md", "Salmon swim upstream."), ("/a/granite.md", "Granite is a rock.")])
}

#[test]
fn a_new_context_is_found_by_its_words_and_remembered_and_nothing_else_is_embedded() {
    let mut world = world();
    assert_eq!(world.found(&query(SearchMode::Bm25, "diaries")), Vec::<String>::new());
    let before = world.embedder.asked.get();
    let said = said("/a/salmon.md", Some("Diaries of a river keeper"), &["field"]);
    let told = describe(&mut world.library, Some(&world.embedder), &said, &mut Patient(usize::MAX));
    assert!(told.unwrap());
    assert_eq!(world.embedder.asked.get() - before, 1);
    assert_eq!(world.found(&query(SearchMode::Bm25, "diaries")), ["/a/salmon.md"]);
    let row = world.library.database().document_row("/a/salmon.md").unwrap().unwrap();
    assert_eq!(row.context.as_deref(), Some("Diaries of a river keeper"));
    assert_eq!(row.tags, ["field"]);
    assert_eq!(world.library.database().root("/a/salmon.md").unwrap(), Some(said));
    let (number, _) = world.library.database().model().unwrap().unwrap();
    assert_eq!(world.library.database().unembedded(Some(number)).unwrap(), 0);
    assert_eq!(world.library.database().unembedded(None).unwrap(), 2);
}

#[test]
fn other_tags_need_no_embedding_and_a_host_that_stops_leaves_everything_as_it_was() {
    let mut world = world();
    let tags = said("/a/salmon.md", None, &["fish"]);
    assert!(describe(&mut world.library, None, &tags, &mut Patient(usize::MAX)).unwrap());
    let other = said("/a/salmon.md", Some("Another"), &[]);
    assert!(!describe(&mut world.library, Some(&world.embedder), &other, &mut Patient(1)).unwrap());
    let row = world.library.database().document_row("/a/salmon.md").unwrap().unwrap();
    assert_eq!((row.context, row.tags), (None, vec!["fish".to_owned()]));
    let gone = describe(&mut world.library, None, &said("/a/eel.md", None, &[]), &mut Patient(9));
    assert_eq!(gone.unwrap_err().to_string(), "the library has no /a/eel.md");
}

#[test]
fn a_page_of_the_list_and_the_place_of_a_document_are_those_of_the_whole_list() {
    let world = World::with(&[("c", "three"), ("a", "one"), ("b", "two"), ("d", "four")]);
    let database = world.library.database();
    let all = database.document_rows().unwrap();
    assert_eq!(database.document_page(1..3).unwrap(), all[1..3]);
    assert_eq!(database.document_page(3..9).unwrap(), all[3..]);
    assert_eq!(database.position("c").unwrap(), Some(2));
    assert_eq!(database.position("e").unwrap(), None);
}

#[test]
fn a_document_is_read_whole_with_nothing_twice() {
    let words: Vec<String> = (0..90).map(|number| format!("word{number}")).collect();
    let sentences: Vec<String> = words.chunks(6).map(|some| format!("{}.", some.join(" "))).collect();
    let mut world = World::new();
    world.add(&[("/a.md", &sentences.join(" "))]);
    let read = read_document(world.library.database(), "/a.md").unwrap();
    assert!(read.parts.len() > 1);
    let whole: Vec<&str> = read.parts.iter().map(|part| part.text.as_str()).collect();
    let whole = whole.join(" ");
    assert_eq!(
        whole.split_whitespace().collect::<Vec<_>>(),
        sentences.join(" ").split_whitespace().collect::<Vec<_>>()
    );
    let gone = read_document(world.library.database(), "/b.md").unwrap_err().to_string();
    assert_eq!(gone, "the library has no /b.md any more");
}

#[test]
fn only_the_named_sources_are_looked_in_and_none_that_is_left_out() {
    let mut world = world();
    let mut found = |filter: LibraryFilter| {
        let asked = PassageQuery { filter, ..query(SearchMode::Dense, "salmon") };
        world.found(&asked)
    };
    let sources = |source: &str| vec![source.to_owned()];
    let only = LibraryFilter { only: sources("/a/granite.md"), ..LibraryFilter::default() };
    assert_eq!(found(only), ["/a/granite.md"]);
    let without = LibraryFilter { without: sources("/a/salmon.md"), ..LibraryFilter::default() };
    assert_eq!(found(without), ["/a/granite.md"]);
    // The end of a name is another source.
    let part = LibraryFilter { without: sources("salmon.md"), ..LibraryFilter::default() };
    assert_eq!(found(part).len(), 2);
}
