//! The line editor: keys change the text, Enter asks it.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use tui_textarea::{CursorMove, Input, Key as Name, TextArea};

use super::history::InputHistory;
use super::keys::{KeyDecoder, KeyPress};
use super::screen::{Screen, lay};
use super::tty::{Tty, TtyMode, wait};
use super::{AskedLine, NOT_UTF8};
use crate::cli::print;

pub(in crate::cli) struct LineEditor {
    tty: Tty,
    keys: KeyDecoder,
    history: InputHistory,
    screen: Screen,
    area: TextArea<'static>,
    ended: bool,
}

/// Between two looks at whether the system asked to end.
const LOOK: Duration = Duration::from_millis(200);
/// Within this time the rest of a key, or of lines that were pasted at once, has come.
const TOGETHER: Duration = Duration::from_millis(15);

const BRACKETS_ON: &str = "\u{1b}[?2004h";
const BRACKETS_OFF: &str = "\u{1b}[?2004l";

/// What a key leads to.
enum KeyOutcome {
    GoOn,
    Ask,
    Done(AskedLine),
}

impl LineEditor {
    pub(super) fn open(history: Option<&Path>) -> Result<Self> {
        let tty = Tty::open()?;
        tty.set(TtyMode::Answering)?;
        Ok(Self {
            tty,
            keys: KeyDecoder::default(),
            history: InputHistory::open(history),
            screen: Screen::default(),
            area: TextArea::default(),
            ended: false,
        })
    }

    /// Waits a moment for keys, which are for the next question.
    pub(super) fn take_in(&mut self) -> Result<()> {
        if self.ended {
            // Its end is always there to be read.
            return wait(&mut [], TOGETHER).map(drop);
        }
        if self.tty.is_ready(TOGETHER)? {
            self.read()?;
        }
        Ok(())
    }

    /// Reads one question.
    pub(super) fn ask(&mut self, stopped: &dyn Fn() -> Option<u8>) -> Result<AskedLine> {
        self.tty.set(TtyMode::Editing)?;
        print::say_keys(BRACKETS_ON)?;
        let asked = self.edit(stopped);
        print::say_keys(BRACKETS_OFF)?;
        self.tty.set(TtyMode::Answering)?;
        if std::mem::take(&mut self.keys.replaced) {
            print::complain(NOT_UTF8);
        }
        asked
    }

    fn edit(&mut self, stopped: &dyn Fn() -> Option<u8>) -> Result<AskedLine> {
        self.draw()?;
        loop {
            let Some(key) = self.key(stopped)? else {
                let code = stopped();
                return self.left(code.map_or(AskedLine::End, AskedLine::Stopped));
            };
            match self.after(key)? {
                KeyOutcome::GoOn => {}
                KeyOutcome::Ask => return self.asked(),
                KeyOutcome::Done(asked) => return self.left(asked),
            }
            // What comes in one go is drawn once.
            if !self.more()? {
                self.draw()?;
            }
        }
    }

    /// Waits for a key; none at the terminal's end and where the system asked to end.
    fn key(&mut self, stopped: &dyn Fn() -> Option<u8>) -> Result<Option<KeyPress>> {
        let mut all = false;
        loop {
            if let Some(key) = self.keys.next(all || self.ended) {
                return Ok(Some(key));
            }
            if self.ended || stopped().is_some() {
                return Ok(None);
            }
            let wait = if self.keys.is_empty() { LOOK } else { TOGETHER };
            if self.tty.is_ready(wait)? {
                all = false;
                self.read()?;
            } else {
                // A key whose rest doesn't come has none.
                all = !self.keys.is_empty();
            }
        }
    }

    fn read(&mut self) -> Result<()> {
        let bytes = self.tty.read()?;
        self.ended |= bytes.is_empty();
        self.keys.push(&bytes);
        Ok(())
    }

    /// Whether more is there already.
    fn more(&mut self) -> Result<bool> {
        if self.keys.is_empty() && !self.ended && self.tty.is_ready(TOGETHER)? {
            self.read()?;
        }
        Ok(!self.keys.is_empty())
    }

