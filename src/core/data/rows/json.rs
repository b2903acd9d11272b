//! JSON that is not one object a line: a list of objects, objects one after another, or an object that holds lists.
//! Nothing longer than a row is held.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::lines::{Breaks, JsonLines, too_long};
use super::scan::{HeldBytes, Scan};
use super::wrapper::{self, Passed, WrapperKey};
use super::{Gap, InputReader, Parsed, RawRow, RowSource, exact, kind_of, nan, start_of, tables, twice};

/// A row from one JSON value.
pub(super) fn parse(line: u64, bytes: &[u8]) -> Parsed {
    let bad = |reason: String| Parsed::Bad { line, reason, start: start_of(bytes) };
    let parsed = exact::parse(bytes)
        .or_else(|error| nan::named(bytes).and_then(|named| exact::parse(&named).ok()).ok_or(error));
    match parsed {
        Ok((Value::Object(fields), _)) if fields.is_empty() => bad("the row is empty".into()),
        Ok((Value::Object(fields), numbers)) => Parsed::Row { line, fields, numbers },
        Ok((other, _)) => bad(format!("{} stands where an object should", kind_of(&other))),
        Err(error) => bad(reason(&error, bytes)),
    }
}

fn reason(error: &serde_json::Error, bytes: &[u8]) -> String {
    if let Err(invalid) = std::str::from_utf8(bytes) {
        return format!("not UTF-8 at byte {}", invalid.valid_up_to() + 1);
    }
    if let Some(told) = twice::sentence(error) {
        return format!("{told}, and only one value of it would be kept; take one out");
    }
    let text = error.to_string();
    let told = text.split(" at line ").next().unwrap_or(&text);
    if told.contains("recursion limit") {
        return "nested more than 128 levels deep".into();
    }
    if error.is_eof() {
        return format!("the JSON breaks off ({told})");
    }
    format!("not JSON: {told} at column {}", error.column())
}

/// Opens a `.json` file by what it holds, whatever its name promises.
pub(super) fn open(path: &Path, reader: InputReader) -> Result<Box<dyn RowSource>> {
    let context = || format!("read {}", path.display());
    let mut values = Values {
        reader,
        path: path.to_owned(),
        line: 1,
        breaks: Breaks::default(),
        mode: JsonState::Sequence,
        made: None,
        passing: Vec::new(),
        passed: Vec::new(),
    };
    match values.peek().with_context(context)? {
        None => bail!("{} is empty", path.display()),
        Some(b'[') => {
            values.consume(1);
            values.mode = JsonState::List;
        }
        Some(b'{') if values.line == 1 && is_lines(values.reader.fill_buf().with_context(context)?) => {
            return Ok(Box::new(JsonLines::new(values.reader, path)));
        }
        Some(b'{') => values.mode = JsonState::First,
        Some(_) => bail!("{} does not begin with a JSON list or object", path.display()),
    }
    Ok(Box::new(values))
}

/// Whether the first line is a JSON value of its own, and either a row or followed by another.
fn is_lines(start: &[u8]) -> bool {
    let mut lines = start.split(|byte| matches!(byte, b'\n' | b'\r')).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default();
    let followed = lines.next().is_some_and(|line| line.trim_ascii_start().starts_with(b"{"));
    let is_row = |value: &Value| !wrapper::holds_rows(value) && !tables::is_table(value);
    serde_json::from_slice::<Value>(first).is_ok_and(|value| followed || is_row(&value))
}

/// Where in the file the reader stands.
enum JsonState {
    /// Before an object that may be a row, or hold lists of rows.
    First,
    /// In a list of rows that is the whole file.
    List,
    /// In a list of rows below that name.
    Member(Arc<str>),
    /// Behind such a list, in the object around it.
    Between,
    /// Before values one after another.
    Sequence,
}

/// JSON values one after another, or the members of lists.
pub(super) struct Values {
    reader: InputReader,
    path: PathBuf,
    /// Of the next byte.
    line: u64,
    breaks: Breaks,
    mode: JsonState,
    /// Rows of a value that holds several.
    made: Option<MadeRows>,
    /// What is beside a list of rows, on the way to it.
    passing: Vec<Passed>,
    /// What is beside the lists of rows and changes what is learnt, in sentences.
    passed: Vec<String>,
}

