//! `kill -9` while documents are added.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dojo_studio::rag::database::LibraryDatabase;
use serde_json::Value;

use crate::engine::embed::write_tiny_bert;

const FILES: usize = 120;

/// A folder of letters' words that the tiny model reads, and a library beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        write_tiny_bert(&place.path("model"));
        std::fs::create_dir(place.path("files")).unwrap();
        for file in 0..FILES {
            let word = |n: usize| char::from(b'a' + (n % 26) as u8).to_string();
            let paragraph = |n: usize| {
                let words: Vec<String> =
                    (0..7).map(|place| word(n * 7 + place * (file + 1) + n / 3)).collect();
                format!("{}.", words.join(" "))
            };
            let text: Vec<String> = (0..6).map(|n| paragraph(file * 6 + n)).collect();
            std::fs::write(place.path(&format!("files/{file:03}.txt")), text.join("\n\n")).unwrap();
        }
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn dojo(&self, arguments: &[&str], library: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dojo"));
        command.env("DOJO_HOME", self.folder.path()).arg("rag").args(arguments);
        command.arg("--library").arg(self.path(library)).arg("--json");
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn add(&self, library: &str) -> Command {
        let (files, model) = (self.path("files"), self.path("model"));
        self.dojo(&["add", &files.display().to_string(), "--model", &model.display().to_string()], library)
    }

    /// What a command says.
    fn said(&self, arguments: &[&str], library: &str) -> Value {
        let output = self.dojo(arguments, library).stdout(Stdio::piped()).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

/// Chunks of each document, by source.
fn chunks(library: &Path) -> BTreeMap<String, u64> {
    let Ok(database) = LibraryDatabase::open(library) else { return BTreeMap::new() };
    database.document_rows().unwrap().into_iter().map(|row| (row.source, row.chunks)).collect()
}

fn embeddings(library: &Path) -> u64 {
    LibraryDatabase::open(library).map_or(0, |database| database.counts().unwrap().embeddings)
}

fn kill_when(mut child: Child, mut so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !so() && child.try_wait().unwrap().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(120), "the process neither ends nor gets there");
        std::thread::yield_now();
    }
    let ended = child.try_wait().unwrap().is_some();
    child.kill().ok();
    child.wait().unwrap();
    !ended
}

#[test]
fn adding_that_is_killed_again_and_again_ends_with_every_document_whole() {
    let place = Place::new();
    assert!(place.add("whole").status().unwrap().success());
    let expected = chunks(&place.path("whole"));
    assert_eq!(expected.len(), FILES);
    let library = place.path("killed");
    let mut killed = 0;
    for round in 0..50 {
        let (before, kept) = (chunks(&library).len(), embeddings(&library));
        let child = place.add("killed").spawn().unwrap();
        killed += usize::from(match round % 3 {
            0 => kill_when(child, || embeddings(&library) > kept),
            1 => kill_when(child, || chunks(&library).len() > before),
            _ => kill_when(child, || library.join("index/segments").exists()),
        });
        let database = rusqlite::Connection::open(library.join("library.db")).unwrap();
        let verdict: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(verdict, "ok");
        for (source, count) in chunks(&library) {
            assert_eq!(Some(&count), expected.get(&source), "{source} is not whole");
        }
        // A search makes what the index lacks, whatever state it was left in.
        let found = place.said(&["search", "a b c", "--mode", "bm25"], "killed");
        assert_eq!(found["passages"].as_array().unwrap().is_empty(), chunks(&library).is_empty());
        if chunks(&library).len() == FILES && round % 3 == 2 {
            // The way from the database to the index again.
            std::fs::remove_dir_all(library.join("index")).unwrap();
        }
    }
    assert!(killed >= 10, "only {killed} of 50 were killed while they worked");
    assert!(place.add("killed").status().unwrap().success());
    assert_eq!(chunks(&library), expected);
    assert_eq!(embeddings(&library), embeddings(&place.path("whole")));
    let words = ["search", "a b c d", "--mode", "hybrid"];
    let (resumed, whole) = (place.said(&words, "killed"), place.said(&words, "whole"));
    let sources = |found: &Value| -> Vec<String> {
        let passages = found["passages"].as_array().unwrap();
        passages.iter().map(|passage| passage["source"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(sources(&resumed), sources(&whole));
}
