//! All keys, from the tables that dispatch them.

use crossterm::event::{KeyCode, KeyEvent, MouseEvent, MouseEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::overlay::{Overlay, Reply};
use crate::app::store::Store;
use crate::ui::keymap::{Binding, Keymap};
use crate::ui::layout::centred;
use crate::ui::pane::View;
use crate::ui::widgets::float;

/// A line of the help.
enum Line {
    Title(&'static str),
    Blank,
    Key { keys: String, help: &'static str, name: &'static str },
}

/// The list of keys and how far it is scrolled.
pub(crate) struct Help {
    lines: Vec<Line>,
    top: usize,
    page: usize,
}

impl Help {
    /// For these tables, a title each.
    pub(crate) fn new(tables: &[(&'static str, &'static [Binding])], keymap: &Keymap) -> Self {
        let mut lines = Vec::new();
        for (title, bindings) in tables.iter().filter(|(_, bindings)| !bindings.is_empty()) {
            if !lines.is_empty() {
                lines.push(Line::Blank);
            }
            lines.push(Line::Title(title));
            lines.extend(bindings.iter().map(|binding| Line::Key {
                keys: keymap.chords(binding).iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
                help: binding.help,
                name: binding.name,
            }));
        }
        Self { lines, top: 0, page: 1 }
    }

    fn scroll(&mut self, by: isize) {
        let last = self.lines.len().saturating_sub(self.page);
        self.top = self.top.saturating_add_signed(by).min(last);
    }
}

impl Overlay for Help {
    fn key(&mut self, key: KeyEvent, _store: &Store) -> Reply {
        let page = self.page as isize;
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.scroll(1),
            KeyCode::Up | KeyCode::Char('k') => self.scroll(-1),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll(page),
            KeyCode::PageUp => self.scroll(-page),
            KeyCode::Home => self.top = 0,
            KeyCode::End => self.scroll(isize::MAX),
            _ => return Reply::close(),
        }
        Reply::stay()
    }

    fn mouse(&mut self, mouse: MouseEvent, _store: &Store) -> Reply {
        match mouse.kind {
            MouseEventKind::ScrollDown => self.scroll(3),
            MouseEventKind::ScrollUp => self.scroll(-3),
            MouseEventKind::Down(_) => return Reply::close(),
            _ => {}
        }
        Reply::stay()
    }

    fn draw(&mut self, buffer: &mut Buffer, screen: Rect, view: View<'_>) {
        let theme = view.theme;
        let height = (self.lines.len() as u16 + 4).min(screen.height.saturating_sub(2));
        let area = centred(screen, 84, height);
        let inside = float::draw(buffer, area, theme, "keys");
        let list = Rect { y: inside.y + 1, height: inside.height.saturating_sub(2), ..inside };
        self.page = usize::from(list.height).max(1);
        self.scroll(0);
        let keys_width = self.lines.iter().map(Line::keys_width).max().unwrap_or(0).clamp(8, 20);
        for (line, y) in self.lines.iter().skip(self.top).zip(list.y..list.bottom()) {
            line.draw(buffer, Rect { y, height: 1, ..list }, view, keys_width);
        }
        if self.lines.len() > self.page {
            let shown = format!(
                "{}–{} of {}",
                self.top + 1,
                (self.top + self.page).min(self.lines.len()),
                self.lines.len()
            );
            let x = inside.right().saturating_sub(shown.len() as u16);
            buffer.set_string(x, inside.bottom().saturating_sub(1), shown, theme.dim);
        }
    }

    fn hints(&self) -> &'static [(&'static str, &'static str)] {
        &[("↑↓", "scroll"), ("esc", "close")]
    }
}

impl Line {
    fn keys_width(&self) -> usize {
        match self {
            Self::Key { keys, .. } => crate::ui::widgets::text::width(keys),
            Self::Title(_) | Self::Blank => 0,
        }
    }

    fn draw(&self, buffer: &mut Buffer, row: Rect, view: View<'_>, keys_width: usize) {
        let theme = view.theme;
        match self {
            Self::Blank => {}
            Self::Title(title) => {
                buffer.set_stringn(row.x, row.y, title, usize::from(row.width), theme.bright);
            }
            Self::Key { keys, help, name } => {
                buffer.set_stringn(row.x + 1, row.y, keys, keys_width, theme.accent);
                let x = row.x + 3 + keys_width as u16;
                let room = usize::from(row.right().saturating_sub(x));
                let (end, _) = buffer.set_stringn(x, row.y, help, room, theme.text);
                let name_x = row.right().saturating_sub(name.len() as u16);
                if name_x > end + 1 {
                    buffer.set_string(name_x, row.y, name, theme.dim);
                }
            }
        }
    }
}
