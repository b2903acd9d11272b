//! The bottom line: the keys that work right now.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// What stands at the right end while no overlay has the keyboard.
pub(crate) const ALWAYS: &[(&str, &str)] = &[("?", "help"), (":", "commands")];

/// Key and label of each, as many as fit; those of `last` always do, at the right end.
pub(crate) fn draw<'a>(
    buffer: &mut Buffer,
    area: Rect,
    theme: &Theme,
    hints: impl Iterator<Item = (&'a str, &'a str)>,
    last: &[(&str, &str)],
) {
    buffer.set_style(area, theme.base);
    let wide = |(key, label): (&str, &str)| (text::width(key) + text::width(label)) as u16 + 1;
    let mut end = area.right().saturating_sub(1);
    for hint in last.iter().rev() {
        end = end.saturating_sub(wide(*hint));
        draw_hint(buffer, end, area.y, theme, *hint);
        end = end.saturating_sub(2);
    }
    let mut x = area.x + 1;
    for hint in hints.filter(|(key, _)| !key.is_empty()) {
        if x + wide(hint) > end {
            break;
        }
        draw_hint(buffer, x, area.y, theme, hint);
        x += wide(hint) + 3;
    }
}

fn draw_hint(buffer: &mut Buffer, x: u16, y: u16, theme: &Theme, (key, label): (&str, &str)) {
    let (after, _) = buffer.set_stringn(x, y, key, 12, theme.text);
    buffer.set_stringn(after + 1, y, label, 24, theme.dim);
}
