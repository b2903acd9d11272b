//! Reads what was appended to a file since the last look. Notices when the file was replaced or cut.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::SystemTime;

/// Bytes read at one look, at most: what a look costs stays small, so that other runs get their turn.
pub(super) const LOOK_BYTES: usize = 2 << 20;
/// Bytes of the file's head that are remembered, to notice a new file under the old name.
const HEAD_BYTES: usize = 256;

/// A file that grows.
#[derive(Debug)]
pub struct Tail {
    path: PathBuf,
    /// Everything before this was given out.
    offset: u64,
    head: Vec<u8>,
    stamp: Option<Stamp>,
    buffer: Vec<u8>,
    /// Inside a line that is longer than a look.
    endless: bool,
}

/// What a look brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TailRead {
    /// The file is another one, or shorter than what was read: what was given out before no longer counts.
    pub replaced: bool,
    /// A line was longer than [`LOOK_BYTES`] and is left out.
    pub endless_line: bool,
    /// Bytes given out of bytes there.
    pub done: u64,
    pub total: u64,
    /// There is more to read at once.
    pub more: bool,
}

/// Tells whether a file has changed since it was last read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    identity: u64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let identity = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let identity = 0;
        Self { length: metadata.len(), modified: metadata.modified().ok(), identity }
    }
}

impl Tail {
    pub fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, head: Vec::new(), stamp: None, buffer: Vec::new(), endless: false }
    }

    /// Begins with the last bytes of the file instead of the first.
    #[must_use]
    pub fn from_end(path: PathBuf, bytes: u64) -> Self {
        let length = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        Self { offset: length.saturating_sub(bytes), ..Self::new(path) }
    }

    /// Hands the new bytes to `take`, which says how many of them it is done with: those up to its last line feed.
    ///
    /// # Errors
    /// Where the file is there but can't be read.
    pub fn look(&mut self, take: &mut dyn FnMut(&[u8]) -> usize) -> std::io::Result<TailRead> {
        let mut look = TailRead {
            replaced: false,
            endless_line: false,
            done: self.offset,
            total: self.offset,
            more: false,
        };
        let metadata = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                look.replaced = self.offset > 0;
                self.restart();
                return Ok(TailRead { done: 0, total: 0, ..look });
            }
            Err(error) => return Err(error),
        };
        let stamp = Stamp::of(&metadata);
        if self.stamp == Some(stamp) {
            return Ok(look);
        }
        let mut file = File::open(&self.path)?;
        if self.is_other(&mut file, stamp)? {
            look.replaced = true;
            self.restart();
        }
        self.read(&mut file)?;
        let given = take(&self.buffer);
        self.offset += given as u64;
        let full = self.buffer.len() == LOOK_BYTES;
        if given == 0 && full {
            look.endless_line = !self.endless;
            self.endless = true;
            self.offset += self.buffer.len() as u64;
        } else if given > 0 {
            self.endless = false;
        }
        look.more = full;
        if !full {
            self.buffer = Vec::new();
        }
        // What is left of a line that is being written changes the length when it is done.
        self.stamp = (!full).then_some(stamp);
        Ok(TailRead { done: self.offset, total: stamp.length.max(self.offset), ..look })
    }

    fn restart(&mut self) {
        *self = Self::new(std::mem::take(&mut self.path));
    }

    fn is_other(&mut self, file: &mut File, stamp: Stamp) -> std::io::Result<bool> {
        if stamp.length < self.offset {
            return Ok(true);
        }
        let mut head = vec![0; HEAD_BYTES.min(stamp.length as usize)];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut head)?;
        let other = !head.starts_with(&self.head);
        self.head = head;
        Ok(other)
    }

    fn read(&mut self, file: &mut File) -> std::io::Result<()> {
        file.seek(SeekFrom::Start(self.offset))?;
        self.buffer.clear();
        Read::take(file, LOOK_BYTES as u64).read_to_end(&mut self.buffer)?;
        Ok(())
    }
}
