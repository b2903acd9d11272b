//! Where an export is written.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::ground::files::{Readers, WholeFile, partial_beside, remove_partial_files};

/// A file that appears whole or not at all. Behind a link, the file that it leads to is the one that is written.
///
/// # Errors
/// Where nothing can be written there, or something else than a file is there.
pub(super) fn create(path: &Path) -> Result<WholeFile> {
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    ensure!(
        !path.exists() || path.is_file(),
        "{} is there and is no file; give the export another name",
        path.display()
    );
    remove_partial_files(folder_of(&path));
    WholeFile::create(&path, Readers::Anybody).with_context(|| format!("write {}", path.display()))
}

/// Puts what was written in its place.
///
/// # Errors
/// Where the disk is full or the folder can't be written.
pub(super) fn finish(file: WholeFile) -> Result<()> {
    let context = format!("write {}", file.path().display());
    file.finish().context(context)
}

/// A name in the same folder that nobody else uses. What killed processes left there is removed.
pub(super) fn beside(path: &Path) -> PathBuf {
    remove_partial_files(folder_of(path));
    partial_beside(path)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