    fn after(&mut self, key: KeyPress) -> Result<KeyOutcome> {
        match key {
            KeyPress::Text(text) | KeyPress::Pasted(text) => {
                self.area.insert_str(text);
            }
            KeyPress::Line => self.area.insert_newline(),
            KeyPress::Enter => return self.enter(),
            KeyPress::Interrupt if self.area.is_empty() => {
                return Ok(KeyOutcome::Done(AskedLine::Stopped(130)));
            }
            KeyPress::Interrupt => {
                // As shells do: the line is given up, and can be had again.
                self.history.add(&self.text());
                self.clear("");
            }
            KeyPress::End if self.area.is_empty() => return Ok(KeyOutcome::Done(AskedLine::End)),
            KeyPress::End => drop(self.area.delete_next_char()),
            KeyPress::Redraw => {
                print::say_keys("\u{1b}[H\u{1b}[2J")?;
                self.screen = Screen::default();
            }
            KeyPress::Older => self.up(),
            KeyPress::Newer => self.down(),
            KeyPress::Edit(Input { key: Name::Home, .. }) => self.area.move_cursor(CursorMove::Head),
            KeyPress::Edit(Input { key: Name::End, .. }) => self.area.move_cursor(CursorMove::End),
            KeyPress::Edit(input) => drop(self.area.input(input)),
        }
        Ok(KeyOutcome::GoOn)
    }

    /// Lines that came in one go belong together; a line that ends in a backslash goes on in the next.
    fn enter(&mut self) -> Result<KeyOutcome> {
        let together = self.more()? && self.keys.begin_with_text();
        if !together {
            if !self.text().ends_with('\\') {
                return Ok(KeyOutcome::Ask);
            }
            self.area.move_cursor(CursorMove::Bottom);
            self.area.move_cursor(CursorMove::End);
            self.area.delete_char();
        }
        self.area.insert_newline();
        Ok(KeyOutcome::GoOn)
    }

    fn up(&mut self) {
        if self.area.cursor().0 > 0 {
            self.area.move_cursor(CursorMove::Up);
        } else if let Some(older) = self.history.older(&self.text()) {
            self.clear(&older);
        }
    }

    fn down(&mut self) {
        if self.area.cursor().0 + 1 < self.area.lines().len() {
            self.area.move_cursor(CursorMove::Down);
        } else if let Some(newer) = self.history.newer() {
            self.clear(&newer);
        }
    }

    fn text(&self) -> String {
        self.area.lines().join("\n")
    }

    fn clear(&mut self, text: &str) {
        self.area = TextArea::default();
        self.area.insert_str(text);
    }

    fn asked(&mut self) -> Result<AskedLine> {
        let text = self.text();
        if !text.trim().is_empty() {
            self.history.add(&text);
            if let Err(error) = self.history.save() {
                print::complain(&format!("{error:#}"));
            }
        }
        self.left(AskedLine::Text(text))
    }

    fn left(&mut self, asked: AskedLine) -> Result<AskedLine> {
        let laid = lay(self.area.lines(), (0, 0), width());
        print::say_keys(&self.screen.leave(&laid))?;
        self.clear("");
        Ok(asked)
    }

    fn draw(&mut self) -> Result<()> {
        let cursor = self.area.cursor();
        let laid = lay(self.area.lines(), (cursor.0, cursor.1), width());
        print::say_keys(&self.screen.draw(&laid, height()))
    }
}

/// A row that is full to its end would move the cursor on some terminals and not on others.
fn width() -> usize {
    size().0.saturating_sub(1)
}

fn height() -> usize {
    size().1.saturating_sub(1)
}

fn size() -> (usize, usize) {
    let (columns, rows) = crossterm::terminal::size().unwrap_or((80, 24));
    let known = |number: u16, usual: usize| if number == 0 { usual } else { usize::from(number) };
    (known(columns, 80), known(rows, 24))
}
