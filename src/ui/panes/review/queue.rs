//! The queue as a table: what waits, how it stands, and how its texts begin.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::draw::{put, verdict_style};
use super::{Blind, ReviewPane};
use crate::domain::reflection::Verdict;
use crate::domain::review::{Disagreement, EditDraft, QueueRow};
use crate::ui::pane::{Focus, View};
use crate::ui::widgets::text;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum QueueColumn {
    Number,
    Verdict,
    Labels,
    Judge,
    Tokens,
    Question,
    Text,
    Teacher,
}

/// Columns from which a second text and more figures have room.
const ROOMY: u16 = 100;
const WIDEST: u16 = 130;
/// From which labels have room, and from which the judge's score.
const LABELS: u16 = 70;
const SCORES: u16 = 90;

impl QueueColumn {
    const fn title(self) -> &'static str {
        match self {
            Self::Number => "#",
            Self::Verdict => "verdict",
            Self::Labels => "labels",
            Self::Judge => "judge",
            Self::Tokens => "tokens",
            Self::Question => "question",
            Self::Text => "text",
            Self::Teacher => "teacher",
        }
    }

    const fn is_number(self) -> bool {
        matches!(self, Self::Number | Self::Judge | Self::Tokens)
    }
}

/// Which columns fit, and how wide each is: what the question begins with always has room.
fn columns(width: u16, labels: u16) -> Vec<(QueueColumn, u16)> {
    let mut found =
        vec![(QueueColumn::Number, 6), (QueueColumn::Verdict, if width >= LABELS { 18 } else { 15 })];
    if width >= LABELS {
        found.push((QueueColumn::Labels, labels));
    }
    if width >= SCORES {
        found.push((QueueColumn::Judge, 5));
    }
    if width >= WIDEST {
        found.push((QueueColumn::Tokens, 6));
    }
    let teacher = (width >= WIDEST).then_some((QueueColumn::Teacher, 16));
    let used: u16 = found.iter().chain(&teacher).map(|(_, wide)| wide + 2).sum();
    let free = width.saturating_sub(used);
    if width >= ROOMY {
        let half = free.saturating_sub(2) / 2;
        found.extend([(QueueColumn::Question, half), (QueueColumn::Text, free.saturating_sub(half + 2))]);
    } else {
        found.push((QueueColumn::Question, free));
    }
    found.extend(teacher);
    found
}

pub(super) fn draw(pane: &mut ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    let columns = columns(area.width, labels_width(view));
    let titles: Vec<(String, Style)> =
        columns.iter().map(|(column, _)| (column.title().to_owned(), view.theme.dim)).collect();
    cells(buffer, Rect { height: 1, ..area }, &columns, &titles);
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
        let words: Vec<(String, Style)> =
            columns.iter().map(|(column, _)| cell(pane, row, *column, view)).collect();
        cells(buffer, line, &columns, &words);
    }
}

/// Room for two of the session's labels.
fn labels_width(view: View<'_>) -> u16 {
    let report = view.store.review.report.as_ref();
    let names = report.map(|report| report.overall.confusion.labels()).unwrap_or_default();
    let longest = names.iter().map(|name| text::width(name)).max().unwrap_or(1) as u16;
    (2 * longest + 5).clamp(9, 25)
}

fn cell(pane: &ReviewPane, row: &QueueRow, column: QueueColumn, view: View<'_>) -> (String, Style) {
    let theme = view.theme;
    let blind = pane.blind == Blind::Yes;
    let corrected = row.id.correction().is_some();
    let glimpse = view.store.review.glimpse(row.id);
    match column {
        QueueColumn::Number => {
            let number = text::count(row.id.number().unsigned_abs());
            (if corrected { number } else { format!("t{number}") }, theme.dim)
        }
        QueueColumn::Verdict => verdict(pane, row, view),
        QueueColumn::Labels | QueueColumn::Text if blind => (String::new(), theme.dim),
        QueueColumn::Labels if corrected => {
            let reaches = row.own_label() == &*row.truth;
            let (sign, style) = if reaches { ("✓", theme.text) } else { ("✗", theme.warning) };
            (format!("{sign} {} → {}", row.flawed, row.own_label()), style)
        }
        QueueColumn::Labels => (format!("✗ {}", row.flawed), theme.text),
        QueueColumn::Judge => match row.score.filter(|_| !blind) {
            None => ("–".to_owned(), theme.dim),
            Some(score) => (score.to_string(), theme.text),
        },
        QueueColumn::Tokens => (row.tokens.to_string(), theme.text),
        QueueColumn::Question => {
            (glimpse.map_or_else(|| "…".to_owned(), |glimpse| glimpse.question.clone()), theme.text)
        }
        QueueColumn::Text => {
            (glimpse.map_or_else(String::new, |glimpse| bare(&glimpse.text).to_owned()), theme.dim)
        }
        QueueColumn::Teacher => (if blind { String::new() } else { row.teacher.to_string() }, theme.dim),
    }
}

fn verdict(pane: &ReviewPane, row: &QueueRow, view: View<'_>) -> (String, Style) {
    let begun = row.draft == EditDraft::Kept;
    let blind = pane.blind == Blind::Yes;
    let verdict = if blind { row.mine.unwrap_or_default() } else { row.verdict };
    if begun && (row.id.correction().is_none() || verdict == Verdict::Pending) {
        return ("✎ your draft".to_owned(), view.theme.accent);
    }
    if begun {
        // Both: what was decided holds until the draft is saved.
        return (format!("{} +✎ draft", verdict.name()), view.theme.accent);
    }
    if row.id.correction().is_none() {
        return ("· uncorrected".to_owned(), view.theme.warning);
    }
    let odds = match row.disagreement {
        Disagreement::Reviewers if !blind => " ≠",
        Disagreement::Reviewers | Disagreement::Label | Disagreement::None => "",
    };
    let style = if blind { view.theme.text } else { verdict_style(row, view) };
    (format!("{} {}{odds}", verdict.sign(), verdict.name()), style)
}

/// Without the number of the first step: all begin with that.
fn bare(text: &str) -> &str {
    let text = text.trim_start();
    ["step 1:", "Step 1:"].iter().find_map(|head| text.strip_prefix(head)).unwrap_or(text).trim_start()
}

fn cells(buffer: &mut Buffer, area: Rect, columns: &[(QueueColumn, u16)], words: &[(String, Style)]) {
    let mut x = area.x;
    for ((column, width), (words, style)) in columns.iter().zip(words) {
        let width = (*width).min(area.right().saturating_sub(x));
        let short = text::shorten(words, usize::from(width));
        let offset = if column.is_number() { width.saturating_sub(text::width(&short) as u16) } else { 0 };
        text::put(buffer, x + offset, area.y, &short, usize::from(width), *style);
        x += width + 2;
    }
}
