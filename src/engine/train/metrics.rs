//! Lines of `metrics.jsonl` and `samples.jsonl`, and the files that they are appended to.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::Value;

/// A number as metric lines spell it: NaN and infinities as texts, since JSON has no numbers for them.
#[must_use]
pub fn number(value: f64) -> Value {
    if value.is_nan() {
        Value::from("NaN")
    } else if value.is_infinite() {
        Value::from(if value > 0.0 { "Infinity" } else { "-Infinity" })
    } else {
        Value::from(value)
    }
}

/// A file of JSON lines that only grows, and can be cut back to where a checkpoint saw it.
#[derive(Debug)]
pub struct LinesFile {
    path: PathBuf,
    file: File,
    /// Bytes written so far.
    length: u64,
}

impl LinesFile {
    /// Opens the file and cuts off all behind `length`: what a killed run wrote after its last checkpoint.
    ///
    /// # Errors
    /// Where the file can't be opened, or is shorter than that, so that lines are missing.
    pub fn open(path: &Path, length: u64) -> Result<Self> {
        let open = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let mut file = open.with_context(|| format!("open {}", path.display()))?;
        let found = file.metadata().with_context(|| format!("read {}", path.display()))?.len();
        anyhow::ensure!(
            found >= length,
            "{} has {found} bytes, but the checkpoint saw {length}: lines are missing",
            path.display()
        );
        let cut = file.set_len(length).and_then(|()| file.seek(SeekFrom::Start(length)));
        cut.with_context(|| format!("cut {} back to the checkpoint", path.display()))?;
        Ok(Self { path: path.to_owned(), file, length })
    }

    /// Appends one line and hands it to the system at once.
    ///
    /// # Errors
    /// Where the disk is full.
    pub fn append(&mut self, line: &impl Serialize) -> Result<()> {
        let mut bytes = serde_json::to_vec(line).context("write a line as JSON")?;
        bytes.push(b'\n');
        self.file.write_all(&bytes).with_context(|| format!("append to {}", self.path.display()))?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Bytes written so far.
    #[must_use]
    pub const fn length(&self) -> u64 {
        self.length
    }

    /// Flushes to the disk, so that a checkpoint never knows of lines that a power cut took.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn flush(&self) -> Result<()> {
        self.file.sync_data().with_context(|| format!("flush {}", self.path.display()))
    }
}
