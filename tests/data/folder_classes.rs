//! Texts that are sorted into folders have the folders' names as labels.

use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::domain::recipe::OnMalformed;
use tempfile::TempDir;

use super::world::write;

/// The labels and splits of an import of these files, and what it notes.
fn read(names: &[&str], map: &[&str]) -> (Vec<(String, String)>, Vec<String>) {
    let folder = TempDir::new().expect("a folder");
    for name in names {
        let text: &[u8] = if name.ends_with(".txt") { b"A film." } else { b"{\"text\":\"A film.\"}" };
        write(&folder, &format!("films/{name}"), text);
    }
    let map = map.iter().map(|told| (*told).to_owned()).collect();
    let options = ImportOptions { map, ..ImportOptions::default() };
    let read = read_all(&folder.path().join("films"), &options, OnMalformed::Fail).expect("read");
    let of = |part: Option<String>| part.unwrap_or_default();
    let labels = read.records.into_iter().map(|record| (of(record.label), of(record.split))).collect();
    let notes = read.notes.into_iter().filter(|note| note.contains("label")).collect();
    (labels, notes)
}

const SORTED: [&str; 9] = [
    "test/neg/1.txt",
    "test/neg/2.txt",
    "test/pos/1.txt",
    "test/pos/2.txt",
    "train/neg/1.txt",
    "train/neg/2.txt",
    "train/notes.txt",
    "train/pos/1.txt",
    "train/pos/2.txt",
];

#[test]
fn a_text_has_its_folders_name_as_its_label_and_that_is_told() {
    let (labels, notes) = read(&SORTED, &[]);
    let expected = [
        ("neg", "test"),
        ("neg", "test"),
        ("pos", "test"),
        ("pos", "test"),
        ("neg", "train"),
        ("neg", "train"),
        ("", "train"),
        ("pos", "train"),
        ("pos", "train"),
    ];
    assert_eq!(labels, expected.map(|(label, split)| (label.to_owned(), split.to_owned())));
    assert_eq!(
        notes,
        [
            "the label of a text is its folder's name (\"neg\", \"pos\"), which plays no part in what is learnt of a text; \
             --map label= leaves it out; 1 files in no such folder have none"
        ]
    );
    let (labels, notes) = read(&SORTED, &["label="]);
    assert!(labels.iter().all(|(label, _)| label.is_empty()), "{labels:?}");
    assert_eq!(notes, [""; 0]);
}

#[test]
fn folders_that_are_no_classes_give_no_label() {
    for names in [
        &["a/1.txt", "b/1.txt"][..],
        &["a/1.txt", "a/2.txt"],
        &["train/1.txt", "train/2.txt", "test/1.txt", "test/2.txt"],
        &["pos/1.jsonl", "pos/2.jsonl", "neg/1.jsonl", "neg/2.jsonl"],
    ] {
        let (labels, notes) = read(names, &[]);
        assert!(labels.iter().all(|(label, _)| label.is_empty()), "{names:?}: {labels:?}");
        assert_eq!(notes, [""; 0], "{names:?}");
    }
}
