//! Asks before something that can't be undone. Only `y` says yes.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::overlay::{self, Overlay, OverlayKind, OverlayReply};
use crate::app::store::Store;
use crate::ui::layout::centred;
use crate::ui::pane::{Confirmation, View};
use crate::ui::widgets::{float, text};

impl Overlay for Confirmation {
    fn key(&mut self, key: KeyEvent, _store: &Store) -> OverlayReply {
        match (key.code, overlay::letter(key)) {
            (_, Some('y' | 'Y')) => {
                let effects = std::mem::take(&mut self.then);
                effects.into_iter().fold(OverlayReply::close(), OverlayReply::with)
            }
            (KeyCode::Enter, _) | (_, Some('n' | 'N' | 'q')) => OverlayReply::close(),
            _ if overlay::closes(key) => OverlayReply::close(),
            _ => OverlayReply::stay(),
        }
    }

    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let theme = view.theme;
        let width = 64.min(screen.width.saturating_sub(4));
        let lines = text::wrap(&self.text, usize::from(width.saturating_sub(6)));
        let area = centred(screen, width, lines.len() as u16 + 6);
        let title = text::shorten(&self.title, usize::from(width.saturating_sub(8)));
        let inside = float::draw(buffer, area, theme, &title);
        for (line, y) in lines.iter().zip(inside.y + 1..inside.bottom()) {
            text::put(buffer, inside.x + 1, y, line, usize::from(inside.width), theme.text);
        }
        let y = inside.bottom().saturating_sub(1);
        let (x, _) = text::put(buffer, inside.x + 1, y, "y", 1, theme.bad);
        let (x, _) = text::put(buffer, x + 1, y, &self.yes, 24, theme.text);
        let (x, _) = text::put(buffer, x + 3, y, "esc", 3, theme.bright);
        text::put(buffer, x + 1, y, "leave it", 8, theme.dim);
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("y", "yes"), ("esc", "no")]
    }

    fn kind(&self) -> OverlayKind {
        OverlayKind::Question
    }
}
