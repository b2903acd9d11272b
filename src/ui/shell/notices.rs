//! What the program has just said, on the hairline below the header: nothing else is ever there, so nothing is covered.
//! What is longer takes lines of its own from the pane: a sentence is never cut. Notices leave by themselves; the log
//! keeps them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::log::sign;
use crate::app::store::Toast;
use crate::domain::protocol::system::Level;
use crate::ui::pane::View;
use crate::ui::widgets::text;

/// Lines of one notice; what is longer stands whole in the log.
const LINES: usize = 4;
/// Columns between the edges of the screen and the words.
const EDGE: u16 = 4;

/// The notices that have room.
pub(crate) struct Notices {
    /// Side by side on the hairline, the newest at the right.
    first: Vec<(Level, String)>,
    /// The other lines of the newest.
    rest: Vec<String>,
}

/// Says what of the notices is shown on a screen of this width, before anything is drawn.
pub(crate) fn lay_out(toasts: &[Toast], width: u16) -> Notices {
    let room = usize::from(width.saturating_sub(2 * EDGE));
    let Some((newest, older)) = toasts.split_last() else {
        return Notices { first: Vec::new(), rest: Vec::new() };
    };
    let notice = &newest.notice;
    let mut lines = text::wrap(&notice.text, room);
    if lines.len() > LINES {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            *last = format!("{} … f4 shows all of it", text::shorten(last, room.saturating_sub(23)));
        }
    }
    let rest = lines.split_off(1.min(lines.len()));
    let mut first: Vec<(Level, String)> = lines.into_iter().map(|line| (notice.level, line)).collect();
    let mut used = first.iter().map(|(_, line)| text::width(line)).sum::<usize>();
    for toast in older.iter().rev().filter(|_| rest.is_empty()) {
        // Whole, or not at all.
        let wide = text::width(&toast.notice.text) + 5;
        if toast.notice.text.contains('\n') || used + wide > room {
            break;
        }
        used += wide;
        first.insert(0, (toast.notice.level, toast.notice.text.clone()));
    }
    Notices { first, rest }
}

impl Notices {
    /// Lines beyond the hairline.
    pub(crate) fn more(&self) -> u16 {
        self.rest.len() as u16
    }

    /// Draws from the hairline down.
    pub(crate) fn draw(&self, buffer: &mut Buffer, area: Rect, view: View<'_>) {
        let theme = view.theme;
        let wide = |line: &str| text::width(line) as u16 + 4;
        let all: u16 = self.first.iter().map(|(_, line)| wide(line) + 1).sum();
        let longest = self.rest.iter().map(|line| wide(line)).max().unwrap_or(0);
        let mut x = area.right().saturating_sub((all + 1).max(longest + 2)).max(area.x + 1);
        let left = x;
        for (level, line) in &self.first {
            let (sign, style) = sign(*level, theme);
            x = piece(buffer, (x, area.y), area, (sign, style), line, view) + 1;
        }
        for (line, y) in self.rest.iter().zip(area.y + 1..area.bottom()) {
            piece(buffer, (left, y), area, (" ", theme.text), line, view);
        }
    }
}

/// A sign and words on the surface of what floats. Returns where they end.
fn piece(
    buffer: &mut Buffer,
    (x, y): (u16, u16),
    area: Rect,
    (sign, style): (&str, Style),
    line: &str,
    view: View<'_>,
) -> u16 {
    let theme = view.theme;
    let width = (text::width(line) as u16 + 4).min(area.right().saturating_sub(x));
    let place = Rect { x, y, width, height: 1 };
    text::put(buffer, x, y, " ".repeat(usize::from(width)), usize::from(width), theme.float);
    buffer.set_style(place, theme.float);
    text::put(buffer, x + 1, y, sign, 1, style);
    text::put(buffer, x + 3, y, line, usize::from(width.saturating_sub(3)), theme.text);
    place.right()
}
