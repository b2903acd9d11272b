//! The bottom line: the keys that work right now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::keymap::{Binding, Keymap};
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// Key and label of each binding, as many as fit; `? help` and `: commands` always do.
pub(crate) fn draw<'a>(
    buffer: &mut Buffer,
    area: Rect,
    theme: &Theme,
    keymap: &Keymap,
    bindings: impl Iterator<Item = &'a Binding>,
) {
    let fixed = "? help  : commands ";
    let end = area.right().saturating_sub(text::width(fixed) as u16);
    let (x, _) = buffer.set_stringn(end, area.y, "?", 1, theme.text);
    let (x, _) = buffer.set_stringn(x, area.y, " help  ", 7, theme.dim);
    let (x, _) = buffer.set_stringn(x, area.y, ":", 1, theme.text);
    buffer.set_stringn(x, area.y, " commands", 9, theme.dim);
    let mut x = area.x + 1;
    for binding in bindings {
        let hint = keymap.hint(binding);
        let wide = (text::width(hint) + 1 + text::width(binding.label)) as u16;
        if hint.is_empty() || x + wide + 2 > end {
            continue;
        }
        let (after, _) = buffer.set_stringn(x, area.y, hint, 12, theme.text);
        buffer.set_stringn(after + 1, area.y, binding.label, 24, theme.dim);
        x += wide + 2;
    }
}
