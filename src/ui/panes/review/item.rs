//! One reflection: the student's thought, the teacher's correction word by word, why it went wrong right below them, and
//! the pair with its checks beside them. On a narrow screen both thoughts become one column.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::draw::put;
use super::texts::{column, put_lines, sides, unified, why};
use super::{Blind, ReviewMode, ReviewPane, aside, ending};
use crate::domain::review::ReviewItem;
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// Columns from which three stand beside each other.
const WIDE: u16 = 96;

pub(super) fn draw(pane: &mut ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let area = ending::draw(pane, buffer, area, view);
    let item = pane.at.and_then(|at| view.store.review.item(at));
    let item = match item {
        None => return put(buffer, Rect { height: 1, ..area }, "reading …", view.theme.dim),
        Some(None) => {
            let words = "This reflection is gone, with its record. n goes to the next.";
            return put(buffer, Rect { height: 1, ..area }, words, view.theme.warning);
        }
        Some(Some(item)) => item,
    };
    if area.width >= WIDE {
        wide(pane, buffer, area, item, view);
    } else {
        narrow(pane, buffer, area, item, view);
    }
}

fn wide(pane: &mut ReviewPane, buffer: &mut Buffer, area: Rect, item: &ReviewItem, view: View<'_>) {
    let third = (area.width * 3 / 10).clamp(30, 46);
    let rest = area.width - third - 4;
    let left = Rect { width: rest / 2, ..area };
    let middle = Rect { x: left.right() + 2, width: rest - left.width, ..area };
    let right = Rect { x: middle.right() + 2, width: third, ..area };
    aside::column(pane.blind, buffer, right, item, view);
    let below = Rect { width: area.width - third - 2, ..area };
    let why = why(pane, item, usize::from(below.width), view.theme);
    let [(one, first), (other, second)] = sides(pane, item, usize::from(middle.width), view);
    let title = view.theme.bright;
    if let ReviewMode::Edit(editor) = &mut pane.mode {
        let rows = (area.height / 4).clamp(3, 9).min(area.height);
        let upper = |column: Rect| Rect { height: area.height - rows, ..column };
        let lower = Rect { y: area.bottom() - rows, height: rows, ..below };
        column(buffer, upper(left), (&one, title), &first, pane.scroll, view);
        return editor.draw(buffer, upper(middle), lower, view);
    }
    let (texts, rows) = share(area.height, first.len().max(second.len()) + 1, heading(why.len()));
    let upper = |column: Rect| Rect { height: texts, ..column };
    let lower = Rect { y: area.y + texts, height: rows, ..below };
    let mut most = column(buffer, upper(left), (&one, title), &first, pane.scroll, view);
    most = most.max(column(buffer, upper(middle), (&other, title), &second, pane.scroll, view));
    if rows > 0 {
        most =
            most.max(column(buffer, lower, ("why it went wrong", view.theme.dim), &why, pane.scroll, view));
    }
    pane.scroll = pane.scroll.min(most);
}

fn narrow(pane: &mut ReviewPane, buffer: &mut Buffer, area: Rect, item: &ReviewItem, view: View<'_>) {
    let above = aside::compact(pane.blind, item, area, view);
    let rows = (above.len() as u16).min(area.height / 2);
    put_lines(buffer, Rect { height: rows, ..area }, &above);
    let body = Rect { y: area.y + rows, height: area.height - rows, ..area };
    if let ReviewMode::Edit(editor) = &mut pane.mode {
        return editor.draw_below(buffer, body, view);
    }
    if pane.blind == Blind::Yes {
        return blind(pane, buffer, body, item, view);
    }
    let width = usize::from(body.width);
    let (title, text) = unified(pane, item, width, view);
    let why = why(pane, item, width, view.theme);
    let (texts, rows) = share(body.height, text.len() + 1, heading(why.len()));
    let upper = Rect { height: texts, ..body };
    let lower = Rect { y: body.y + texts, height: rows, ..body };
    let mut most = column(buffer, upper, (&title, view.theme.bright), &text, pane.scroll, view);
    if rows > 0 {
        most =
            most.max(column(buffer, lower, ("why it went wrong", view.theme.dim), &why, pane.scroll, view));
    }
    pane.scroll = pane.scroll.min(most);
}

/// A and B below each other.
fn blind(pane: &mut ReviewPane, buffer: &mut Buffer, area: Rect, item: &ReviewItem, view: View<'_>) {
    let half = area.height / 2;
    let upper = Rect { height: half, ..area };
    let lower = Rect { y: area.y + half, height: area.height - half, ..area };
    let [(one, first), (other, second)] = sides(pane, item, usize::from(area.width), view);
    let title = view.theme.bright;
    let most = column(buffer, upper, (&one, title), &first, pane.scroll, view);
    let more = column(buffer, lower, (&other, title), &second, pane.scroll, view);
    pane.scroll = pane.scroll.min(most.max(more));
}

/// Rows of some lines and their title; nothing takes none.
const fn heading(lines: usize) -> usize {
    if lines == 0 { 0 } else { lines + 1 }
}

/// Rows for the texts and, right below them, for why it went wrong, of which a third is kept free.
fn share(height: u16, texts: usize, why: usize) -> (u16, u16) {
    let (texts, why) = (texts.min(999) as u16, why.min(999) as u16);
    let below = why.min((height / 3).max(height.saturating_sub(texts)));
    (texts.min(height - below), below)
}

/// A line of a name and what it says.
pub(super) fn named(
    name: &str,
    words: &str,
    width: usize,
    style: Style,
    theme: &Theme,
) -> Vec<Line<'static>> {
    const NAMES: usize = 12;
    let wrapped = text::wrap(words, width.saturating_sub(NAMES).max(8));
    wrapped
        .into_iter()
        .enumerate()
        .map(|(index, line)| {
            let name = if index == 0 { name } else { "" };
            Line::from(vec![Span::styled(format!("{name:NAMES$}"), theme.dim), Span::styled(line, style)])
        })
        .collect()
}
