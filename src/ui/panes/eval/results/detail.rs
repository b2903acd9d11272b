//! One evaluation in lines: the table with intervals, the sentences on differences, failures, confusion, notes.

use ratatui::text::{Line, Span};

use crate::domain::evaluation::{
    ConfusionMatrix, EvaluationPart, EvaluationReport, KeptEvaluation, MetricFigure, ModelResult,
};
use crate::ui::theme::Theme;
use crate::ui::widgets::text;
use crate::ui::widgets::visible::visible;

/// Columns of a model's name at most, and of a figure.
const NAME: usize = 28;
const GAP: usize = 2;

/// The head: which part, and of how many items.
pub(super) fn title(kept: &KeptEvaluation, part: usize) -> (String, String) {
    let report = &kept.report;
    let Some(own) = report.parts.get(part) else { return (report.name.clone(), String::new()) };
    let number = match report.parts.len() {
        1 => String::new(),
        all => format!("table {} of {all} · ", part + 1),
    };
    let data = text::shorten_path(&own.data, 30);
    (format!("{} · {}", report.name, visible(&own.title())), format!("{number}{} items of {data}", own.items))
}

/// Everything that is said of one part.
pub(super) fn report_lines(
    kept: &KeptEvaluation,
    at: usize,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let report = &kept.report;
    let Some(part) = report.parts.get(at) else { return Vec::new() };
    let mut lines = Vec::new();
    if let Some(why) = &report.unfinished {
        lines.extend(wrapped(&format!("unfinished: {why}"), width, theme.warning));
    }
    lines.extend(table(report, part, width, theme));
    lines.push(Line::default());
    let first = part.metrics.first();
    for one in &part.comparisons {
        let chance = one.could_be_chance();
        if Some(&one.metric) == first || !chance {
            let style = if chance { theme.dim } else { theme.bright };
            lines.extend(wrapped(&one.told, width, style));
        }
    }
    for result in &part.results {
        lines.extend(said_beside(report, result, width, theme));
    }
    for model in &report.models {
        if let Some(why) = &model.failed {
            lines.extend(wrapped(&format!("✗ {}: {why}", model.name), width, theme.bad));
        }
    }
    for result in part.ordered() {
        if let Some(confusion) = &result.confusion {
            lines.push(Line::default());
            lines.extend(matrix(name(report, result.model), confusion, theme));
        }
    }
    lines.push(Line::default());
    for note in &report.notes {
        lines.extend(wrapped(&format!("note: {note}"), width, theme.dim));
    }
    lines
}

fn name(report: &EvaluationReport, model: usize) -> &str {
    report.models.get(model).map_or("", |model| model.name.as_str())
}

/// The best model first; metrics that don't fit are counted.
fn table(
    report: &EvaluationReport,
    part: &EvaluationPart,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let ordered = part.ordered();
    let names: Vec<String> =
        ordered.iter().map(|result| text::shorten(&visible(name(report, result.model)), NAME)).collect();
    let first = names.iter().map(|name| text::width(name)).chain([5]).max().unwrap_or(5);
    let told = |result: &ModelResult, metric: &str| {
        result.figure(metric).map_or_else(|| "–".to_owned(), MetricFigure::told_with_interval)
    };
    let (mut used, mut columns) = (1 + first, Vec::new());
    for metric in &part.metrics {
        let cells = ordered.iter().map(|result| text::width(&told(result, metric)));
        let wide = cells.chain([text::width(metric)]).max().unwrap_or(0);
        if used + GAP + wide > width {
            break;
        }
        used += GAP + wide;
        columns.push((metric, wide));
    }
    let head: Vec<String> =
        columns.iter().map(|(metric, wide)| format!("{:GAP$}{metric:>wide$}", "")).collect();
    let mut lines = vec![Line::styled(format!(" {:first$}{}", "", head.concat()), theme.dim)];
    for (result, name) in ordered.iter().zip(names) {
        let mut spans = vec![Span::styled(format!(" {name:first$}"), theme.bright)];
        for (at, (metric, wide)) in columns.iter().enumerate() {
            let style = if at == 0 { theme.accent } else { theme.text };
            spans.push(Span::styled(format!("{:GAP$}{:>wide$}", "", told(result, metric)), style));
        }
        lines.push(Line::from(spans));
    }
    let more = part.metrics.len() - columns.len();
    if more > 0 {
        let hint = format!(" {more} more metrics on a wider screen, or in dojo eval show {}", report.name);
        lines.push(Line::styled(text::shorten(&hint, width), theme.dim));
    }
    lines
}

fn said_beside(
    report: &EvaluationReport,
    result: &ModelResult,
    width: usize,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let name = name(report, result.model);
    let mut lines = Vec::new();
    if result.failed > 0 {
        let first = result.first_failure.as_deref().unwrap_or_default();
        let told = format!("{name}: {} items have no answer; the first: {first}", result.failed);
        lines.extend(wrapped(&told, width, theme.warning));
    }
    if result.cut > 0 {
        let told =
            format!("{name}: {} of {} answers were cut at the longest length", result.cut, result.answered);
        lines.extend(wrapped(&told, width, theme.warning));
    }
    for figure in result.figures.iter().filter(|figure| figure.value.is_none()) {
        if let Some(why) = &figure.why {
            lines.extend(wrapped(&format!("{name}: no {}: {why}", figure.metric), width, theme.dim));
        }
    }
    lines
}

fn matrix(name: &str, confusion: &ConfusionMatrix, theme: &Theme) -> Vec<Line<'static>> {
    const CELL: usize = 10;
    const LABEL: usize = 16;
    let short = |label: &str, columns: usize| text::shorten(&visible(label), columns);
    let heads = confusion.labels.iter().map(String::as_str).chain(["unread"]);
    let heads: Vec<String> = heads.map(|head| format!("{:>CELL$}", short(head, CELL - 1))).collect();
    let title = format!(" {:LABEL$}{}", short(name, LABEL), heads.concat());
    let mut lines = vec![Line::styled(title, theme.dim)];
    for (at, (label, counts)) in confusion.labels.iter().zip(&confusion.counts).enumerate() {
        let mut spans = vec![Span::styled(format!(" {:LABEL$}", short(label, LABEL)), theme.dim)];
        for (column, count) in counts.iter().enumerate() {
            let style = if column == at { theme.bright } else { theme.text };
            spans.push(Span::styled(format!("{count:>CELL$}"), style));
        }
        lines.push(Line::from(spans));
    }
    lines
}

fn wrapped(words: &str, width: usize, style: ratatui::style::Style) -> Vec<Line<'static>> {
    let words = visible(words).replace('\n', " ");
    text::wrap(&words, width.saturating_sub(3).max(10))
        .into_iter()
        .enumerate()
        .map(|(at, line)| Line::styled(format!("{}{line}", if at == 0 { " " } else { "   " }), style))
        .collect()
}
