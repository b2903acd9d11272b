//! A library on a server and back: only what changed is sent, whatever stops it, and every ranking stays as it was.

use std::path::Path;

use dojo_studio::domain::library::{BlockKind, SourceDocument};
use dojo_studio::domain::retrieval::{LibraryFilter, PassageQuery, SearchMode};
use dojo_studio::rag::add::embed_anew;
use dojo_studio::rag::database::{IndexStore, LibraryRoot};
use dojo_studio::rag::library::Library;
use dojo_studio::rag::pulling::{PullReport, pull};
use dojo_studio::rag::search::SearchTools;
use dojo_studio::rag::upkeep::{Brought, UpkeepReport};
use dojo_studio::session::JobLock;

use super::qdrant::{FakeQdrant, Mood};
use super::world::{Letters, Patient, World, document, query};

const WORDS: [&str; 24] = [
    "salmon", "river", "granite", "quartz", "swallow", "desert", "autumn", "current", "spawn", "heron",
    "shallow", "water", "stone", "feldspar", "migrate", "trout", "stream", "cold", "rock", "bird", "fish",
    "north", "winter", "ridge",
];

/// Of about as many words as the others have, so that those keep their weights.
const CHANGED: &str = "Beavers dam rivers with branches, mud, stones, reeds, bark, leaves, twigs, roots.";
const NEW: &str = "Otters hunt crayfish at dusk under bridges, between willows, behind weirs, beside mills.";

/// A document of several paragraphs, whose words are drawn from a few by its number.
fn drawn(number: usize) -> SourceDocument {
    let word = |place: usize| WORDS[(number * 7 + place * place * 3 + place * number) % WORDS.len()];
    let paragraph = |p: usize| {
        let words: Vec<&str> = (0..9 + number % 7).map(|place| word(p * 11 + place)).collect();
        format!("{}.", words.join(" "))
    };
    let text: Vec<String> = (0..1 + number % 4).map(paragraph).collect();
    let mut document = document(&format!("/notes/{number}.md"), &text.join("\n\n"));
    document.title = format!("Note {number} on {}", word(1));
    document.facts.tags = vec![if number.is_multiple_of(2) { "even" } else { "odd" }.to_owned()];
    document.facts.date = Some(format!("2025-0{}", 1 + number % 9));
    document.facts.authors = vec!["A. Writer".to_owned()];
    document.facts.language = Some(if number.is_multiple_of(5) { "de" } else { "en" }.to_owned());
    document.facts.pages = Some(3);
    for (at, block) in document.blocks.iter_mut().enumerate() {
        block.page = Some(1 + at as u32);
        block.section = vec![format!("{at} Part")];
        block.kind = BlockKind::Prose;
    }
    document.notices = vec!["page 3 is a picture".to_owned()];
    document
}

fn world_of(count: usize) -> World {
    let mut world = World::new();
    world.add_all(&(0..count).map(drawn).collect::<Vec<_>>());
    world
}

fn push(library: &mut Library, server: &FakeQdrant) -> Brought {
    library.push(&server.access(None), "notes", &mut |_| true).unwrap()
}

fn sent(put: u64, removed: u64) -> Brought {
    Brought::UpToDate(UpkeepReport { put, all: put, removed })
}

fn chunks(library: &Library) -> u64 {
    library.counts().unwrap().chunks
}

/// Every ranking of some questions in all modes, with filters too: numbers and scores.
fn rankings(library: &mut Library, embedder: &Letters) -> Vec<Vec<(u64, f64)>> {
    let even = LibraryFilter { tags: vec!["even".to_owned()], ..LibraryFilter::default() };
    let nobody = LibraryFilter { tags: vec!["nobody".to_owned()], ..LibraryFilter::default() };
    let mut rankings = Vec::new();
    for words in
        ["salmon in the river", "granite ridges", "migrating swallows of winter", "the and of", "zebra"]
    {
        for mode in [SearchMode::Bm25, SearchMode::Dense, SearchMode::Hybrid] {
            for filter in [LibraryFilter::default(), even.clone(), nobody.clone()] {
                let query = PassageQuery { filter, ..query(mode, words) };
                let mut tools = SearchTools::embedding(Some(embedder));
                let ranked = library.rank(&query, &mut tools).unwrap().candidates;
                rankings.push(ranked.iter().map(|one| (one.id, one.score)).collect());
            }
        }
    }
    rankings
}

