//! Metric lines to columns, fast: a run of a million lines is read while a person waits. Opens no file.
//!
//! A line is a flat JSON object, so it is scanned in place; the names of a line are nearly always those of the line
//! before, in the same order, so a name is found with one comparison. What the scan does not understand (nested
//! values, escapes) is given to `serde_json`.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::series::{MetricChunk, MetricColumn, RUN_SERIES};

/// Names known to a scanner at most: some above the bound of a run, so that it can say that names were left out.
const NAMES: usize = RUN_SERIES + 64;

/// Reads lines into columns.
#[derive(Default)]
pub struct Scanner {
    columns: Vec<MetricColumn>,
    index: HashMap<Arc<str>, usize>,
    /// Column indices of the last line's names, by position.
    expected: Vec<Option<usize>>,
    /// Values of the line being read.
    line: Vec<(usize, f64)>,
    lines: u64,
    last_step: u64,
    unreadable: u64,
}

impl Scanner {
    /// Reads whole lines; returns how many bytes that were. What follows the last line feed is left for later.
    pub fn feed(&mut self, text: &[u8]) -> usize {
        let Some(end) = text.iter().rposition(|&byte| byte == b'\n') else { return 0 };
        let whole = text.get(..end).unwrap_or_default();
        for line in whole.split(|&byte| byte == b'\n') {
            self.read(line);
        }
        end + 1
    }

    /// What was read since the last call.
    pub fn take(&mut self) -> MetricChunk {
        let columns = self
            .columns
            .iter_mut()
            .filter(|column| !column.steps.is_empty())
            .map(|column| MetricColumn {
                name: Arc::clone(&column.name),
                steps: std::mem::take(&mut column.steps),
                values: std::mem::take(&mut column.values),
            })
            .collect();
        MetricChunk {
            columns,
            lines: std::mem::take(&mut self.lines),
            last_step: self.last_step,
            unreadable: std::mem::take(&mut self.unreadable),
        }
    }

    /// Counts a line that was too long to be one.
    pub fn skip_line(&mut self) {
        self.unreadable += 1;
    }

    fn read(&mut self, line: &[u8]) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let step = self.scan(line).or_else(|| self.parse(line)).or_else(|| {
            // A process that died while writing leaves half a line, and the resumed run appends to it.
            let torn = line.windows(2).rposition(|pair| pair == b"{\"").filter(|&at| at > 0)?;
            self.unreadable += 1;
            self.parse(line.get(torn..)?)
        });
        let Some(step) = step else {
            self.unreadable += 1;
            return;
        };
        self.lines += 1;
        self.last_step = step;
        for &(column, value) in &self.line {
            if let Some(column) = self.columns.get_mut(column) {
                column.steps.push(step);
                column.values.push(value);
            }
        }
    }

    /// Reads a flat object of names and numbers in place; its step, or nothing where the line is anything else.
    fn scan(&mut self, line: &[u8]) -> Option<u64> {
        self.line.clear();
        let mut step = None;
        let mut rest = after(line, b'{')?;
        for position in 0.. {
            let (name, tail) = string(rest)?;
            let (value, tail) = number(after(tail, b':')?)?;
            if name == b"step" {
                step = whole(value);
            } else if let Some(column) = self.column(position, name) {
                self.line.push((column, value));
            }
            match skip_space(tail).split_first()? {
                (b',', tail) => rest = tail,
                (b'}', tail) if skip_space(tail).is_empty() => return step,
                _ => return None,
            }
        }
        None
    }

    /// The same through `serde_json`; values that are no numbers are left out.
    fn parse(&mut self, line: &[u8]) -> Option<u64> {
        self.line.clear();
        let object: crate::domain::run::MetricLine = serde_json::from_slice(line).ok()?;
        let step = object.get("step").and_then(serde_json::Value::as_f64).and_then(whole)?;
        for (position, (name, value)) in object.iter().enumerate().filter(|(_, (name, _))| *name != "step") {
            let value = match value {
                serde_json::Value::Number(number) => number.as_f64(),
                serde_json::Value::String(word) => special(word.as_bytes()),
                _ => None,
            };
            if let (Some(value), Some(column)) = (value, self.column(position, name.as_bytes())) {
                self.line.push((column, value));
            }
        }
        Some(step)
    }

    fn column(&mut self, position: usize, name: &[u8]) -> Option<usize> {
        if self.expected.len() <= position {
            self.expected.resize(position + 1, None);
        }
        let expected = self.expected.get(position).copied().flatten();
        if let Some(at) = expected
            && self.columns.get(at).is_some_and(|column| column.name.as_bytes() == name)
        {
            return Some(at);
        }
        let name = std::str::from_utf8(name).ok()?;
        let at = match self.index.get(name) {
            Some(&at) => at,
            None if self.columns.len() < NAMES => {
                let name: Arc<str> = Arc::from(name);
                self.index.insert(Arc::clone(&name), self.columns.len());
                self.columns.push(MetricColumn { name, steps: Vec::new(), values: Vec::new() });
                self.columns.len() - 1
            }
            None => return None,
        };
        if let Some(expected) = self.expected.get_mut(position) {
            *expected = Some(at);
        }
        Some(at)
    }
}

fn skip_space(text: &[u8]) -> &[u8] {
    text.trim_ascii_start()
}

fn after(text: &[u8], byte: u8) -> Option<&[u8]> {
    skip_space(text).strip_prefix(&[byte])
}

/// A string without escapes, and what follows it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = after(text, b'"')?;
    let end = text.iter().position(|&byte| byte == b'"' || byte == b'\\')?;
    let (inside, rest) = text.split_at_checked(end)?;
    Some((inside, rest.strip_prefix(b"\"")?))
}

/// A JSON number or one of the three words for what JSON has no numbers for, and what follows it.
fn number(text: &[u8]) -> Option<(f64, &[u8])> {
    let text = skip_space(text);
    if text.first() == Some(&b'"') {
        let (word, rest) = string(text)?;
        return Some((special(word)?, rest));
    }
    // Bare, as Python's json module writes them.
    for word in [&b"NaN"[..], b"Infinity", b"-Infinity"] {
        if let Some(rest) = text.strip_prefix(word) {
            return Some((special(word)?, rest));
        }
    }
    let is_number = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E');
    let end = text.iter().position(|byte| !is_number(byte)).unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    Some((std::str::from_utf8(digits).ok()?.parse().ok()?, rest))
}

fn special(word: &[u8]) -> Option<f64> {
    match word {
        b"NaN" => Some(f64::NAN),
        b"Infinity" => Some(f64::INFINITY),
        b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

fn whole(value: f64) -> Option<u64> {
    (value >= 0.0 && value <= 2f64.powi(53)).then_some(value as u64)
}
