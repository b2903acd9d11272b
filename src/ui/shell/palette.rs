//! The command palette: every action of every pane, found by a few letters.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::overlay::{Overlay, OverlayAsk, OverlayReply};
use crate::app::store::Store;
use crate::domain::protocol::system::{Level, Notice};
use crate::ui::action::Action;
use crate::ui::layout::centred;
use crate::ui::pane::{Effect, View};
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::field::TextField;
use crate::ui::widgets::{float, text};

/// Columns of the pane's name.
const PANE_WIDTH: u16 = 12;

/// One thing that can be done.
pub(crate) struct Entry {
    pub(crate) pane: &'static str,
    pub(crate) help: &'static str,
    /// What the footer and the settings call it.
    pub(crate) called: [&'static str; 2],
    pub(crate) keys: String,
    pub(crate) action: Action,
    pub(crate) now: Now,
}

/// Whether an action makes sense right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Now {
    Yes,
    No,
}

/// The palette while it is open.
pub(crate) struct Palette {
    entries: Vec<Entry>,
    field: TextField,
    /// Entries that match, best first, with the letters that did (counted in characters of the title).
    found: Vec<(usize, Vec<u32>)>,
    cursor: ListCursor,
    list: Rect,
    matcher: Matcher,
}

impl Palette {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let mut palette = Self {
            entries,
            field: TextField::new("what to do: a few letters are enough"),
            found: Vec::new(),
            cursor: ListCursor::default(),
            list: Rect::ZERO,
            matcher: Matcher::new(Config::DEFAULT),
        };
        palette.search();
        palette
    }

    fn search(&mut self) {
        let pattern = Pattern::parse(self.field.text(), CaseMatching::Ignore, Normalization::Smart);
        let mut scored: Vec<(u32, usize, Vec<u32>)> = Vec::new();
        let mut characters = Vec::new();
        for (position, entry) in self.entries.iter().enumerate() {
            let title = entry.title();
            let mut letters = Vec::new();
            let haystack = Utf32Str::new(&title, &mut characters);
            if let Some(score) = pattern.indices(haystack, &mut self.matcher, &mut letters) {
                letters.sort_unstable();
                scored.push((score, position, letters));
            }
        }
        // What is called so first, then what can be done now, among equals as the tables have it.
        let typed = self.field.text().trim().to_lowercase();
        scored.sort_by_key(|(score, position, _)| {
            let entry = self.entries.get(*position);
            let is_called = entry.is_some_and(|entry| entry.is_called(&typed));
            let later = entry.is_some_and(|entry| entry.now == Now::No);
            (!is_called, is_called && later, std::cmp::Reverse(*score), later, *position)
        });
        self.found = scored.into_iter().map(|(_, position, letters)| (position, letters)).collect();
        self.cursor = ListCursor::default();
    }

    fn choose(&self) -> OverlayReply {
        let entry = self.found.get(self.cursor.row()).and_then(|(position, _)| self.entries.get(*position));
        match entry {
            Some(entry) if entry.now == Now::Yes => {
                OverlayReply::close().and(OverlayAsk::Perform(entry.action))
            }
            Some(entry) => {
                let words = format!("not possible here and now: {}", entry.help);
                OverlayReply::stay().with(Effect::Notify(Notice::new(Level::Info, words)))
            }
            None => OverlayReply::stay(),
        }
    }

    fn draw_entry(&self, buffer: &mut Buffer, row: Rect, view: View<'_>, number: usize) {
        let Some((position, letters)) = self.found.get(number) else { return };
        let Some(entry) = self.entries.get(*position) else { return };
        let theme = view.theme;
        let plain = if entry.now == Now::Yes { theme.text } else { theme.dim };
        let keys_width = text::width(&entry.keys) as u16;
        let room = row.width.saturating_sub(PANE_WIDTH + keys_width + 4);
        text::put(buffer, row.x + 1, row.y, entry.pane, usize::from(PANE_WIDTH), theme.dim);
        let mut x = row.x + 1 + PANE_WIDTH;
        let help = text::shorten(entry.help, usize::from(room));
        for (index, character) in help.chars().enumerate() {
            let matched = letters.binary_search(&(index as u32)).is_ok();
            let style = if matched { theme.matched } else { plain };
            x = text::put(buffer, x, row.y, character.encode_utf8(&mut [0; 4]), 2, style).0;
        }
        buffer.set_string(row.right().saturating_sub(keys_width + 1), row.y, &entry.keys, theme.dim);
        if number == self.cursor.row() {
            buffer.set_style(row, theme.selection);
        }
    }
}

impl Entry {
    /// What letters are looked for in: what it does counts before where.
    fn title(&self) -> String {
        let [label, name] = self.called;
        format!("{} {} {label} {name}", self.help, self.pane)
    }

    /// Whether the footer or the settings have just this word for it.
    fn is_called(&self, word: &str) -> bool {
        let [label, name] = self.called;
        !word.is_empty() && (label == word || name.rsplit('.').next() == Some(word))
    }
}

impl Overlay for Palette {
    fn key(&mut self, key: KeyEvent, _store: &Store) -> OverlayReply {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let length = self.found.len();
        match key.code {
            KeyCode::Esc => return OverlayReply::close(),
            KeyCode::Char('c' | 'g') if control => return OverlayReply::close(),
            KeyCode::Enter => return self.choose(),
            KeyCode::Down | KeyCode::Tab => self.cursor.step(1, length),
            KeyCode::Up | KeyCode::BackTab => self.cursor.step(-1, length),
            KeyCode::Char('n') if control => self.cursor.step(1, length),
            KeyCode::Char('p') if control => self.cursor.step(-1, length),
            KeyCode::PageDown => self.cursor.step(10, length),
            KeyCode::PageUp => self.cursor.step(-10, length),
            _ => {
                self.field.key(key);
                self.search();
            }
        }
        OverlayReply::stay()
    }

    fn paste(&mut self, text: &str) -> OverlayReply {
        self.field.paste(text);
        self.search();
        OverlayReply::stay()
    }

    fn mouse(&mut self, mouse: MouseEvent, _store: &Store) -> OverlayReply {
        let length = self.found.len();
        match mouse.kind {
            MouseEventKind::ScrollDown => self.cursor.step(1, length),
            MouseEventKind::ScrollUp => self.cursor.step(-1, length),
            MouseEventKind::Down(MouseButton::Left) => {
                if !self.list.contains(Position::new(mouse.column, mouse.row)) {
                    return OverlayReply::close();
                }
                if let Some(row) = self.cursor.at_line(usize::from(mouse.row - self.list.y), length) {
                    self.cursor.go(row, length);
                    return self.choose();
                }
            }
            _ => {}
        }
        OverlayReply::stay()
    }

    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let theme = view.theme;
        let height = (self.entries.len() as u16 + 4).min(22).min(screen.height.saturating_sub(2));
        let inside = float::draw(buffer, centred(screen, 76, height), theme, "commands");
        self.field.draw(
            buffer,
            Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), height: 1, ..inside },
            theme,
        );
        self.list = Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
        if self.found.is_empty() {
            text::put(buffer, self.list.x + 1, self.list.y, "nothing has these letters", 40, theme.dim);
        }
        let window = self.cursor.window(self.found.len(), usize::from(self.list.height));
        for (number, y) in window.zip(self.list.y..self.list.bottom()) {
            self.draw_entry(buffer, Rect { y, height: 1, ..self.list }, view, number);
        }
    }

    fn is_typing(&self) -> bool {
        true
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("↑↓", "choose"), ("⏎", "do it"), ("esc", "close")]
    }
}
