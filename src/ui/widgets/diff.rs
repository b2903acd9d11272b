//! Two texts word by word: what was left out and what came in, between signs that tell them without colour.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use similar::{ChangeTag, TextDiff};

use crate::ui::theme::Theme;
use crate::ui::widgets::fold::{Styled, indented, rows};
use crate::ui::widgets::text;

/// Pieces of text in lines of at most `columns`, broken as [`text::wrap`] breaks them; a head before the first line, as
/// much room before the others.
#[must_use]
pub fn folded(head: &str, pieces: &[(String, Style)], columns: usize, theme: &Theme) -> Vec<Line<'static>> {
    let lead = text::width(head);
    let room = columns.saturating_sub(lead + 1).max(8);
    let mut sources = vec![Styled::default()];
    for (piece, style) in pieces {
        for (at, part) in piece.split('\n').enumerate() {
            if at > 0 {
                sources.push(Styled::default());
            }
            if let Some(line) = sources.last_mut() {
                line.push(part.strip_suffix('\r').unwrap_or(part), *style);
            }
        }
    }
    let mut lines = Vec::new();
    for source in &sources {
        let (indent, body) = indented(source.text(), room);
        let skipped = source.text().len() - body.len();
        for row in rows(body, room - indent, room - indent) {
            let first = if lines.is_empty() { head.to_owned() } else { " ".repeat(lead) };
            let mut spans = vec![Span::styled(first, theme.dim)];
            if indent > 0 {
                spans.push(Span::raw(" ".repeat(indent)));
            }
            spans.extend(source.spans(row.start + skipped..row.end + skipped, &[], Style::new()));
            lines.push(Line::from(spans));
        }
    }
    lines
}

/// Which of two texts is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiffSide {
    /// The one before, with what was left out marked.
    Before,
    /// The one after, with what came in marked.
    After,
    /// Both in one.
    Both,
}

impl DiffSide {
    const fn shows(self, tag: ChangeTag) -> bool {
        match tag {
            ChangeTag::Equal => true,
            ChangeTag::Delete => !matches!(self, Self::After),
            ChangeTag::Insert => !matches!(self, Self::Before),
        }
    }
}

/// One side of two texts, the words that differ between signs.
#[must_use]
pub fn pieces(before: &str, after: &str, side: DiffSide, theme: &Theme) -> Vec<(String, Style)> {
    let mut pieces: Vec<(String, Style)> = Vec::new();
    let mut open = ChangeTag::Equal;
    for (tag, value) in changes(before, after) {
        if !side.shows(tag) {
            continue;
        }
        if tag != open || pieces.is_empty() {
            if let Some((piece, _)) = pieces.last_mut() {
                close(piece, open);
            }
            open = tag;
            pieces.push((opening(open).to_owned(), style(tag, theme)));
        }
        if let Some((piece, _)) = pieces.last_mut() {
            piece.push_str(&value);
        }
    }
    if let Some((piece, _)) = pieces.last_mut() {
        close(piece, open);
    }
    pieces
}

/// Words left out and words that came in.
#[must_use]
pub fn count(before: &str, after: &str) -> (usize, usize) {
    let changes = changes(before, after);
    let words = |wanted: ChangeTag| -> usize {
        let found = changes.iter().filter(|(tag, _)| *tag == wanted);
        found.map(|(_, run)| run.split_whitespace().count()).sum()
    };
    (words(ChangeTag::Delete), words(ChangeTag::Insert))
}

/// What differs, in runs: spaces between two changed words belong to the change, so that a rewritten phrase is one run
/// and not a sign at every word.
fn changes(before: &str, after: &str) -> Vec<(ChangeTag, String)> {
    let diff = TextDiff::from_words(before, after);
    let mut runs: Vec<(ChangeTag, String)> = Vec::new();
    let (mut out, mut came, mut space) = (String::new(), String::new(), String::new());
    for change in diff.iter_all_changes() {
        let text = change.value();
        let changed = !(out.is_empty() && came.is_empty());
        match change.tag() {
            ChangeTag::Equal if changed && text.trim().is_empty() => space.push_str(text),
            ChangeTag::Equal => {
                flush(&mut runs, &mut out, &mut came);
                push(&mut runs, ChangeTag::Equal, &std::mem::take(&mut space));
                push(&mut runs, ChangeTag::Equal, text);
            }
            tag => {
                let gap = std::mem::take(&mut space);
                for run in [&mut out, &mut came].into_iter().filter(|run| !run.is_empty()) {
                    run.push_str(&gap);
                }
                if tag == ChangeTag::Delete { out.push_str(text) } else { came.push_str(text) }
            }
        }
    }
    flush(&mut runs, &mut out, &mut came);
    push(&mut runs, ChangeTag::Equal, &space);
    runs
}

fn flush(runs: &mut Vec<(ChangeTag, String)>, out: &mut String, came: &mut String) {
    push(runs, ChangeTag::Delete, &std::mem::take(out));
    push(runs, ChangeTag::Insert, &std::mem::take(came));
}

fn push(runs: &mut Vec<(ChangeTag, String)>, tag: ChangeTag, text: &str) {
    if text.is_empty() {
        return;
    }
    match runs.last_mut() {
        Some((last, run)) if *last == tag => run.push_str(text),
        _ => runs.push((tag, text.to_owned())),
    }
}

/// The sign stands at the last word, not behind the space after it.
fn close(piece: &mut String, tag: ChangeTag) {
    let sign = closing(tag);
    if sign.is_empty() {
        return;
    }
    let end = piece.trim_end().len();
    piece.insert_str(end, sign);
}

const fn opening(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "",
        ChangeTag::Delete => "[-",
        ChangeTag::Insert => "[+",
    }
}

const fn closing(tag: ChangeTag) -> &'static str {
    match tag {
        ChangeTag::Equal => "",
        ChangeTag::Delete => "-]",
        ChangeTag::Insert => "+]",
    }
}

const fn style(tag: ChangeTag, theme: &Theme) -> Style {
    match tag {
        ChangeTag::Equal => theme.text,
        ChangeTag::Delete => theme.removed,
        ChangeTag::Insert => theme.added,
    }
}
