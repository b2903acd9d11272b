//! The filter as it is typed: suggestions, and a caret under what is wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::cursor::ScrollPlace;
use super::line::{Offered, OneLine};
use crate::domain::filter::{
    Filter, FilterError, Suggestion, Vocabulary, complete, goes_on, parse, passed_over, so_far,
};
use crate::domain::record::RecordId;
use crate::ui::pane::Input;
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// A line being typed.
#[derive(Debug)]
pub(super) struct FilterLine {
    line: OneLine,
    before: String,
    /// Where the table was before anything was typed, and on which record.
    place: (ScrollPlace, Option<RecordId>),
    suggestions: Vec<Suggestion>,
    offered: Offered,
    /// Whether it was to be taken as it is, and couldn't be read.
    refused: bool,
}

impl FilterLine {
    pub(super) fn new(text: &str, place: (ScrollPlace, Option<RecordId>), vocabulary: &Vocabulary) -> Self {
        let mut line = Self {
            line: OneLine::new(text),
            before: text.to_owned(),
            place,
            suggestions: Vec::new(),
            offered: Offered::default(),
            refused: false,
        };
        line.offer(vocabulary);
        line
    }

    pub(super) fn text(&self) -> &str {
        self.line.text()
    }

    /// As it was before anything was typed.
    pub(super) fn before(&self) -> (&str, ScrollPlace, Option<RecordId>) {
        (&self.before, self.place.0, self.place.1)
    }

    pub(super) fn filter(&self) -> Result<Filter, FilterError> {
        parse(self.line.text())
    }

    /// What the table shows meanwhile: what was typed so far, without what can't be read yet. Nothing when nothing of
    /// it can be read: then it stays as it is.
    pub(super) fn so_far(&self) -> Option<Filter> {
        self.filter().ok().or_else(|| {
            let begun = so_far(self.line.text());
            (begun != Filter::Everything).then_some(begun)
        })
    }

    /// In the place of how many records match, as long as that can't be known.
    pub(super) fn unknown_count(&self) -> Option<&'static str> {
        let error = self.filter().err()?;
        Some(if goes_on(self.line.text(), &error) { "goes on …" } else { "can't be read" })
    }

    /// Says what is wrong in the place of what could follow.
    pub(super) fn refuse(&mut self) {
        self.refused = true;
    }

    pub(super) fn input(&mut self, input: &Input, vocabulary: &Vocabulary) {
        self.refused = false;
        if !self.offered.input(input) {
            self.line.input(input);
            self.offer(vocabulary);
        }
    }

    fn offer(&mut self, vocabulary: &Vocabulary) {
        self.suggestions = complete(self.line.text(), self.line.cursor(), vocabulary);
        self.offered = Offered::new(self.suggestions.iter().map(|one| one.text.clone()).collect());
    }

    /// Takes the suggestion that is picked.
    pub(super) fn complete(&mut self, vocabulary: &Vocabulary) {
        if let Some(suggestion) = self.suggestions.get(self.offered.at()) {
            self.line.replace(suggestion.span.clone(), &suggestion.text);
            self.offer(vocabulary);
        }
    }

    /// What is wrong, if that is said in the place of what could follow.
    fn error(&self) -> Option<FilterError> {
        let said =
            |error: &FilterError| self.refused || self.offered.is_empty() || !goes_on(self.text(), error);
        self.filter().err().filter(said)
    }

    /// Rows that `draw` needs below the line, where they are of this width.
    pub(super) fn rows_below(&self, width: u16) -> u16 {
        let error = self.error().filter(|error| mark(self.text(), error, width).is_none());
        error.map_or(1, |error| from_the_edge(&error, width).len() as u16)
    }

    /// Draws the line into the first row, the error or the suggestions below it.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, below: Rect, theme: &Theme) {
        self.line.draw(buffer, area, theme);
        if let Some(error) = self.error() {
            return draw_error(buffer, below, self, &error, theme);
        }
        match self.filter() {
            Ok(filter) if self.offered.is_empty() => {
                let note = passed_over(&filter).unwrap_or_default();
                let room = usize::from(below.width);
                text::put(buffer, below.x, below.y, &note, room, theme.dim);
            }
            _ => self.offered.draw(buffer, below, theme),
        }
    }
}

fn draw_error(buffer: &mut Buffer, area: Rect, line: &FilterLine, error: &FilterError, theme: &Theme) {
    if let Some((before, message)) = mark(line.text(), error, area.width) {
        text::put(buffer, area.x + before, area.y, message, usize::from(area.width - before), theme.bad);
        return;
    }
    for (y, row) in (area.top()..area.bottom()).zip(from_the_edge(error, area.width)) {
        text::put(buffer, area.x, y, row, usize::from(area.width), theme.bad);
    }
}

/// The message behind a mark under what is wrong, and where that begins; nothing where it doesn't fit there.
fn mark(typed: &str, error: &FilterError, width: u16) -> Option<(u16, String)> {
    let before = text::width(typed.get(..error.span.start).unwrap_or(typed));
    let wide = typed.get(error.span.clone()).map_or(1, text::width).max(1);
    let message = format!("{} {}", "▔".repeat(wide), error.message);
    let before = before.min(usize::from(width.saturating_sub(1)));
    (before + text::width(&message) <= usize::from(width)).then_some((before as u16, message))
}

fn from_the_edge(error: &FilterError, width: u16) -> Vec<String> {
    text::wrap(&format!("▔ {}", error.message), usize::from(width))
}
