//! A field of several lines as it is drawn: what a terminal would obey, and what nobody would see, stands in it as the
//! signs that reading shows ([`visible`]); the text itself keeps what it has.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::widgets::Widget;
use tui_textarea::{CursorMove, TextArea, WrapMode};

use super::visible::{column_in_visible, visible};
use crate::ui::theme::Theme;

/// A field with a text in it, whose lines are wrapped between words.
#[must_use]
pub fn field(text: &str) -> TextArea<'static> {
    let mut field = TextArea::new(text.split('\n').map(str::to_owned).collect());
    field.set_cursor_line_style(Style::new());
    field.set_wrap_mode(WrapMode::WordOrGlyph);
    field
}

/// Draws a field with its caret.
pub fn draw(field: &TextArea<'static>, buffer: &mut Buffer, area: Rect, theme: &Theme) {
    let shown = if field.lines().iter().any(|line| hides(line)) { with_signs(field, area) } else { None };
    match shown {
        Some(shown) => {
            (&shown).render(area, buffer);
            mark_signs(buffer, area, theme);
        }
        None => field.render(area, buffer),
    }
}

/// Puts the caret at the end of what differs from `before`, so that this is in sight first.
pub fn to_end_of_change(field: &mut TextArea<'static>, before: &str) {
    let text = field.lines().join("\n");
    let same = text.chars().rev().zip(before.chars().rev()).take_while(|(own, other)| own == other).count();
    let changed: String = text.chars().take(text.chars().count() - same).collect();
    let row = changed.matches('\n').count();
    let column = changed.rsplit('\n').next().unwrap_or_default().chars().count();
    field.move_cursor(CursorMove::Jump(place(row), place(column)));
}

fn place(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

fn hides(line: &str) -> bool {
    matches!(visible(line), Cow::Owned(_))
}

/// The same field with signs in its text; nothing where it is too large to be rewritten.
fn with_signs(field: &TextArea<'static>, area: Rect) -> Option<TextArea<'static>> {
    // Drawn aside first: it moves the part that is in sight, which the other begins with.
    field.render(area, &mut Buffer::empty(area));
    let text = field.lines().iter().map(|line| visible(line)).collect::<Vec<_>>().join("\n");
    let mut shown = field.clone();
    shown.cancel_selection();
    shown.select_all();
    shown.cut();
    shown.insert_str(&text);
    if shown.lines().join("\n") != text {
        return None;
    }
    let cursor = (field.cursor().0, field.cursor().1);
    if let Some((start, end)) = field.selection_range() {
        jump(&mut shown, field, if cursor == start { end } else { start });
        shown.start_selection();
    }
    jump(&mut shown, field, cursor);
    Some(shown)
}

/// Puts the caret where it is in the field that is shown with signs.
fn jump(shown: &mut TextArea<'static>, field: &TextArea<'static>, (row, column): (usize, usize)) {
    let column = field.lines().get(row).map_or(0, |line| column_in_visible(line, column));
    shown.move_cursor(CursorMove::Jump(place(row), place(column)));
}

/// Signs look like no text that could be typed.
fn mark_signs(buffer: &mut Buffer, area: Rect, theme: &Theme) {
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let columns = sign_at(buffer, area, x, y);
            buffer.set_style(Rect { x, y, width: columns, height: 1 }, theme.warning);
            x += columns.max(1);
        }
    }
}

/// Columns of the sign that begins here; none where there is none.
fn sign_at(buffer: &Buffer, area: Rect, x: u16, y: u16) -> u16 {
    let symbol = |x: u16| buffer.cell((x, y)).map_or("", |cell| cell.symbol());
    match symbol(x).chars().next() {
        Some('\u{2400}'..='\u{2421}') => 1,
        Some('<') => {
            let text: String = (x..area.right()).take(10).map(symbol).collect();
            let number =
                text.strip_prefix("<U+").and_then(|rest| rest.split_once('>')).map(|(number, _)| number);
            let is_number = |number: &&str| {
                (4..=6).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_hexdigit())
            };
            number.filter(is_number).map_or(0, |number| number.len() as u16 + 4)
        }
        _ => 0,
    }
}
