//! The log view: what the program has said, newest at the bottom.

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::overlay::{self, Overlay, OverlayReply};
use crate::app::store::Store;
use crate::domain::protocol::system::{Level, LogLine};
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::{float, text};

/// The view and how far it is scrolled up from the end.
#[derive(Default)]
pub(crate) struct LogView {
    up: usize,
}

impl LogView {
    fn scroll(&mut self, by: isize, store: &Store) -> OverlayReply {
        self.up = self.up.saturating_add_signed(by).min(store.log.lines().len().saturating_sub(1));
        OverlayReply::stay()
    }
}

/// A level's sign and style.
pub(crate) fn sign(level: Level, theme: &Theme) -> (&'static str, ratatui::style::Style) {
    match level {
        Level::Info => ("·", theme.dim),
        Level::Good => ("✓", theme.good),
        Level::Warning => ("!", theme.warning),
        Level::Error => ("✗", theme.bad),
    }
}

/// Writes what was said at the bottom of the room, whole. Returns the room above it.
fn draw_line(buffer: &mut Buffer, room: Rect, line: &LogLine, view: View<'_>) -> Rect {
    let theme = view.theme;
    let wide = usize::from(room.width.saturating_sub(11));
    let rows = text::wrap(&line.text, wide);
    let height = (rows.len() as u16).min(room.height);
    let place = Rect { y: room.bottom() - height, height, ..room };
    // Of one that begins above what is in sight, the end is shown.
    let above = rows.len() - usize::from(height);
    for (row, y) in rows.iter().skip(above).zip(place.y..) {
        text::put(buffer, place.x + 11, y, row, wide, theme.text);
    }
    if above == 0 && height > 0 {
        let (sign, style) = sign(line.level, theme);
        text::put(buffer, place.x, place.y, text::ago(line.time, view.store.now), 8, theme.dim);
        text::put(buffer, place.x + 9, place.y, sign, 1, style);
    }
    Rect { height: room.height - height, ..room }
}

impl Overlay for LogView {
    fn key(&mut self, key: KeyEvent, store: &Store) -> OverlayReply {
        match overlay::movement(key) {
            Some(down) => self.scroll(down.checked_neg().unwrap_or(isize::MAX), store),
            None if overlay::closes_list(key) => OverlayReply::close(),
            None => OverlayReply::stay(),
        }
    }

    fn mouse(&mut self, mouse: MouseEvent, store: &Store) -> OverlayReply {
        match mouse.kind {
            MouseEventKind::ScrollUp => self.scroll(3, store),
            MouseEventKind::ScrollDown => self.scroll(-3, store),
            MouseEventKind::Down(_) => OverlayReply::close(),
            _ => OverlayReply::stay(),
        }
    }

    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let theme = view.theme;
        let height = (screen.height / 2).max(8);
        let area = Rect { y: screen.bottom().saturating_sub(height + 1), height, ..screen };
        let inside = float::draw(buffer, area, theme, "log");
        if view.store.log.lines().len() == 0 {
            let hint = "Nothing was said yet. Warnings, errors and finished jobs come here.";
            text::put(buffer, inside.x, inside.y, hint, usize::from(inside.width), theme.dim);
        }
        let mut above = inside;
        for line in view.store.log.lines().rev().skip(self.up) {
            above = draw_line(buffer, above, line, view);
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("↑↓", "scroll"), ("esc", "close")]
    }
}
