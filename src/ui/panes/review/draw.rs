//! The pane from top to bottom: how far one is, the filter, and what fills the rest.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::{Blind, Mode, Review, Show, Wanted, agreement, chain, item, queue};
use crate::domain::review::QueueRow;
use crate::domain::view::Direction;
use crate::ui::pane::View;
use crate::ui::widgets::{empty, text};

pub(super) fn draw(pane: &mut Review, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let Some(session) = &view.store.session else {
        let words =
            ["A student's thoughts and their corrections, one after another.", "Open a session first: f2."];
        return empty::draw(buffer, area, theme, "Review", &words);
    };
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    head(pane, buffer, Rect { height: 1, ..inside }, view);
    line(pane, buffer, Rect { y: inside.y + 1, height: 1, ..inside }, view);
    let typing = matches!(pane.mode, Mode::Line(..));
    let top = 2 + u16::from(typing);
    if typing {
        let hint = pane.hint(view.store);
        let style = if pane.complaint.is_empty() { theme.dim } else { theme.bad };
        put(buffer, Rect { y: inside.y + 2, height: 1, ..inside }, &hint, style);
    }
    let body = Rect { y: inside.y + top, height: inside.height.saturating_sub(top), ..inside };
    if pane.show == Show::Agreement {
        return agreement::draw(pane, buffer, body, view);
    }
    if view.store.review.queue.is_none() {
        return put(buffer, Rect { height: 1, ..body }, "reading …", theme.dim);
    }
    if view.store.review.rows().is_empty() {
        return nothing(pane, buffer, body, view, &session.name);
    }
    match pane.show {
        Show::Queue => queue::draw(pane, buffer, body, view),
        Show::Chain => chain::draw(pane, buffer, body, view),
        Show::Item | Show::Agreement => item::draw(pane, buffer, body, view),
    }
}

fn nothing(pane: &Review, buffer: &mut Buffer, area: Rect, view: View<'_>, session: &str) {
    if !pane.line.is_empty() {
        let words = ["No reflection matches this filter.", "esc clears it."];
        return empty::draw(buffer, area, view.theme, "Nothing found", &words);
    }
    let thoughts = view.store.review.report.as_ref().map_or(0, |report| report.overall.confusion.total());
    let right = view.store.review.report.as_ref().map_or(0, |report| report.overall.confusion.right());
    let import = format!("dojo review --session {session} import --thoughts FILE --reflections FILE");
    if thoughts == 0 {
        let words = [
            "No thoughts yet. t lets a student think about every record that has a label; then r lets a teacher \
             correct what it got wrong, and the corrections come here for your word.",
            "Those from elsewhere come in with",
            &import,
        ];
        return empty::draw(buffer, area, view.theme, "Review", &words);
    }
    let counted = format!("{} of {} thoughts reach their label.", text::count(right), text::count(thoughts));
    let words =
        [counted.as_str(), "No correction yet: r lets a teacher correct the others. g shows the figures."];
    empty::draw(buffer, area, view.theme, "Review", &words);
}

/// `reflection 14 of 33 · ◌ pending · judge 4/5        SFT 81  pairs 14  left 19  ~2 min`.
fn head(pane: &Review, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let progress = progress(pane, view);
    let wide = text::width(&progress) as u16;
    let right = area.right().saturating_sub(wide);
    buffer.set_stringn(right.max(area.x), area.y, &progress, usize::from(wide.min(area.width)), theme.dim);
    let rows = view.store.review.rows();
    let Some(row) = pane.row(view.store) else { return };
    let mut x = area.x;
    let mut say = |words: &str, style: Style| {
        let room = usize::from(right.saturating_sub(x + 2));
        let (after, _) = buffer.set_stringn(x, area.y, text::shorten(words, room), room, style);
        x = after;
    };
    let place = text::count(pane.cursor.row() as u64 + 1);
    say(&format!("reflection {place} of {}", text::count(rows.len() as u64)), theme.bright);
    if pane.blind == Blind::Yes {
        say(" · blind", theme.accent);
        if let Some(mine) = row.mine {
            say(&format!(" · you: {} {}", mine.sign(), mine.name()), theme.text);
        }
        return;
    }
    say(" · ", theme.dim);
    say(&format!("{} {}", row.verdict.sign(), row.verdict.name()), verdict_style(row, view));
    if let Some(score) = row.score {
        let style = if score >= 4 { theme.good } else { theme.warning };
        say(&format!(" · judge {score}/5"), style);
    }
    if row.disagreement == crate::domain::review::Disagreement::Reviewers {
        say(" · ! reviewers disagree", theme.warning);
    }
}

