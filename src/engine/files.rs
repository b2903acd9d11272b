//! Writing and removing files so that a crash or a full disk never leaves half of one under its own name.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};

/// Ends of the names of what is not in its place: being built, replaced, or being removed.
const PARTIAL: &str = "partial";
const REPLACED: &str = "old";
const REMOVED: &str = "gone";

/// Writes a file to a temporary name beside it, flushes it to the disk, and renames it.
///
/// # Errors
/// Where the disk is full or the folder can't be written; the old file is then as it was.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let partial = beside(path);
    let written = write_flushed(&partial, bytes).and_then(|()| {
        fs::rename(&partial, path).with_context(|| format!("put {} in its place", path.display()))
    });
    if written.is_err() {
        let _ = fs::remove_file(&partial);
    }
    written
}

/// Writes a file and flushes it to the disk.
///
/// # Errors
/// Where the disk is full or the folder can't be written.
pub fn write_flushed(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path).with_context(|| format!("write {}", path.display()))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.with_context(|| format!("write {}", path.display()))
}

/// Flushes a folder's entries, so that a rename in it outlives a power cut.
///
/// # Errors
/// Where the folder can't be opened.
pub fn flush_folder(folder: &Path) -> Result<()> {
    let opened = File::open(folder).and_then(|folder| folder.sync_all());
    opened.with_context(|| format!("flush {}", folder.display()))
}

/// Puts a folder that was built beside it in its place. The one that stood there is set aside by a rename and removed
/// last, so that at every moment one of the two is whole on the disk.
///
/// # Errors
/// Where a folder can't be renamed or removed.
pub fn replace_folder(partial: &Path, place: &Path) -> Result<()> {
    let replaced = hidden(place, REPLACED);
    if place.exists() {
        remove_if_there(&replaced)?;
        rename(place, &replaced)?;
    }
    if let Err(error) = rename(partial, place) {
        // Back again: what failed is the new one.
        let _ = fs::rename(&replaced, place);
        return Err(error);
    }
    if let Some(parent) = place.parent() {
        flush_folder(parent)?;
    }
    remove_if_there(&replaced)
}

/// Finishes what a process that was killed in [`replace_folder`] or [`remove_folder`] had begun: a folder that was set
/// aside comes back where nothing has taken its place. What was half built is removed.
///
/// # Errors
/// Where a folder can't be renamed or removed.
pub fn recover_folder(place: &Path) -> Result<()> {
    let replaced = hidden(place, REPLACED);
    if replaced.exists() && !place.exists() {
        rename(&replaced, place)?;
    }
    [PARTIAL, REPLACED, REMOVED].iter().try_for_each(|end| remove_if_there(&hidden(place, end)))
}

/// Removes a folder that looked whole: it loses its name first, so that half of it is never taken for all.
///
/// # Errors
/// Where it can't be renamed or removed.
pub fn remove_folder(place: &Path) -> Result<()> {
    let removed = hidden(place, REMOVED);
    remove_if_there(&removed)?;
    rename(place, &removed)?;
    remove_if_there(&removed)
}

/// Removes a folder or a file, if there is one.
///
/// # Errors
/// Where it is there and can't be removed.
pub fn remove_if_there(path: &Path) -> Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(what) if what.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// What a killed process left of a folder's replacement or removal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leftover {
    /// It was being built, or was whole and not yet in its place.
    Partial,
    /// It was set aside for another.
    Replaced,
    /// It was being removed.
    Removed,
}

impl Leftover {
    /// The name of the folder whose leftover a name says it is: `.step-3.partial` is of `step-3`.
    #[must_use]
    pub fn of(name: &str) -> Option<(Self, &str)> {
        let (name, end) = name.strip_prefix('.')?.rsplit_once('.')?;
        let kind = match end {
            PARTIAL => Self::Partial,
            REPLACED => Self::Replaced,
            REMOVED => Self::Removed,
            _ => return None,
        };
        Some((kind, name))
    }
}

/// Where a folder is built before [`replace_folder`].
#[must_use]
pub fn partial_folder(place: &Path) -> PathBuf {
    hidden(place, PARTIAL)
}

fn hidden(place: &Path, end: &str) -> PathBuf {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    place.with_file_name(format!(".{name}.{end}"))
}

fn rename(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).with_context(|| format!("rename {} to {}", from.display(), to.display()))
}

/// Removes the partial files that [`write_atomically`] left in a folder when its process was killed. Those of a process
/// that lives, or of another machine, stay.
pub fn remove_partial_files(folder: &Path, is_alive: &dyn Fn(u32) -> bool) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let writer = writer(&name).filter(|&writer| writer != std::process::id());
        if writer.is_some_and(|writer| !is_alive(writer)) {
            // One that can't be removed harms nobody.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// The process of this machine whose partial file a name is: `.state.json.HOST.PROCESS-COUNT.partial`, and as earlier
/// versions wrote it `.state.json.PROCESS.partial`.
fn writer(name: &str) -> Option<u32> {
    let rest = name.strip_prefix('.')?.strip_suffix(PARTIAL)?.strip_suffix('.')?;
    let (before, process) = rest.rsplit_once('.')?;
    match process.split_once('-') {
        Some((process, _)) => before.ends_with(&format!(".{}", *HOST)).then(|| process.parse().ok())?,
        None => process.parse().ok(),
    }
}

/// This machine's name, as far as it fits a file's.
static HOST: LazyLock<String> = LazyLock::new(|| {
    let name = sysinfo::System::host_name().unwrap_or_default();
    name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect()
});

static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// A temporary name in the same folder, this writing's own.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (process, count) = (std::process::id(), WRITTEN.fetch_add(1, Ordering::Relaxed));
    path.with_file_name(format!(".{name}.{}.{process}-{count}.{PARTIAL}", *HOST))
}
