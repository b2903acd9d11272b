//! What a person asks: through a line editor on a terminal, line by line otherwise. Knows no model.

mod editor;
mod history;
mod keys;
mod screen;
mod tty;

use std::io::{BufRead, IsTerminal, Read};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::print;
use editor::LineEditor;

/// What came.
pub(super) enum AskedLine {
    Text(String),
    /// There is no more.
    End,
    /// Ctrl-C, or the system asked to end: the exit code that it stands for.
    Stopped(u8),
}

/// Where questions come from.
pub(super) enum Questions {
    Typed(Box<LineEditor>),
    Lines,
}

/// Bytes of one line at most where nobody types: far more than any model reads.
const LINE_BYTES: u64 = 64 << 20;

/// Said where bytes are read as signs in their place.
const NOT_UTF8: &str = "some bytes of this line are no UTF-8: each was read as \u{fffd}";

impl Questions {
    /// Of standard input; the questions that were asked before are kept in `history`.
    pub(super) fn open(history: Option<&Path>) -> Result<Self> {
        if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
            return Ok(Self::Typed(Box::new(LineEditor::open(history)?)));
        }
        Ok(Self::Lines)
    }

    pub(super) const fn are_typed(&self) -> bool {
        matches!(self, Self::Typed(_))
    }

    /// Waits a moment for what is typed while something else is waited for, and keeps it.
    pub(super) fn take_in(&mut self) -> Result<()> {
        match self {
            Self::Typed(editor) => editor.take_in(),
            Self::Lines => Ok(()),
        }
    }

    /// The next question. `stopped` says whether the system asked to end, and with which exit code.
    pub(super) fn next(&mut self, stopped: &dyn Fn() -> Option<u8>) -> Result<AskedLine> {
        match self {
            Self::Typed(editor) => editor.ask(stopped),
            Self::Lines => Ok(next_lines()?.map_or(AskedLine::End, AskedLine::Text)),
        }
    }
}

/// The next line, or several joined where they end in a backslash.
fn next_lines() -> Result<Option<String>> {
    let mut text = String::new();
    loop {
        let mut bytes = Vec::new();
        let mut input = std::io::stdin().lock().take(LINE_BYTES);
        let count = input.read_until(b'\n', &mut bytes).context("read a line from standard input")?;
        ensure!((count as u64) < LINE_BYTES, "a line of standard input is longer than 64 MiB");
        if count == 0 {
            return Ok(Some(text).filter(|text| !text.is_empty()));
        }
        let line = String::from_utf8_lossy(&bytes);
        if matches!(line, std::borrow::Cow::Owned(_)) {
            print::complain(NOT_UTF8);
        }
        let line = line.strip_suffix('\n').unwrap_or(&line);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let Some(head) = line.strip_suffix('\\') else {
            text.push_str(line);
            return Ok(Some(text));
        };
        text.push_str(head);
        text.push('\n');
    }
}
