//! The caret of the text field that has the keyboard. Fields draw it in [`Theme::caret`](crate::ui::theme::Theme), which
//! carries a mark; the mark says where the terminal's own cursor belongs, for input methods and screen readers.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::{Modifier, Style};

/// Used for nothing else: text never blinks here.
const MARK: Modifier = Modifier::RAPID_BLINK;

/// A style with the mark.
#[must_use]
pub const fn marked(style: Style) -> Style {
    style.add_modifier(MARK)
}

/// Where the mark is within `area`, if it is there; it is taken out.
pub fn take(buffer: &mut Buffer, area: Rect) -> Option<Position> {
    let mut found = None;
    for position in area.intersection(buffer.area).positions() {
        if let Some(cell) = buffer.cell_mut(position).filter(|cell| cell.modifier.contains(MARK)) {
            cell.modifier.remove(MARK);
            found = Some(position);
        }
    }
    found
}
