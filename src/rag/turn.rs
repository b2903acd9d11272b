//! Whose turn it is at an index: one process has it at a time, and can tell whether another waits for it.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::session::{JobLock, SessionError};

/// Another process has the index for this long at most before we give up.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often it is looked for.
const LOOK: Duration = Duration::from_millis(5);

/// Held while a process has the index.
pub(super) struct IndexTurn {
    /// Locked by whoever waits.
    wanted: PathBuf,
    #[expect(dead_code, reason = "held so that no other process opens the index")]
    lock: JobLock,
}

impl IndexTurn {
    /// Waits for the turn.
    ///
    /// # Errors
    /// Where another process keeps it.
    pub(super) fn wait(folder: &Path, kind: &'static str) -> Result<Self> {
        let began = Instant::now();
        // Says that somebody waits; several may.
        let mut waiting = None;
        loop {
            match Self::take(folder, kind) {
                Err(SessionError::JobRunning { .. }) if began.elapsed() < PATIENCE => {
                    if waiting.is_none() {
                        waiting = said_to_wait(&wanted(folder, kind));
                    }
                    std::thread::park_timeout(LOOK);
                }
                taken => return taken.context("open the library's index"),
            }
        }
    }

    /// The turn, if nobody else has it.
    ///
    /// # Errors
    /// Where the folder can't be written.
    pub(super) fn now(folder: &Path, kind: &'static str) -> Result<Option<Self>> {
        match Self::take(folder, kind) {
            Err(SessionError::JobRunning { .. }) => Ok(None),
            taken => taken.map(Some).context("open the library's index"),
        }
    }

    fn take(folder: &Path, kind: &'static str) -> Result<Self, SessionError> {
        let lock = JobLock::take(folder, kind, "dojo rag")?;
        Ok(Self { wanted: wanted(folder, kind), lock })
    }

    /// Whether another process waits.
    pub(super) fn is_wanted(&self) -> bool {
        let Ok(file) = File::open(&self.wanted) else { return false };
        matches!(file.try_lock(), Err(TryLockError::WouldBlock))
    }
}

fn wanted(folder: &Path, kind: &str) -> PathBuf {
    folder.join(format!("{kind}-wanted.lock"))
}

/// Nothing if another says so already, or it can't be said: then whoever has the index lets go of it by itself.
fn said_to_wait(path: &Path) -> Option<File> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).open(path).ok()?;
    file.try_lock().ok().map(|()| file)
}
