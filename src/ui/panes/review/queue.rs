//! The queue as a table: what waits, how it stands, what the judge said.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::draw::{put, verdict_style};
use super::{Blind, Review};
use crate::domain::review::{Disagreement, QueueRow};
use crate::ui::pane::{Focus, View};
use crate::ui::widgets::text;

/// A column: its heading, its width, whether numbers stand right.
struct Column {
    title: &'static str,
    width: u16,
    side: Side,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

const COLUMNS: [Column; 8] = [
    Column { title: "#", width: 7, side: Side::Right },
    Column { title: "verdict", width: 11, side: Side::Left },
    Column { title: "judge", width: 5, side: Side::Right },
    Column { title: "tokens", width: 6, side: Side::Right },
    Column { title: "true", width: 13, side: Side::Left },
    Column { title: "student → teacher", width: 28, side: Side::Left },
    Column { title: "record", width: 8, side: Side::Right },
    Column { title: "teacher", width: 30, side: Side::Left },
];

pub(super) fn draw(pane: &mut Review, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let titles = COLUMNS.map(|column| column.title.to_owned());
    cells(buffer, Rect { height: 1, ..area }, &titles, |_| view.theme.dim);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    pane.table = body;
    let rows = view.store.review.rows();
    let window = pane.cursor.window(rows.len(), usize::from(body.height));
    for (y, place) in (body.y..body.bottom()).zip(window) {
        let Some(row) = rows.get(place) else { continue };
        let line = Rect { y, height: 1, ..body };
        if place == pane.cursor.row() {
            let style =
                if view.focus == Focus::Here { view.theme.selection } else { view.theme.selection_away };
            buffer.set_style(Rect { x: line.x.saturating_sub(1), width: line.width + 1, ..line }, style);
            put(buffer, Rect { x: line.x.saturating_sub(1), width: 1, ..line }, "▌", view.theme.accent);
        }
        cells(buffer, line, &words(pane, row), |column| style(column, row, view));
    }
}

fn words(pane: &Review, row: &QueueRow) -> [String; 8] {
    let blind = pane.blind == Blind::Yes;
    let verdict = if blind { row.mine.unwrap_or_default() } else { row.verdict };
    let odds = match row.disagreement {
        Disagreement::Reviewers if !blind => " ≠",
        Disagreement::Reviewers | Disagreement::Label | Disagreement::None => "",
    };
    let reached = match (blind, row.label == row.truth) {
        (true, _) => String::new(),
        (false, true) => format!("{} → {} ✓", row.flawed, row.label),
        (false, false) => format!("{} → {} ✗", row.flawed, row.label),
    };
    [
        text::count(row.id.0.unsigned_abs()),
        format!("{} {}{odds}", verdict.sign(), verdict.name()),
        row.score.filter(|_| !blind).map_or_else(|| "–".to_owned(), |score| score.to_string()),
        row.tokens.to_string(),
        row.truth.to_string(),
        reached,
        text::count(row.record.0.unsigned_abs()),
        if blind { String::new() } else { row.teacher.to_string() },
    ]
}

fn style(column: usize, row: &QueueRow, view: View<'_>) -> Style {
    match column {
        1 => verdict_style(row, view),
        5 if row.label != row.truth => view.theme.warning,
        0 | 6 | 7 => view.theme.dim,
        _ => view.theme.text,
    }
}

/// Draws as many columns as fit.
fn cells(buffer: &mut Buffer, area: Rect, words: &[String; 8], style: impl Fn(usize) -> Style) {
    let mut x = area.x;
    for (index, (column, words)) in COLUMNS.iter().zip(words).enumerate() {
        let room = area.right().saturating_sub(x);
        if room < column.width.min(8) {
            return;
        }
        let width = column.width.min(room);
        let short = text::shorten(words, usize::from(width));
        let offset = match column.side {
            Side::Left => 0,
            Side::Right => width.saturating_sub(text::width(&short) as u16),
        };
        buffer.set_stringn(x + offset, area.y, &short, usize::from(width), style(index));
        x += width + 2;
    }
}