/// Rows that one value holds.
type MadeRows = Box<dyn Iterator<Item = RawRow> + Send>;

impl RowSource for Values {
    fn next_piece(&mut self) -> Result<Option<RawRow>> {
        loop {
            if let Some(made) = &mut self.made {
                match made.next() {
                    Some(piece) => return Ok(Some(piece)),
                    None => self.made = None,
                }
                continue;
            }
            let path = self.path.clone();
            let is_whole = matches!(self.mode, JsonState::First);
            let piece = self.step().with_context(|| format!("read {}", path.display()))?;
            let Some(piece) = piece else { return Ok(None) };
            let table = if is_whole { table(&piece) } else { None };
            self.made = table.or_else(|| questions(&piece));
            if self.made.is_none() {
                return Ok(Some(piece));
            }
        }
    }

    fn passed(&mut self) -> Vec<String> {
        std::mem::take(&mut self.passed)
    }
}

/// The rows of an object that is a table.
fn table(piece: &RawRow) -> Option<MadeRows> {
    let RawRow::Json { line, bytes } = piece else { return None };
    tables::rows(*line, bytes)
}

/// The questions of an article.
fn questions(piece: &RawRow) -> Option<MadeRows> {
    let (line, bytes, list) = match piece {
        RawRow::Json { line, bytes } => (*line, bytes, None),
        RawRow::Member { line, bytes, list } => (*line, bytes, Some(&**list)),
        RawRow::Cells { .. } | RawRow::Done(..) => return None,
    };
    tables::questions(line, bytes, list).map(|rows| Box::new(rows) as MadeRows)
}

impl Values {
    fn step(&mut self) -> Result<Option<RawRow>> {
        loop {
            let next = if matches!(self.mode, JsonState::First) { None } else { self.peek()? };
            match (&self.mode, next) {
                (JsonState::First, _) => return self.first().map(Some),
                (JsonState::List | JsonState::Member(_) | JsonState::Between, None) => {
                    // Told once: the next call finds the end.
                    self.mode = JsonState::Sequence;
                    return Ok(Some(RawRow::bad(self.line, "the list is not closed", b"")));
                }
                (JsonState::Sequence, None) => return Ok(None),
                (JsonState::Between, Some(_)) => {
                    let mut held = HeldBytes::default();
                    let next = self.next_list(&mut held)?;
                    self.name_passed(&held);
                    self.mode = next.map_or(JsonState::Sequence, JsonState::Member);
                }
                (JsonState::List | JsonState::Member(_) | JsonState::Sequence, Some(b',')) => self.consume(1),
                (JsonState::Member(_), Some(b']')) => {
                    self.consume(1);
                    self.mode = JsonState::Between;
                }
                (JsonState::List, Some(b']')) => {
                    self.consume(1);
                    self.mode = JsonState::Sequence;
                    let more = self.peek()?;
                    ensure!(more.is_none(), "more follows behind the end of the list, at line {}", self.line);
                    return Ok(None);
                }
                (JsonState::List | JsonState::Member(_) | JsonState::Sequence, Some(_)) => {
                    return self.value().map(Some);
                }
            }
        }
    }

    fn value(&mut self) -> Result<RawRow> {
        let line = self.line;
        let mut held = HeldBytes::default();
        self.take(Scan::default(), &mut held)?;
        let HeldBytes { bytes, overflown } = held;
        Ok(match &self.mode {
            _ if overflown => RawRow::bad(line, too_long("JSON value"), &bytes),
            JsonState::Member(list) => RawRow::Member { line, bytes, list: Arc::clone(list) },
            JsonState::First | JsonState::List | JsonState::Between | JsonState::Sequence => {
                RawRow::Json { line, bytes }
            }
        })
    }

