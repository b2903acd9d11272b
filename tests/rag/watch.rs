//! Folders that are watched: what has settled is given once, what is still written waits.

use std::path::{Path, PathBuf};

use dojo_studio::rag::database::{ExcludedPaths, LibraryRoot};
use dojo_studio::rag::watch::{FolderWatch, WatchedChanges};

struct World {
    folder: tempfile::TempDir,
    watch: FolderWatch,
}

impl World {
    fn with(files: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            std::fs::write(folder.path().join(file), "words").unwrap();
        }
        let root =
            LibraryRoot { path: folder.path().to_string_lossy().into_owned(), ..LibraryRoot::default() };
        Self { watch: FolderWatch::begin(vec![root]), folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path(name), text).unwrap();
    }

    /// What a look gives: names written and names gone.
    fn look(&mut self) -> (Vec<String>, Vec<String>) {
        let WatchedChanges { written, gone } = self.watch.look(&ExcludedPaths::default());
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        (written.iter().map(|(path, _)| name(path)).collect(), gone.iter().map(|path| name(path)).collect())
    }
}

fn nothing() -> (Vec<String>, Vec<String>) {
    (Vec::new(), Vec::new())
}

fn written(names: &[&str]) -> (Vec<String>, Vec<String>) {
    (names.iter().map(|name| (*name).to_owned()).collect(), Vec::new())
}

#[test]
fn a_file_that_is_written_is_given_once_it_stays_the_same() {
    let mut world = World::with(&["old.md"]);
    assert_eq!(world.look(), nothing());
    world.write("new.md", "a");
    assert_eq!(world.look(), nothing(), "it may be growing");
    world.write("new.md", "a and more");
    assert_eq!(world.look(), nothing(), "it has grown");
    assert_eq!(world.look(), written(&["new.md"]));
    assert_eq!(world.look(), nothing());
    world.write("old.md", "other words");
    world.look();
    assert_eq!(world.look(), written(&["old.md"]));
}

#[test]
fn a_file_that_is_gone_for_two_looks_is_gone_and_one_that_was_replaced_is_written() {
    let mut world = World::with(&["a.md", "b.md"]);
    std::fs::remove_file(world.path("a.md")).unwrap();
    assert_eq!(world.look(), nothing(), "an editor may be replacing it");
    world.write("a.md", "replaced");
    assert_eq!(world.look(), nothing());
    assert_eq!(world.look(), written(&["a.md"]));
    std::fs::remove_file(world.path("b.md")).unwrap();
    world.look();
    assert_eq!(world.look(), (Vec::new(), vec!["b.md".to_owned()]));
    assert_eq!(world.look(), nothing());
}

#[test]
fn a_folder_that_is_gone_as_a_whole_takes_nothing_out() {
    let mut world = World::with(&["a.md"]);
    let (here, away) = (world.folder.path().to_path_buf(), world.folder.path().with_extension("away"));
    std::fs::rename(&here, &away).unwrap();
    assert_eq!((world.look(), world.look(), world.look()), (nothing(), nothing(), nothing()));
    std::fs::rename(&away, &here).unwrap();
    assert_eq!((world.look(), world.look()), (nothing(), nothing()));
}
