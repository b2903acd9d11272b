//! Writing files so that a crash or a full disk never leaves half of one.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

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

/// A temporary name in the same folder, this process's own.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.partial", std::process::id()))
}
