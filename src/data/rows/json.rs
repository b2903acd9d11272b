//! JSON that is not one object a line: a list of objects, objects one after another, or an object that holds a list.

use std::collections::VecDeque;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::lines::{JsonLines, too_long};
use super::{LONGEST_ROW, Parsed, Piece, Pieces, Reader, kind_of, start_of};

/// An object around a list is read as a whole; a longer one is refused.
const LONGEST_WRAPPER: usize = 512 << 20;

/// A row from one JSON value.
pub(super) fn parse(line: u64, bytes: &[u8]) -> Parsed {
    let bad = |reason: String| Parsed::Bad { line, reason, start: start_of(bytes) };
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) if fields.is_empty() => bad("the object is empty".into()),
        Ok(Value::Object(fields)) => Parsed::Row { line, fields },
        Ok(other) => bad(format!("{} stands where an object should", kind_of(&other))),
        Err(error) => bad(reason(&error, bytes)),
    }
}

fn reason(error: &serde_json::Error, bytes: &[u8]) -> String {
    if let Err(invalid) = std::str::from_utf8(bytes) {
        return format!("not UTF-8 at byte {}", invalid.valid_up_to() + 1);
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
pub(super) fn open(path: &Path, mut reader: Reader) -> Result<Box<dyn Pieces>> {
    let context = || format!("read {}", path.display());
    let line = skip_space(&mut reader).with_context(context)?;
    let buffered = reader.fill_buf().with_context(context)?;
    match buffered.first() {
        None => bail!("{} is empty", path.display()),
        Some(b'[') => {
            reader.consume(1);
            Ok(Box::new(Values {
                reader,
                path: path.to_owned(),
                line,
                list: true,
                waiting: VecDeque::new(),
                count: 0,
            }))
        }
        Some(b'{') if line == 1 && first_line_is_whole(buffered) => {
            Ok(Box::new(JsonLines::new(reader, path)))
        }
        Some(b'{') => Ok(Box::new(Values {
            reader,
            path: path.to_owned(),
            line,
            list: false,
            waiting: VecDeque::new(),
            count: 0,
        })),
        Some(_) => bail!("{} does not begin with a JSON list or object", path.display()),
    }
}

/// Whether more than one line is here and the first is a JSON value of its own.
fn first_line_is_whole(start: &[u8]) -> bool {
    let mut lines = start.splitn(2, |byte| *byte == b'\n');
    let first = lines.next().unwrap_or_default();
    // Where the line is longer than what is buffered, it is at least no pretty-printed object.
    let broken_off = lines.next().is_none() && first.len() > 1 << 16;
    broken_off || serde_json::from_slice::<Value>(first).is_ok_and(|value| !holds_rows(&value))
}

/// JSON values one after another, or the members of a list.
struct Values {
    reader: Reader,
    path: PathBuf,
    line: u64,
    list: bool,
    /// The rows of an object that holds a list.
    waiting: VecDeque<Piece>,
    count: u64,
}

impl Pieces for Values {
    fn next_piece(&mut self) -> Result<Option<Piece>> {
        if let Some(piece) = self.waiting.pop_front() {
            return Ok(Some(piece));
        }
        let Some((line, bytes, whole)) = self.next_value()? else { return Ok(None) };
        self.count += 1;
        if !whole {
            return Ok(Some(Piece::bad(line, too_long("JSON value"), &bytes)));
        }
        if !self.list && self.count == 1 {
            self.waiting = unwrap_list(line, &bytes);
            if let Some(piece) = self.waiting.pop_front() {
                return Ok(Some(piece));
            }
        }
        Ok(Some(Piece::Json { line, bytes }))
    }
}

impl Values {
    /// Where the next value begins, its bytes, and whether these are all of it.
    fn next_value(&mut self) -> Result<Option<(u64, Vec<u8>, bool)>> {
        let path = self.path.clone();
        let context = || format!("read {}", path.display());
        loop {
            self.line += skip_space(&mut self.reader).with_context(context)? - 1;
            match self.reader.fill_buf().with_context(context)?.first() {
                None if self.list => {
                    return Ok(Some((self.line, b"the list is not closed".to_vec(), true)).filter(|_| {
                        // Told once: the next call finds the end.
                        std::mem::replace(&mut self.list, false)
                    }));
                }
                None => return Ok(None),
                Some(b',') => self.reader.consume(1),
                Some(b']') if self.list => {
                    self.reader.consume(1);
                    self.list = false;
                    self.line += skip_space(&mut self.reader).with_context(context)? - 1;
                    let rest = self.reader.fill_buf().with_context(context)?;
                    ensure!(
                        rest.is_empty(),
                        "{}:{}: more follows behind the end of the list",
                        path.display(),
                        self.line
                    );
                    return Ok(None);
                }
                Some(_) => break,
            }
        }
        let line = self.line;
        let limit = if self.list || self.count > 0 { LONGEST_ROW } else { LONGEST_WRAPPER };
        let mut scan = Scan::default();
        let mut bytes = Vec::new();
        let mut whole = true;
        while !scan.done {
            let buffered = self.reader.fill_buf().with_context(context)?;
            if buffered.is_empty() {
                break;
            }
            let taken = scan.take(buffered);
            let part = buffered.get(..taken).unwrap_or_default();
            self.line += super::count(part, b'\n') as u64;
            whole &= bytes.len() + taken <= limit;
            if whole {
                bytes.extend_from_slice(part);
            }
            self.reader.consume(taken);
        }
        Ok(Some((line, bytes, whole)))
    }
}

/// Finds where one JSON value ends, without parsing it.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "a scanner's states, of which several hold at once")]
struct Scan {
    depth: u32,
    in_text: bool,
    escaped: bool,
    started: bool,
    done: bool,
}

impl Scan {
    /// How many of these bytes belong to the value.
    fn take(&mut self, bytes: &[u8]) -> usize {
        for (index, byte) in bytes.iter().enumerate() {
            if self.in_text {
                match byte {
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => {
                        self.in_text = false;
                        self.done = self.depth == 0;
                    }
                    _ => {}
                }
            } else {
                match byte {
                    b'"' => self.in_text = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' if self.depth == 0 => {
                        self.done = true;
                        // A stray bracket is a value of its own, so that something is always taken.
                        return index + usize::from(!self.started);
                    }
                    b'}' | b']' => {
                        self.depth -= 1;
                        self.done = self.depth == 0;
                    }
                    b',' | b'\n' if self.depth == 0 => {
                        self.done = true;
                        return index;
                    }
                    _ => {}
                }
            }
            self.started = true;
            if self.done {
                return index + 1;
            }
        }
        bytes.len()
    }
}

/// Skips white space; gives 1 + the number of line breaks passed.
fn skip_space(reader: &mut impl BufRead) -> std::io::Result<u64> {
    let mut line = 1;
    loop {
        let buffered = reader.fill_buf()?;
        let space = buffered.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        line += buffered.iter().take(space).filter(|byte| **byte == b'\n').count() as u64;
        let go_on = space > 0 && space == buffered.len();
        reader.consume(space);
        if !go_on {
            return Ok(line);
        }
    }
}

fn holds_rows(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| fields.len() <= 8 && rows_of(fields).is_some())
}

/// The longest list of objects that a wrapper holds under a name that promises rows.
fn rows_of(fields: &serde_json::Map<String, Value>) -> Option<&Vec<Value>> {
    const NAMES: [&str; 10] = [
        "data",
        "rows",
        "examples",
        "records",
        "items",
        "instances",
        "queries",
        "train",
        "test",
        "validation",
    ];
    NAMES
        .iter()
        .filter_map(|name| fields.get(*name)?.as_array())
        .filter(|list| !list.is_empty() && list.iter().all(Value::is_object))
        .max_by_key(|list| list.len())
}

fn unwrap_list(line: u64, bytes: &[u8]) -> VecDeque<Piece> {
    let Ok(Value::Object(fields)) = serde_json::from_slice(bytes) else { return VecDeque::new() };
    let rows = rows_of(&fields).into_iter().flatten().filter_map(Value::as_object);
    rows.map(|fields| Piece::Done(Parsed::Row { line, fields: fields.clone() })).collect()
}
