//! Replacing and removing folders so that a crash never leaves half of one under its own name.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::files::{PARTIAL, flush_folder, remove_if_there};

/// Ends of the names of what is replaced, or being removed.
const REPLACED: &str = "old";
const REMOVED: &str = "gone";

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
