//! Markdown as far as model answers use it: headings, lists, fences, bold and code, line by line.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::highlight::Highlights;
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// A text as lines of a width.
pub(crate) fn lines(
    content: &str,
    width: usize,
    theme: &Theme,
    highlights: &Highlights,
) -> Vec<Line<'static>> {
    let mut out = Vec::new();
    let mut fenced = false;
    for line in content.split('\n') {
        let line = line.trim_end_matches('\r').replace('\t', "    ");
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
            out.push(Line::styled(text::shorten(&line, width), theme.dim));
            continue;
        }
        let style =
            if fenced { theme.accent.remove_modifier(Modifier::BOLD) } else { style_of(&line, theme) };
        let indent = hanging(&line);
        for (index, part) in text::wrap(&line, width.saturating_sub(indent).max(8)).into_iter().enumerate() {
            let mut spans = Vec::new();
            if index > 0 {
                spans.push(Span::raw(" ".repeat(indent)));
            }
            let pieces = if fenced { vec![(part, style)] } else { inline(&part, style, theme) };
            for (piece, style) in pieces {
                let found = highlights.spans(&piece, style, theme.matched);
                spans.extend(
                    found.into_iter().map(|span| Span::styled(span.content.into_owned(), span.style)),
                );
            }
            out.push(Line::from(spans));
        }
    }
    out
}

fn style_of(line: &str, theme: &Theme) -> Style {
    if line.starts_with('#') { theme.bright } else { theme.text }
}

/// Further lines of a list's item stand below its text.
fn hanging(line: &str) -> usize {
    let body = line.trim_start();
    let indent = line.len() - body.len();
    if body.starts_with("- ") || body.starts_with("* ") {
        return (indent + 2).min(16);
    }
    let digits = body.chars().take_while(char::is_ascii_digit).count();
    let numbered = digits > 0 && body.get(digits..).is_some_and(|rest| rest.starts_with(". "));
    if numbered { (indent + digits + 2).min(16) } else { 0 }
}

/// `**bold**` and `` `code` `` in their own styles; a sign without its partner stays as it is.
fn inline(line: &str, plain: Style, theme: &Theme) -> Vec<(String, Style)> {
    let mut out = Vec::new();
    let mut rest = line;
    while let Some((at, sign)) = first_sign(rest) {
        let (before, from) = rest.split_at(at);
        let inside = from.get(sign.len()..).unwrap_or_default();
        let Some(end) = inside.find(sign).filter(|end| *end > 0) else { break };
        out.push((before.to_owned(), plain));
        let style = if sign == "**" { plain.patch(theme.bright) } else { plain.patch(theme.accent) };
        out.push((inside.get(..end).unwrap_or_default().to_owned(), style));
        rest = inside.get(end + sign.len()..).unwrap_or_default();
    }
    out.push((rest.to_owned(), plain));
    out
}

fn first_sign(text: &str) -> Option<(usize, &'static str)> {
    ["**", "`"].into_iter().filter_map(|sign| text.find(sign).map(|at| (at, sign))).min()
}
