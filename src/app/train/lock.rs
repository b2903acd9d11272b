//! One process trains in a run folder. The system lets go of the lock when the process ends, however it ends.

use std::fs::{File, TryLockError};

use anyhow::{Context, Result, bail};

use crate::domain::run::RunFolder;

/// Held as long as the value lives.
pub(in crate::app) struct RunLock {
    _file: File,
}

impl RunLock {
    /// # Errors
    /// Where another process holds it.
    pub(in crate::app) fn take(folder: &RunFolder) -> Result<Self> {
        let path = folder.lock();
        let file = File::create(&path).with_context(|| format!("create {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => {
                bail!("another process is training in {}", folder.path().display())
            }
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", path.display())),
        }
    }
}
