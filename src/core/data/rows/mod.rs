//! Files become rows: columns and cells, with their line. Streams, with bounded memory. Knows no roles.

mod backslash;
mod cells;
mod classes;
mod csv;
mod exact;
mod find;
pub(in crate::data) mod hive;
pub(crate) mod inside;
mod int96;
mod json;
mod lines;
mod nan;
mod packed;
mod parquet;
mod python;
mod quotes;
mod scan;
mod tables;
mod text;
mod twice;
mod wrapper;

use std::io::{BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::data::regular;
use crate::domain::record::Fields;

pub(crate) use exact::computable;
pub(in crate::data) use exact::parse as parse_value;
pub use exact::{Numbers, parse_row, write_row};
pub use find::{DataFile, FoundFiles, LeftOut, find_files, look};
pub use text::TextUnit;

/// A line, row or JSON value longer than this is reported and passed over, without being held in memory.
pub const LONGEST_ROW: usize = 32 << 20;

/// Empty lines and comments of more bytes than this, without a row between them, end a file with an error.
const LONGEST_GAP: usize = LONGEST_ROW;

/// Counts the bytes between two rows.
#[derive(Debug, Default)]
struct Gap(usize);

impl Gap {
    /// Takes in bytes that are no row.
    ///
    /// # Errors
    /// Where they are more than [`LONGEST_GAP`].
    fn add(&mut self, bytes: usize) -> std::io::Result<()> {
        self.0 += bytes;
        if self.0 <= LONGEST_GAP {
            return Ok(());
        }
        let told = format!(
            "more than {} MiB of empty lines or comments are between two rows, which no data have; take them out",
            LONGEST_GAP >> 20
        );
        Err(std::io::Error::new(std::io::ErrorKind::InvalidData, told))
    }
}

/// How much of a malformed line a report shows.
const SHOWN_START: usize = 120;

/// How a file holds its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    JsonLines,
    /// An array of objects, objects one after another, or one object that holds such an array.
    Json,
    Csv,
    Tsv,
    Parquet,
    Text,
}

impl Format {
    /// The name that the command line and reports use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
            Self::Parquet => "parquet",
            Self::Text => "text",
        }
    }

    /// By the file's ending, with gzip's or zstd's behind it or not. JSON Lines in a `.json` file are found when it is
    /// opened.
    #[must_use]
    pub fn of_name(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let inner = unpacked_name(&name);
        let ending = Path::new(inner.unwrap_or(&name)).extension()?.to_str()?.to_owned();
        match ending.as_str() {
            // Its parts are found by their place in it, so that it can't be read through a decompressor.
            "parquet" | "pq" if inner.is_some() => None,
            "jsonl" | "ndjson" | "jsonlines" => Some(Self::JsonLines),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "tsv" | "tab" => Some(Self::Tsv),
            "parquet" | "pq" => Some(Self::Parquet),
            "txt" | "text" | "md" | "markdown" => Some(Self::Text),
            _ => None,
        }
    }
}

/// A name without the ending of what is compressed; none where it has no such ending.
fn unpacked_name(name: &str) -> Option<&str> {
    packed::ENDINGS.iter().find_map(|ending| {
        let (inner, end) = name.split_at_checked(name.len().checked_sub(ending.len())?)?;
        end.eq_ignore_ascii_case(ending).then_some(inner)
    })
}

/// A file's name without the endings that say how it is read: not every dot begins one (`snli_1.0_test`).
pub(in crate::data) fn stem(name: &str) -> &str {
    let inner = unpacked_name(name).unwrap_or(name);
    let known = Format::of_name(Path::new(inner)).is_some();
    if known { inner.rsplit_once('.').map_or(inner, |(stem, _)| stem) } else { inner }
}

/// A line that could not be read as a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Malformed {
    pub source: String,
    /// From 1.
    pub line: u64,
    pub reason: String,
    /// The beginning of the line as it was.
    pub start: String,
}

/// A row, or what stands where one should be.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parsed {
    /// `numbers` are the places where a text of the row stands for a number.
    Row {
        line: u64,
        fields: Fields,
        numbers: Numbers,
    },
    Bad {
        line: u64,
        reason: String,
        start: String,
    },
}

/// A row before it is parsed, so that parsing can go on all cores.
#[derive(Debug)]
pub(crate) enum RawRow {
    Json {
        line: u64,
        bytes: Vec<u8>,
    },
    /// A row of a list below this name in an object.
    Member {
        line: u64,
        bytes: Vec<u8>,
        list: Arc<str>,
    },
    Cells {
        line: u64,
        cells: csv::Cells,
        header: Arc<[String]>,
    },
    /// A row that is there, of about so many bytes.
    Done(Parsed, usize),
}

