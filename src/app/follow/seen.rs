//! What a run was trained on, in a few words: how many records, and a number that is another one for others.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::ground::hash::Fnv;

/// Under which key it stands among the recipe's.
pub(super) const KEY: &str = "data.records";
/// Of a longer note only the beginning is read, and its length.
const BYTES: u64 = 32 << 20;

/// `90 to train on, 10 held out (3f2a9c)`.
///
/// # Errors
/// Where the note can't be read.
pub(super) fn in_words(path: &Path) -> std::io::Result<String> {
    let file = File::open(path)?;
    let whole = file.metadata()?.len();
    let mut lines = BufReader::new(file.take(BYTES));
    let mut hash = Fnv::from_seed(whole);
    let (mut train, mut held_out, mut line) = (0_u64, 0_u64, Vec::new());
    while lines.read_until(b'\n', &mut line)? > 0 {
        let is_held_out = line.windows(HELD_OUT.len()).any(|part| part == HELD_OUT);
        *(if is_held_out { &mut held_out } else { &mut train }) += 1;
        for byte in line.drain(..) {
            hash.add(u64::from(byte));
        }
    }
    let more = if whole > BYTES { " and more" } else { "" };
    Ok(format!("{train} to train on, {held_out} held out{more} ({:06x})", hash.finish() & 0xFF_FFFF))
}

const HELD_OUT: &[u8] = br#""purpose":"eval""#;
