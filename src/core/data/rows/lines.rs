//! Lines of bounded length, and JSON Lines on them.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{Gap, InputReader, LONGEST_ROW, RawRow, RowSource};

/// One line of a file.
pub(super) enum LineRead {
    End,
    /// Held in the caller's buffer, without its line break.
    Read,
    /// Longer than the limit; the buffer holds its beginning.
    TooLong,
}

/// Reads a line into `buffer`, never more than `limit` bytes. A line ends with LF, CR LF or CR.
pub(super) fn read_line(
    reader: &mut impl BufRead,
    buffer: &mut Vec<u8>,
    limit: usize,
) -> std::io::Result<LineRead> {
    buffer.clear();
    let (mut any, mut too_long) = (false, false);
    loop {
        let read = reader.fill_buf()?;
        if read.is_empty() {
            break;
        }
        any = true;
        let end = memchr::memchr2(b'\n', b'\r', read);
        let part = read.get(..end.unwrap_or(read.len())).unwrap_or_default();
        too_long |= buffer.len() + part.len() > limit;
        if !too_long {
            buffer.extend_from_slice(part);
        }
        let by_return = end.and_then(|end| read.get(end)) == Some(&b'\r');
        let taken = part.len() + usize::from(end.is_some());
        reader.consume(taken);
        if end.is_some() {
            if by_return && reader.fill_buf()?.first() == Some(&b'\n') {
                reader.consume(1);
            }
            break;
        }
    }
    match (any, too_long) {
        (false, _) => Ok(LineRead::End),
        (true, false) => Ok(LineRead::Read),
        (true, true) => {
            buffer.truncate(1024);
            Ok(LineRead::TooLong)
        }
    }
}

/// Counts line breaks, a carriage return with its line feed as one.
#[derive(Default)]
pub(super) struct Breaks {
    after_return: bool,
}

impl Breaks {
    /// The breaks in the next bytes.
    pub(super) fn count(&mut self, bytes: &[u8]) -> u64 {
        let mut breaks = 0;
        let mut end = 0;
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let behind_return = if at == end { self.after_return } else { false };
            let is_return = bytes.get(at) == Some(&b'\r');
            breaks += u64::from(is_return || !behind_return);
            (self.after_return, end) = (is_return, at + 1);
        }
        if end < bytes.len() {
            self.after_return = false;
        }
        breaks
    }
}

/// One JSON object a line; empty lines are passed over.
pub(super) struct JsonLines {
    reader: InputReader,
    path: PathBuf,
    line: u64,
    buffer: Vec<u8>,
}

impl JsonLines {
    pub(super) fn new(reader: InputReader, path: &Path) -> Self {
        Self { reader, path: path.to_owned(), line: 0, buffer: Vec::new() }
    }
}

impl RowSource for JsonLines {
    fn next_piece(&mut self) -> Result<Option<RawRow>> {
        let mut gap = Gap::default();
        loop {
            let context = || format!("read {}, after line {}", self.path.display(), self.line);
            let line = read_line(&mut self.reader, &mut self.buffer, LONGEST_ROW).with_context(context)?;
            self.line += 1;
            match line {
                LineRead::End => return Ok(None),
                LineRead::TooLong => {
                    return Ok(Some(RawRow::bad(self.line, too_long("line"), &self.buffer)));
                }
                LineRead::Read if self.buffer.iter().all(u8::is_ascii_whitespace) => {
                    let context = || format!("read {}, after line {}", self.path.display(), self.line);
                    gap.add(self.buffer.len() + 1).with_context(context)?;
                }
                LineRead::Read => {
                    return Ok(Some(RawRow::Json {
                        line: self.line,
                        bytes: std::mem::take(&mut self.buffer),
                    }));
                }
            }
        }
    }
}

pub(super) fn too_long(what: &str) -> String {
    format!("the {what} is longer than {} MiB", LONGEST_ROW >> 20)
}
