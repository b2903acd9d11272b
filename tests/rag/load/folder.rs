//! Which files of a folder are read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use dojo_studio::rag::load::{files_under, read};

fn world() -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for folder in ["notes/deep", "notes/target", "away"] {
        fs::create_dir_all(home.path().join(folder)).unwrap();
    }
    for (name, text) in [
        ("notes/owls.md", "Owls."),
        ("notes/deep/mice.txt", "Mice."),
        ("notes/deep/notes", "No ending."),
        ("notes/.hidden.md", "Hidden."),
        ("notes/.gitignore", "target/\n*.log\n"),
        ("notes/target/built.md", "Built."),
        ("notes/run.log", "Log."),
        ("notes/owl.png", "not really"),
        ("away/secret.md", "Secret."),
    ] {
        fs::write(home.path().join(name), text).unwrap();
    }
    home
}

fn names(root: &Path, paths: impl Iterator<Item = std::path::PathBuf>) -> Vec<String> {
    paths.map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect()
}

#[test]
fn what_gitignore_names_is_left_out_and_links_are_not_followed() {
    let home = world();
    let notes = home.path().join("notes");
    symlink(home.path().join("away"), notes.join("linked")).unwrap();
    symlink(home.path().join("away/secret.md"), notes.join("linked.md")).unwrap();
    symlink(notes.join("owls.md"), notes.join("again.md")).unwrap();
    symlink(&notes, notes.join("deep/round")).unwrap();
    let found = files_under(&notes).unwrap();
    assert_eq!(names(&notes, found.files.into_iter()), ["deep/mice.txt", "deep/notes", "owls.md"]);
    let unread: Vec<(String, String)> = found
        .unread
        .into_iter()
        .map(|file| (names(&notes, std::iter::once(file.path)).remove(0), file.reason))
        .collect();
    let link = "it is a link that leaves the folder or leads nowhere";
    let wanted = [("linked", link), ("linked.md", link), ("owl.png", "no words are read from .png files")];
    assert_eq!(unread, wanted.map(|(name, reason)| (name.to_owned(), reason.to_owned())));
}

#[test]
fn a_folder_that_is_a_link_itself_is_read_since_a_person_named_it() {
    let home = world();
    let link = home.path().join("link");
    symlink(home.path().join("notes"), &link).unwrap();
    assert_eq!(names(&link, files_under(&link).unwrap().files.into_iter()).len(), 3);
}

#[test]
fn what_is_no_file_is_said_and_the_rest_goes_on() {
    let home = world();
    let notes = home.path().join("notes");
    let _socket = std::os::unix::net::UnixListener::bind(notes.join("socket.md")).unwrap();
    let found = files_under(&notes).unwrap();
    assert_eq!(found.files.len(), 3);
    assert!(found.unread.iter().any(|file| file.reason == "it is no file"), "{:?}", found.unread);
    let told = format!("{:#}", read(&notes.join("socket.md")).unwrap_err());
    assert!(told.contains("it is a socket, and only files are read"), "{told}");
    assert!(files_under(&notes.join("owls.md")).is_err());
}

#[test]
fn a_file_that_changes_while_it_is_read_is_whole_or_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("log.txt");
    let text = |letter: &str| format!("{letter}\n").repeat(2_000_000);
    fs::write(&path, text("a")).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for letter in ["b", "c"].iter().cycle() {
                if done.load(std::sync::atomic::Ordering::Relaxed) {
                    return;
                }
                fs::write(&path, text(letter)).unwrap();
            }
        });
        for _ in 0..5 {
            match read(&path) {
                Ok(document) => {
                    let text = &document.blocks[0].text;
                    assert!(text.bytes().all(|byte| byte == text.as_bytes()[0] || byte == b'\n'));
                }
                Err(error) => {
                    let told = format!("{error:#}");
                    assert!(
                        told.contains("it changed while it was read") || told.contains("no text"),
                        "{told}"
                    );
                }
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
