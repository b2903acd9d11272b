//! Files that are compressed with gzip or zstd, read as what is in them.

use std::fs::File;
use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::{CountedReader, InputReader};

/// Endings of files that are read through a decompressor.
pub(super) const ENDINGS: [&str; 3] = [".gz", ".zst", ".zstd"];

const BUFFER: usize = 1 << 18;

/// Text packs to a tenth, tables of a few words to a fiftieth, a bomb to a few thousandths and less.
const MOST_PER_BYTE: u64 = 200;

/// So much is unpacked whatever it came from.
const ALWAYS: u64 = 64 << 20;

/// A file's bytes, unpacked where its first bytes say that it is compressed.
///
/// # Errors
/// Where the file can't be read.
pub(super) fn unpacked(file: CountedReader<File>) -> Result<InputReader> {
    let taken = Arc::clone(&file.read);
    let before = taken.load(Ordering::Relaxed);
    let mut packed = BufReader::with_capacity(BUFFER, file);
    let bounded = |inner: Box<dyn Read + Send>| -> Box<dyn Read + Send> {
        Box::new(Bounded { inner, given: 0, taken, before })
    };
    let inner: Box<dyn Read + Send> = match packed.fill_buf()? {
        [0x1F, 0x8B, ..] => bounded(Box::new(MultiGzDecoder::new(packed))),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => bounded(Box::new(zstd::Decoder::with_buffer(packed)?)),
        _ => Box::new(packed),
    };
    Ok(BufReader::with_capacity(BUFFER, inner))
}

/// Says what is wrong with packed data that can't be read on.
fn broken(error: Error) -> Error {
    match error.kind() {
        ErrorKind::UnexpectedEof | ErrorKind::InvalidInput | ErrorKind::InvalidData => {
            let told = format!(
                "the compressed data break off here, or what follows is something else ({error}); unpack the file to see"
            );
            Error::new(ErrorKind::InvalidData, told)
        }
        _ => error,
    }
}

/// Ends a file that unpacks to far more than data do.
struct Bounded {
    inner: Box<dyn Read + Send>,
    given: u64,
    taken: Arc<AtomicU64>,
    before: u64,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = self.inner.read(buffer).map_err(broken)?;
        self.given += count as u64;
        let taken = self.taken.load(Ordering::Relaxed).saturating_sub(self.before);
        if self.given > ALWAYS && self.given / MOST_PER_BYTE > taken {
            let reason = format!("it unpacks to more than {MOST_PER_BYTE} times its size, which no data do");
            return Err(Error::new(ErrorKind::InvalidData, reason));
        }
        Ok(count)
    }
}
