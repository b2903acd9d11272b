//! Metric lines to columns, fast: a run of a million lines is read while a person waits. Opens no file.
//!
//! A line is a flat JSON object, so it is scanned in place; the names of a line are nearly always those of the line
//! before, in the same order, so a name is found with one comparison. What the scan does not understand (nested
//! values, escapes) is given to `serde_json`. A long text is cut between lines and read by all cores.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::number::{number, special};
use crate::domain::series::{MetricChunk, MetricColumn, RUN_SERIES};

/// Names known to a scanner at most: some above the bound of a run, so that it can say that names were left out.
const NAMES: usize = RUN_SERIES + 64;

/// A text of so many bytes is worth another core.
const PART_BYTES: usize = 256 << 10;

/// Reads lines into columns.
#[derive(Default)]
pub struct Scanner {
    columns: Vec<MetricColumn>,
    index: HashMap<Arc<str>, usize>,
    /// What the last line's names stood for, by position.
    expected: Vec<Option<Expected>>,
    /// Values of the line being read.
    line: Vec<(usize, f64)>,
    lines: u64,
    last_step: u64,
    unreadable: u64,
}

/// A name as it stands in a line, with its quotation marks and its colon.
struct Expected {
    written: Vec<u8>,
    target: ScanTarget,
}

/// What a value is.
#[derive(Debug, Clone, Copy)]
enum ScanTarget {
    Step,
    Column(usize),
    /// Of a name above the bound.
    LeftOut,
}

impl Scanner {
    /// Reads whole lines; returns how many bytes that were. What follows the last line feed is left for later.
    pub fn feed(&mut self, text: &[u8]) -> usize {
        let Some(end) = text.iter().rposition(|&byte| byte == b'\n') else { return 0 };
        let whole = text.get(..=end).unwrap_or_default();
        let parts = (whole.len() / PART_BYTES).min(rayon::current_num_threads());
        if parts < 2 {
            self.read_all(whole);
            return end + 1;
        }
        let read = |part| {
            let mut scanner = Self::default();
            scanner.read_all(part);
            scanner
        };
        let read: Vec<Self> = cut(whole, parts).into_par_iter().map(read).collect();
        read.into_iter().for_each(|part| self.append(part));
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

    /// Takes in what another one has read of the lines that follow.
    fn append(&mut self, next: Self) {
        for mut column in next.columns {
            let Some(known) = self.known(&column.name).and_then(|at| self.columns.get_mut(at)) else {
                continue;
            };
            known.steps.append(&mut column.steps);
            known.values.append(&mut column.values);
        }
        if next.lines > 0 {
            self.last_step = next.last_step;
        }
        self.lines += next.lines;
        self.unreadable += next.unreadable;
    }

    fn read_all(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            if let Some((step, rest)) = self.scan(text) {
                self.keep(step);
                text = rest;
                continue;
            }
            let end = text.iter().position(|&byte| byte == b'\n').unwrap_or(text.len());
            self.read_odd(text.get(..end).unwrap_or_default());
            text = text.get(end + 1..).unwrap_or_default();
        }
    }

    /// Reads a line that the scan does not understand.
    fn read_odd(&mut self, line: &[u8]) {
        if line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        let step = self.parse(line).or_else(|| {
            // A process that died while writing leaves half a line, and the resumed run appends to it.
            let torn = line.windows(2).rposition(|pair| pair == b"{\"").filter(|&at| at > 0)?;
            self.unreadable += 1;
            self.parse(line.get(torn..)?)
        });
        match step {
            Some(step) => self.keep(step),
            None => self.unreadable += 1,
        }
    }

    /// Puts the values of a line into their columns.
    fn keep(&mut self, step: u64) {
        self.lines += 1;
        self.last_step = step;
        for &(column, value) in &self.line {
            if let Some(column) = self.columns.get_mut(column) {
                column.steps.push(step);
                column.values.push(value);
            }
        }
    }

