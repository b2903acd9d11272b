//! The theme picker: moving through it shows each theme at once; Esc puts the old one back.

use crossterm::event::{KeyCode, KeyEvent, MouseButton, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::overlay::{self, Overlay, OverlayAsk, OverlayReply};
use crate::app::store::Store;
use crate::ui::pane::View;
use crate::ui::theme::{Theme, ThemeKind};
use crate::ui::widgets::cursor::ListCursor;
use crate::ui::widgets::{float, text};

/// The picker while it is open.
pub(crate) struct Themes {
    rows: Vec<(String, ThemeKind)>,
    before: usize,
    cursor: ListCursor,
    list: Rect,
}

impl Themes {
    pub(crate) fn new(themes: &[Theme], current: usize) -> Self {
        let rows: Vec<(String, ThemeKind)> =
            themes.iter().map(|theme| (theme.name.clone(), theme.kind)).collect();
        let mut cursor = ListCursor::default();
        cursor.go(current, rows.len());
        Self { rows, before: current, cursor, list: Rect::ZERO }
    }

    fn step(&mut self, by: isize) -> OverlayReply {
        self.cursor.step(by, self.rows.len());
        OverlayReply::stay().and(OverlayAsk::Preview(self.cursor.row()))
    }
}

impl Overlay for Themes {
    fn key(&mut self, key: KeyEvent, _store: &Store) -> OverlayReply {
        match (key.code, overlay::movement(key)) {
            (_, Some(by)) => self.step(by),
            (KeyCode::Enter, None) => OverlayReply::close().and(OverlayAsk::PickTheme(self.cursor.row())),
            (_, None) if overlay::closes_list(key) => {
                OverlayReply::close().and(OverlayAsk::Preview(self.before))
            }
            (_, None) => OverlayReply::stay(),
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, _store: &Store) -> OverlayReply {
        match mouse.kind {
            MouseEventKind::ScrollDown => self.step(1),
            MouseEventKind::ScrollUp => self.step(-1),
            MouseEventKind::Down(MouseButton::Left) => {
                if !self.list.contains(Position::new(mouse.column, mouse.row)) {
                    return OverlayReply::close().and(OverlayAsk::Preview(self.before));
                }
                let line = usize::from(mouse.row - self.list.y);
                match self.cursor.at_line(line, self.rows.len()) {
                    Some(row) if row == self.cursor.row() => {
                        OverlayReply::close().and(OverlayAsk::PickTheme(row))
                    }
                    Some(row) => {
                        self.cursor.go(row, self.rows.len());
                        OverlayReply::stay().and(OverlayAsk::Preview(row))
                    }
                    None => OverlayReply::stay(),
                }
            }
            _ => OverlayReply::stay(),
        }
    }

    /// At the right edge, so that what is behind shows the theme.
    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let theme = view.theme;
        let width = 44.min(screen.width);
        let height = (self.rows.len() as u16 + 6).min(screen.height.saturating_sub(2));
        let area = Rect { x: screen.right() - width, y: screen.y, width, height };
        let inside = float::draw(buffer, area, theme, "theme");
        self.list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(4), ..inside };
        let window = self.cursor.window(self.rows.len(), usize::from(self.list.height));
        if window.len() < self.rows.len() {
            let shown = format!("{}–{} of {}", window.start + 1, window.end, self.rows.len());
            let x = inside.right().saturating_sub(text::width(&shown) as u16 + 1);
            text::put(buffer, x, inside.y, shown, usize::from(inside.width), theme.dim);
        }
        for (number, y) in window.zip(self.list.y..self.list.bottom()) {
            let Some((name, kind)) = self.rows.get(number) else { continue };
            let row = Rect { y, height: 1, ..self.list };
            text::put(buffer, row.x + 1, y, name, 20, theme.text);
            let kind = kind.name();
            buffer.set_string(row.right().saturating_sub(kind.len() as u16 + 1), y, kind, theme.dim);
            if number == self.cursor.row() {
                buffer.set_style(row, theme.selection);
            }
        }
        let words = [
            ("✓ good ", theme.good),
            ("! warning ", theme.warning),
            ("✗ bad ", theme.bad),
            ("accent", theme.accent),
        ];
        let mut x = inside.x + 1;
        for (word, style) in words {
            x = text::put(buffer, x, inside.bottom() - 2, word, 12, style).0;
        }
        let mut x = inside.x + 1;
        for (number, style) in theme.series.iter().enumerate() {
            x = text::put(buffer, x, inside.bottom() - 1, format!("⠤⠒{} ", number + 1), 6, *style).0;
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("↑↓", "look"), ("⏎", "take it"), ("esc", "leave it")]
    }
}
