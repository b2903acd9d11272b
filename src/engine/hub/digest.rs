//! SHA-256 of files.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use dojo_core::data::regular;

const CHUNK: usize = 1 << 20;

/// A file's sum, in lower-case hexadecimal.
pub(super) fn of_file(path: &Path) -> Result<String> {
    let read = || -> Result<String> {
        let (mut file, _) = regular::open(path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; CHUNK];
        loop {
            let length = file.read(&mut buffer)?;
            if length == 0 {
                return Ok(format!("{:x}", hash.finalize()));
            }
            hash.update(buffer.get(..length).unwrap_or_default());
        }
    };
    read().with_context(|| format!("read {}", path.display()))
}

/// Compares a file with its sum; a file that differs is removed, so that the next try starts afresh.
pub(super) fn verify(path: &Path, expected: &str) -> Result<()> {
    let found = of_file(path)?;
    if found.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    std::fs::remove_file(path).with_context(|| format!("remove {}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    bail!("{name} is damaged: its SHA-256 is {found}, expected {expected} (it was removed; pull again)")
}
