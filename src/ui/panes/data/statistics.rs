//! Figures beside the record: they follow the filter.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::domain::statistics::{Balance, Statistics};
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

const BARS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Draws as many lines as there is room for, the most telling first.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    statistics: &Statistics,
    findings: Option<&[(String, u64)]>,
    theme: &Theme,
) {
    let lines = lines(statistics, findings, usize::from(area.width), theme);
    for (y, (line, style)) in (area.y..area.bottom()).zip(lines) {
        text::put(buffer, area.x, y, &line, usize::from(area.width), style);
    }
}

fn lines(
    statistics: &Statistics,
    findings: Option<&[(String, u64)]>,
    width: usize,
    theme: &Theme,
) -> Vec<(String, Style)> {
    let mut lines = Vec::new();
    if let (Some(median), Some(longest)) = (statistics.median, statistics.longest) {
        lines.push((histogram(&statistics.bins.counts, width), theme.accent));
        lines.push((format!("tokens     median {median}  max {longest}"), theme.text));
        if let (Some(limit), Some(over)) = (statistics.limit, statistics.over_limit) {
            let share = 100.0 * over as f64 / statistics.counted.max(1) as f64;
            let style = if over > 0 { theme.warning } else { theme.dim };
            let title = format!("over {limit}");
            lines.push((format!("{title:10} {} ({share:.1}%)", text::count(over)), style));
        }
        if statistics.counted < statistics.records {
            let left = text::count(statistics.records - statistics.counted);
            lines.push((format!("           {left} not counted yet · m counts"), theme.dim));
        }
    } else {
        let mean = statistics.characters / statistics.records.max(1);
        lines.push((format!("characters {} a record", text::count(mean)), theme.text));
        lines.push(("tokens     not counted yet · m counts".to_owned(), theme.dim));
    }
    lines.push((
        format!(
            "prompts    {} distinct of {}",
            text::count(statistics.distinct_prompts),
            text::count(statistics.records)
        ),
        theme.text,
    ));
    let style = if statistics.equal_rows > 0 { theme.warning } else { theme.dim };
    lines.push((format!("equal rows {}", text::count(statistics.equal_rows)), style));
    lines.push(found(findings, theme));
    let [new, approved, rejected] = statistics.statuses.map(text::count);
    lines.push((format!("status     ✓ {approved}  ✗ {rejected}  ◌ {new}"), theme.text));
    balance(&mut lines, "labels", &statistics.labels, statistics.records, theme);
    balance(&mut lines, "splits", &statistics.splits, statistics.records, theme);
    lines
}

/// What checks found in the whole session: repeats and leakage first, then how many other findings.
fn found(findings: Option<&[(String, u64)]>, theme: &Theme) -> (String, Style) {
    let Some(findings) = findings else {
        return ("checks     none has run · x runs them".to_owned(), theme.dim);
    };
    let of = |name: &str| findings.iter().find(|(other, _)| other == name).map_or(0, |(_, count)| *count);
    let first = [
        ("duplicate", "exact"),
        ("near-duplicate", "near"),
        ("leakage", "leaked"),
        ("near-leakage", "nearly"),
    ];
    let mut parts: Vec<String> = first
        .iter()
        .filter(|(name, _)| of(name) > 0)
        .map(|(name, word)| format!("{} {word}", text::count(of(name))))
        .collect();
    let others: u64 = findings
        .iter()
        .filter(|(name, _)| first.iter().all(|(one, _)| one != name))
        .map(|(_, count)| count)
        .sum();
    if others > 0 {
        parts.push(format!("{} other", text::count(others)));
    }
    if parts.is_empty() {
        return ("checks     nothing found".to_owned(), theme.good);
    }
    (format!("checks     {}", parts.join(" · ")), theme.warning)
}

/// A bar for each of the most frequent names.
fn balance(lines: &mut Vec<(String, Style)>, title: &str, balance: &Balance, all: u64, theme: &Theme) {
    let nothing = balance.named.iter().all(|(name, _)| name.is_none());
    if nothing {
        return;
    }
    lines.push((format!("{title}  {} distinct", balance.distinct), theme.dim));
    for (name, count) in balance.named.iter().take(6) {
        let share = *count as f64 / all.max(1) as f64;
        let bar = "█".repeat((share * 12.0).round() as usize);
        let name = text::shorten(name.as_deref().unwrap_or("none"), 14);
        lines.push((format!("  {name:14} {bar:12} {:>5.1}%", share * 100.0), theme.text));
    }
}

fn histogram(counts: &[u64], width: usize) -> String {
    let most = counts.iter().copied().max().unwrap_or(0).max(1);
    let bar = |count: &u64| {
        // A bin that is not empty is seen.
        let step = (count * 8).div_ceil(most) as usize;
        BARS.get(step).copied().unwrap_or("█")
    };
    counts.iter().take(width).map(bar).collect()
}
