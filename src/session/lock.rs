//! Who is at work in a session: said beside the database, so that a refusal can name it.
//!
//! SQLite's own lock decides who may write; it is gone when its process is. The notices here only explain.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{PATIENCE, Result, SessionError};
use crate::ground::clock;
use crate::ground::process::host_name;

/// A writer waits in steps of this length: shorter than the pause that a long job leaves between its transactions.
const STEP: Duration = Duration::from_millis(1);

/// The pause that a long job leaves between two transactions, so that a person's edit gets its turn.
pub(super) const COURTESY: Duration = Duration::from_millis(4);

/// SQLite asks this while another process writes.
pub(super) fn wait(tries: i32) -> bool {
    std::thread::park_timeout(STEP);
    STEP * tries.unsigned_abs() < PATIENCE
}

/// Lets others write for a moment.
pub(super) fn give_way() {
    std::thread::park_timeout(COURTESY);
}

/// A process that works in a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub process: u32,
    pub host: String,
    /// What it does: `dojo data import a.jsonl`.
    pub what: String,
    /// Milliseconds since 1970.
    pub since: i64,
}

impl Holder {
    fn this(what: &str) -> Self {
        Self {
            process: std::process::id(),
            host: host_name(),
            what: what.to_owned(),
            since: clock::milliseconds(),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = (clock::milliseconds() - self.since).max(0) / 1000;
        write!(out, "\"{}\" (process {} on {}, for {seconds} s)", self.what, self.process, self.host)
    }
}

fn notice_file(folder: &Path) -> PathBuf {
    folder.join("session.writer")
}

/// Who writes just now, as far as it is known.
pub(super) fn writer(folder: &Path) -> Option<Holder> {
    serde_json::from_slice(&std::fs::read(notice_file(folder)).ok()?).ok()
}

/// Stands beside the database while a transaction is open. That it can't be written is no reason to stop.
pub(super) struct Notice(PathBuf);

impl Notice {
    pub(super) fn put(folder: &Path, what: &str) -> Self {
        let path = notice_file(folder);
        if let Ok(text) = serde_json::to_vec(&Holder::this(what)) {
            let written = std::fs::write(&path, text);
            tracing::trace!(?written, "writer's notice");
        }
        Self(path)
    }
}

impl Drop for Notice {
    fn drop(&mut self) {
        let removed = std::fs::remove_file(&self.0);
        tracing::trace!(?removed, "writer's notice");
    }
}

/// Held for as long as a long job runs, so that two of its kind don't work against each other. The system lets go
/// of it when the process ends, however it ends.
#[derive(Debug)]
pub struct JobLock(#[expect(dead_code, reason = "the open file is the lock")] File);

impl JobLock {
    /// # Errors
    /// Where another process is at the same kind of job (it is named), or the folder can't be written.
    pub fn take(folder: &Path, kind: &str, what: &str) -> Result<Self> {
        let path = folder.join(format!("{kind}.lock"));
        let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let read = file.read_to_string(&mut text);
                let holder = read.ok().and_then(|_| serde_json::from_str(&text).ok());
                return Err(SessionError::JobRunning { what: kind.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&serde_json::to_vec(&Holder::this(what))?)?;
        Ok(Self(file))
    }
}
