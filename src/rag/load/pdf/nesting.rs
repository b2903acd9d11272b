//! How deep a file's arrays and dictionaries are within each other. Their reader goes down with them, and the end of a
//! stack can't be caught: a file that goes deeper than any document does isn't given to it.

use std::io::Read;

use flate2::read::ZlibDecoder;
use memchr::memmem;

/// Documents have a few dozen levels. A stack of the reader's size bears some hundred thousand.
const DEEPEST: usize = 50_000;
/// Bytes that are unpacked of one stream, and of all: those behind them are read unseen.
const MOST_OF_ONE: u64 = 64 << 20;
const MOST: u64 = 1 << 30;
/// Bytes that are looked at at once.
const PIECE: usize = 1 << 16;

/// Whether anything in a file is deeper, also in what is packed.
pub(super) fn is_too_deep(file: &[u8]) -> bool {
    let mut left = MOST;
    let packed = |start: usize| file.get(start..).is_some_and(|rest| packed_is_too_deep(rest, &mut left));
    let mut streams =
        memmem::find_iter(file, b"stream").filter_map(|at| data_after(file, at + b"stream".len()));
    text_is_too_deep(file) || streams.any(packed)
}

/// Whether a page's commands are.
pub(super) fn text_is_too_deep(text: &[u8]) -> bool {
    let mut depth = NestingDepth::default();
    depth.take(text);
    depth.deepest > DEEPEST
}

/// Where a stream's data begins, if zlib packed it.
fn data_after(file: &[u8], at: usize) -> Option<usize> {
    let rest = file.get(at..)?;
    let line_end = usize::from(rest.starts_with(b"\r"))
        + usize::from(rest.starts_with(b"\n") || rest.starts_with(b"\r\n"));
    (line_end > 0 && rest.get(line_end)? & 0x0f == 8).then_some(at + line_end)
}

fn packed_is_too_deep(data: &[u8], left: &mut u64) -> bool {
    let mut unpacked = ZlibDecoder::new(data).take(MOST_OF_ONE.min(*left));
    let mut depth = NestingDepth::default();
    let mut piece = vec![0; PIECE];
    while let Ok(read @ 1..) = unpacked.read(&mut piece) {
        *left = left.saturating_sub(read as u64);
        depth.take(piece.get(..read).unwrap_or_default());
        if depth.deepest > DEEPEST {
            return true;
        }
    }
    false
}

/// Brackets that are open. Strings and pictures are counted with the rest: what is in them goes up and down evenly.
#[derive(Debug, Default)]
struct NestingDepth {
    now: usize,
    deepest: usize,
}

impl NestingDepth {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'[' | b'<' => {
                    self.now += 1;
                    self.deepest = self.deepest.max(self.now);
                }
                b']' | b'>' => self.now = self.now.saturating_sub(1),
                _ => {}
            }
        }
    }
}
