//! A running studio that has a session open: it holds a lock beside the database, which the system lets go of when the
//! process ends, however it ends. Whether the window that wrote a draft is still there is told by it.

use std::fs::{File, OpenOptions, TryLockError};
use std::hash::BuildHasher;
use std::path::{Path, PathBuf};

/// Held for as long as the studio has to do with the session.
#[derive(Debug)]
pub struct Window {
    id: String,
    /// The open file is the lock; none where the folder can't be written.
    lock: Option<(PathBuf, File)>,
}

impl Window {
    /// A new one, under a name that no other has. What windows that are gone left behind is swept away.
    #[must_use]
    pub fn open(folder: &Path) -> Self {
        let id = format!("{:016x}", std::hash::RandomState::new().hash_one(std::process::id()));
        sweep(folder);
        let untold = |error: &std::io::Error| {
            let folder = folder.display();
            tracing::warn!("no other window is told that this one has {folder} open: {}", error.kind());
        };
        let lock = take(folder, &id).inspect_err(untold).ok();
        Self { id, lock }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.lock {
            let removed = std::fs::remove_file(path);
            tracing::trace!(?removed, "window");
        }
    }
}

const BEFORE: &str = "window-";
const AFTER: &str = ".lock";

fn file(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("{BEFORE}{id}{AFTER}"))
}

/// Nobody ever finds the file without its lock: it has another name before it is locked.
fn take(folder: &Path, id: &str) -> std::io::Result<(PathBuf, File)> {
    let (path, beside) = (file(folder, id), folder.join(format!("{BEFORE}{id}.part")));
    let file = OpenOptions::new().write(true).create_new(true).open(&beside)?;
    let locked = file.try_lock().map_err(std::io::Error::from).and_then(|()| std::fs::rename(&beside, &path));
    if locked.is_err() {
        std::fs::remove_file(&beside)?;
    }
    locked.map(|()| (path, file))
}

/// Whether the window of this name is open.
pub(super) fn is_open(folder: &Path, id: &str) -> bool {
    !id.is_empty() && is_locked(&file(folder, id))
}

/// The windows that have the session open, in whatever process, by their names.
#[must_use]
pub fn open_windows(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let locked = entries.filter_map(|entry| {
        let name = entry.file_name();
        let id = name.to_str()?.strip_prefix(BEFORE)?.strip_suffix(AFTER)?;
        is_locked(&entry.path()).then(|| id.to_owned())
    });
    locked.collect()
}

fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with(BEFORE) && name.ends_with(AFTER) && !is_locked(&entry.path()) {
            let removed = std::fs::remove_file(entry.path());
            tracing::trace!(?removed, "window");
        }
    }
}
