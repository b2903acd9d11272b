//! One reflection: the student's thought, the teacher's correction word by word, and the pair with its checks beside
//! them. On a narrow screen both thoughts become one column.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::draw::{put, rule};
use super::{Blind, Mode, Review, aside};
use crate::domain::review::ReviewItem;
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::diff::{self, Side};
use crate::ui::widgets::text;

/// Columns from which three stand beside each other.
const WIDE: u16 = 96;

pub(super) fn draw(pane: &mut Review, buffer: &mut Buffer, area: Rect, view: View<'_>) {
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

fn wide(pane: &mut Review, buffer: &mut Buffer, area: Rect, item: &ReviewItem, view: View<'_>) {
    let third = (area.width * 3 / 10).clamp(30, 46);
    let rest = area.width - third - 4;
    let first = rest / 2;
    let left = Rect { width: first, ..area };
    let middle = Rect { x: left.right() + 2, width: rest - first, ..area };
    let right = Rect { x: middle.right() + 2, width: third, ..area };
    aside::column(pane.blind, buffer, right, item, view);
    let lower = lower_lines(pane, item, usize::from(area.width - third - 2), view.theme);
    let lower_rows = if lower.is_empty() { 0 } else { (lower.len() as u16).min(area.height / 3) + 1 };
    let upper = |column: Rect| Rect { height: column.height.saturating_sub(lower_rows), ..column };
    let (one, other) = sides(pane, item, view.theme);
    let titles = titles(pane, item);
    let most = scrolled(buffer, upper(left), &titles.0, &one, pane.scroll, view);
    let more = if editing(pane, buffer, upper(middle), view) {
        0
    } else {
        scrolled(buffer, upper(middle), &titles.1, &other, pane.scroll, view)
    };
    pane.scroll = pane.scroll.min(most.max(more));
    if lower_rows > 0 {
        let below =
            Rect { y: area.bottom() - lower_rows, height: lower_rows, width: area.width - third - 2, ..area };
        rule(buffer, Rect { height: 1, ..below }, "why it went wrong", view.theme.dim, view);
        lines(buffer, Rect { y: below.y + 1, height: below.height - 1, ..below }, &lower);
    }
}

fn narrow(pane: &mut Review, buffer: &mut Buffer, area: Rect, item: &ReviewItem, view: View<'_>) {
    let above = aside::compact(pane.blind, item, usize::from(area.width), view);
    let rows = (above.len() as u16).min(area.height / 2);
    lines(buffer, Rect { height: rows, ..area }, &above);
    let body = Rect { y: area.y + rows, height: area.height.saturating_sub(rows), ..area };
    if editing(pane, buffer, body, view) {
        return;
    }
    if pane.blind == Blind::Yes {
        let half = body.height / 2;
        let (one, other) = sides(pane, item, view.theme);
        let titles = titles(pane, item);
        let upper = Rect { height: half, ..body };
        let lower = Rect { y: body.y + half, height: body.height - half, ..body };
        let most = scrolled(buffer, upper, &titles.0, &one, pane.scroll, view);
        let more = scrolled(buffer, lower, &titles.1, &other, pane.scroll, view);
        pane.scroll = pane.scroll.min(most.max(more));
        return;
    }
    let unified = diff::pieces(&item.thought.text, item.reflection.text(), Side::Both, view.theme);
    let title = format!("{} → {}", item.thought.model, item.reflection.teacher);
    let mut text = text_lines(&unified, usize::from(body.width), view.theme);
    let why = lower_lines(pane, item, usize::from(body.width), view.theme);
    if !why.is_empty() {
        text.push(Line::default());
        text.push(Line::styled("why it went wrong", view.theme.dim));
        text.extend(why);
    }
    pane.scroll = pane.scroll.min(in_column(buffer, body, &title, &text, pane.scroll, view));
}

type Pieces = Vec<(String, Style)>;

/// The two texts, in the order in which they stand, with the label that each reaches.
fn sides(pane: &Review, item: &ReviewItem, theme: &Theme) -> (Pieces, Pieces) {
    let (student, teacher) = (&item.thought.text, item.reflection.text());
    if pane.blind == Blind::Yes {
        let plain = |text: &str| vec![(text.to_owned(), theme.text)];
        let (student, teacher) = (plain(student), plain(teacher));
        let teacher_first = pane.at.is_some_and(Review::teacher_is_left);
        return if teacher_first { (teacher, student) } else { (student, teacher) };
    }
    let truth = item.thought.truth.as_deref().unwrap_or_default();
    let reached = |pieces: &mut Pieces, label: &str| {
        let (sign, style) = if label == truth { ("✓", theme.good) } else { ("✗", theme.bad) };
        pieces.push((format!("\n\n→ {label} {sign}"), style.add_modifier(Modifier::BOLD)));
    };
    let mut one = diff::pieces(student, teacher, Side::Before, theme);
    let mut other = diff::pieces(student, teacher, Side::After, theme);
    reached(&mut one, &item.thought.label);
    reached(&mut other, if item.reflection.edited.is_some() { truth } else { &item.reflection.label });
    (one, other)
}

fn titles(pane: &Review, item: &ReviewItem) -> (String, String) {
    if pane.blind == Blind::Yes {
        return ("A".to_owned(), "B".to_owned());
    }
    let edited = if item.reflection.edited.is_some() { " · edited" } else { "" };
    (format!("student · {}", item.thought.model), format!("teacher · {}{edited}", item.reflection.teacher))
}

/// The teacher's analysis, and what the judge said.
fn lower_lines(pane: &Review, item: &ReviewItem, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    if pane.blind == Blind::Yes {
        return Vec::new();
    }
    let mut found: Vec<Line<'static>> = Vec::new();
    if !item.reflection.error_analysis.trim().is_empty() {
        let wrapped = text::wrap(item.reflection.error_analysis.trim(), width.max(10));
        found.extend(wrapped.into_iter().map(|line| Line::styled(line, theme.text)));
    }
    if let Some(score) = item.reflection.score {
        let said = format!("judge {score}/5: {}", item.reflection.reasons.trim());
        found.extend(text::wrap(&said, width.max(10)).into_iter().map(|line| Line::styled(line, theme.dim)));
    }
    if !item.reflection.comment.trim().is_empty() {
        let said = format!("{}: {}", item.reflection.reviewer, item.reflection.comment.trim());
        let wrapped = text::wrap(&said, width.max(10));
        found.extend(wrapped.into_iter().map(|line| Line::styled(line, theme.warning)));
    }
    found
}

fn text_lines(pieces: &[(String, Style)], width: usize, theme: &Theme) -> Vec<Line<'static>> {
    // Each step begins a line of its own: that is what is compared.
    let parted: Pieces = pieces.iter().map(|(piece, style)| (at_steps(piece), *style)).collect();
    diff::folded("", &parted, width + 1, theme)
}

