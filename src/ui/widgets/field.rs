//! A text field of one line.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use tui_textarea::TextArea;

use super::writing;
use crate::ui::theme::Theme;

/// What is being typed.
#[derive(Debug)]
pub struct TextField {
    area: TextArea<'static>,
}

impl TextField {
    /// Empty, with a hint that shows until something is typed.
    #[must_use]
    pub fn new(hint: &str) -> Self {
        let mut area = TextArea::default();
        area.set_placeholder_text(hint);
        area.set_cursor_line_style(Style::new());
        Self { area }
    }

    #[must_use]
    pub fn text(&self) -> &str {
        self.area.lines().first().map_or("", String::as_str)
    }

    /// Takes an editing key. Enter is the owner's: pass it on and nothing happens.
    pub fn key(&mut self, key: KeyEvent) {
        if key.code != crossterm::event::KeyCode::Enter {
            edit_line(&mut self.area, key);
        }
    }

    /// Takes pasted text, its line breaks as spaces.
    pub fn paste(&mut self, text: &str) {
        let line: String = text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).collect();
        self.area.insert_str(line);
    }

    /// Takes the whole text out.
    pub fn clear(&mut self) {
        self.area.clear();
    }

    /// Draws the text with its cursor.
    pub fn draw(&mut self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        self.area.set_style(theme.bright);
        self.area.set_placeholder_style(theme.dim);
        self.area.set_cursor_style(theme.caret);
        writing::draw(&self.area, buffer, area, theme);
    }
}

/// A key in a field of one line. Ctrl-u takes back what is before the cursor, as in a shell.
pub(crate) fn edit_line(area: &mut TextArea<'static>, key: KeyEvent) {
    use crossterm::event::{KeyCode, KeyModifiers};
    if key.code == KeyCode::Char('u') && key.modifiers == KeyModifiers::CONTROL {
        area.delete_line_by_head();
    } else {
        area.input(key);
    }
}
