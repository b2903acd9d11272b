//! What every index keeps to, and that the embedded engine does.

use std::path::Path;

use dojo_studio::rag::index::{ChunkIndex, EdgeIndex, IndexMark, IndexQuery, IndexedChunk};
use dojo_studio::rag::terms::TermVector;

fn chunk(id: u64, document: u64, dense: [f32; 2], terms: &[(u32, f32)]) -> IndexedChunk {
    IndexedChunk { id, document, dense: Some(dense.to_vec()), terms: term_vector(terms), payload: None }
}

fn term_vector(terms: &[(u32, f32)]) -> TermVector {
    let (ids, weights) = terms.iter().copied().unzip();
    TermVector { ids, weights }
}

fn ids(found: &[(u64, f32)]) -> Vec<u64> {
    found.iter().map(|(id, _)| *id).collect()
}

/// What an index of a library was made from.
pub(super) fn mark(library: &str) -> IndexMark {
    IndexMark {
        layout: 2,
        library: library.to_owned(),
        model: None,
        bm25: (1.5, 0.75, 2.0),
        average_terms: 7.25,
        chunk: 0,
        removal: 0,
        whole: false,
        turn: None,
        roots: Vec::new(),
    }
}

/// Three chunks of two documents.
fn filled(open: &dyn Fn(&Path) -> Box<dyn ChunkIndex>, folder: &Path) -> Box<dyn ChunkIndex> {
    let mut index = open(folder);
    let chunks = vec![
        chunk(1, 10, [1.0, 0.0], &[(7, 1.0), (8, 1.0)]),
        chunk(2, 10, [0.8, 0.6], &[(8, 2.0)]),
        chunk(3, 11, [0.0, 1.0], &[(9, 1.0)]),
    ];
    index.put(chunks).unwrap();
    index
}

/// The contract, one clause after the other, each in a folder of its own.
pub(super) fn keeps_the_contract(open: &dyn Fn(&Path) -> Box<dyn ChunkIndex>) {
    let near = IndexQuery::Dense(&[1.0, 0.1]);
    let place = tempfile::tempdir().unwrap();
    let mut index = filled(open, place.path());

    assert_eq!(index.count().unwrap(), 3);
    let found = index.find(near, None, 10).unwrap();
    assert_eq!(ids(&found), [1, 2, 3], "the nearest come first");
    assert!((found[0].1 - 0.995).abs() < 1e-3, "the score is the cosine: {}", found[0].1);
    assert_eq!(ids(&index.find(near, None, 2).unwrap()), [1, 2], "no more than were asked for");

    // BM25: ln(1 + (3 - n + 0.5) / (n + 0.5)) for a term that n of the three chunks have.
    let (rare, common) = ((1.0_f32 + 2.5 / 1.5).ln(), (1.0_f32 + 1.5 / 2.5).ln());
    let both = term_vector(&[(7, 1.0), (8, 1.0)]);
    let found = index.find(IndexQuery::Terms(&both), None, 10).unwrap();
    assert_eq!(ids(&found), [1, 2], "what shares no term is not found");
    assert!((found[0].1 - (rare + common)).abs() < 1e-4, "{found:?}");
    assert!((found[1].1 - 2.0 * common).abs() < 1e-4, "{found:?}");
    let nothing = TermVector::default();
    assert_eq!(index.find(IndexQuery::Terms(&nothing), None, 10).unwrap(), []);
    let unknown = term_vector(&[(99, 1.0)]);
    assert_eq!(index.find(IndexQuery::Terms(&unknown), None, 10).unwrap(), []);

    assert_eq!(ids(&index.find(near, Some(&[11]), 10).unwrap()), [3], "of the named documents only");
    assert_eq!(ids(&index.find(IndexQuery::Terms(&both), Some(&[11]), 10).unwrap()), Vec::<u64>::new());
    assert_eq!(ids(&index.find(near, Some(&[]), 10).unwrap()), Vec::<u64>::new());

    index.put(vec![chunk(3, 11, [1.0, 0.1], &[(7, 9.0)])]).unwrap();
    assert_eq!(index.count().unwrap(), 3, "a chunk with the same number is replaced");
    assert_eq!(ids(&index.find(near, None, 1).unwrap()), [3]);
    assert_eq!(ids(&index.find(IndexQuery::Terms(&both), None, 1).unwrap()), [3]);

    index.remove(&[3, 77]).unwrap();
    assert_eq!(index.count().unwrap(), 2, "what isn't there is passed over");
    assert_eq!(ids(&index.find(near, None, 10).unwrap()), [1, 2]);

    let words = IndexedChunk { dense: None, ..chunk(5, 12, [0.0; 2], &[(7, 3.0)]) };
    index.put(vec![words]).unwrap();
    // Until it settles, a term's rarity may still count what was removed: one term alone ranks all the same.
    let seven = term_vector(&[(7, 1.0)]);
    assert_eq!(
        ids(&index.find(IndexQuery::Terms(&seven), None, 1).unwrap()),
        [5],
        "one without embedding has words"
    );
    assert_eq!(ids(&index.find(near, None, 10).unwrap()), [1, 2]);

    assert_eq!(index.mark().unwrap(), None);
    let made = IndexMark { chunk: 5, removal: 3, whole: true, ..mark("library") };
    index.set_mark(&mark("library")).unwrap();
    index.set_mark(&made).unwrap();
    index.flush().unwrap();
    drop(index);
    let mut index = open(place.path());
    assert_eq!(index.count().unwrap(), 3, "it is there when it is opened again");
    assert_eq!(index.mark().unwrap(), Some(made), "and says what it was made from");
    assert_eq!(ids(&index.find(IndexQuery::Terms(&seven), None, 10).unwrap()), [5, 1]);
    index.settle().unwrap();
    assert_eq!(ids(&index.find(IndexQuery::Terms(&seven), None, 10).unwrap()), [5, 1]);
    index.put(vec![chunk(6, 13, [1.0, 0.1], &[(8, 1.0)])]).unwrap();
    assert_eq!(ids(&index.find(near, None, 1).unwrap()), [6], "it takes more after it has settled");

    index.begin_anew().unwrap();
    index.put(vec![chunk(6, 13, [0.0, 1.0], &[(8, 1.0)])]).unwrap();
    let found = index.find(IndexQuery::Dense(&[0.0, 1.0]), None, 1).unwrap();
    assert_eq!(ids(&found), [6], "it is filled again");
    assert!((found[0].1 - 1.0).abs() < 1e-4, "with what is put in then: {found:?}");
}

