//! A text of many lines, being written.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use tui_textarea::{CursorMove, TextArea};

use crate::ui::pane::Input;
use crate::ui::theme::Theme;
use crate::ui::widgets::field::edit_text;
use crate::ui::widgets::{text, writing};

/// The text and its cursor.
#[derive(Debug)]
pub(super) struct Composer(TextArea<'static>);

/// Whether the keyboard is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Caret {
    Shown,
    Hidden,
}

impl Default for Composer {
    fn default() -> Self {
        Self::new("")
    }
}

impl Composer {
    pub(super) fn new(content: &str) -> Self {
        let mut area = writing::field(content);
        area.move_cursor(CursorMove::Bottom);
        area.move_cursor(CursorMove::End);
        Self(area)
    }

    pub(super) fn text(&self) -> String {
        self.0.lines().join("\n")
    }

    pub(super) fn is_blank(&self) -> bool {
        self.0.lines().iter().all(|line| line.trim().is_empty())
    }

    /// Whether the cursor is in the first line.
    pub(super) fn at_top(&self) -> bool {
        self.0.cursor().0 == 0
    }

    pub(super) fn at_bottom(&self) -> bool {
        self.0.cursor().0 + 1 >= self.0.lines().len()
    }

    pub(super) fn break_line(&mut self) {
        self.0.insert_newline();
    }

    /// Whether the text is another one now.
    pub(super) fn input(&mut self, input: &Input) -> bool {
        match input {
            Input::Key(key) => edit_text(&mut self.0, *key),
            Input::Paste(text) => self.0.insert_str(text.replace("\r\n", "\n").replace('\r', "\n")),
        }
    }

    /// Rows that the text takes at a width.
    pub(super) fn rows(&self, width: u16) -> u16 {
        let columns = usize::from(width.saturating_sub(1).max(1));
        let rows: usize = self.0.lines().iter().map(|line| text::rows_of(line, columns)).sum();
        rows.clamp(1, 999) as u16
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme, caret: Caret) {
        let field = &mut self.0;
        field.set_style(if caret == Caret::Shown { theme.bright } else { theme.text });
        field.set_cursor_style(match caret {
            Caret::Shown => theme.caret,
            Caret::Hidden => Style::new(),
        });
        writing::draw(field, buffer, area, theme);
    }
}
