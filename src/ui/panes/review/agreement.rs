//! How the thoughts agree with the labels: overall, by label, length, model, split and tag; and the reviewers with each
//! other.

use std::collections::BTreeMap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::ReviewPane;
use super::aside::{bar, by_length, heights};
use super::draw::{put, rule};
use crate::domain::agreement_report::{AgreementReport, CURVE_STEP, Share};
use crate::ui::pane::View;
use crate::ui::theme::Theme;
use crate::ui::widgets::text;

pub(super) fn draw(pane: &mut ReviewPane, buffer: &mut Buffer, area: Rect, view: View<'_>) {
    rule(buffer, Rect { height: 1, ..area }, "how thoughts agree with the labels", view.theme.bright, view);
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let Some(report) = &view.store.review.report else {
        return put(buffer, Rect { height: 1, ..body }, "counting …", view.theme.dim);
    };
    if report.overall.confusion.total() == 0 {
        return put(
            buffer,
            Rect { height: 1, ..body },
            "No thought about a labelled record yet: t starts.",
            view.theme.dim,
        );
    }
    let columns = if body.width >= 90 { 2 } else { 1 };
    let width = (body.width - 2 * (columns - 1)) / columns;
    let (first, second) = parts(report, usize::from(width), view);
    let mut sides = if columns == 2 { vec![first, second] } else { vec![[first, second].concat()] };
    let most = sides.iter().map(Vec::len).max().unwrap_or_default().saturating_sub(usize::from(body.height));
    pane.scroll = pane.scroll.min(most);
    for (index, lines) in sides.drain(..).enumerate() {
        let x = body.x + index as u16 * (width + 2);
        for (y, line) in (body.y..body.bottom()).zip(lines.iter().skip(pane.scroll)) {
            text::put_line(buffer, Rect { x, y, width, height: 1 }, line.clone());
        }
    }
}

type ReportLines = Vec<Line<'static>>;

fn parts(report: &AgreementReport, width: usize, view: View<'_>) -> (ReportLines, ReportLines) {
    let theme = view.theme;
    let mut first = overall(report, width, theme);
    first.push(Line::default());
    first.extend(by_length(report, width, theme));
    first.extend(curve(report, theme));
    let mut second = reviews(view, theme);
    second.extend(reviewers(report, width, theme));
    for (title, shares) in
        [("by model", &report.by_model), ("by split", &report.by_split), ("by tag", &report.by_tag)]
    {
        second.extend(group(title, shares, width, theme));
    }
    if !report.set_aside.is_empty() {
        second.push(Line::default());
        second.push(Line::styled("set aside: answers that can't be read", theme.dim));
        let line = |(what, count): (&String, &u64)| format!("{:>7}  {what}", text::count(*count));
        second.extend(report.set_aside.iter().map(line).map(|line| Line::styled(line, theme.warning)));
    }
    (first, second)
}

fn overall(report: &AgreementReport, width: usize, theme: &Theme) -> ReportLines {
    let confusion = &report.overall.confusion;
    let percent =
        |share: Option<f64>| share.map_or_else(|| "–".to_owned(), |share| format!("{:.1}%", share * 100.0));
    let right = format!(
        "{} of {} right, {}",
        text::count(confusion.right()),
        text::count(confusion.total()),
        percent(confusion.accuracy())
    );
    let mut lines = vec![Line::styled(right, theme.bright)];
    if report.overall.without_truth > 0 {
        let words = format!("{} without a true label", text::count(report.overall.without_truth));
        lines.push(Line::styled(words, theme.dim));
    }
    let labels = confusion.labels();
    let name = labels.iter().map(|label| text::width(label)).max().unwrap_or(5).clamp(5, 14);
    lines.push(Line::default());
    lines.push(Line::styled(format!("{:name$} precision  recall     F1", "label"), theme.dim));
    for label in &labels {
        let scores = confusion.scores(label);
        let row = format!(
            "{:name$} {:>9} {:>7} {:>6}",
            text::shorten(label, name),
            percent(scores.precision),
            percent(scores.recall),
            percent(scores.f1)
        );
        lines.push(Line::styled(text::shorten(&row, width), theme.text));
    }
    // True labels down, answers across.
    let across = (width.saturating_sub(name + 8) / labels.len().max(1)).saturating_sub(1).clamp(4, name);
    lines.push(Line::default());
    let head = labels.iter().fold(format!("{:name$}  answer", "true"), |head, label| {
        head + &format!(" {:>across$}", text::shorten(label, across))
    });
    lines.push(Line::styled(text::shorten(&head, width), theme.dim));
    for label in &labels {
        let row =
            labels.iter().fold(format!("{:name$}        ", text::shorten(label, name)), |row, drawn| {
                row + &format!(" {:>across$}", text::count(confusion.count(label, drawn)))
            });
        lines.push(Line::styled(text::shorten(&row, width), theme.text));
    }
    lines
}

