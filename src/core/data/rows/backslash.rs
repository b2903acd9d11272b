//! Tables whose writer put a backslash before a quote in a text, as `MySQL` and Python's `csv` without `doublequote` do: told
//! by their beginning, and read as if each such quote were there twice.

use std::io::{BufRead, BufReader, Read, Result};

use super::InputReader;
use super::lines::Breaks;
use super::quotes::Quotes;

/// The table as it would be with quotes that are written twice; as it is where its beginning doesn't tell that it isn't.
pub(super) fn unescaped(mut reader: InputReader, separator: u8) -> Result<InputReader> {
    let start = reader.fill_buf()?;
    let mut quotes = Quotes::new(separator, 1, 0);
    quotes.add(start, &mut Breaks::default());
    if !quotes.are_escaped() {
        return Ok(reader);
    }
    let pairs = if has_lone(start, separator) { BackslashPairs::Kept } else { BackslashPairs::One };
    let inner =
        Unescaped { inner: reader, separator, pairs, state: BackslashState::Begin, out: Vec::new(), at: 0 };
    Ok(BufReader::new(Box::new(inner)))
}

/// Whether a backslash in a quoted cell is before something that needs none: then nobody wrote a backslash as two.
fn has_lone(bytes: &[u8], separator: u8) -> bool {
    let mut state = BackslashState::Begin;
    bytes.iter().any(|byte| {
        let is_lone = state == BackslashState::Slash && !matches!(byte, b'"' | b'\\');
        state = state.after(*byte, separator);
        is_lone
    })
}

/// What two backslashes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BackslashPairs {
    One,
    Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum BackslashState {
    /// Before a cell.
    Begin,
    Plain,
    Quoted,
    /// After a backslash in a quoted cell.
    Slash,
    /// After a quote in a quoted cell.
    Closing,
}

struct Unescaped {
    inner: InputReader,
    separator: u8,
    pairs: BackslashPairs,
    state: BackslashState,
    out: Vec<u8>,
    at: usize,
}

impl BackslashState {
    fn after(self, byte: u8, separator: u8) -> Self {
        let ends = byte == separator || matches!(byte, b'\n' | b'\r');
        match (self, byte) {
            (Self::Quoted, b'\\') => Self::Slash,
            (Self::Quoted, b'"') => Self::Closing,
            (Self::Begin | Self::Closing, b'"') | (Self::Quoted | Self::Slash, _) => Self::Quoted,
            (Self::Begin | Self::Plain | Self::Closing, _) => {
                if ends {
                    Self::Begin
                } else {
                    Self::Plain
                }
            }
        }
    }
}

impl Unescaped {
    fn take(&mut self, byte: u8) {
        match (self.state, byte) {
            (BackslashState::Quoted, b'\\') => {}
            (BackslashState::Slash, b'"') => self.out.extend_from_slice(b"\"\""),
            (BackslashState::Slash, b'\\') if self.pairs == BackslashPairs::One => self.out.push(b'\\'),
            (BackslashState::Slash, other) => self.out.extend_from_slice(&[b'\\', other]),
            (
                BackslashState::Begin
                | BackslashState::Plain
                | BackslashState::Quoted
                | BackslashState::Closing,
                other,
            ) => self.out.push(other),
        }
        self.state = self.state.after(byte, self.separator);
    }
}

impl Read for Unescaped {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        while self.at == self.out.len() {
            self.out.clear();
            self.at = 0;
            let read = self.inner.fill_buf()?.to_vec();
            self.inner.consume(read.len());
            if read.is_empty() && self.state != BackslashState::Slash {
                return Ok(0);
            }
            if read.is_empty() {
                self.out.push(b'\\');
                self.state = BackslashState::Quoted;
            }
            read.into_iter().for_each(|byte| self.take(byte));
        }
        let rest = self.out.get(self.at..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        Ok(count)
    }
}
