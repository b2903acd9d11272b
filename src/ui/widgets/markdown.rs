//! Markdown as far as model answers use it: headings, lists, fences, bold and code, line by line. Indentation stays as
//! it is.

use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};

use super::fold::{Styled, indented, rows};
use super::highlight::Highlights;
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

/// Further rows of a list's item go in so far at most.
const DEEPEST: usize = 16;

/// A text as lines of a width, and those of them in which something that was looked for begins.
#[derive(Debug, Clone, Default)]
pub(crate) struct LaidText {
    pub(crate) lines: Vec<Line<'static>>,
    pub(crate) hits: Vec<usize>,
}

/// A text as lines of a width.
pub(crate) fn lines(
    content: &str,
    width: usize,
    theme: &Theme,
    highlights: &Highlights,
) -> Vec<Line<'static>> {
    laid(content, width, theme, highlights).lines
}

/// A text as lines of a width, with the places of what was looked for.
pub(crate) fn laid(content: &str, width: usize, theme: &Theme, highlights: &Highlights) -> LaidText {
    let mut out = LaidText::default();
    let mut fence = None;
    for source in content.split('\n') {
        let source = source.strip_suffix('\r').unwrap_or(source);
        let sign = fence_of(source);
        match (fence, sign) {
            (None, Some(_)) => fence = sign,
            (Some(open), Some(sign)) if open == sign => fence = None,
            _ => {
                add(&mut out, source, fence.is_some(), width, theme, highlights);
                continue;
            }
        }
        let (indent, body) = indented(source, width);
        let body = text::shorten(body, width - indent);
        out.lines.push(Line::styled(format!("{:indent$}{body}", ""), theme.dim));
    }
    out
}

/// The sign that begins or ends a block of code.
fn fence_of(line: &str) -> Option<&'static str> {
    ["```", "~~~"].into_iter().find(|sign| line.trim_start().starts_with(sign))
}

fn add(out: &mut LaidText, source: &str, fenced: bool, width: usize, theme: &Theme, highlights: &Highlights) {
    let mut line = Styled::default();
    if fenced {
        line.push(source, theme.accent.remove_modifier(Modifier::BOLD));
    } else {
        inline(&mut line, source, if source.starts_with('#') { theme.bright } else { theme.text }, theme);
    }
    let (indent, body) = indented(line.text(), width);
    let skipped = line.text().len() - body.len();
    let first = width.saturating_sub(indent).max(8);
    let hang = if fenced { 0 } else { hanging(body).min(DEEPEST.saturating_sub(indent)) };
    let found = highlights.found(line.text());
    for (index, row) in rows(body, first, first.saturating_sub(hang).max(8)).into_iter().enumerate() {
        let row = row.start + skipped..row.end + skipped;
        let begins =
            found.iter().filter(|hit| hit.start >= row.start && hit.start < row.end.max(row.start + 1));
        out.hits.extend(begins.map(|_| out.lines.len()));
        let lead = indent + if index == 0 { 0 } else { hang };
        let mut spans = Vec::new();
        if lead > 0 {
            spans.push(Span::raw(" ".repeat(lead)));
        }
        spans.extend(line.spans(row, &found, theme.matched));
        out.lines.push(Line::from(spans));
    }
}

/// Further rows of a list's item, and of what is quoted, stand below its text.
fn hanging(body: &str) -> usize {
    if ["- ", "* ", "+ ", "> "].into_iter().any(|sign| body.starts_with(sign)) {
        return 2;
    }
    let digits = body.chars().take_while(char::is_ascii_digit).count();
    let rest = body.get(digits..).unwrap_or_default();
    if digits > 0 && (rest.starts_with(". ") || rest.starts_with(") ")) { digits + 2 } else { 0 }
}

/// `**bold**` and `` `code` `` in their own styles; a sign without its partner, or amid a word or a formula, stays.
fn inline(line: &mut Styled, source: &str, plain: Style, theme: &Theme) {
    let mut rest = source;
    let mut from = 0;
    while let Some((at, sign)) = first_sign(rest, from) {
        let inside = rest.get(at + sign.len()..).unwrap_or_default();
        let before = rest.get(..at).unwrap_or_default();
        let end = partner(inside, sign).filter(|_| sign == "`" || opens(before, inside));
        let Some(end) = end else {
            from = at + sign.len();
            continue;
        };
        line.push(before, plain);
        let style = if sign == "**" { plain.patch(theme.bright) } else { plain.patch(theme.accent) };
        line.push(inside.get(..end).unwrap_or_default(), style);
        rest = inside.get(end + sign.len()..).unwrap_or_default();
        from = 0;
    }
    line.push(rest, plain);
}

fn first_sign(text: &str, from: usize) -> Option<(usize, &'static str)> {
    let rest = text.get(from..)?;
    ["**", "`"].into_iter().filter_map(|sign| rest.find(sign).map(|at| (from + at, sign))).min()
}

/// Whether a sign begins bold letters: after a space or a sign, before something.
fn opens(before: &str, inside: &str) -> bool {
    !before.ends_with(char::is_alphanumeric) && !inside.starts_with(char::is_whitespace)
}

/// Where the sign that ends it is.
fn partner(inside: &str, sign: &str) -> Option<usize> {
    let ends = |at: &usize| {
        let (text, rest) = (inside.get(..*at).unwrap_or_default(), inside.get(at + sign.len()..));
        let letter = rest.is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_alphanumeric()));
        *at > 0 && (sign == "`" || (!text.ends_with(char::is_whitespace) && !letter))
    };
    inside.match_indices(sign).map(|(at, _)| at).find(ends)
}
