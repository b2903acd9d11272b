//! Files and folders on a disk that is written, moved and away.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use dojo_studio::rag::add::{Adder, ChunkCut};
use dojo_studio::rag::database::LibraryRoot;
use dojo_studio::rag::files::{FilesReport, add_path};

use super::world::{Patient, World};

struct Disk {
    place: tempfile::TempDir,
    world: World,
}

impl Disk {
    /// A library, and a folder `notes` beside others.
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir_all(place.path().join("notes")).unwrap();
        fs::write(place.path().join("other.txt"), "Other.").unwrap();
        Self { place, world: World::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn add(&mut self, name: &str) -> FilesReport {
        self.add_as(LibraryRoot { path: self.path(name).display().to_string(), ..LibraryRoot::default() })
    }

    fn add_as(&mut self, root: LibraryRoot) -> FilesReport {
        self.world.library.remember(&root).unwrap();
        let (mut host, mut report) = (Patient(usize::MAX), FilesReport::default());
        let mut adder = Adder::new(&mut self.world.library, None, ChunkCut::Whole, &mut host).unwrap();
        add_path(&mut adder, &root, &mut report).unwrap();
        adder.finish().unwrap();
        report
    }

    fn names(&self) -> Vec<String> {
        let rows = self.world.library.database().document_rows().unwrap();
        let name = |source: &str| Path::new(source).file_name().unwrap().to_str().unwrap().to_owned();
        rows.iter().map(|row| name(&row.source)).collect()
    }
}

fn counts(report: &FilesReport) -> [u64; 5] {
    [report.added, report.changed, report.unchanged, report.removed, report.unread]
}

#[test]
fn a_folder_that_is_away_or_empty_takes_nothing_out_of_the_library() {
    let mut disk = Disk::new();
    disk.write("notes/a.md", "Salmon swim.");
    disk.write("notes/b.md", "Granite is a rock.");
    assert_eq!(counts(&disk.add("notes")), [2, 0, 0, 0, 0]);
    fs::rename(disk.path("notes"), disk.path("away")).unwrap();
    let report = disk.add("notes");
    assert_eq!(counts(&report), [0, 0, 0, 0, 1]);
    assert!(report.reasons[0].1.contains("it isn't there now"), "{:?}", report.reasons);
    // Where a disk was mounted is an empty folder.
    fs::create_dir(disk.path("notes")).unwrap();
    let report = disk.add("notes");
    assert!(report.reasons[0].1.contains("it is empty now"), "{:?}", report.reasons);
    assert_eq!(disk.names(), ["a.md", "b.md"]);
    fs::remove_dir(disk.path("notes")).unwrap();
    fs::rename(disk.path("away"), disk.path("notes")).unwrap();
    assert_eq!(counts(&disk.add("notes")), [0, 0, 2, 0, 0]);
    // A file of a folder that is there is gone for good.
    fs::remove_file(disk.path("notes/a.md")).unwrap();
    assert_eq!(counts(&disk.add("notes")), [0, 0, 1, 1, 0]);
    assert_eq!(disk.names(), ["b.md"]);
}

#[test]
fn a_file_that_was_added_by_its_name_and_removed_is_taken_out() {
    let mut disk = Disk::new();
    disk.write("notes/a.md", "Salmon swim.");
    disk.write("notes/b.md", "Granite is a rock.");
    disk.add("notes/a.md");
    fs::remove_file(disk.path("notes/a.md")).unwrap();
    assert_eq!(counts(&disk.add("notes/a.md")), [0, 0, 0, 1, 0]);
    assert_eq!(disk.names(), Vec::<String>::new());
}

#[test]
fn an_edit_that_leaves_size_and_time_as_they_were_is_noticed() {
    let mut disk = Disk::new();
    disk.write("notes/a.md", "Salmon swim.");
    let then = SystemTime::now() - Duration::from_secs(3600);
    let set = |disk: &Disk| {
        File::options().write(true).open(disk.path("notes/a.md")).unwrap().set_modified(then).unwrap();
    };
    set(&disk);
    assert_eq!(counts(&disk.add("notes")), [1, 0, 0, 0, 0]);
    assert_eq!(counts(&disk.add("notes")), [0, 0, 1, 0, 0]);
    disk.write("notes/a.md", "Salmon spawn");
    set(&disk);
    assert_eq!(counts(&disk.add("notes")), [0, 1, 0, 0, 0]);
    // Only its entry has changed.
    set(&disk);
    assert_eq!(counts(&disk.add("notes")), [0, 0, 1, 0, 0]);
}

#[test]
fn what_is_said_anew_of_unchanged_files_reaches_them() {
    let mut disk = Disk::new();
    disk.write("notes/a.md", "Salmon swim.");
    disk.add("notes");
    let path = disk.path("notes").display().to_string();
    let said = LibraryRoot {
        path,
        context: Some("field notes".to_owned()),
        tags: vec!["fish".to_owned()],
        ..LibraryRoot::default()
    };
    assert_eq!(counts(&disk.add_as(said.clone())), [0, 1, 0, 0, 0]);
    let row = disk.world.library.database().document_rows().unwrap().remove(0);
    assert_eq!((row.context.as_deref(), row.tags), (Some("field notes"), vec!["fish".to_owned()]));
    assert_eq!(counts(&disk.add_as(said)), [0, 0, 1, 0, 0]);
}
