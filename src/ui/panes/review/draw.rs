//! The pane from top to bottom: how far one is, the filter, and what fills the rest.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::bindings::key_of;
use super::{Blind, ReviewInputKind, ReviewMode, ReviewPane, Show, agreement, chain, item, queue};
use crate::domain::review::{EditDraft, QueueRow};
use crate::domain::view::SortDirection;
use crate::ui::pane::View;
use crate::ui::widgets::{empty, text};

/// Columns from which more is counted.
const ROOMY: u16 = 100;
/// Rows of the screen below which less is offered.
const LOW: u16 = 14;

pub(super) fn draw(pane: &mut ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let Some(session) = &view.store.session else {
        let words =
            ["A student's thoughts and their corrections, one after another.", "Open a session first: f2."];
        return empty::draw(buffer, area, theme, "Review", &words);
    };
    let inside = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    head(pane, buffer, Rect { height: 1, ..inside }, view);
    line(pane, buffer, Rect { y: inside.y + 1, height: 1, ..inside }, view);
    let typing = Rect { y: inside.y + 2, height: inside.height.saturating_sub(2), ..inside };
    let top = 2 + below_line(pane, buffer, typing, view);
    let body = Rect { y: inside.y + top, height: inside.height.saturating_sub(top), ..inside };
    if pane.show == Show::Agreement {
        return agreement::draw(pane, buffer, body, view);
    }
    if view.store.review.queue.is_none() {
        return put(buffer, Rect { height: 1, ..body }, "reading …", theme.dim);
    }
    if view.store.review.rows().is_empty() && !matches!(pane.mode, ReviewMode::Edit(_)) {
        return nothing(pane, buffer, body, view, &session.name);
    }
    match pane.show {
        Show::Queue => queue::draw(pane, buffer, body, view),
        Show::Chain => chain::draw(pane, buffer, body, view),
        Show::Item | Show::Agreement => item::draw(pane, buffer, body, view),
    }
}

/// Below a line that is typed: what can be typed, and what was said before. Says how many rows that took.
fn below_line(pane: &ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>) -> u16 {
    let ReviewMode::Line(line) = &pane.mode else { return 0 };
    let style = if pane.complaint.is_empty() { view.theme.dim } else { view.theme.bad };
    let hint = pane.hint(view.store);
    // What can be typed, and what is wrong, are read whole.
    let said = text::wrap(&hint, usize::from(area.width));
    for (y, words) in (area.top()..area.bottom()).zip(&said) {
        put(buffer, Rect { y, height: 1, ..area }, words, style);
    }
    let offers = line.offers(view.store);
    let most = if area.height < LOW { 3 } else { 6 };
    let first = line.picked.map_or(0, |at| (at + 1).saturating_sub(most));
    let mut rows = said.len() as u16;
    for (at, said) in offers.iter().enumerate().skip(first).take(most) {
        let row = Rect { y: area.y + rows, height: 1, ..area };
        if row.y >= area.bottom() {
            break;
        }
        let (sign, style) =
            if line.picked == Some(at) { ("▌ ", view.theme.selection) } else { ("  ", view.theme.text) };
        put(buffer, row, &format!("{sign}{said}"), style);
        rows += 1;
    }
    rows
}

fn nothing(pane: &ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>, session: &str) {
    if !pane.line.is_empty() {
        let words = ["No reflection matches this filter.", "esc clears it."];
        return empty::draw(buffer, area, view.theme, "Nothing found", &words);
    }
    let thoughts = view.store.review.report.as_ref().map_or(0, |report| report.overall.confusion.total());
    let right = view.store.review.report.as_ref().map_or(0, |report| report.overall.confusion.right());
    let import = format!("dojo review --session {session} import --thoughts FILE --reflections FILE");
    if thoughts == 0 {
        let words = [
            "No thoughts yet. T lets a student think about every record that has a label; then r lets a teacher \
             correct what it got wrong, and the corrections come here for your word.",
            "Those from elsewhere come in with",
            &import,
        ];
        return empty::draw(buffer, area, view.theme, "Review", &words);
    }
    let counted = format!("{} of {} thoughts reach their label.", text::count(right), text::count(thoughts));
    let ready = view.store.review.counts.map_or(0, |counts| counts.ready_for_sft);
    let next = format!(
        "Nothing is there to correct. {} trains on the {} that are ready; {} shows the figures.",
        key_of("review.train", view.keymap),
        text::count(ready),
        key_of("review.agreement", view.keymap)
    );
    empty::draw(buffer, area, view.theme, "Review", &[&counted, &next]);
}

