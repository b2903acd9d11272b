//! A total in lines: each reward, its components, and what each lost.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::domain::reward::{ComponentValue, RewardOutcome, RewardPart, RewardScore, RewardTotal};
use crate::ui::theme::Theme;
use crate::ui::widgets::text;
use crate::ui::widgets::visible::visible;

/// Columns between two components in a row.
const GAP: usize = 3;

/// By which task, and everything that is said of the completion.
pub(super) fn total_told(task: &str, total: &RewardTotal, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let value = total.value.map_or_else(|| "no reward applies".to_owned(), |value| format!("{value:.4}"));
    let mut lines = vec![Line::from(vec![
        Span::styled(" total ", theme.dim),
        Span::styled(value, theme.accent),
        Span::styled(format!("  {task}"), theme.dim),
    ])];
    lines.extend(total.parts.iter().flat_map(|part| part_told(part, width, theme)));
    lines
}

fn part_told(part: &RewardPart, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let RewardPart { name, weight, outcome } = part;
    let name = Span::styled(format!(" {name}  "), theme.bright);
    match outcome {
        RewardOutcome::DoesNotApply { does_not_apply } => {
            let why = indented(&visible(does_not_apply), width);
            let why = why.into_iter().map(|words| Line::styled(format!("   {words}"), theme.dim));
            let head = Line::from(vec![name, Span::styled("does not apply", theme.dim)]);
            std::iter::once(head).chain(why).collect()
        }
        RewardOutcome::Scored(score) => {
            let value = Span::styled(format!("{:.4}", score.value), theme.text);
            let weight = Span::styled(format!("  weight {weight}"), theme.dim);
            let mut lines = vec![Line::from(vec![name, value, weight])];
            lines.extend(components(score, width, theme));
            lines.extend(deductions(score, width, theme));
            lines
        }
    }
}

/// As many in a row as there is room for.
fn components(score: &RewardScore, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let (mut lines, mut spans, mut used) = (Vec::new(), Vec::new(), 0);
    for component in &score.components {
        let value = match &component.value {
            ComponentValue::Number(_) => component.value.to_string(),
            ComponentValue::Word(word) => text::shorten(&visible(word).replace('\n', " "), 30),
        };
        let wide = text::width(&component.name) + text::width(&value) + 1 + GAP;
        if used + wide > width.saturating_sub(GAP) && !spans.is_empty() {
            lines.push(Line::from(std::mem::take(&mut spans)));
            used = 0;
        }
        spans.push(Span::styled(format!("{:GAP$}{} ", "", component.name), theme.dim));
        spans.push(Span::styled(value, theme.text));
        used += wide;
    }
    lines.extend((!spans.is_empty()).then(|| Line::from(spans)));
    lines
}

fn deductions(score: &RewardScore, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    let lost = |points: f64| {
        let rounded = (points * 1000.0).round() / 1000.0;
        format!("{rounded:+}")
    };
    let told = score.deductions.iter().flat_map(|one| {
        let points = lost(one.points);
        let words = format!("{}: {}", one.component, visible(&one.why).replace('\n', " "));
        let room = width.saturating_sub(text::width(&points));
        indented(&words, room).into_iter().enumerate().map(move |(at, words)| {
            let sign = if at == 0 { format!("   {points} ") } else { " ".repeat(4 + text::width(&points)) };
            Line::from(vec![Span::styled(sign, theme.warning), Span::styled(words, theme.text)])
        })
    });
    told.collect()
}

/// Words in lines that leave room for what is before them.
fn indented(words: &str, width: usize) -> Vec<String> {
    text::wrap(words, width.saturating_sub(6).max(10))
}

/// Lines one below the other; the last says how many there was no room for.
pub(super) fn put_lines(buffer: &mut Buffer, area: Rect, mut lines: Vec<Line<'static>>, theme: &Theme) {
    let room = usize::from(area.height);
    if lines.len() > room && room > 0 {
        let more = lines.len() - room + 1;
        lines.truncate(room - 1);
        lines.push(Line::styled(format!("   ... {more} more lines, on a taller screen"), theme.dim));
    }
    for (y, line) in (area.y..area.bottom()).zip(lines) {
        text::put_line(buffer, Rect { y, height: 1, ..area }, line);
    }
}