    /// Reads a line that is a flat object of names and numbers, in place: its step and what follows the line, or
    /// nothing where it is anything else.
    fn scan<'a>(&mut self, text: &'a [u8]) -> Option<(u64, &'a [u8])> {
        self.line.clear();
        let mut step = None;
        let mut rest = skip_space(text).strip_prefix(b"{")?;
        for position in 0.. {
            let (target, tail) = self.name(position, skip_space(rest))?;
            let (value, tail) = number(skip_space(tail))?;
            match target {
                ScanTarget::Step => step = whole(value),
                ScanTarget::Column(column) => self.line.push((column, value)),
                ScanTarget::LeftOut => {}
            }
            match skip_space(tail).split_first()? {
                (b',', tail) => rest = tail,
                (b'}', tail) => {
                    let rest = skip_space(tail);
                    let rest = if rest.is_empty() { rest } else { rest.strip_prefix(b"\n")? };
                    return step.map(|step| (step, rest));
                }
                _ => return None,
            }
        }
        None
    }

    /// What the name at the beginning of a text stands for, and what follows the colon.
    fn name<'a>(&mut self, position: usize, text: &'a [u8]) -> Option<(ScanTarget, &'a [u8])> {
        if let Some(Some(expected)) = self.expected.get(position)
            && let Some(rest) = text.strip_prefix(&*expected.written)
        {
            return Some((expected.target, rest));
        }
        let (name, rest) = string(text)?;
        let target = match name {
            b"step" => ScanTarget::Step,
            name => {
                self.known(std::str::from_utf8(name).ok()?).map_or(ScanTarget::LeftOut, ScanTarget::Column)
            }
        };
        if self.expected.len() <= position {
            self.expected.resize_with(position + 1, || None);
        }
        if let Some(expected) = self.expected.get_mut(position) {
            let written = [b"\"", name, b"\":"].concat();
            *expected = Some(Expected { written, target });
        }
        Some((target, skip_space(rest).strip_prefix(b":")?))
    }

    /// The same through `serde_json`; values that are no numbers are left out.
    fn parse(&mut self, line: &[u8]) -> Option<u64> {
        self.line.clear();
        let object: crate::domain::run::MetricLine = serde_json::from_slice(line).ok()?;
        let step = object.get("step").and_then(serde_json::Value::as_f64).and_then(whole)?;
        for (name, value) in object.iter().filter(|(name, _)| *name != "step") {
            let value = match value {
                serde_json::Value::Number(number) => number.as_f64(),
                serde_json::Value::String(word) => special(word.as_bytes()),
                _ => None,
            };
            if let (Some(value), Some(column)) = (value, self.known(name)) {
                self.line.push((column, value));
            }
        }
        Some(step)
    }

    /// The column of a name; none where there are too many names already.
    fn known(&mut self, name: &str) -> Option<usize> {
        if let Some(&at) = self.index.get(name) {
            return Some(at);
        }
        if self.columns.len() >= NAMES {
            return None;
        }
        let name: Arc<str> = Arc::from(name);
        self.index.insert(Arc::clone(&name), self.columns.len());
        self.columns.push(MetricColumn { name, steps: Vec::new(), values: Vec::new() });
        Some(self.columns.len() - 1)
    }
}

/// A text in so many parts of about one length, each of whole lines.
fn cut(mut text: &[u8], parts: usize) -> Vec<&[u8]> {
    let about = text.len() / parts;
    let mut cut = Vec::with_capacity(parts);
    while cut.len() + 1 < parts {
        let feed = text.iter().skip(about).position(|&byte| byte == b'\n');
        let Some((part, rest)) = feed.and_then(|at| text.split_at_checked(about + at + 1)) else { break };
        cut.push(part);
        text = rest;
    }
    cut.push(text);
    cut
}

/// Within a line.
fn skip_space(text: &[u8]) -> &[u8] {
    match text {
        [b' ' | b'\t' | b'\r', ..] => {
            let end =
                text.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\r')).unwrap_or(text.len());
            text.get(end..).unwrap_or_default()
        }
        _ => text,
    }
}

/// A string of one line without escapes, and what follows it.
fn string(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.strip_prefix(b"\"")?;
    let end = text.iter().position(|&byte| matches!(byte, b'"' | b'\\' | b'\n'))?;
    let (inside, rest) = text.split_at_checked(end)?;
    Some((inside, rest.strip_prefix(b"\"")?))
}

fn whole(value: f64) -> Option<u64> {
    (value >= 0.0 && value <= 2f64.powi(53)).then_some(value as u64)
}
