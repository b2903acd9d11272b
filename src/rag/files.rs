//! Files and folders kept in a library: what is unchanged is passed over, what changed is replaced, what is gone is
//! taken out.

use std::collections::HashSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use serde::Serialize;

use super::add::Adder;
use super::database::{DocumentSource, LibraryRoot, StoredDocument, text_hash};
use super::load;
use super::watch::WatchedChanges;
use crate::domain::counted::counted;
use crate::domain::library::SourceDocument;

/// Reasons that are kept at most; the count goes on.
const REASONS: usize = 1000;

/// What became of the files.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct FilesReport {
    pub added: u64,
    pub changed: u64,
    pub unchanged: u64,
    pub removed: u64,
    /// Files that were taken out before, and stay out.
    pub excluded: u64,
    /// Files that couldn't be read, or aren't of a kind that words are read from.
    pub unread: u64,
    /// Each with its reason, the first thousand of them.
    pub reasons: Vec<(String, String)>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

impl FilesReport {
    /// Reports what couldn't be read.
    pub fn leave_out(&mut self, source: &str, reason: String) {
        self.unread += 1;
        if self.reasons.len() < REASONS {
            self.reasons.push((source.to_owned(), reason));
        }
    }

    fn leave_out_file(&mut self, path: &Path, reason: String) {
        self.leave_out(&path.display().to_string(), reason);
    }

    /// What was done so far: added, changed, removed and left out.
    #[must_use]
    pub const fn done(&self) -> u64 {
        self.added + self.changed + self.removed + self.unread
    }
}

/// Whether a file is still the one that the library has.
enum FileState {
    Same,
    /// Its bytes are the same; its time isn't.
    Touched(DocumentSource),
    New(DocumentSource, Vec<u8>),
}

/// Brings a library to what is at a path: a file, or a folder with all under it.
///
/// # Errors
/// Where the library can't be written or a text not be embedded; a file that can't be read is only reported.
pub fn add_path(adder: &mut Adder<'_>, root: &LibraryRoot, report: &mut FilesReport) -> Result<()> {
    let Some(files) = files_at(adder, root, report)? else { return Ok(()) };
    let excluded = adder.excluded_paths()?;
    let roots = adder.roots()?;
    let mut seen = HashSet::new();
    for file in files {
        if excluded.holds(&file) {
            report.excluded += 1;
            continue;
        }
        let source = file.to_string_lossy().into_owned();
        seen.insert(source.clone());
        let goes_on = add_file(adder, &file, source, nearest(&roots, &file, root), report)?;
        adder.saw(file.metadata().map_or(0, |metadata| metadata.len()));
        if !goes_on {
            report.stopped = true;
            return Ok(());
        }
    }
    for gone in adder.under(&root.path)? {
        let source = Path::new(&gone.from.source);
        // A file or folder that was added by its own name is looked after by it.
        let own = |other: &LibraryRoot| {
            other.path.len() > root.path.len() && source.starts_with(&other.path) && source.exists()
        };
        if !seen.contains(&gone.from.source) && (!roots.iter().any(own) || excluded.holds(source)) {
            report.removed += u64::from(adder.remove(&gone.from.source)?);
        }
    }
    Ok(())
}

/// The files at a root. Nothing if there are none: a file of a folder that is there has been removed, and so is its
/// document; but a folder that is gone as a whole, or holds nothing, may be a disk that isn't mounted.
fn files_at(
    adder: &mut Adder<'_>,
    root: &LibraryRoot,
    report: &mut FilesReport,
) -> Result<Option<Vec<PathBuf>>> {
    let path = PathBuf::from(&root.path);
    if path.is_dir() {
        let found = load::files_under(&path)?;
        found.unread.iter().for_each(|unread| report.leave_out_file(&unread.path, unread.reason.clone()));
        if !found.files.is_empty() || !holds_nothing(&path) {
            return Ok(Some(found.files));
        }
    } else if path.exists() {
        return Ok(Some(vec![path]));
    }
    let known = adder.under(&root.path)?;
    let own = known.iter().find(|document| document.from.source == root.path);
    if let Some(file) = own
        && !path.exists()
        && path.parent().is_some_and(|folder| !holds_nothing(folder))
    {
        report.removed += u64::from(adder.remove(&file.from.source)?);
    } else if !known.is_empty() {
        let what = if path.exists() { "it is empty" } else { "it isn't there" };
        report.leave_out_file(
            &path,
            format!(
                "{what} now, as if its disk weren't mounted; {} of it stay in the library, until `dojo rag remove {}`",
                counted(known.len() as u64, "document"),
                path.display()
            ),
        );
    }
    Ok(None)
}