#[test]
fn the_embedded_engine_keeps_the_contract() {
    keeps_the_contract(&|folder| Box::new(EdgeIndex::open(folder, 2).unwrap()));
}

#[test]
fn a_vector_of_another_length_is_refused_in_words() {
    let place = tempfile::tempdir().unwrap();
    let mut index = EdgeIndex::open(place.path(), 2).unwrap();
    let wrong = IndexedChunk { dense: Some(vec![1.0, 0.0, 0.0]), ..chunk(1, 1, [0.0; 2], &[]) };
    let error = index.put(vec![wrong]).expect_err("three dimensions instead of two");
    assert!(format!("{error:#}").starts_with("write the index: "), "{error:#}");
}

#[test]
fn equal_scores_come_in_the_order_of_their_numbers() {
    let place = tempfile::tempdir().unwrap();
    let mut index = EdgeIndex::open(place.path(), 2).unwrap();
    index.put((1..=9).rev().map(|id| chunk(id, id, [1.0, 0.0], &[(4, 1.0)])).collect()).unwrap();
    let found = index.find(IndexQuery::Dense(&[1.0, 0.0]), None, 9).unwrap();
    assert_eq!(ids(&found), (1..=9).collect::<Vec<_>>());
}

#[test]
fn the_engines_log_is_shortened_and_what_follows_counts() {
    let place = tempfile::tempdir().unwrap();
    let mut index = EdgeIndex::open(place.path(), 2).unwrap();
    let many: Vec<(u32, f32)> = (0..20_000).map(|id| (id, 1.0)).collect();
    // Each is half a megabyte or less in the log, whose files are closed at 4 MiB.
    for id in 1..=80 {
        index.put(vec![chunk(id, id, [1.0, 0.0], &many)]).unwrap();
    }
    let full = || {
        let entries = std::fs::read_dir(place.path().join("wal")).unwrap();
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().file_name();
        entries.map(name).filter(|name| name.to_str().unwrap().starts_with("closed-")).count()
    };
    assert!(full() > 1, "{} files are full", full());
    index.settle().unwrap();
    assert_eq!(full(), 1);
    index.put(vec![chunk(7, 7, [0.0, 1.0], &[(30_000, 1.0)])]).unwrap();
    index.remove(&[8]).unwrap();
    drop(index);
    let index = EdgeIndex::open(place.path(), 2).unwrap();
    assert_eq!(index.count().unwrap(), 79);
    assert_eq!(
        ids(&index.find(IndexQuery::Dense(&[0.0, 1.0]), None, 1).unwrap()),
        [7],
        "later changes count"
    );
}
