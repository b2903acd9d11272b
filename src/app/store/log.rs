//! The program's own log, as far as the screen shows it. At most [`KEPT`] lines: older ones are in the log file.

use std::collections::VecDeque;

use crate::domain::protocol::system::LogLine;

/// Lines kept in memory.
const KEPT: usize = 2_000;

/// The last lines, oldest first.
#[derive(Debug, Default)]
pub struct Log {
    lines: VecDeque<LogLine>,
}

impl Log {
    pub fn lines(&self) -> impl DoubleEndedIterator<Item = &LogLine> + ExactSizeIterator {
        self.lines.iter()
    }

    pub(super) fn push(&mut self, line: LogLine) {
        if self.lines.len() == KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}
