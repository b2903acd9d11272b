//! Tables with a header: CSV and TSV.

use std::collections::HashSet;
use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use csv_core::{ReadRecordResult, ReaderBuilder};
use serde_json::Value;

use super::backslash::unescaped;
use super::lines::Breaks;
use super::quotes::{Quotes, RowEnd};
use super::{Gap, InputReader, LONGEST_ROW, Numbers, Parsed, RawRow, RowSource, start_of};
use crate::domain::record::Fields;

/// What stands between two cells.
#[derive(Clone, Copy)]
pub(super) enum Separator {
    Tab,
    /// Comma, semicolon, tab or pipe, whichever the header has most of.
    Found,
}

/// More columns than this are no table; each takes some hundred bytes, even when it is empty.
const MOST_CELLS: usize = 1 << 20;

/// Held for a cell once it is parsed, besides its text: its name and its place in the row.
const CELL: usize = 96;

pub(super) fn open(path: &Path, mut reader: InputReader, separator: Separator) -> Result<Box<dyn RowSource>> {
    let start = reader.fill_buf().with_context(|| format!("read {}", path.display()))?;
    ensure!(!start.is_empty(), "{} is empty", path.display());
    let delimiter = match separator {
        Separator::Tab => b'\t',
        Separator::Found => found_separator(start),
    };
    let reader = unescaped(reader, delimiter).with_context(|| format!("read {}", path.display()))?;
    let mut table = CsvReader {
        reader,
        delimiter,
        core: ReaderBuilder::new().delimiter(delimiter).build(),
        breaks: Breaks::default(),
        line: 1,
        header: Arc::default(),
        path: path.to_owned(),
    };
    let Some(CsvRow { cells: header, wrong, .. }) = table.next_row()? else {
        bail!("{} is empty", path.display())
    };
    if let Some(wrong) = wrong {
        bail!("{}: in the header, {wrong}", path.display());
    }
    table.header = names(path, &header)?.into();
    Ok(Box::new(table))
}

fn found_separator(start: &[u8]) -> u8 {
    let header = start.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |separator: u8| memchr::memchr_iter(separator, header).count();
    [b',', b';', b'\t', b'|'].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

fn names(path: &Path, header: &Cells) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::with_capacity(header.len());
    let mut known = HashSet::with_capacity(header.len());
    for (index, cell) in header.iter().enumerate() {
        let Ok(name) = std::str::from_utf8(cell) else {
            bail!("{}: the header's column {} is not UTF-8", path.display(), index + 1)
        };
        let name =
            if name.trim().is_empty() { format!("column {}", index + 1) } else { name.trim().to_owned() };
        ensure!(
            known.insert(name.clone()),
            "{}: two columns are called {name:?}; rename one",
            path.display()
        );
        names.push(name);
    }
    Ok(names)
}

/// The cells of a row, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Cells {
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(start, end)| self.bytes.get(*start..*end).unwrap_or_default())
    }

    /// Bytes that the row takes, about.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.len() * CELL
    }
}

/// A row as it is read, and what is wrong with its quotes.
struct CsvRow {
    /// Where it begins.
    line: u64,
    cells: Cells,
    wrong: Option<String>,
}

struct CsvReader {
    reader: InputReader,
    delimiter: u8,
    core: csv_core::Reader,
    breaks: Breaks,
    /// Where the next byte stands.
    line: u64,
    header: Arc<[String]>,
    path: PathBuf,
}

impl RowSource for CsvReader {
    fn next_piece(&mut self) -> Result<Option<RawRow>> {
        let row = self.next_row()?;
        Ok(row.map(|CsvRow { line, cells, wrong }| match wrong {
            Some(wrong) => RawRow::bad(line, wrong, &cells.bytes),
            None => RawRow::Cells { line, cells, header: Arc::clone(&self.header) },
        }))
    }
}

impl CsvReader {
    /// The next row that is not empty.
    fn next_row(&mut self) -> Result<Option<CsvRow>> {
        let context = |path: &Path, line| format!("read {}, after line {line}", path.display());
        let fail = |line| context(&self.path, line);
        let mut gap = Gap::default();
        loop {
            let read = self.reader.fill_buf().with_context(|| fail(self.line))?;
            let empty = read.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            if empty == 0 {
                break;
            }
            gap.add(empty).with_context(|| fail(self.line))?;
            self.line += self.breaks.count(read.get(..empty).unwrap_or_default());
            self.reader.consume(empty);
        }
        let line = self.line;
        let mut cells = Cells { bytes: vec![0; 512], ends: vec![0; self.header.len().max(16)] };
        let (mut length, mut ended, mut held) = (0, 0, 0);
        let mut quotes = Quotes::new(self.delimiter, line, self.header.len());
        let mut end = RowEnd::OfRow;
        loop {
            let read = self.reader.fill_buf().with_context(|| context(&self.path, self.line))?;
            if read.is_empty() {
                end = RowEnd::OfFile;
            }
            let bytes = cells.bytes.get_mut(held..).unwrap_or_default();
            let ends = cells.ends.get_mut(ended..).unwrap_or_default();
            let (result, taken, written, more) = self.core.read_record(read, bytes, ends);
            self.line = quotes.add(read.get(..taken).unwrap_or_default(), &mut self.breaks);
            self.reader.consume(taken);
            (length, held, ended) = (length + taken, held + written, ended + more);
            ensure!(
                ended <= MOST_CELLS,
                "{}: a row has more than {MOST_CELLS} cells, and no table has so many columns",
                context(&self.path, line)
            );
            ensure!(
                length <= LONGEST_ROW,
                "{}: a row is longer than {} MiB; the quote that opens in line {} is probably not closed",
                context(&self.path, line),
                LONGEST_ROW >> 20,
                quotes.opened()
            );
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => cells.bytes.resize(cells.bytes.len() * 2, 0),
                ReadRecordResult::OutputEndsFull => {
                    cells.ends.resize((cells.ends.len() * 2).min(MOST_CELLS + 1), 0);
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        cells.bytes.truncate(held);
        cells.ends.truncate(ended);
        let wrong = quotes.wrong(end);
        Ok(Some(CsvRow { line, cells, wrong }))
    }
}

pub(super) fn parse(line: u64, cells: &Cells, header: &[String]) -> Parsed {
    let bad = |reason: String| Parsed::Bad { line, reason, start: start_of(&cells.bytes) };
    if cells.len() != header.len() {
        return bad(format!("{} cells where the header has {}", cells.len(), header.len()));
    }
    let mut fields = Fields::with_capacity(header.len());
    for (name, cell) in header.iter().zip(cells.iter()) {
        match std::str::from_utf8(cell) {
            Ok(text) => fields.insert(name.clone(), Value::String(text.to_owned())),
            Err(_) => return bad(format!("column {name:?} is not UTF-8")),
        };
    }
    Parsed::Row { line, fields, numbers: Numbers::new() }
}
