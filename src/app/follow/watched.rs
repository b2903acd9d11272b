//! The files of one run whose values are shown.

use std::sync::Arc;

use super::NextLook;
use super::pieces::FilePieces;
use super::scan::Scanner;
use super::tail::Tail;
use crate::domain::protocol::RunsEvent;
use crate::domain::protocol::runs::FileReading;
use crate::domain::run::Sample;
use crate::domain::run_info::RunId;
use crate::domain::series::MetricChunk;

/// Of a log that is there already, so many bytes are read.
const LOG_BYTES: u64 = 64 << 10;
/// A line of a log is cut after so many characters.
const LOG_LINE: usize = 1_000;

pub(super) struct Watched {
    id: RunId,
    metrics: Tail,
    scanner: Scanner,
    pieces: FilePieces,
    /// Bytes of the metrics that were read.
    read: u64,
    samples: Tail,
    log: Tail,
    /// Whether the studio was told to begin anew.
    begun: bool,
}

impl Watched {
    pub(super) fn new(id: RunId) -> Self {
        let folder = id.folder();
        Self {
            metrics: Tail::new(folder.join("metrics.jsonl")),
            scanner: Scanner::default(),
            pieces: FilePieces::default(),
            read: 0,
            samples: Tail::new(folder.join("samples.jsonl")),
            log: Tail::from_end(folder.join("log"), LOG_BYTES),
            begun: false,
            id,
        }
    }

    /// Reads what is new. A file that can't be read right now is tried again at the next look.
    pub(super) fn look(&mut self, emit: &mut dyn FnMut(RunsEvent)) -> NextLook {
        if !self.begun {
            self.begun = true;
            emit(RunsEvent::Restarted(self.id.clone()));
        }
        let more = self.look_metrics(emit);
        let more = self.look_samples(emit) || more;
        let more = self.look_log(emit) || more;
        if more { NextLook::Now } else { NextLook::Later }
    }

    /// Whatever was read of a new file comes again with the second reading, into empty series.
    fn restart(&mut self) {
        *self = Self::new(self.id.clone());
    }

    fn look_metrics(&mut self, emit: &mut dyn FnMut(RunsEvent)) -> bool {
        let scanner = &mut self.scanner;
        let Ok(look) = self.metrics.look(&mut |bytes| scanner.feed(bytes)) else { return false };
        if look.replaced {
            self.restart();
            return true;
        }
        if look.endless_line {
            scanner.skip_line();
        }
        let chunk = scanner.take();
        self.pieces.note((std::mem::replace(&mut self.read, look.done), look.done), &chunk);
        let news = chunk.lines + chunk.unreadable > 0;
        if news {
            emit(RunsEvent::MetricsAppended(self.id.clone(), Arc::new(chunk)));
            let reading = FileReading { done_bytes: look.done, total_bytes: look.total };
            emit(RunsEvent::Reading(self.id.clone(), reading));
        }
        look.more
    }

    /// The values between two steps, both included; `None` where they can't be read right now.
    pub(super) fn detail(&self, (first, last): (u32, u32)) -> Option<MetricChunk> {
        let path = self.id.folder().join("metrics.jsonl");
        self.pieces.read(&path, u64::from(first), u64::from(last)).ok()
    }

    fn look_samples(&mut self, emit: &mut dyn FnMut(RunsEvent)) -> bool {
        let mut samples = Vec::new();
        let look = self.samples.look(&mut |bytes| {
            let (whole, rest) = whole_lines(bytes);
            samples.extend(
                whole
                    .split(|&byte| byte == b'\n')
                    .filter_map(|line| serde_json::from_slice::<Sample>(line).ok()),
            );
            bytes.len() - rest
        });
        if look.as_ref().is_ok_and(|look| look.replaced) {
            self.restart();
            return true;
        }
        if !samples.is_empty() {
            emit(RunsEvent::SamplesAppended(self.id.clone(), samples));
        }
        look.is_ok_and(|look| look.more)
    }

    fn look_log(&mut self, emit: &mut dyn FnMut(RunsEvent)) -> bool {
        let mut lines = Vec::new();
        let look = self.log.look(&mut |bytes| {
            let (whole, rest) = whole_lines(bytes);
            lines
                .extend(whole.split(|&byte| byte == b'\n').map(clean).filter(|line| !line.trim().is_empty()));
            bytes.len() - rest
        });
        if !lines.is_empty() {
            emit(RunsEvent::LogAppended(self.id.clone(), lines));
        }
        look.is_ok_and(|look| look.more)
    }
}

/// The bytes up to the last line feed, and how many are behind it.
fn whole_lines(bytes: &[u8]) -> (&[u8], usize) {
    let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
    (bytes.get(..end).unwrap_or_default(), bytes.len() - end)
}

/// A line without what steers terminals: a log may hold anything.
fn clean(line: &[u8]) -> String {
    let text = String::from_utf8_lossy(line);
    let mut clean = String::new();
    let mut characters = text.chars().take(LOG_LINE);
    while let Some(character) = characters.next() {
        match character {
            // A control sequence: up to its final letter.
            '\u{1b}' => {
                let introducer = characters.next();
                if introducer == Some('[') {
                    let _ = characters.by_ref().find(|end| ('@'..='~').contains(end));
                }
            }
            '\t' => clean.push(' '),
            // A progress bar writes its line again: the last writing counts.
            '\r' => clean.clear(),
            control if control.is_control() => {}
            other => clean.push(other),
        }
    }
    clean
}
