//! Where an export is put: built beside its place under another name, and moved there whole.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::disk;
use dojo_core::ground::files::remove_if_there;
use dojo_core::ground::folders::{partial_folder, recover_folder, replace_folder};

/// What happens if something is in the place already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IfThere {
    Refuse,
    Replace,
}

/// Bytes that an export leaves free.
const RESERVE: u64 = 64 << 20;

/// A folder that isn't in its place yet. Dropping it before that removes what was written.
pub(super) struct StagedFolder {
    stage: PathBuf,
    place: PathBuf,
}

impl StagedFolder {
    /// # Errors
    /// If something is in the place that isn't to be replaced, nothing can be written there, or the disk lacks room.
    pub(super) fn create(place: &Path, if_there: IfThere, bytes: u64) -> Result<Self> {
        let place = std::path::absolute(place).with_context(|| format!("find {}", place.display()))?;
        ensure!(place.file_name().is_some(), "{} is no name for a folder", place.display());
        check(&place, if_there)?;
        let parent = place.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
        recover_folder(&place).with_context(|| format!("clear what is left beside {}", place.display()))?;
        if let Some(free) = disk::free(parent) {
            let gigabytes = |bytes: u64| bytes as f64 / 1e9;
            ensure!(
                bytes.saturating_add(RESERVE) <= free,
                "it takes {:.2} GB, and the disk of {} has {:.2} GB free: make room, or choose fewer bits",
                gigabytes(bytes),
                parent.display(),
                gigabytes(free)
            );
        }
        let stage = partial_folder(&place);
        std::fs::create_dir(&stage).with_context(|| format!("create {}", stage.display()))?;
        Ok(Self { stage, place })
    }

    pub(super) fn path(&self) -> &Path {
        &self.stage
    }

    /// Puts it in its place.
    ///
    /// # Errors
    /// If it can't be renamed.
    pub(super) fn finish(self, if_there: IfThere) -> Result<PathBuf> {
        // Something may have come there meanwhile.
        check(&self.place, if_there)?;
        replace_folder(&self.stage, &self.place)?;
        Ok(self.place.clone())
    }
}

impl Drop for StagedFolder {
    fn drop(&mut self) {
        // After `finish` it has moved; then there is nothing to remove.
        if let Err(error) = remove_if_there(&self.stage) {
            tracing::warn!("{error:#}");
        }
    }
}

/// Only an export is ever replaced: another folder may hold what nobody can make again.
fn check(place: &Path, if_there: IfThere) -> Result<()> {
    let Ok(found) = std::fs::symlink_metadata(place) else { return Ok(()) };
    let shown = place.display();
    if if_there == IfThere::Refuse {
        bail!("{shown} is there already: choose another name, or say that it may be replaced (--replace)");
    }
    ensure!(found.is_dir(), "{shown} is no folder, so it isn't replaced: choose another name");
    let is_empty = std::fs::read_dir(place).is_ok_and(|mut entries| entries.next().is_none());
    ensure!(
        is_empty || place.join(super::NOTE).is_file(),
        "{shown} holds no {}, so it isn't an export of Dojo's and isn't replaced: choose another name",
        super::NOTE
    );
    Ok(())
}
