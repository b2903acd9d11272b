//! The filter as it is typed: suggestions, and a caret under what is wrong.

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::editor::OneLine;
use crate::domain::filter::{Filter, FilterError, Suggestion, Vocabulary, complete, parse};
use crate::ui::pane::Input;
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// A line being typed.
#[derive(Debug)]
pub(super) struct FilterLine {
    line: OneLine,
    before: String,
    offered: Vec<Suggestion>,
    picked: usize,
}

impl FilterLine {
    pub(super) fn new(text: &str) -> Self {
        Self { line: OneLine::new(text), before: text.to_owned(), offered: Vec::new(), picked: 0 }
    }

    pub(super) fn text(&self) -> &str {
        self.line.text()
    }

    /// As it was before anything was typed.
    pub(super) fn before(&self) -> &str {
        &self.before
    }

    pub(super) fn filter(&self) -> Result<Filter, FilterError> {
        parse(self.line.text())
    }

    pub(super) fn input(&mut self, input: &Input, vocabulary: &Vocabulary) {
        match input {
            Input::Key(key) if key.code == KeyCode::Down => self.pick(1),
            Input::Key(key) if key.code == KeyCode::Up => self.pick(self.offered.len().saturating_sub(1)),
            _ => {
                self.line.input(input);
                self.offered = complete(self.line.text(), self.line.cursor(), vocabulary);
                self.picked = 0;
            }
        }
    }

    fn pick(&mut self, by: usize) {
        if !self.offered.is_empty() {
            self.picked = (self.picked + by) % self.offered.len();
        }
    }

    /// Takes the suggestion that is picked.
    pub(super) fn complete(&mut self, vocabulary: &Vocabulary) {
        if let Some(suggestion) = self.offered.get(self.picked) {
            self.line.replace(suggestion.span.clone(), &suggestion.text);
            self.offered = complete(self.line.text(), self.line.cursor(), vocabulary);
            self.picked = 0;
        }
    }

    /// Draws the line into the first row, the error or the suggestions below it.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, below: Rect, theme: &Theme) {
        self.line.draw(buffer, area, theme);
        match self.filter() {
            Err(error) if self.offered.is_empty() || !self.at_end(&error) => {
                draw_error(buffer, below, self, &error, theme);
            }
            _ => self.draw_offered(buffer, below, theme),
        }
    }

    /// An error at the very end is what not having finished looks like.
    fn at_end(&self, error: &FilterError) -> bool {
        error.span.end >= self.line.text().trim_end().len()
    }

    fn draw_offered(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let mut x = area.x;
        for (index, suggestion) in self.offered.iter().enumerate() {
            let room = usize::from(area.right().saturating_sub(x));
            if text::width(&suggestion.text) > room {
                return;
            }
            let style = if index == self.picked { theme.accent } else { theme.dim };
            (x, _) = buffer.set_stringn(x, area.y, &suggestion.text, room, style);
            x += 2;
        }
    }
}

fn draw_error(buffer: &mut Buffer, area: Rect, line: &FilterLine, error: &FilterError, theme: &Theme) {
    let typed = line.line.text();
    let before = text::width(typed.get(..error.span.start).unwrap_or(typed)) as u16;
    let wide = typed.get(error.span.clone()).map_or(1, text::width).max(1);
    let x = (area.x + before).min(area.right().saturating_sub(1));
    let room = usize::from(area.right() - x);
    let (after, _) = buffer.set_stringn(x, area.y, "▔".repeat(wide), room, theme.bad);
    let message = format!(" {}", error.message);
    let room = usize::from(area.right().saturating_sub(after));
    if text::width(&message) <= room {
        buffer.set_stringn(after, area.y, &message, room, theme.bad);
    } else {
        // It doesn't fit behind the caret: in front of it, or from the edge.
        let all = text::shorten(&format!("▔ {}", error.message), usize::from(area.width));
        buffer.set_stringn(area.x, area.y, all, usize::from(area.width), theme.bad);
    }
}
