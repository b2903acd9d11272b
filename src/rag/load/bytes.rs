//! A file's bytes, all of one moment and not too many, and the text that they stand for.

use std::borrow::Cow;
use std::fs::Metadata;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::data::regular;

/// Larger files are refused. The largest books as PDF stay well below it.
const MOST: u64 = 256 << 20;
/// How often a file is read that another program writes meanwhile.
const TURNS: usize = 3;

/// A file as it was at one moment.
pub(super) fn steady(path: &Path) -> Result<Vec<u8>> {
    for _ in 0..TURNS {
        let (file, size) = regular::open(path)?;
        if size > MOST {
            bail!("it has {size} bytes, and files above {MOST} aren't read; split it");
        }
        let before = moment(&file.metadata()?);
        let mut bytes = Vec::with_capacity(usize::try_from(size)?);
        file.take(MOST + 1).read_to_end(&mut bytes)?;
        let after = moment(&std::fs::metadata(path).context("it was removed while it was read")?);
        if before == after && bytes.len() as u64 == size {
            return Ok(bytes);
        }
    }
    bail!("it changed while it was read, {TURNS} times; add it again when nothing writes it any more");
}

/// What is another if a file was written or replaced.
pub(in crate::rag) fn moment(facts: &Metadata) -> [i64; 7] {
    let (device, file, size) = (facts.dev() as i64, facts.ino() as i64, facts.size() as i64);
    [device, file, size, facts.mtime(), facts.mtime_nsec(), facts.ctime(), facts.ctime_nsec()]
}

/// UTF-8, or UTF-16 that says so; anything else is taken as Windows-1252, which every byte stands for a character in.
pub(super) fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        let rest = bytes.get(mark..).unwrap_or_default();
        return encoding.decode_without_bom_handling(rest).0;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        // One bad byte in a text that is UTF-8 otherwise: the others stay right.
        Err(error) if error.valid_up_to() > 0 && mostly_utf8(bytes) => String::from_utf8_lossy(bytes),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

/// Whether most of what isn't ASCII reads as UTF-8.
fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > bad * 4
}
