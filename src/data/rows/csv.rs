//! Tables with a header: CSV and TSV.

use std::io::{BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use csv::{ByteRecord, ReaderBuilder};
use serde_json::Value;

use super::{LONGEST_ROW, Parsed, Piece, Pieces, Reader, start_of};
use crate::domain::record::Fields;

/// What stands between two cells.
#[derive(Clone, Copy)]
pub(super) enum Separator {
    Tab,
    /// Comma, semicolon or tab, whichever the header has most of.
    Found,
}

pub(super) fn open(path: &Path, mut reader: Reader, separator: Separator) -> Result<Box<dyn Pieces>> {
    let start = reader.fill_buf().with_context(|| format!("read {}", path.display()))?;
    ensure!(!start.is_empty(), "{} is empty", path.display());
    let delimiter = match separator {
        Separator::Tab => b'\t',
        Separator::Found => found_separator(start),
    };
    let bounded = Bounded { inner: reader, since_row: 0 };
    let mut table = ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bounded);
    let header = table.byte_headers().with_context(|| format!("read the header of {}", path.display()))?;
    let header: Arc<[String]> = names(path, header)?.into();
    Ok(Box::new(Table { reader: table, header, path: path.to_owned() }))
}

fn found_separator(start: &[u8]) -> u8 {
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| super::count(header, separator);
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

fn names(path: &Path, header: &ByteRecord) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    for (index, cell) in header.iter().enumerate() {
        let Ok(name) = std::str::from_utf8(cell) else {
            bail!("{}: the header's column {} is not UTF-8", path.display(), index + 1)
        };
        let name =
            if name.trim().is_empty() { format!("column {}", index + 1) } else { name.trim().to_owned() };
        ensure!(!names.contains(&name), "{}: two columns are called {name:?}; rename one", path.display());
        names.push(name);
    }
    Ok(names)
}

struct Table {
    reader: csv::Reader<Bounded>,
    header: Arc<[String]>,
    path: PathBuf,
}

impl Pieces for Table {
    fn next_piece(&mut self) -> Result<Option<Piece>> {
        let mut cells = ByteRecord::new();
        self.reader.get_mut().since_row = 0;
        let more = self.reader.read_byte_record(&mut cells).with_context(|| {
            format!("read {}, after line {}", self.path.display(), self.reader.position().line())
        })?;
        let line = cells.position().map_or(0, csv::Position::line);
        Ok(more.then(|| Piece::Cells { line, cells, header: Arc::clone(&self.header) }))
    }
}

/// Fails where one row grows without end, as it does behind a quote that is never closed.
struct Bounded {
    inner: Reader,
    since_row: usize,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.since_row > LONGEST_ROW {
            let reason =
                format!("a row is longer than {} MiB; a quote is probably not closed", LONGEST_ROW >> 20);
            return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, reason));
        }
        let count = self.inner.read(buffer)?;
        self.since_row += count;
        Ok(count)
    }
}

pub(super) fn parse(line: u64, cells: &ByteRecord, header: &[String]) -> Parsed {
    let bad = |reason: String| Parsed::Bad { line, reason, start: start_of(cells.as_slice()) };
    if cells.len() != header.len() {
        return bad(format!("{} cells where the header has {}", cells.len(), header.len()));
    }
    let mut fields = Fields::with_capacity(header.len());
    for (name, cell) in header.iter().zip(cells) {
        match std::str::from_utf8(cell) {
            Ok(text) => fields.insert(name.clone(), Value::String(text.to_owned())),
            Err(_) => return bad(format!("column {name:?} is not UTF-8")),
        };
    }
    Parsed::Row { line, fields }
}