/// The same numbers in the same order, and scores that are equal to within 1e-5.
fn assert_alike(a: &[Vec<(u64, f64)>], b: &[Vec<(u64, f64)>]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        let ids = |ranking: &[(u64, f64)]| ranking.iter().map(|(id, _)| *id).collect::<Vec<_>>();
        assert_eq!(ids(a), ids(b));
        assert!(a.iter().zip(b).all(|((_, a), (_, b))| (a - b).abs() < 1e-5), "{a:?} {b:?}");
    }
}

fn on_server(library: &mut Library) {
    library.keep_index(&IndexStore::Server { collection: "notes".to_owned() }).unwrap();
}

#[test]
fn a_server_ranks_as_this_machine_does() {
    let server = FakeQdrant::start();
    let mut world = world_of(40);
    let here = rankings(&mut world.library, &world.embedder);
    assert!(here.iter().filter(|ranking| !ranking.is_empty()).count() >= 20);
    world.library = Library::open(world.folder()).unwrap().asking(server.access(None));
    on_server(&mut world.library);
    let there = rankings(&mut world.library, &world.embedder);
    assert!(server.points_sent() > 0, "the server was asked");
    assert_alike(&here, &there);
}

#[test]
fn pulling_makes_the_same_library_again() {
    let server = FakeQdrant::start();
    let mut world = world_of(23);
    world.add(&[("/notes/3.md", "Another text in the place of the third.")]);
    world.library.take_out("/notes/22.md").unwrap();
    push(&mut world.library, &server);
    // What is said of roots alone goes along too.
    let root = LibraryRoot {
        path: "arxiv-search:herons".to_owned(),
        context: Some("on birds".to_owned()),
        tags: vec!["birds".to_owned()],
        most: Some(3),
    };
    world.library.remember(&root).unwrap();
    assert_eq!(push(&mut world.library, &server), sent(0, 0));
    let place = tempfile::tempdir().unwrap();
    let report = pull(place.path(), &server.access(None), "notes", &mut |_| true).unwrap();
    let all = chunks(&world.library);
    assert_eq!(report, PullReport { documents: 22, chunks: all, all, stopped: false });
    let mut pulled = Library::open(place.path()).unwrap();
    assert_alike(&rankings(&mut world.library, &world.embedder), &rankings(&mut pulled, &world.embedder));
    assert_eq!(pulled.database().roots().unwrap(), [root]);
    let rows = |library: &Library| library.database().document_rows().unwrap();
    assert_eq!(rows(&pulled), rows(&world.library));
    assert_eq!(pulled.database().documents().unwrap(), world.library.database().documents().unwrap());
    let read = |library: &Library| {
        let model = library.database().model().unwrap().map(|(number, _)| number);
        library.database().chunks_after(0, 1000, model).unwrap()
    };
    assert_eq!(read(&pulled), read(&world.library), "words, sections, pages, contexts, vectors, numbers");
}

#[test]
fn a_server_is_searched_as_it_is_while_another_process_pushes_to_it() {
    let server = FakeQdrant::start();
    let mut world = world_of(12);
    world.library = Library::open(world.folder()).unwrap().asking(server.access(None));
    on_server(&mut world.library);
    world.library.index().unwrap();
    world.library.release();
    let pushing = JobLock::take(world.folder(), "server", "dojo rag push").unwrap();
    world.add_all(&[drawn(12)]);
    let notices = |world: &mut World| {
        let found = world.library.search(&query(SearchMode::Bm25, "salmon"), None).unwrap();
        assert!(!found.passages.is_empty());
        found.trace.notices
    };
    let told = notices(&mut world);
    assert!(told[0].contains("another process is bringing the index up to date: 1 chunk"), "{told:?}");
    drop(pushing);
    assert_eq!(notices(&mut world), Vec::<String>::new());
    assert_eq!(world.library.push(&server.access(None), "notes", &mut |_| true).unwrap(), sent(0, 0));
}

