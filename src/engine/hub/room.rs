//! Room for what is fetched.

use std::path::Path;

use anyhow::{Result, ensure};

use crate::disk;

/// Bytes that a pull leaves free.
const RESERVE: u64 = 256 << 20;

/// Checks that a disk has room for so many more bytes, before the first of them is fetched or unpacked.
///
/// # Errors
/// Where it hasn't; the message says how much there is.
pub(super) fn check(folder: &Path, bytes: u64) -> Result<()> {
    let Some(free) = disk::free(folder) else { return Ok(()) };
    let gigabytes = |bytes: u64| bytes as f64 / 1e9;
    ensure!(
        bytes.saturating_add(RESERVE) <= free,
        "it has {:.1} GB, and the disk of {} has {:.1} GB free",
        gigabytes(bytes),
        folder.display(),
        gigabytes(free)
    );
    Ok(())
}
