//! Files and folders kept in a library: what is unchanged is passed over, what changed is replaced, what is gone is
//! taken out.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use anyhow::{Context, Result};
use serde::Serialize;

use super::add::Adder;
use super::database::{DocumentSource, LibraryRoot, StoredDocument, text_hash};
use super::load;
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
    /// Files that couldn't be read, or aren't of a kind that words are read from.
    pub unread: u64,
    /// Each with its reason, the first thousand of them.
    pub reasons: Vec<(String, String)>,
    /// Whether it was stopped before the end.
    pub stopped: bool,
}

impl FilesReport {
    fn leave_out(&mut self, path: &Path, reason: String) {
        self.unread += 1;
        if self.reasons.len() < REASONS {
            self.reasons.push((path.display().to_string(), reason));
        }
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
    let path = PathBuf::from(&root.path);
    if !path.exists() {
        // What was there is gone.
        for document in adder.under(&root.path)? {
            report.removed += u64::from(adder.remove(&document.from.source)?);
        }
        return Ok(());
    }
    let files = if path.is_dir() {
        let found = load::files_under(&path)?;
        found.unread.iter().for_each(|unread| report.leave_out(&unread.path, unread.reason.clone()));
        found.files
    } else {
        vec![path.clone()]
    };
    let mut seen = HashSet::new();
    for file in files {
        let source = file.to_string_lossy().into_owned();
        seen.insert(source.clone());
        if !add_file(adder, &file, source, root, report)? {
            report.stopped = true;
            return Ok(());
        }
    }
    for gone in adder.under(&root.path)? {
        if !seen.contains(&gone.from.source) {
            report.removed += u64::from(adder.remove(&gone.from.source)?);
        }
    }
    Ok(())
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
            report.leave_out(file, format!("{error:#}"));
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
                    report.leave_out(file, format!("{error:#}"));
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
fn says(known: &StoredDocument, root: &LibraryRoot) -> bool {
    known.context == root.context && root.tags.iter().all(|tag| known.facts.tags.contains(tag))
}

fn add_tags(read: &mut SourceDocument, root: &LibraryRoot) {
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
    let same = known.is_some_and(|known| {
        modified != 0 && known.from.modified == modified && known.from.bytes == metadata.len()
    });
    if same {
        return Ok(FileState::Same);
    }
    let bytes = load::bytes_of(file)?;
    let from = DocumentSource { source, hash: text_hash(&bytes), bytes: bytes.len() as u64, modified };
    if known.is_some_and(|known| known.from.hash == from.hash) {
        return Ok(FileState::Touched(from));
    }
    Ok(FileState::New(from, bytes))
}