/// Accuracy over length, a column for every 25 tokens.
fn curve(report: &AgreementReport, theme: &Theme) -> ReportLines {
    if report.curve.len() < 2 {
        return Vec::new();
    }
    let values: Vec<Option<f64>> = report.curve.iter().map(|share| share.ratio()).collect();
    let end = format!(" {} tokens", report.curve.len() as u32 * CURVE_STEP);
    vec![
        Line::default(),
        Line::styled(format!("the same, every {CURVE_STEP} tokens"), theme.dim),
        Line::from(vec![
            Span::styled("0 ", theme.dim),
            heights(&values, theme.accent),
            Span::styled(end, theme.dim),
        ]),
    ]
}

fn reviews(view: View<'_>, theme: &Theme) -> ReportLines {
    let Some(counts) = &view.store.review.counts else { return Vec::new() };
    let line =
        |count: u64, words: &str| Line::styled(format!("{:>7}  {words}", text::count(count)), theme.text);
    vec![
        line(counts.pending, "◌ pending"),
        line(counts.approved, "✓ approved"),
        line(counts.edited, "✎ edited"),
        line(counts.rejected, "✗ rejected"),
        line(counts.sent_back, "↺ sent back to the teacher"),
        line(counts.ready_for_sft, "ready for SFT"),
        line(counts.preference_pairs, "pairs for DPO"),
    ]
}

fn reviewers(report: &AgreementReport, width: usize, theme: &Theme) -> ReportLines {
    if report.reviewers.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![Line::default(), Line::styled("reviewers (Cohen's kappa)", theme.dim)];
    for pair in report.reviewers.iter().take(6) {
        let kappa = pair.kappa.map_or_else(|| "–".to_owned(), |kappa| format!("{kappa:.2}"));
        let line =
            format!("{kappa:>7}  {} and {}: {} of {} alike", pair.one, pair.other, pair.agreed, pair.shared);
        lines.push(Line::styled(text::shorten(&line, width), theme.text));
    }
    lines
}

fn group(title: &str, shares: &BTreeMap<String, Share>, width: usize, theme: &Theme) -> ReportLines {
    // One group alone says what stands above already.
    if shares.is_empty() || (shares.len() == 1 && title != "by model") {
        return Vec::new();
    }
    let mut sorted: Vec<(&String, &Share)> = shares.iter().collect();
    sorted.sort_by_key(|(_, share)| std::cmp::Reverse(share.all));
    let names = sorted.iter().map(|(name, _)| text::width(name)).max().unwrap_or(8).clamp(8, 28);
    let mut lines = vec![Line::default(), Line::styled(title.to_owned(), theme.dim)];
    for (name, share) in sorted.iter().take(10) {
        lines.push(bar(name, names, share.ratio(), share.all, width, theme));
    }
    if sorted.len() > 10 {
        lines.push(Line::styled(format!("and {} more", sorted.len() - 10), theme.dim));
    }
    lines
}
