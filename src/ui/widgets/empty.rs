//! An empty state: what belongs here and what brings it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// A bright title and dim sentences, a third down and at most 72 columns wide.
pub fn draw(buffer: &mut Buffer, area: Rect, theme: &Theme, title: &str, sentences: &[&str]) {
    let columns = area.width.saturating_sub(4).min(72);
    let lines: Vec<String> =
        sentences.iter().flat_map(|sentence| text::wrap(sentence, usize::from(columns))).collect();
    let rows = (lines.len() as u16 + 2).min(area.height);
    let x = area.x + area.width.saturating_sub(columns) / 2;
    let top = area.y + (area.height - rows) / 3;
    let last = area.bottom();
    if top < last {
        text::put(buffer, x, top, title, usize::from(columns), theme.bright);
    }
    for (y, line) in (top + 2..last).zip(&lines) {
        text::put(buffer, x, y, line, usize::from(columns), theme.dim);
    }
}