pub(super) fn verdict_style(row: &QueueRow, view: View<'_>) -> Style {
    use crate::domain::reflection::Verdict;
    match row.verdict {
        Verdict::Pending => view.theme.dim,
        Verdict::Approved | Verdict::Edited => view.theme.good,
        Verdict::Rejected => view.theme.bad,
        Verdict::SentBack => view.theme.warning,
    }
}

/// What is ready, what is left, and how long that takes.
fn progress(pane: &Review, view: View<'_>) -> String {
    let review = &view.store.review;
    let left = review.rows().iter().filter(|row| pane.waits(row)).count();
    let mut parts = Vec::new();
    if let Some(counts) = &review.counts {
        parts.push(format!("SFT {}", text::count(counts.ready_for_sft)));
        parts.push(format!("pairs {}", text::count(counts.preference_pairs)));
    }
    parts.push(format!("left {}", text::count(left as u64)));
    if let Some(pace) = review.pace().filter(|_| left > 0) {
        parts.push(format!("{pace:.0} s each"));
        parts.push(format!("~{}", about(pace * left as f64)));
    }
    parts.join("  ")
}

fn about(seconds: f64) -> String {
    match (seconds / 60.0).ceil() as u64 {
        0 | 1 => "1 min".to_owned(),
        minutes @ 2..120 => format!("{minutes} min"),
        minutes => format!("{} h", minutes / 60),
    }
}

/// The filter and the order, or the line that is being typed.
fn line(pane: &mut Review, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let theme = view.theme;
    if let Mode::Line(wanted, field) = &mut pane.mode {
        let title = match wanted {
            Wanted::Filter => "filter",
            Wanted::Reason(_) => "reject because",
            Wanted::Comment(_) => "tell the teacher",
            Wanted::Job(kind) => kind.who(),
        };
        let (x, _) = buffer.set_stringn(area.x, area.y, title, 20, theme.accent);
        let field_area = Rect { x: x + 2, width: area.right().saturating_sub(x + 2), ..area };
        return field.draw(buffer, field_area, theme);
    }
    let arrow = if pane.order.direction == Direction::Rising { "↑" } else { "↓" };
    let order = format!("by {} {arrow}", pane.order.field.name());
    let wide = text::width(&order) as u16;
    buffer.set_stringn(area.right().saturating_sub(wide), area.y, &order, usize::from(wide), theme.dim);
    let (x, _) = buffer.set_stringn(area.x, area.y, "filter", 6, theme.dim);
    let room = usize::from(area.right().saturating_sub(x + 2 + wide + 2));
    let (words, style) =
        if pane.line.is_empty() { ("everything", theme.dim) } else { (pane.line.as_str(), theme.text) };
    buffer.set_stringn(x + 2, area.y, text::shorten(words, room), room, style);
}

/// One line, cut where it doesn't fit.
pub(super) fn put(buffer: &mut Buffer, area: Rect, words: &str, style: Style) {
    let room = usize::from(area.width);
    if area.height > 0 {
        buffer.set_stringn(area.x, area.y, text::shorten(words, room), room, style);
    }
}

/// `── title ───────`.
pub(super) fn rule(buffer: &mut Buffer, area: Rect, title: &str, style: Style, view: View<'_>) {
    let width = usize::from(area.width);
    if area.height == 0 || width < 6 {
        return;
    }
    buffer.set_stringn(area.x, area.y, "─".repeat(width), width, view.theme.rule);
    let title = format!(" {} ", text::shorten(title, width - 5));
    buffer.set_stringn(area.x + 2, area.y, &title, width - 2, style);
}