/// Whether a folder has no entry at all, or isn't there.
fn holds_nothing(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// Brings a library to what has changed in watched folders.
///
/// # Errors
/// As [`add_path`].
pub fn add_changes(adder: &mut Adder<'_>, changes: &WatchedChanges, report: &mut FilesReport) -> Result<()> {
    for gone in &changes.gone {
        report.removed += u64::from(adder.remove(&gone.to_string_lossy())?);
    }
    for (file, root) in &changes.written {
        if !add_file(adder, file, file.to_string_lossy().into_owned(), root, report)? {
            report.stopped = true;
            break;
        }
    }
    Ok(())
}

/// What is said of a file: of itself, else of the innermost folder that something is said of.
fn nearest<'r>(roots: &'r [LibraryRoot], file: &Path, asked: &'r LibraryRoot) -> &'r LibraryRoot {
    let around = roots.iter().filter(|root| file.starts_with(&root.path));
    around
        .max_by_key(|root| root.path.len())
        .filter(|root| root.path.len() > asked.path.len())
        .unwrap_or(asked)
}

/// False when the host wants to stop.
fn add_file(
    adder: &mut Adder<'_>,
    file: &Path,
    source: String,
    root: &LibraryRoot,
    report: &mut FilesReport,
) -> Result<bool> {
    let known = adder.known(&source)?;
    let said_anew = known.as_ref().is_some_and(|known| !says(known, root));
    let state = match state(file, source, known.as_ref().filter(|_| !said_anew)) {
        Ok(state) => state,
        Err(error) => {
            report.leave_out_file(file, format!("{error:#}"));
            return Ok(true);
        }
    };
    match state {
        FileState::Same => report.unchanged += 1,
        FileState::Touched(from) => {
            adder.touch(&from)?;
            report.unchanged += 1;
        }
        FileState::New(from, bytes) => {
            let mut read = match load::read_bytes(file, &bytes) {
                Ok(read) => read,
                Err(error) => {
                    // What the library has of an earlier state would be found as if it were still so.
                    report.removed += u64::from(adder.remove(&from.source)?);
                    report.leave_out_file(file, format!("{error:#}"));
                    return Ok(true);
                }
            };
            add_tags(&mut read, root);
            if known.is_some() {
                report.changed += 1;
            } else {
                report.added += 1;
            }
            return adder.offer(from, &read, root.context.as_deref());
        }
    }
    Ok(adder.goes_on())
}

/// Whether a document carries the context and the tags that its root gives.
#[must_use]
pub fn says(known: &StoredDocument, root: &LibraryRoot) -> bool {
    known.context == root.context && root.tags.iter().all(|tag| known.facts.tags.contains(tag))
}

/// Gives a document the tags that its root gives.
pub fn add_tags(read: &mut SourceDocument, root: &LibraryRoot) {
    for tag in &root.tags {
        if !read.facts.tags.contains(tag) {
            read.facts.tags.push(tag.clone());
        }
    }
}

fn state(file: &Path, source: String, known: Option<&StoredDocument>) -> Result<FileState> {
    let metadata = file.metadata().context("read it")?;
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let modified = modified.map_or(0, |since| since.as_millis() as i64);
    // A program may set the time back after it has written; this one moves whatever it does.
    let changed = metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
    let same = known.is_some_and(|known| {
        let from = &known.from;
        modified != 0 && (from.modified, from.changed, from.bytes) == (modified, changed, metadata.len())
    });
    if same {
        return Ok(FileState::Same);
    }
    let bytes = load::bytes_of(file)?;
    let from =
        DocumentSource { source, hash: text_hash(&bytes), bytes: bytes.len() as u64, modified, changed };
    if known.is_some_and(|known| known.from.hash == from.hash) {
        return Ok(FileState::Touched(from));
    }
    Ok(FileState::New(from, bytes))
}
