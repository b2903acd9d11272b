//! Plain text: a row is a line, a paragraph or the whole file.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lines::{LineRead, read_line, too_long};
use super::packed;
use super::{Gap, InputReader, LONGEST_ROW, Numbers, Parsed, RawRow, RowSource};
use crate::domain::record::Fields;

/// What of a text file becomes one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextUnit {
    /// Lines where the file is a list of short lines, paragraphs where it is running text; Markdown as a whole.
    #[default]
    Found,
    /// Lines that are not empty; those that begin with `#` are comments.
    Line,
    /// What stands between empty lines.
    Paragraph,
    File,
}

/// A list has lines shorter than this.
const SHORT_LINE: usize = 100;

pub(super) fn open(path: &Path, mut reader: InputReader, unit: TextUnit) -> Result<Box<dyn RowSource>> {
    let unit = match unit {
        TextUnit::Found => found_unit(path, &mut reader)?,
        given => given,
    };
    if unit == TextUnit::File {
        let mut bytes = Vec::new();
        let limit = LONGEST_ROW as u64 + 1;
        reader.take(limit).read_to_end(&mut bytes).with_context(|| format!("read {}", path.display()))?;
        ensure!(
            bytes.len() <= LONGEST_ROW,
            "{}: {}; import its paragraphs",
            path.display(),
            too_long("text")
        );
        return Ok(Box::new(WholeText(Some(bytes))));
    }
    Ok(Box::new(Units { reader, path: path.to_owned(), unit, line: 0, buffer: Vec::new() }))
}

fn found_unit(path: &Path, reader: &mut InputReader) -> Result<TextUnit> {
    use std::io::BufRead;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = packed::ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(&name);
    let markdown = name.ends_with(".md") || name.ends_with(".markdown");
    if markdown {
        return Ok(TextUnit::File);
    }
    let start = reader.fill_buf().with_context(|| format!("read {}", path.display()))?;
    let lines: Vec<&[u8]> =
        start.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii).collect();
    let ends_sentence = |line: &&&[u8]| matches!(line.last(), Some(b'.' | b',' | b';' | b'-'));
    let filled = lines.iter().filter(|line| !line.is_empty());
    let count = filled.clone().count();
    let long = filled.clone().filter(|line| line.len() >= SHORT_LINE).count();
    let prose = filled.filter(ends_sentence).count();
    Ok(if long * 10 < count.max(1) && prose * 5 < count.max(1) {
        TextUnit::Line
    } else {
        TextUnit::Paragraph
    })
}

struct WholeText(Option<Vec<u8>>);

impl RowSource for WholeText {
    fn next_piece(&mut self) -> Result<Option<RawRow>> {
        Ok(self.0.take().map(|bytes| row(1, &bytes)))
    }
}

struct Units {
    reader: InputReader,
    path: PathBuf,
    unit: TextUnit,
    line: u64,
    buffer: Vec<u8>,
}

impl RowSource for Units {
    fn next_piece(&mut self) -> Result<Option<RawRow>> {
        let mut text: Vec<u8> = Vec::new();
        let mut first = 0;
        let mut gap = Gap::default();
        loop {
            let context = || format!("read {}, after line {}", self.path.display(), self.line);
            let line = read_line(&mut self.reader, &mut self.buffer, LONGEST_ROW).with_context(context)?;
            let empty = self.buffer.iter().all(u8::is_ascii_whitespace);
            let is_comment = self.unit == TextUnit::Line && self.buffer.starts_with(b"#");
            if text.is_empty() && (empty || is_comment) {
                gap.add(self.buffer.len() + 1).with_context(context)?;
            }
            self.line += 1;
            match line {
                LineRead::End if text.is_empty() => return Ok(None),
                LineRead::End => return Ok(Some(row(first, &text))),
                LineRead::TooLong => return Ok(Some(RawRow::bad(self.line, too_long("line"), &self.buffer))),
                LineRead::Read if self.unit == TextUnit::Line => {
                    if !empty && !is_comment {
                        return Ok(Some(row(self.line, &self.buffer)));
                    }
                }
                LineRead::Read if empty && text.is_empty() => {}
                LineRead::Read if empty => return Ok(Some(row(first, &text))),
                LineRead::Read => {
                    if text.is_empty() {
                        first = self.line;
                    } else {
                        text.push(b'\n');
                    }
                    text.extend_from_slice(&self.buffer);
                    if text.len() > LONGEST_ROW {
                        return Ok(Some(RawRow::bad(first, too_long("paragraph"), &text)));
                    }
                }
            }
        }
    }
}

fn row(line: u64, bytes: &[u8]) -> RawRow {
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            let mut fields = Fields::new();
            fields.insert("text".into(), Value::String(text.to_owned()));
            RawRow::Done(Parsed::Row { line, fields, numbers: Numbers::new() }, text.len() + 256)
        }
        Err(error) => RawRow::bad(line, format!("not UTF-8 at byte {}", error.valid_up_to() + 1), bytes),
    }
}