#[test]
fn only_what_is_new_changed_or_gone_is_sent() {
    let server = FakeQdrant::start();
    let mut world = world_of(60);
    let all = chunks(&world.library);
    assert_eq!(push(&mut world.library, &server), sent(all, 0));
    assert_eq!(push(&mut world.library, &server), sent(0, 0));
    assert_eq!(server.points_sent() as u64, all);

    let count = |library: &Library, source: &str| {
        let rows = library.database().document_rows().unwrap();
        rows.iter().find(|row| row.source == source).unwrap().chunks
    };
    let gone = count(&world.library, "/notes/1.md") + count(&world.library, "/notes/2.md");
    world.library.take_out("/notes/1.md").unwrap();
    world.add(&[("/notes/2.md", CHANGED), ("/notes/new.md", NEW)]);
    assert_eq!(push(&mut world.library, &server), sent(2, gone));
    let held: Vec<u64> = server.state().collections["notes"].points.keys().copied().collect();
    let known = world.library.database().chunks_after(0, 1000, None).unwrap();
    assert_eq!(held, known.iter().map(|chunk| chunk.id).collect::<Vec<_>>());
}

#[test]
fn a_push_that_is_stopped_or_broken_off_goes_on_where_it_was() {
    let server = FakeQdrant::start();
    let mut world = world_of(400);
    let all = chunks(&world.library);
    assert!(all > 600, "{all} chunks, several batches");
    let mut asked = 0;
    let stopped = world.library.push(&server.access(None), "notes", &mut |_| {
        asked += 1;
        asked < 2
    });
    let Brought::Stopped(UpkeepReport { put, .. }) = stopped.unwrap() else { panic!("it was stopped") };
    assert_eq!(put, 256);
    let pulled = tempfile::tempdir().unwrap();
    let error = pull(pulled.path(), &server.access(None), "notes", &mut |_| true).expect_err("half of it");
    assert!(error.to_string().contains("is not whole: a `dojo rag push` to it is under way"), "{error}");

    // As if it had been killed: nothing is said at the end.
    server.state().upserts_left = Some(2);
    let broken = world.library.push(&server.access(None), "notes", &mut |_| true);
    assert!(broken.expect_err("broken off").to_string().ends_with("can't take chunks: Wrong input: enough"));
    server.state().upserts_left = None;
    world.library = Library::open(world.folder()).unwrap();
    push(&mut world.library, &server);
    assert_eq!(server.state().collections["notes"].points.len() as u64, all);
    assert!((server.points_sent() as u64) < all + 600, "what was said to be there is not sent again");
}

#[test]
fn a_pull_that_is_stopped_goes_on_where_it_was() {
    let server = FakeQdrant::start();
    let mut world = world_of(300);
    push(&mut world.library, &server);
    let place = tempfile::tempdir().unwrap();
    let mut turns = 0;
    let report = loop {
        turns += 1;
        let mut asked = 0;
        let report = pull(place.path(), &server.access(None), "notes", &mut |_| {
            asked += 1;
            asked < 3
        });
        let report = report.unwrap();
        if !report.stopped {
            break report;
        }
        let rows = Library::open(place.path()).unwrap().database().document_rows().unwrap();
        let known = world.library.database().document_rows().unwrap();
        assert!(rows.iter().all(|row| known.contains(row)), "whole documents only");
        assert!(turns < 10);
    };
    assert!(turns > 1);
    assert_eq!(report.chunks, chunks(&world.library));
    let error = pull(place.path(), &server.access(None), "notes", &mut |_| true).expect_err("it is full");
    let said =
        format!("{} has a library already: name another with --library FOLDER", place.path().display());
    assert_eq!(error.to_string(), said);
}

#[test]
fn what_is_no_pushed_library_is_not_pulled() {
    let server = FakeQdrant::start();
    let place = tempfile::tempdir().unwrap();
    let refused = |folder: &Path| {
        let pulled = pull(folder, &server.access(None), "notes", &mut |_| true);
        pulled.expect_err("nothing to pull").to_string()
    };
    assert_eq!(refused(place.path()), format!("there is no collection notes at {}", server.url()));
    let mut world = world_of(2);
    push(&mut world.library, &server);
    server.state().collections.get_mut("notes").unwrap().metadata.clear();
    assert_eq!(
        refused(place.path()),
        format!(
            "the collection notes at {} is no library's: `dojo rag pull` brings what `dojo rag push` wrote",
            server.url()
        )
    );
    assert!(!place.path().join("library.db").exists());
}

