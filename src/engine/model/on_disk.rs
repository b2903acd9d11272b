//! A model file that is read piece by piece.
//!
//! It isn't mapped into memory: a mapped file that another program cuts short while it is used ends the process
//! (SIGBUS), and every reader of tensors makes a copy anyway. Read by place, such a file is an error like any other.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use dojo_core::data::regular;

pub(crate) struct ModelFile {
    path: PathBuf,
    file: File,
    length: u64,
}

impl ModelFile {
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let (file, length) = regular::open(path)?;
        Ok(Self { path: path.to_path_buf(), file, length })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes it had when it was opened.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// From its beginning.
    pub(crate) fn reader(&self) -> impl Read {
        &self.file
    }

    /// The bytes between two places.
    pub(crate) fn read(&self, start: usize, size: usize) -> Result<Vec<u8>> {
        let end = (start as u64).checked_add(size as u64);
        ensure!(end.is_some_and(|end| end <= self.length), "{} is cut short", self.path.display());
        let mut bytes = vec![0; size];
        match self.file.read_exact_at(&mut bytes, start as u64) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                bail!("{} became shorter while it was read", self.path.display())
            }
            Err(error) => Err(error).with_context(|| format!("read {}", self.path.display())),
        }
    }
}
