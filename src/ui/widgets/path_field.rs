//! A field for a path: typed with completion, pasted, or dropped on the terminal.

use std::path::PathBuf;

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use tui_textarea::{CursorMove, TextArea};

use super::{text, writing};
use crate::app::store::Store;
use crate::domain::dropped;
use crate::domain::protocol::{Command, LibraryCommand, SessionsCommand};
use crate::ui::pane::{Effect, Input, View};
use crate::ui::widgets::field::edit_line;

/// What is being typed.
#[derive(Debug)]
pub(crate) struct PathField {
    area: TextArea<'static>,
    wanted: PathWanted,
}

/// What the path is to lead to: it says what is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum PathWanted {
    #[default]
    Records,
    Documents,
}

impl Default for PathField {
    fn default() -> Self {
        Self::new("", PathWanted::Records)
    }
}

impl PathField {
    pub(crate) fn new(text: &str, wanted: PathWanted) -> Self {
        let mut area = TextArea::new(vec![text.replace(['\n', '\r'], " ")]);
        area.set_cursor_line_style(Style::new());
        area.set_placeholder_text(match wanted {
            PathWanted::Records => "a file, a folder, or hf:owner/name",
            PathWanted::Documents => "a file, or a folder with all under it",
        });
        area.move_cursor(CursorMove::End);
        Self { area, wanted }
    }

    /// With what asks what it may become.
    pub(crate) fn asking(text: &str, wanted: PathWanted) -> (Self, Effect) {
        let field = Self::new(text, wanted);
        let ask = field.ask();
        (field, ask)
    }

    pub(crate) fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// The path that is meant: quotes, escapes and `file://` are a terminal's.
    pub(crate) fn path(&self) -> String {
        dropped::path(self.text())
    }

    /// Takes a key or pasted text, and asks what the path may become.
    pub(crate) fn input(&mut self, input: &Input) -> Vec<Effect> {
        let before = self.text().to_owned();
        match input {
            Input::Key(key) if key.code == KeyCode::Enter => {}
            Input::Key(key) => edit_line(&mut self.area, *key),
            // A whole path takes the place of one that was begun.
            Input::Paste(text) if before.is_empty() || dropped::is_whole(text) => {
                *self = Self::new(&dropped::path(text), self.wanted);
            }
            Input::Paste(text) => {
                let line: String =
                    text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
                self.area.insert_str(line);
            }
        }
        if self.text() == before { Vec::new() } else { vec![self.ask()] }
    }

    /// Asks what the path may become.
    pub(crate) fn ask(&self) -> Effect {
        let typed = self.text().to_owned();
        Effect::Send(match self.wanted {
            PathWanted::Records => Command::Sessions(SessionsCommand::Complete(typed)),
            PathWanted::Documents => Command::Library(LibraryCommand::Complete(typed)),
        })
    }

    /// As far as all that is offered begins alike.
    pub(crate) fn complete(&mut self, store: &Store) -> Vec<Effect> {
        let offered = self.offered(store);
        let Some(first) = offered.first() else { return Vec::new() };
        let alike = offered.iter().fold(first.as_str(), |alike, path| common(alike, path)).to_owned();
        if alike.len() <= self.text().len() {
            return Vec::new();
        }
        *self = Self::new(&alike, self.wanted);
        vec![self.ask()]
    }

    fn offered<'s>(&self, store: &'s Store) -> &'s [String] {
        match &store.completed {
            Some((typed, paths)) if typed == self.text() => paths,
            _ => &[],
        }
    }

    /// The field in the first row, what it may become below.
    pub(crate) fn draw(&self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let mut field = self.area.clone();
        field.set_style(theme.bright);
        field.set_placeholder_style(theme.dim);
        field.set_cursor_style(theme.caret);
        writing::draw(&field, buffer, Rect { height: 1.min(area.height), ..area }, theme);
        let width = usize::from(area.width);
        let offered = self.offered(view.store);
        let room = usize::from(area.height.saturating_sub(1));
        let shown = if offered.len() > room { room.saturating_sub(1) } else { room };
        for (path, y) in offered.iter().take(shown).zip(area.y + 1..) {
            text::put(buffer, area.x, y, text::shorten_path(path, width), width, theme.dim);
        }
        if offered.len() > room && room > 0 {
            let more = format!("… {} more; tab completes", offered.len() - shown);
            text::put(buffer, area.x, area.bottom() - 1, more, width, theme.dim);
        }
    }
}

fn common<'a>(left: &'a str, right: &str) -> &'a str {
    let end = left.char_indices().zip(right.chars()).find(|((_, a), b)| a != b);
    let end = end.map_or(left.len().min(right.len()), |((at, _), _)| at);
    left.get(..end).unwrap_or_default()
}

/// The path that is typed, with the person's own folder in the place of `~/`.
pub(crate) fn from_home(typed: &str) -> PathBuf {
    let home = typed.strip_prefix("~/").and_then(|rest| Some(std::env::home_dir()?.join(rest)));
    home.unwrap_or_else(|| PathBuf::from(typed))
}

/// Whether a pasted text looks like the path of data.
pub(crate) fn is_path(text: &str) -> bool {
    let line = text.trim().trim_matches(['"', '\'']);
    let begins = ["/", "~/", "./", "../", "file://", "hf:"].iter().any(|begin| line.starts_with(begin));
    let lower = line.to_lowercase();
    let ends = [".csv", ".tsv", ".jsonl", ".json", ".parquet", ".txt", ".gz", ".zst"];
    line.lines().count() == 1
        && (begins || (!line.contains(' ') && ends.iter().any(|end| lower.ends_with(end))))
}
