//! What a model answered, folded to the room there is, and what changed since it was last asked.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use similar::{ChangeTag, TextDiff};

use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// Pieces of text in lines of at most `columns`, broken at spaces; a head before the first line, as much room before
/// the others.
pub(super) fn folded(
    head: &str,
    pieces: &[(String, Style)],
    columns: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let indent = text::width(head);
    let room = columns.saturating_sub(indent + 1).max(8);
    let mut lines = vec![vec![Span::styled(head.to_owned(), theme.dim)]];
    let mut used = 0;
    for (piece, style) in pieces {
        for (at, paragraph) in piece.split('\n').enumerate() {
            if at > 0 {
                lines.push(vec![Span::raw(" ".repeat(indent))]);
                used = 0;
            }
            for word in paragraph.split_inclusive(' ') {
                let word = text::shorten(word, room);
                let wide = text::width(&word);
                if used > 0 && used + text::width(word.trim_end()) > room {
                    lines.push(vec![Span::raw(" ".repeat(indent))]);
                    used = 0;
                }
                used += wide;
                if let Some(line) = lines.last_mut() {
                    line.push(Span::styled(word, *style));
                }
            }
        }
    }
    lines.into_iter().map(Line::from).collect()
}

/// The new text with the words that changed between signs, which tell them without colour too.
pub(super) fn changes(before: &str, now: &str, theme: &Theme) -> Vec<(String, Style)> {
    let diff = TextDiff::from_words(before, now);
    let mut pieces: Vec<(String, Style)> = Vec::new();
    let mut open = ChangeTag::Equal;
    for change in diff.iter_all_changes() {
        let style = style(change.tag(), theme);
        if change.tag() != open || pieces.is_empty() {
            if let Some((piece, _)) = pieces.last_mut() {
                piece.push_str(closing(open));
            }
            open = change.tag();
            pieces.push((opening(open).to_owned(), style));
        }
        if let Some((piece, _)) = pieces.last_mut() {
            piece.push_str(change.value());
        }
    }
    if let Some((piece, _)) = pieces.last_mut() {
        piece.push_str(closing(open));
    }
    pieces
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
