//! Short notices in the corner above the footer. They leave by themselves; the log keeps them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::log::sign;
use crate::ui::pane::View;
use crate::ui::widgets::text;

/// Columns of a toast, its edges included.
const WIDTH: u16 = 56;
/// Lines of one toast; what is longer stands whole in the log.
const LINES: usize = 4;

/// Draws from the bottom right upwards, the newest lowest.
pub(crate) fn draw(buffer: &mut Buffer, screen: Rect, view: View<'_>) {
    let theme = view.theme;
    let width = WIDTH.min(screen.width.saturating_sub(2));
    let x = screen.right().saturating_sub(width + 1);
    let mut bottom = screen.bottom().saturating_sub(2);
    for toast in view.store.notices.toasts().iter().rev() {
        let mut lines = text::wrap(&toast.notice.text, usize::from(width.saturating_sub(5)));
        if lines.len() > LINES {
            lines.truncate(LINES);
            if let Some(last) = lines.last_mut() {
                last.push('…');
            }
        }
        let height = lines.len() as u16;
        let Some(y) = bottom.checked_sub(height).filter(|y| *y > screen.y + 2) else { return };
        let area = Rect { x, y, width, height };
        Clear.render(area, buffer);
        buffer.set_style(area, theme.float);
        let (sign, style) = sign(toast.notice.level, theme);
        for (line, row) in lines.iter().zip(y..) {
            buffer.set_stringn(x, row, "▌", 1, style);
            buffer.set_stringn(x + 4, row, line, usize::from(width - 5), theme.text);
        }
        buffer.set_stringn(x + 2, y, sign, 1, style);
        bottom = y.saturating_sub(1);
    }
}
