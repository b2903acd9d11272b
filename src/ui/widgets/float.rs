//! A box that floats above the panes: the only thing with a border.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, BorderType, Clear, Padding, Widget};

use crate::ui::theme::Theme;

/// Clears `area`, draws the box with its title, and returns the room inside.
pub fn draw(buffer: &mut Buffer, area: Rect, theme: &Theme, title: &str) -> Rect {
    Clear.render(area, buffer);
    let block = Block::bordered()
        .border_type(BorderType::Rounded)
        .border_style(theme.float_border)
        .style(theme.float)
        .padding(Padding::horizontal(1));
    let block = if title.is_empty() {
        block
    } else {
        block.title(ratatui::text::Line::styled(format!(" {title} "), theme.accent))
    };
    let inside = block.inner(area);
    block.render(area, buffer);
    inside
}
