//! Text fields of one line, for names and numbers, with what could be typed next.

use std::ops::Range;

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use tui_textarea::{CursorMove, TextArea};

use crate::domain::filter::Vocabulary;
use crate::ui::pane::Input;
use crate::ui::theme::Theme;
use crate::ui::widgets::field::edit_line;
use crate::ui::widgets::{text, writing};

/// A text of one line; line breaks that are pasted become spaces.
#[derive(Debug)]
pub(super) struct OneLine(TextArea<'static>);

impl OneLine {
    pub(super) fn new(text: &str) -> Self {
        let mut area = TextArea::new(vec![text.replace(['\n', '\r'], " ")]);
        area.set_cursor_line_style(Style::new());
        area.move_cursor(CursorMove::End);
        Self(area)
    }

    pub(super) fn text(&self) -> &str {
        self.0.lines().first().map_or("", String::as_str)
    }

    /// The cursor's place in bytes.
    pub(super) fn cursor(&self) -> usize {
        let characters = self.0.cursor().1;
        self.text().char_indices().nth(characters).map_or(self.text().len(), |(at, _)| at)
    }

    pub(super) fn input(&mut self, input: &Input) {
        match input {
            Input::Key(key) if key.code == KeyCode::Enter => {}
            Input::Key(key) => {
                edit_line(&mut self.0, *key);
            }
            Input::Paste(text) => {
                self.0.insert_str(text.replace(['\n', '\r'], " "));
            }
        }
    }

    /// Puts a text in the place of some bytes, and the cursor behind it.
    pub(super) fn replace(&mut self, span: Range<usize>, by: &str) {
        let text = self.text();
        let before = text.get(..span.start).unwrap_or_default();
        let after = text.get(span.end..).unwrap_or_default();
        let column = (before.chars().count() + by.chars().count()) as u16;
        let whole = format!("{before}{by}{after}");
        *self = Self::new(&whole);
        self.0.move_cursor(CursorMove::Jump(0, column));
    }

    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let mut field = self.0.clone();
        field.set_style(theme.bright);
        field.set_cursor_style(theme.caret);
        writing::draw(&field, buffer, area, theme);
    }
}

/// What a line is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DataInputKind {
    Search,
    Jump,
    Tag,
    Untag,
    Label,
    Split,
}

impl DataInputKind {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Jump => "row",
            Self::Tag => "tag",
            Self::Untag => "untag",
            Self::Label => "label",
            Self::Split => "split",
        }
    }

    pub(super) const fn hint(self) -> &'static str {
        match self {
            Self::Search => "words as a phrase, or /a regular expression/",
            Self::Jump => "the row's place in this view",
            Self::Tag | Self::Untag => "a word",
            Self::Label | Self::Split => "a word; empty clears it",
        }
    }
}

/// A line being asked for.
#[derive(Debug)]
pub(super) struct DataInput {
    field: DataInputKind,
    line: OneLine,
    offered: Offered,
}

impl DataInput {
    pub(super) fn new(field: DataInputKind, text: &str, vocabulary: &Vocabulary) -> Self {
        let mut line = Self { field, line: OneLine::new(text), offered: Offered::default() };
        // All names at first: the text that is there is the one to be replaced.
        line.offer("", vocabulary);
        line
    }

    pub(super) const fn field(&self) -> DataInputKind {
        self.field
    }

    pub(super) fn text(&self) -> &str {
        self.line.text()
    }

    pub(super) fn input(&mut self, input: &Input, vocabulary: &Vocabulary) {
        if !self.offered.input(input) {
            self.line.input(input);
            self.offer(&self.line.text().to_lowercase(), vocabulary);
        }
    }

    /// Takes the suggestion that is picked.
    pub(super) fn complete(&mut self, vocabulary: &Vocabulary) {
        if let Some(name) = self.offered.picked() {
            self.line = OneLine::new(name);
            self.offer(&self.line.text().to_lowercase(), vocabulary);
        }
    }

    /// The names in use that go with what was typed: first those that begin with it.
    fn offer(&mut self, typed: &str, vocabulary: &Vocabulary) {
        let names: &[String] = match self.field {
            DataInputKind::Tag | DataInputKind::Untag => &vocabulary.tags,
            DataInputKind::Label => &vocabulary.labels,
            DataInputKind::Split => &vocabulary.splits,
            DataInputKind::Search | DataInputKind::Jump => &[],
        };
        let none = names.is_empty() && self.field == DataInputKind::Split;
        let usual: &[&str] = if none { &SPLITS } else { &[] };
        let all = names.iter().map(String::as_str).chain(usual.iter().copied());
        let (starts, inside): (Vec<&str>, Vec<&str>) = all
            .filter(|name| *name != self.line.text() && name.to_lowercase().contains(typed))
            .partition(|name| name.to_lowercase().starts_with(typed));
        self.offered = Offered::new(starts.into_iter().chain(inside).take(MOST).map(str::to_owned).collect());
    }

    /// Draws the line, and below it what could be typed next or what is asked for.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, below: Rect, theme: &Theme) {
        self.line.draw(buffer, area, theme);
        if self.offered.is_empty() {
            text::put(buffer, below.x, below.y, self.field.hint(), usize::from(below.width), theme.dim);
        } else {
            self.offered.draw(buffer, below, theme);
        }
    }
}

/// Splits as data sets have them: offered while none is in use.
const SPLITS: [&str; 3] = ["train", "validation", "test"];

/// Names that are offered at most.
const MOST: usize = 30;

/// What could be typed next; one of it is picked.
#[derive(Debug, Default)]
pub(super) struct Offered {
    names: Vec<String>,
    picked: usize,
}

impl Offered {
    pub(super) const fn new(names: Vec<String>) -> Self {
        Self { names, picked: 0 }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(super) const fn at(&self) -> usize {
        self.picked
    }

    pub(super) fn picked(&self) -> Option<&str> {
        self.names.get(self.picked).map(String::as_str)
    }

    /// Up and down pick another; false for other keys.
    pub(super) fn input(&mut self, input: &Input) -> bool {
        let count = self.names.len();
        let by = match input {
            Input::Key(key) if key.code == KeyCode::Down => 1,
            Input::Key(key) if key.code == KeyCode::Up => count.saturating_sub(1),
            Input::Key(_) | Input::Paste(_) => return false,
        };
        if count > 0 {
            self.picked = (self.picked + by) % count;
        }
        true
    }

    /// As many as fit, the one that is picked among them; `…` for those that don't.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let room = usize::from(area.width);
        let wide = |name: &String| text::width(name) + 2;
        let mut first = 0;
        let mut used: usize = self.names.iter().take(self.picked + 1).map(wide).sum();
        while used + 2 > room && first < self.picked {
            used -= self.names.get(first).map_or(0, wide);
            first += 1;
        }
        let mut x = area.x;
        if first > 0 {
            (x, _) = text::put(buffer, x, area.y, "… ", 2, theme.dim);
        }
        for (index, name) in self.names.iter().enumerate().skip(first) {
            let room = usize::from(area.right().saturating_sub(x));
            if text::width(name) + 2 > room && index != self.picked {
                text::put(buffer, x, area.y, "…", room, theme.dim);
                return;
            }
            let style = if index == self.picked { theme.accent } else { theme.dim };
            (x, _) = text::put(buffer, x, area.y, name, room, style);
            x = (x + 2).min(area.right());
        }
    }
}
