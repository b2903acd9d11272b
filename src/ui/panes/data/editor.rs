//! Text fields: one line for names and numbers, many for a record's turns.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use tui_textarea::{CursorMove, TextArea, WrapMode};

use crate::domain::change::Body;
use crate::domain::record::{Record, RecordId};
use crate::ui::pane::Input;
use crate::ui::theme::Theme;

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
            Input::Key(key) if key.code == crossterm::event::KeyCode::Enter => {}
            Input::Key(key) => {
                self.0.input(*key);
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
        field.render(area, buffer);
    }
}

/// What a line is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Search,
    Import,
    Jump,
    Tag,
    Untag,
    Label,
    Split,
}

impl Field {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Search => "search",
            Self::Import => "import",
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
            Self::Import => "a file, a folder, or hf:owner/name[:config[:split]]",
            Self::Jump => "the row's place in this view",
            Self::Tag | Self::Untag => "a word",
            Self::Label | Self::Split => "a word; empty clears it",
        }
    }
}

/// A line being asked for.
#[derive(Debug)]
pub(super) struct Line {
    field: Field,
    line: OneLine,
}

impl Line {
    pub(super) fn new(field: Field, text: &str) -> Self {
        Self { field, line: OneLine::new(text) }
    }

    pub(super) const fn field(&self) -> Field {
        self.field
    }

    pub(super) fn text(&self) -> &str {
        self.line.text()
    }

    pub(super) fn input(&mut self, input: &Input) {
        self.line.input(input);
    }

    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        self.line.draw(buffer, area, theme);
    }
}

/// A record's turns, each in a field of its own.
#[derive(Debug)]
pub(super) struct Editor {
    record: RecordId,
    body: Body,
    turns: Vec<(&'static str, TextArea<'static>)>,
    at: usize,
}

impl Editor {
    /// Begins with the last turn: the answer is what is corrected most.
    pub(super) fn new(id: RecordId, record: &Record) -> Self {
        let body = Body::of(record);
        let mut turns: Vec<(&'static str, TextArea<'static>)> = Vec::new();
        for (who, content) in fields(&mut body.clone()) {
            let mut area = TextArea::new(content.split('\n').map(str::to_owned).collect());
            area.set_cursor_line_style(Style::new());
            area.set_wrap_mode(WrapMode::WordOrGlyph);
            turns.push((who, area));
        }
        let at = turns.len().saturating_sub(1);
        Self { record: id, body, turns, at }
    }

    pub(super) fn input(&mut self, input: &Input) {
        let Some((_, area)) = self.turns.get_mut(self.at) else { return };
        match input {
            Input::Key(key) => {
                area.input(*key);
            }
            Input::Paste(text) => {
                area.insert_str(text.replace("\r\n", "\n").replace('\r', "\n"));
            }
        }
    }

    pub(super) fn next_turn(&mut self) {
        if !self.turns.is_empty() {
            self.at = (self.at + 1) % self.turns.len();
        }
    }

    /// What was made of it.
    pub(super) fn finish(mut self) -> (RecordId, Body) {
        let texts: Vec<String> = self.turns.iter().map(|(_, area)| area.lines().join("\n")).collect();
        for ((_, content), text) in fields(&mut self.body).into_iter().zip(texts) {
            *content = text;
        }
        (self.record, self.body)
    }

    /// The field being edited below the names of all.
    pub(super) fn draw(&self, buffer: &mut Buffer, area: Rect, theme: &Theme) {
        let mut x = area.x;
        for (index, (who, _)) in self.turns.iter().enumerate() {
            let style = if index == self.at { theme.accent } else { theme.dim };
            (x, _) = buffer.set_stringn(x, area.y, who, usize::from(area.right().saturating_sub(x)), style);
            x = (x + 2).min(area.right());
        }
        let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
        let Some((_, field)) = self.turns.get(self.at) else {
            let words = "This record has columns only: nothing to edit. Import it with --map part=column.";
            buffer.set_stringn(below.x, below.y, words, usize::from(below.width), theme.dim);
            return;
        };
        let mut field = field.clone();
        field.set_style(theme.text);
        field.set_cursor_style(theme.caret);
        field.render(below, buffer);
    }
}

/// The texts of a content that can be edited, with their speakers.
fn fields(body: &mut Body) -> Vec<(&'static str, &mut String)> {
    let mut fields: Vec<(&'static str, &mut String)> =
        body.messages.iter_mut().map(|message| (message.role.name(), &mut message.content)).collect();
    if let Some(pair) = &mut body.preference {
        fields.extend(pair.chosen.iter_mut().map(|message| ("chosen", &mut message.content)));
        fields.extend(pair.rejected.iter_mut().map(|message| ("rejected", &mut message.content)));
    }
    fields.extend(body.text.as_mut().map(|text| ("text", text)));
    fields
}