impl RawRow {
    fn bad(line: u64, reason: impl Into<String>, start: &[u8]) -> Self {
        Self::Done(Parsed::Bad { line, reason: reason.into(), start: start_of(start) }, 256)
    }

    /// Bytes held, about.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Json { bytes, .. } | Self::Member { bytes, .. } => bytes.len(),
            Self::Cells { cells, .. } => cells.size(),
            Self::Done(_, bytes) => *bytes,
        }
    }

    pub(crate) fn parse(self) -> Parsed {
        match self {
            Self::Json { line, bytes } => json::parse(line, &bytes),
            Self::Member { line, bytes, list } => wrapper::parse(line, &bytes, &list),
            Self::Cells { line, cells, header } => csv::parse(line, &cells, &header),
            Self::Done(parsed, _) => parsed,
        }
    }
}

/// Gives a file's rows one after another.
pub(crate) trait RowSource: Send {
    /// The next piece, or `None` at the end.
    ///
    /// # Errors
    /// Where the file can't be read any further.
    fn next_piece(&mut self) -> Result<Option<RawRow>>;

    /// What the file has beside its rows and isn't read since this was last asked, in sentences with its place.
    fn passed(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// Opens a file of a format. `read` counts the bytes taken from it.
///
/// # Errors
/// Where the file can't be opened or is plainly of another kind (binary, UTF-16, compressed).
pub(crate) fn open(
    path: &Path,
    format: Format,
    unit: TextUnit,
    read: &Arc<AtomicU64>,
) -> Result<Box<dyn RowSource>> {
    let (file, _) = regular::open(path).with_context(|| format!("open {}", path.display()))?;
    if format == Format::Parquet {
        return parquet::open(path, file, Arc::clone(read));
    }
    let counted = CountedReader { inner: file, read: Arc::clone(read) };
    let mut reader = packed::unpacked(counted).with_context(|| format!("read {}", path.display()))?;
    check_text(path, &mut reader)?;
    skip_byte_order_mark(&mut reader).with_context(|| format!("read {}", path.display()))?;
    match format {
        Format::JsonLines => Ok(Box::new(lines::JsonLines::new(reader, path))),
        Format::Json => json::open(path, reader),
        Format::Csv => csv::open(path, reader, csv::Separator::Found),
        Format::Tsv => csv::open(path, reader, csv::Separator::Tab),
        Format::Text => text::open(path, reader, unit),
        Format::Parquet => bail!("{}: a Parquet file is not text", path.display()),
    }
}

type InputReader = BufReader<Box<dyn Read + Send>>;

/// Counts what is read through it.
pub(crate) struct CountedReader<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for CountedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Seek> Seek for CountedReader<R> {
    fn seek(&mut self, position: std::io::SeekFrom) -> std::io::Result<u64> {
        self.inner.seek(position)
    }
}

/// Says what a file is that is no text in UTF-8, by its first bytes.
fn check_text(path: &Path, reader: &mut InputReader) -> Result<()> {
    let start = reader.fill_buf().with_context(|| format!("read {}", path.display()))?;
    let start = start.get(..start.len().min(8192)).unwrap_or_default();
    let name = path.display();
    match start {
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => {
            bail!("{name} is in UTF-16; convert it first: iconv -f UTF-16 -t UTF-8 {name}")
        }
        [0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F, 0xFD, ..] => {
            bail!("{name} is compressed twice; unpack it once first")
        }
        [b'P', b'K', 3, 4, ..] => bail!("{name} is a zip archive; unpack it first"),
        [b'B', b'Z', b'h', ..] => {
            bail!("{name} is compressed with bzip2; unpack it first: bunzip2 {name}")
        }
        [0xFD, b'7', b'z', b'X', b'Z', ..] => {
            bail!("{name} is compressed with xz; unpack it first: unxz {name}")
        }
        [b'P', b'A', b'R', b'1', ..] => bail!("{name} is a Parquet file; name it .parquet"),
        _ if start.contains(&0) => bail!("{name} holds zero bytes, so it is no text file"),
        _ => Ok(()),
    }
}

fn skip_byte_order_mark(reader: &mut InputReader) -> std::io::Result<()> {
    if reader.fill_buf()?.starts_with(b"\xEF\xBB\xBF") {
        reader.consume(3);
    }
    Ok(())
}

/// The beginning of a line, for a report: no control characters, and short.
fn start_of(bytes: &[u8]) -> String {
    let bytes = bytes.get(..SHOWN_START * 4).unwrap_or(bytes);
    let text = String::from_utf8_lossy(bytes);
    text.chars().take(SHOWN_START).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// What a JSON value is, for messages to people.
pub const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