#[test]
fn copies_of_a_library_do_not_write_over_each_other() {
    let server = FakeQdrant::start();
    let mut world = world_of(60);
    push(&mut world.library, &server);
    let place = tempfile::tempdir().unwrap();
    pull(place.path(), &server.access(None), "notes", &mut |_| true).unwrap();

    // The pulled one goes on from there, and its numbers are those that come next.
    let folder = std::mem::replace(&mut world.folder, place);
    let original = std::mem::replace(&mut world.library, Library::open(world.folder.path()).unwrap());
    world.library.take_out("/notes/4.md").unwrap();
    world.add(&[("/notes/pulled.md", NEW)]);
    let Brought::UpToDate(report) = push(&mut world.library, &server) else { panic!("it ended") };
    assert_eq!(report.put, 1);
    assert!(report.removed > 0);
    assert_eq!(server.state().collections["notes"].points.len() as u64, chunks(&world.library));

    let mut original = original;
    let refused = original.push(&server.access(None), "notes", &mut |_| true).expect_err("it is behind");
    assert!(
        refused
            .to_string()
            .starts_with("another copy of this library has written to the collection notes at"),
        "{refused}"
    );
    drop(folder);
}

#[test]
fn points_that_were_lost_are_put_again() {
    let server = FakeQdrant::start();
    let mut world = world_of(6);
    let all = chunks(&world.library);
    push(&mut world.library, &server);
    server.state().collections.remove("notes");
    assert_eq!(push(&mut world.library, &server), sent(all, 0), "a collection that is gone is made again");
}

#[test]
fn another_model_of_the_same_size_is_pushed_over_the_first() {
    let server = FakeQdrant::start();
    let mut world = world_of(6);
    push(&mut world.library, &server);
    let other = Letters::named("other letters");
    assert!(embed_anew(&mut world.library, &other, &mut Patient(usize::MAX)).unwrap());
    assert_eq!(push(&mut world.library, &server), sent(chunks(&world.library), 0));
    world.embedder = other;
    let here = rankings(&mut world.library, &world.embedder);
    world.library = Library::open(world.folder()).unwrap().asking(server.access(None));
    on_server(&mut world.library);
    assert_alike(&here, &rankings(&mut world.library, &world.embedder));
}

#[test]
fn a_library_whose_server_is_away_says_what_to_do() {
    let server = FakeQdrant::start();
    let mut world = world_of(3);
    world.library = Library::open(world.folder()).unwrap().asking(server.access(None));
    on_server(&mut world.library);
    assert!(!world.found(&query(SearchMode::Bm25, "salmon")).is_empty());
    server.is(Mood::Silent);
    world.library.release();
    let said = world.library.search(&query(SearchMode::Bm25, "salmon"), None).expect_err("no answer");
    assert_eq!(
        format!("{said:#}"),
        format!(
            "the Qdrant server at {} took longer than 1.5 s to describe a collection: see what it is busy with, and try \
             again; `dojo rag store edge` has this library searched on this machine instead",
            server.url()
        )
    );
    world.library.keep_index(&IndexStore::Edge).unwrap();
    assert!(!world.found(&query(SearchMode::Bm25, "salmon")).is_empty());

    let mut unnamed = Library::open(world.folder()).unwrap();
    on_server(&mut unnamed);
    let said = format!("{:#}", unnamed.index().err().expect("no server is named"));
    assert!(
        said.starts_with(
            "this library's index is on a Qdrant server: no Qdrant server is named: set DOJO_QDRANT_URL"
        ),
        "{said}"
    );
}

#[test]
fn other_programs_find_words_places_and_tags_in_a_collection() {
    let server = FakeQdrant::start();
    let mut world = world_of(2);
    push(&mut world.library, &server);
    let state = server.state();
    let collection = &state.collections["notes"];
    let point = collection.points.values().last().unwrap();
    let payload = serde_json::to_value(&point.payload).unwrap();
    let mut shown = payload.clone();
    shown.as_object_mut().unwrap().remove("dojo");
    shown["text"] = "…".into();
    assert_eq!(
        shown,
        serde_json::json!({
            "document": 2, "source": "/notes/1.md", "title": "Note 1 on water", "section": ["0 Part"], "page": 1,
            "last_page": 2, "chunk": 0, "text": "…", "tags": ["odd"], "authors": ["A. Writer"],
            "date": "2025-02", "language": "en"
        })
    );
    assert!(collection.schema.contains_key("document"), "filters are quick");
    let names: std::collections::BTreeSet<&String> = point.vectors.vectors.keys().collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["bm25", "dense"]);
}
