//! One process trains in a run folder. The system lets go of the lock when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::time::Duration;

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
        for _ in 0..TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                // Somebody may only be looking whether it is held.
                Err(TryLockError::WouldBlock) => std::thread::park_timeout(PAUSE),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("lock {}", path.display()));
                }
            }
        }
        bail!("another process is training in {}", folder.path().display())
    }
}

const TRIES: usize = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// Whether a process trains in the folder, suspended or not; `None` where that can't be told.
pub(in crate::app) fn is_held(folder: &RunFolder) -> Option<bool> {
    let file = match File::open(folder.lock()) {
        Ok(file) => file,
        Err(error) => return (error.kind() == ErrorKind::NotFound).then_some(false),
    };
    match file.try_lock_shared() {
        Ok(()) => Some(false),
        Err(TryLockError::WouldBlock) => Some(true),
        Err(TryLockError::Error(_)) => None,
    }
}
