//! Lines of bounded length, and JSON Lines on them.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{LONGEST_ROW, Piece, Pieces, Reader};

/// One line of a file.
pub(super) enum Line {
    End,
    /// Held in the caller's buffer, without its line break.
    Read,
    /// Longer than the limit; the buffer holds its beginning.
    TooLong,
}

/// Reads a line into `buffer`, never more than `limit` bytes.
pub(super) fn read_line(
    reader: &mut impl BufRead,
    buffer: &mut Vec<u8>,
    limit: usize,
) -> std::io::Result<Line> {
    buffer.clear();
    if reader.by_ref().take(limit as u64 + 2).read_until(b'\n', buffer)? == 0 {
        return Ok(Line::End);
    }
    let complete = buffer.pop_if(|last| *last == b'\n').is_some();
    buffer.pop_if(|last| *last == b'\r');
    if buffer.len() <= limit {
        return Ok(Line::Read);
    }
    buffer.truncate(1024);
    if !complete {
        skip_line(reader)?;
    }
    Ok(Line::TooLong)
}

fn skip_line(reader: &mut impl BufRead) -> std::io::Result<()> {
    let mut passed = Vec::new();
    loop {
        passed.clear();
        let count = reader.by_ref().take(1 << 16).read_until(b'\n', &mut passed)?;
        if count == 0 || passed.last() == Some(&b'\n') {
            return Ok(());
        }
    }
}

/// One JSON object a line; empty lines are passed over.
pub(super) struct JsonLines {
    reader: Reader,
    path: PathBuf,
    line: u64,
    buffer: Vec<u8>,
}

impl JsonLines {
    pub(super) fn new(reader: Reader, path: &Path) -> Self {
        Self { reader, path: path.to_owned(), line: 0, buffer: Vec::new() }
    }
}

impl Pieces for JsonLines {
    fn next_piece(&mut self) -> Result<Option<Piece>> {
        loop {
            let line = read_line(&mut self.reader, &mut self.buffer, LONGEST_ROW)
                .with_context(|| format!("read {}, after line {}", self.path.display(), self.line))?;
            self.line += 1;
            match line {
                Line::End => return Ok(None),
                Line::TooLong => {
                    return Ok(Some(Piece::bad(self.line, too_long("line"), &self.buffer)));
                }
                Line::Read if self.buffer.iter().all(u8::is_ascii_whitespace) => {}
                Line::Read => {
                    return Ok(Some(Piece::Json {
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