    /// The first row of the object's first list, or the object itself where it has none.
    fn first(&mut self) -> Result<RawRow> {
        let line = self.line;
        let mut held = HeldBytes::default();
        held.add(b"{");
        self.consume(1);
        while let Some(name) = self.next_list(&mut held)? {
            self.mode = JsonState::Member(name);
            let piece = self.value()?;
            match piece {
                // A list of turns is part of a row.
                RawRow::Member { bytes, .. } if wrapper::is_turn(&bytes) => {
                    held.add(&bytes);
                    self.take(Scan::inside(), &mut held)?;
                }
                other => {
                    self.name_passed(&held);
                    return Ok(other);
                }
            }
        }
        // The object is a row itself, with all that it has.
        self.passing.clear();
        self.mode = JsonState::Sequence;
        let HeldBytes { bytes, overflown } = held;
        Ok(if overflown {
            RawRow::bad(line, too_long("JSON value"), &bytes)
        } else {
            RawRow::Json { line, bytes }
        })
    }

    /// Goes on to the next list of objects below a name that promises rows, past its bracket; `None` behind the end of
    /// the object. What is passed is held.
    fn next_list(&mut self, held: &mut HeldBytes) -> Result<Option<Arc<str>>> {
        let (mut key, mut name) = (WrapperKey::Before, String::new());
        while let Some(next) = self.peek()? {
            match (&key, next) {
                (WrapperKey::Before, b'}') => {
                    self.pass(1, held);
                    return Ok(None);
                }
                (WrapperKey::Before, b'"') => {
                    let mut bytes = HeldBytes::default();
                    self.take(Scan::default(), &mut bytes)?;
                    held.add(&bytes.bytes);
                    name = serde_json::from_slice(&bytes.bytes).unwrap_or_default();
                    key = WrapperKey::Named(wrapper::list_name(&name));
                }
                (WrapperKey::Before | WrapperKey::Named(_), b',' | b':') => self.pass(1, held),
                (WrapperKey::Named(Some(list)), b'[') => {
                    let list = Arc::clone(list);
                    let (line, start) = (self.line, held.bytes.len());
                    self.pass(1, held);
                    if self.peek()? == Some(b'{') {
                        return Ok(Some(list));
                    }
                    self.take(Scan::inside(), held)?;
                    self.passing.push(Passed { name: name.clone(), line, bytes: start..held.bytes.len() });
                    key = WrapperKey::Before;
                }
                (WrapperKey::Before | WrapperKey::Named(_), _) => {
                    let (line, start) = (self.line, held.bytes.len());
                    self.take(Scan::default(), held)?;
                    self.passing.push(Passed { name: name.clone(), line, bytes: start..held.bytes.len() });
                    key = WrapperKey::Before;
                }
            }
        }
        Ok(None)
    }

    /// Names what was passed beside a list of rows, and is held, where it says something.
    fn name_passed(&mut self, held: &HeldBytes) {
        let path = self.path.display();
        for passed in self.passing.drain(..) {
            if let Some(told) = passed.told(held) {
                self.passed.push(format!("{path}:{}: {told}", passed.line));
            }
        }
    }

    /// Takes what belongs to a value.
    fn take(&mut self, mut scan: Scan, held: &mut HeldBytes) -> std::io::Result<()> {
        while !scan.done {
            let buffered = self.reader.fill_buf()?;
            if buffered.is_empty() {
                break;
            }
            let taken = scan.take(buffered);
            self.pass(taken, held);
        }
        Ok(())
    }

    /// Takes so many of the buffered bytes.
    fn pass(&mut self, count: usize, held: &mut HeldBytes) {
        let buffered = self.reader.buffer();
        let part = buffered.get(..count).unwrap_or(buffered);
        held.add(part);
        self.line += self.breaks.count(part);
        self.reader.consume(count);
    }

    fn consume(&mut self, count: usize) {
        self.pass(count, &mut HeldBytes::default());
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> std::io::Result<Option<u8>> {
        let mut gap = Gap::default();
        loop {
            let buffered = self.reader.fill_buf()?;
            let space = buffered.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            let next = buffered.get(space).copied();
            if space == 0 {
                return Ok(next);
            }
            self.line += self.breaks.count(buffered.get(..space).unwrap_or_default());
            self.reader.consume(space);
            gap.add(space)?;
        }
    }
}