/// `reflection 14 of 33 · ◌ pending · judge 4/5        SFT 81  pairs 14  left 19  ~2 min`.
fn head(pane: &ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let theme = view.theme;
    let progress = progress(pane, area.width, view);
    let wide = text::width(&progress) as u16;
    let right = area.right().saturating_sub(wide);
    text::put(buffer, right.max(area.x), area.y, &progress, usize::from(wide.min(area.width)), theme.dim);
    let rows = view.store.review.rows();
    let Some(row) = pane.row(view.store) else { return };
    let mut x = area.x;
    let mut say = |words: &str, style: Style| {
        let room = usize::from(right.saturating_sub(x + 2));
        let (after, _) = text::put(buffer, x, area.y, words, room, style);
        x = after;
    };
    let place = text::count(pane.cursor.row() as u64 + 1);
    let of = text::count(rows.len() as u64);
    if row.id.correction().is_none() {
        say(&format!("thought {place} of {of}"), theme.bright);
        say(" · without a correction", theme.warning);
        draft(row, &mut say, theme.accent);
        return;
    }
    say(&format!("reflection {place} of {of}"), theme.bright);
    if pane.blind == Blind::Yes {
        say(" · blind", theme.accent);
        if let Some(mine) = row.mine {
            say(&format!(" · you: {} {}", mine.sign(), mine.name()), theme.text);
        }
        return;
    }
    say(" · ", theme.dim);
    say(&format!("{} {}", row.verdict.sign(), row.verdict.name()), verdict_style(row, view));
    draft(row, &mut say, theme.accent);
    if let Some(score) = row.score {
        let style = if score >= 4 { theme.good } else { theme.warning };
        say(&format!(" · judge {score}/5"), style);
    }
    if row.disagreement == crate::domain::review::Disagreement::Reviewers {
        say(" · ! reviewers disagree", theme.warning);
    }
}

/// ` · ✎ your draft`, when there is one.
fn draft(row: &QueueRow, say: &mut impl FnMut(&str, Style), style: Style) {
    match row.draft {
        EditDraft::None => {}
        EditDraft::Kept => say(" · ✎ your draft", style),
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
fn progress(pane: &ReviewPane, width: u16, view: View<'_>) -> String {
    let review = &view.store.review;
    let left = review.rows().iter().filter(|row| pane.waits(row)).count();
    let mut parts = Vec::new();
    if let Some(counts) = &review.counts {
        parts.push(format!("SFT {}", text::count(counts.ready_for_sft)));
        parts.push(format!("pairs {}", text::count(counts.preference_pairs)));
    }
    parts.push(format!("left {}", text::count(left as u64)));
    if let Some(open) =
        review.counts.map(|counts| counts.uncorrected).filter(|open| *open > 0 && width >= ROOMY)
    {
        parts.push(format!("uncorrected {}", text::count(open)));
    }
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
fn line(pane: &mut ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let theme = view.theme;
    if let ReviewMode::Line(line) = &mut pane.mode {
        let title = match line.wanted {
            ReviewInputKind::Filter => "filter",
            ReviewInputKind::Reason(_) => "reject because",
            ReviewInputKind::Comment(_) => "tell the teacher",
            ReviewInputKind::Job(kind) => kind.who(),
        };
        let (x, _) = text::put(buffer, area.x, area.y, title, 20, theme.accent);
        let field_area = Rect { x: x + 2, width: area.right().saturating_sub(x + 2), ..area };
        return line.field.draw(buffer, field_area, theme);
    }
    let arrow = if pane.order.direction == SortDirection::Rising { "↑" } else { "↓" };
    let order = format!("by {} {arrow}", pane.order.field.name());
    let wide = text::width(&order) as u16;
    text::put(buffer, area.right().saturating_sub(wide), area.y, &order, usize::from(wide), theme.dim);
    let (x, _) = text::put(buffer, area.x, area.y, "filter", 6, theme.dim);
    let room = usize::from(area.right().saturating_sub(x + 2 + wide + 2));
    let (words, style) =
        if pane.line.is_empty() { ("everything", theme.dim) } else { (pane.line.as_str(), theme.text) };
    text::put(buffer, x + 2, area.y, words, room, style);
}

/// One line, cut where it doesn't fit.
pub(super) fn put(buffer: &mut Buffer, area: Rect, words: &str, style: Style) {
    let room = usize::from(area.width);
    if area.height > 0 {
        text::put(buffer, area.x, area.y, words, room, style);
    }
}

/// `── title ───────`.
pub(super) fn rule(buffer: &mut Buffer, area: Rect, title: &str, style: Style, view: View<'_>) {
    let width = usize::from(area.width);
    if area.height == 0 || width < 6 {
        return;
    }
    text::put(buffer, area.x, area.y, "─".repeat(width), width, view.theme.rule);
    let title = format!(" {} ", text::shorten(title, width - 5));
    text::put(buffer, area.x + 2, area.y, &title, width - 2, style);
}
