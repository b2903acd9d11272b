//! The files that could not be read when they were last added, each with its reason.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::app::store::Store;
use crate::domain::counted::counted;
use crate::ui::layout::centred;
use crate::ui::pane::View;
use crate::ui::widgets::{float, text};

/// The list while it is open.
#[derive(Debug, Default)]
pub(super) struct LeftOutFiles {
    scroll: usize,
}

impl LeftOutFiles {
    pub(super) const fn step(&mut self, by: isize) {
        self.scroll = self.scroll.saturating_add_signed(by);
    }

    pub(super) fn draw(&mut self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let Some(added) = &view.store.library.added else { return };
        let title = format!("{}: {} left out", added.what, counted(added.unread, "file"));
        let inside =
            float::draw(buffer, centred(area, 96, area.height.saturating_sub(2).min(24)), theme, &title);
        let width = usize::from(inside.width);
        let mut lines = Vec::new();
        for (path, why) in &added.reasons {
            lines.push((text::shorten_path(path, width), theme.bright));
            let reason = text::wrap(why, width.saturating_sub(2));
            lines.extend(reason.into_iter().map(|line| (format!("  {line}"), theme.text)));
        }
        let more = added.unread.saturating_sub(added.reasons.len() as u64);
        if more > 0 {
            lines.push((format!("… and {} more", text::count(more)), theme.dim));
        }
        self.scroll = self.scroll.min(lines.len().saturating_sub(usize::from(inside.height)));
        for ((line, style), y) in lines.iter().skip(self.scroll).zip(inside.y..inside.bottom()) {
            text::put(buffer, inside.x, y, line, width, *style);
        }
    }
}

/// Whether there is anything to list.
pub(super) fn is_any(store: &Store) -> bool {
    store.library.added.as_ref().is_some_and(|added| added.unread > 0)
}
