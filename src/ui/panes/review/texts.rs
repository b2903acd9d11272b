//! The texts of an item as lines: both sides word by word or clean, and why the thought went wrong.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::Line;

use super::bindings::key_of;
use super::draw::rule;
use super::{Blind, Marks, ReviewPane};
use crate::domain::review::ReviewItem;
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::diff::{self, DiffSide};
use crate::ui::widgets::text;

pub(super) type TextLines = Vec<Line<'static>>;
type StyledPieces = Vec<(String, Style)>;

/// The student's text and the correction, or A and B in blind mode, each with its title and the label that it reaches.
pub(super) fn sides(
    pane: &ReviewPane,
    item: &ReviewItem,
    width: usize,
    view: View<'_>,
) -> [(String, TextLines); 2] {
    let theme = view.theme;
    let Some(reflection) = &item.reflection else { return alone(pane, item, width, view) };
    let (student, teacher) = (&*item.thought.text, reflection.text());
    if pane.blind == Blind::Yes {
        let [one, other] = [student, teacher].map(|text| lines(&plain(text, theme), width, theme));
        let teacher_first = pane.at.is_some_and(ReviewPane::teacher_is_left);
        let (left, right) = if teacher_first { (other, one) } else { (one, other) };
        return [("A".to_owned(), left), ("B".to_owned(), right)];
    }
    let pieces = |text: &str, side: DiffSide| match pane.marks {
        Marks::Shown => diff::pieces(student, teacher, side, theme),
        Marks::Hidden => plain(text, theme),
    };
    let mut one = pieces(student, DiffSide::Before);
    let mut other = pieces(teacher, DiffSide::After);
    reached(&mut one, item, &item.thought.label, theme);
    reached(&mut other, item, item.label(), theme);
    let edited = if item.is_edited() { " · edited" } else { "" };
    let who = if reflection.is_by_hand() { "by hand" } else { "teacher" };
    [
        (format!("student · {}", item.thought.model), lines(&one, width, theme)),
        (format!("{who} · {}{edited}", reflection.teacher), lines(&other, width, theme)),
    ]
}

/// A thought that nobody has corrected, and what can be done about it.
fn alone(pane: &ReviewPane, item: &ReviewItem, width: usize, view: View<'_>) -> [(String, TextLines); 2] {
    let theme = view.theme;
    let mut own = plain(&item.thought.text, theme);
    if pane.blind == Blind::Yes {
        let nothing = "there is nothing to compare it with";
        return [("A".to_owned(), lines(&own, width, theme)), (nothing.to_owned(), Vec::new())];
    }
    reached(&mut own, item, &item.thought.label, theme);
    let words = format!(
        "{} writes a correction from this text: saved, it is approved and trained on. {} lets a teacher correct what \
         nobody has.",
        key_of("review.correct", view.keymap),
        key_of("review.reflect", view.keymap)
    );
    let hint = text::wrap(&words, width.max(10));
    [
        (format!("student · {}", item.thought.model), lines(&own, width, theme)),
        (
            "no correction yet".to_owned(),
            hint.into_iter().map(|line| Line::styled(line, theme.dim)).collect(),
        ),
    ]
}

/// Both in one column: what differs in one text, or the correction and below it what it corrects.
pub(super) fn unified(
    pane: &ReviewPane,
    item: &ReviewItem,
    width: usize,
    view: View<'_>,
) -> (String, TextLines) {
    let theme = view.theme;
    let (Some(reflection), Marks::Shown) = (&item.reflection, pane.marks) else {
        let [(one, mut student), (other, mut text)] = sides(pane, item, width, view);
        if item.reflection.is_none() {
            student.push(Line::default());
            student.append(&mut text);
            return (format!("{one} · {other}"), student);
        }
        text.extend([Line::default(), Line::styled(one, theme.dim)]);
        text.append(&mut student);
        return (other, text);
    };
    let pieces = diff::pieces(&item.thought.text, reflection.text(), DiffSide::Both, theme);
    (format!("{} → {}", item.thought.model, reflection.teacher), lines(&pieces, width, theme))
}

fn plain(text: &str, theme: &Theme) -> StyledPieces {
    vec![(text.to_owned(), theme.text)]
}

fn reached(pieces: &mut StyledPieces, item: &ReviewItem, label: &str, theme: &Theme) {
    let truth = item.thought.truth.as_deref().unwrap_or_default();
    let (sign, style) = if label == truth { ("✓", theme.good) } else { ("✗", theme.bad) };
    pieces.push((format!("\n\n→ {label} {sign}"), style.add_modifier(Modifier::BOLD)));
}

/// The teacher's analysis, what the judge said, and what a person did.
pub(super) fn why(pane: &ReviewPane, item: &ReviewItem, width: usize, theme: &Theme) -> TextLines {
    let (Blind::No, Some(reflection)) = (pane.blind, &item.reflection) else { return Vec::new() };
    let mut found = Vec::new();
    let mut say = |words: &str, style: Style| {
        let wrapped = text::wrap(words, width.max(10));
        found.extend(wrapped.into_iter().map(|line| Line::styled(line, style)));
    };
    if !reflection.error_analysis.trim().is_empty() {
        say(reflection.error_analysis.trim(), theme.text);
    }
    if let Some(score) = reflection.score {
        say(&format!("judge {score}/5: {}", reflection.reasons.trim()), theme.dim);
    }
    if !reflection.comment.trim().is_empty() {
        say(&format!("{}: {}", reflection.reviewer, reflection.comment.trim()), theme.warning);
    }
    found
}

fn lines(pieces: &[(String, Style)], width: usize, theme: &Theme) -> TextLines {
    // Each step begins a line of its own: that is what is compared.
    let parted: StyledPieces = pieces.iter().map(|(piece, style)| (at_steps(piece), *style)).collect();
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

/// Draws lines below a title, from the one that is scrolled to; says how far it can be scrolled.
pub(super) fn column(
    buffer: &mut Buffer,
    area: Rect,
    title: (&str, Style),
    text: &[Line<'static>],
    top: usize,
    view: View<'_>,
) -> usize {
    rule(buffer, Rect { height: 1.min(area.height), ..area }, title.0, title.1, view);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let most = text.len().saturating_sub(usize::from(body.height));
    let top = top.min(most);
    put_lines(buffer, body, text.get(top..).unwrap_or_default());
    if top < most && body.height > 0 {
        let more = format!("… {} more · {} ", most - top, key_of("review.scroll_down", view.keymap));
        let wide = text::width(&more) as u16;
        let x = body.right().saturating_sub(wide).max(body.x);
        text::put(buffer, x, body.bottom() - 1, &more, usize::from(wide), view.theme.dim);
    }
    most
}

pub(super) fn put_lines(buffer: &mut Buffer, area: Rect, lines: &[Line<'static>]) {
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        text::put_line(buffer, Rect { y, height: 1, ..area }, line.clone());
    }
}
