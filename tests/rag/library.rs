//! Documents in, out and in again, and what a stop or damage leaves.

use dojo_studio::domain::library::ChunkSettings;
use dojo_studio::domain::retrieval::SearchMode;
use dojo_studio::rag::add::{Adder, ChunkCut, embed_anew};
use dojo_studio::rag::library::Library;

use super::world::{Letters, Patient, World, document, query, source};

const THREE: [(&str, &str); 3] = [
    ("fish", "Salmon swim against the current to spawn."),
    ("birds", "Swallows migrate over the Sahara in autumn."),
    ("stones", "Granite is a rock of quartz and feldspar."),
];

#[test]
fn what_is_put_in_is_found_by_stemmed_words_and_by_meaning() {
    let mut world = World::with(&THREE);
    assert_eq!(world.found(&query(SearchMode::Bm25, "which birds are migrating?")), ["birds"]);
    assert_eq!(world.found(&query(SearchMode::Dense, "granite quartz feldspar"))[0], "stones");
    assert_eq!(world.found(&query(SearchMode::Hybrid, "salmons swimming"))[0], "fish");
}

#[test]
fn a_replaced_document_is_found_by_its_new_words_only() {
    let mut world = World::with(&THREE);
    assert_eq!(world.found(&query(SearchMode::Bm25, "salmon")), ["fish"]);
    world.add(&[("fish", "Trout live in cold streams.")]);
    assert_eq!(world.found(&query(SearchMode::Bm25, "salmon")), Vec::<String>::new());
    assert_eq!(world.found(&query(SearchMode::Bm25, "trout")), ["fish"]);
    assert_eq!(world.library.counts().unwrap().documents, 3);
    assert!(world.library.take_out("fish").unwrap());
    assert_eq!(world.found(&query(SearchMode::Bm25, "trout")), Vec::<String>::new());
    assert_eq!(world.library.counts().unwrap().chunks, 2);
}

#[test]
fn no_text_is_embedded_twice() {
    let mut world = World::with(&THREE);
    assert_eq!(world.embedder.asked.get(), 3);
    world.library.take_out("fish").unwrap();
    world.add(&THREE);
    world.add(&[("the same words elsewhere", THREE[1].1)]);
    assert_eq!(world.embedder.asked.get(), 3);
}

#[test]
fn a_stop_leaves_whole_documents_and_keeps_what_was_embedded() {
    let mut world = World::new();
    let paragraph =
        |n: usize| format!("Paragraph {n} says something about number {n} and about nothing else.");
    let documents: Vec<_> = (0..40)
        .map(|n| {
            document(&format!("d{n}"), &(n * 20..n * 20 + 20).map(paragraph).collect::<Vec<_>>().join("\n\n"))
        })
        .collect();
    let cut = ChunkCut::ToFit(ChunkSettings { tokens: 24, overlap: 0 });
    let mut turns = 0;
    loop {
        // Enough to come to some embeddings each time, and never to all.
        let mut host = Patient(28);
        let mut adder = Adder::new(&mut world.library, Some(&world.embedder), cut, &mut host).unwrap();
        let mut stopped = false;
        for document in &documents {
            if adder.known(&document.source).unwrap().is_none()
                && !adder.offer(source(document), document, None).unwrap()
            {
                stopped = true;
                break;
            }
        }
        if !stopped && adder.finish().unwrap().is_some() {
            break;
        }
        turns += 1;
        let rows = world.library.database().document_rows().unwrap();
        let chunks: Vec<u64> = rows.iter().map(|row| row.chunks).collect();
        assert!(chunks.iter().all(|&count| count == chunks[0]), "half a document: {chunks:?}");
        assert!(turns < 1000);
    }
    assert!(turns > 2, "it was stopped {turns} times");
    let counts = world.library.counts().unwrap();
    assert_eq!(counts.documents, 40);
    assert_eq!(world.embedder.asked.get() as u64, counts.chunks, "each chunk was embedded once");
}

#[test]
fn another_model_is_refused_until_the_library_is_embedded_anew() {
    let mut world = World::with(&THREE);
    let other = Letters::named("other letters");
    let refused =
        world.library.search(&query(SearchMode::Dense, "salmon"), Some(&other)).expect_err("refused");
    assert!(
        refused
            .to_string()
            .contains("embedded with letters (26 dimensions), and not with other letters (26 dimensions)"),
        "{refused}"
    );
    let mut host = Patient(usize::MAX);
    let cut = ChunkCut::Whole;
    let refused = Adder::new(&mut world.library, Some(&other), cut, &mut host).err().expect("refused");
    assert!(refused.to_string().contains("`dojo rag embed --model other letters`"), "{refused}");
    assert!(embed_anew(&mut world.library, &other, &mut Patient(usize::MAX)).unwrap());
    assert_eq!(other.asked.get(), 3);
    world.embedder = other;
    assert_eq!(world.found(&query(SearchMode::Dense, "granite quartz feldspar"))[0], "stones");
}

#[test]
fn an_index_that_is_gone_or_damaged_is_made_again_from_the_database() {
    let mut world = World::with(&THREE);
    assert_eq!(world.found(&query(SearchMode::Hybrid, "salmon"))[0], "fish");
    for damage in [remove_all, cut_every_file, write_noise] {
        world.library.release();
        damage(&world.folder().join("index"));
        world.library = Library::open(world.folder.path()).unwrap();
        assert_eq!(world.found(&query(SearchMode::Hybrid, "salmon swim"))[0], "fish");
        assert_eq!(world.found(&query(SearchMode::Bm25, "granite")), ["stones"]);
    }
    assert_eq!(world.embedder.asked.get(), 3 + 4, "three chunks and four questions, and no chunk again");
}

fn remove_all(index: &std::path::Path) {
    std::fs::remove_dir_all(index).unwrap();
}

fn cut_every_file(index: &std::path::Path) {
    each_file(index, &|path| {
        let length = path.metadata().unwrap().len();
        std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(length / 2).unwrap();
    });
}

fn write_noise(index: &std::path::Path) {
    each_file(index, &|path| {
        let length = path.metadata().unwrap().len().min(4096) as usize;
        std::fs::write(path, vec![0xA5; length]).unwrap();
    });
}

/// But for what says how far the index has come.
fn each_file(folder: &std::path::Path, damage: &dyn Fn(&std::path::Path)) {
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => each_file(&entry.path(), damage),
            false if entry.file_name() == "made.json" => {}
            false => damage(&entry.path()),
        }
    }
}

#[test]
fn a_library_that_is_none_is_said_to_be() {
    let place = tempfile::tempdir().unwrap();
    let error = Library::open(place.path()).err().expect("no library");
    assert!(error.to_string().contains("`dojo rag add PATH` makes one"), "{error}");
    std::fs::write(place.path().join("library.db"), "this is no database, and never was one").unwrap();
    let error = Library::open(place.path()).err().expect("no library");
    assert!(format!("{error:#}").contains("library.db"), "{error:#}");
}