/// A line break before each `step 2`, `step 3` that follows a space.
fn at_steps(text: &str) -> String {
    let mut parted = text.to_owned();
    for number in 2..=9 {
        for name in [format!(" step {number}"), format!(" Step {number}")] {
            parted = parted.replace(&name, &format!("\n{}", name.trim_start()));
        }
    }
    parted
}

/// Draws pieces in a column; says how far it can be scrolled.
fn scrolled(
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    pieces: &[(String, Style)],
    top: usize,
    view: View<'_>,
) -> usize {
    let lines = text_lines(pieces, usize::from(area.width), view.theme);
    in_column(buffer, area, title, &lines, top, view)
}

fn in_column(
    buffer: &mut Buffer,
    area: Rect,
    title: &str,
    text: &[Line<'static>],
    top: usize,
    view: View<'_>,
) -> usize {
    rule(buffer, Rect { height: 1.min(area.height), ..area }, title, view.theme.bright, view);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let most = text.len().saturating_sub(usize::from(body.height));
    let top = top.min(most);
    lines(buffer, body, text.get(top..).unwrap_or_default());
    if top < most && body.height > 0 {
        let more = format!(" {} more · J ", most - top);
        let wide = text::width(&more) as u16;
        let x = body.right().saturating_sub(wide).max(body.x);
        buffer.set_stringn(x, body.bottom() - 1, &more, usize::from(wide), view.theme.dim);
    }
    most
}

fn lines(buffer: &mut Buffer, area: Rect, lines: &[Line<'static>]) {
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        line.render(Rect { y, height: 1, ..area }, buffer);
    }
}

/// Draws the text area in the place of the correction, where one is edited.
fn editing(pane: &mut Review, buffer: &mut Buffer, area: Rect, view: View<'_>) -> bool {
    let Mode::Edit(_, field) = &mut pane.mode else { return false };
    rule(
        buffer,
        Rect { height: 1.min(area.height), ..area },
        "editing · ^s saves and approves",
        view.theme.accent,
        view,
    );
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    field.set_style(view.theme.text);
    field.set_cursor_style(view.theme.caret);
    (&**field).render(body, buffer);
    true
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
