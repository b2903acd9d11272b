//! A thin bar that fills by eighths of a cell.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

const EIGHTHS: [&str; 8] = [" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// Fills `share` (0 to 1) of the first row of `area`; the rest is a dim line.
pub fn draw(buffer: &mut Buffer, area: Rect, share: f64, full: Style, rest: Style) {
    let eighths = (share.clamp(0.0, 1.0) * f64::from(area.width) * 8.0).round() as usize;
    for column in 0..area.width {
        let here = eighths.saturating_sub(usize::from(column) * 8);
        let (symbol, style) = match here {
            0 => ("─", rest),
            1..8 => (EIGHTHS.get(here).copied().unwrap_or(" "), full),
            _ => ("█", full),
        };
        if let Some(cell) = buffer.cell_mut((area.x + column, area.y)) {
            cell.set_symbol(symbol).set_style(style);
        }
    }
}
