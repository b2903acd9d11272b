//! Folders watched for what is written and removed in them. Looks when it is told to; reads no file, and knows no clock.
//!
//! It asks the file system again and again instead of being told: that works on every file system, network drives among
//! them, and without limits on how much may be watched.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::database::{ExcludedPaths, LibraryRoot};
use super::load;

/// Files and folders that are watched.
pub struct FolderWatch {
    roots: Vec<LibraryRoot>,
    /// The disk that each root was on.
    disks: BTreeMap<String, u64>,
    /// As the library has them, and as they were when they were last looked at.
    known: BTreeMap<PathBuf, FileStamp>,
    last: BTreeMap<PathBuf, FileStamp>,
}

/// What is another after a file was written or replaced.
type FileStamp = [i64; 7];

/// What has changed and has settled: nobody wrote it between two looks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WatchedChanges {
    /// Each with the root that it is under.
    pub written: Vec<(PathBuf, LibraryRoot)>,
    pub gone: Vec<PathBuf>,
}

impl WatchedChanges {
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.written.is_empty() && self.gone.is_empty()
    }
}

impl FolderWatch {
    /// Begins: whatever is written from now on is a change.
    #[must_use]
    pub fn begin(roots: Vec<LibraryRoot>) -> Self {
        let known = stamps(&roots, &BTreeMap::new());
        let disks = roots.iter().filter_map(|root| Some((root.path.clone(), disk(&root.path)?)));
        Self { disks: disks.collect(), roots, last: known.clone(), known }
    }

    #[must_use]
    pub fn roots(&self) -> &[LibraryRoot] {
        &self.roots
    }

    /// Looks at all files; what differs from what is known, and is the same as at the look before, is given once.
    pub fn look(&mut self, excluded: &ExcludedPaths) -> WatchedChanges {
        let now = stamps(&self.roots, &self.last);
        let mut changes = WatchedChanges::default();
        for (path, stamp) in &now {
            let settled = self.last.get(path) == Some(stamp) && self.known.get(path) != Some(stamp);
            if settled && !excluded.holds(path) {
                changes.written.extend(self.root_of(path).map(|root| (path.clone(), root.clone())));
            }
            if settled {
                self.known.insert(path.clone(), *stamp);
            }
        }
        let is_gone = |path: &&PathBuf| !now.contains_key(*path) && !self.last.contains_key(*path);
        // A folder that is gone as a whole may be a drive that comes back.
        let is_there = |path: &&PathBuf| {
            let root = self.root_of(path).map(|root| &root.path);
            root.is_some_and(|root| disk(root).is_some_and(|now| self.disks.get(root) == Some(&now)))
        };
        changes.gone = self
            .known
            .keys()
            .filter(is_gone)
            .filter(|path| self.is_file_root(path) || is_there(path))
            .cloned()
            .collect();
        for gone in &changes.gone {
            self.known.remove(gone);
        }
        self.last = now;
        changes
    }

    /// Changes that couldn't be brought in are given again.
    pub fn give_again(&mut self, changes: &WatchedChanges) {
        let all = changes.written.iter().map(|(path, _)| path).chain(&changes.gone);
        self.known.extend(all.map(|path| (path.clone(), FileStamp::default())));
    }

    /// The innermost root that a path is under.
    fn root_of(&self, path: &Path) -> Option<&LibraryRoot> {
        let over = self.roots.iter().filter(|root| path.starts_with(&root.path));
        over.max_by_key(|root| root.path.len())
    }

    fn is_file_root(&self, path: &Path) -> bool {
        self.root_of(path).is_some_and(|root| Path::new(&root.path) == path)
    }
}

/// The disk that a path is on; nothing if it isn't there.
fn disk(path: &str) -> Option<u64> {
    Some(Path::new(path).metadata().ok()?.dev())
}

/// All files as they are now; those of a folder that can't be looked at are taken to be as they were.
fn stamps(roots: &[LibraryRoot], before: &BTreeMap<PathBuf, FileStamp>) -> BTreeMap<PathBuf, FileStamp> {
    let mut stamps = BTreeMap::new();
    for root in roots {
        let path = PathBuf::from(&root.path);
        if !path.is_dir() {
            stamps.extend(stamp(&path).map(|stamp| (path, stamp)));
            continue;
        }
        if let Ok(found) = load::files_under(&path) {
            let of = |file: PathBuf| stamp(&file).map(|stamp| (file, stamp));
            stamps.extend(found.files.into_iter().filter_map(of));
        } else {
            let under = before.iter().filter(|(file, _)| file.starts_with(&path));
            stamps.extend(under.map(|(file, stamp)| (file.clone(), *stamp)));
        }
    }
    stamps
}

fn stamp(file: &Path) -> Option<FileStamp> {
    Some(load::moment(&file.metadata().ok()?))
}
