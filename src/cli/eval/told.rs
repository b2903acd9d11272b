//! An evaluation as people read it in a terminal: a table for each part, the comparisons in sentences, what to know.

use crate::cli::data::{Align, table};
use crate::domain::evaluation::{
    ConfusionMatrix, EvaluationPart, EvaluationReport, MetricFigure, ModelResult,
};

/// Models without figures.
pub(super) fn failed_models(report: &EvaluationReport) -> usize {
    report.models.iter().filter(|model| model.failed.is_some()).count()
}

/// Everything but the items.
pub(super) fn told(report: &EvaluationReport) -> String {
    let mut out = String::new();
    for part in &report.parts {
        out += &told_part(report, part);
    }
    for model in &report.models {
        if let Some(why) = &model.failed {
            out += &format!("{}: {why}\n", model.name);
        }
    }
    for note in &report.notes {
        out += &format!("note: {note}\n");
    }
    if let Some(why) = &report.unfinished {
        out += &format!("unfinished: {why}: `dojo eval --resume {}`\n", report.name);
    }
    out
}

fn told_part(report: &EvaluationReport, part: &EvaluationPart) -> String {
    let mut out = format!("{} · {} items of {}\n", part.title(), part.items, part.data);
    if part.results.is_empty() {
        return out + "no model has answered\n\n";
    }
    let mut columns = vec![("model", Align::Left)];
    columns.extend(part.metrics.iter().map(|metric| (metric.as_str(), Align::Right)));
    columns.push(("items/s", Align::Right));
    let ordered = part.ordered();
    let rows: Vec<Vec<String>> = ordered.iter().map(|result| row(report, part, result)).collect();
    out += &table(&columns, &rows);
    for result in &ordered {
        out += &beside(report, result);
    }
    for comparison in comparisons(part) {
        out += &format!("{comparison}\n");
    }
    out.push('\n');
    out
}

fn row(report: &EvaluationReport, part: &EvaluationPart, result: &ModelResult) -> Vec<String> {
    let name = report.models.get(result.model).map_or_else(String::new, |model| model.name.clone());
    let figure = |metric: &String| {
        result.figure(metric).map_or_else(|| "–".to_owned(), MetricFigure::told_with_interval)
    };
    let speed = if result.computed > 0 && result.seconds > 0.0 {
        format!("{:.2}", result.computed as f64 / result.seconds)
    } else {
        "–".to_owned()
    };
    std::iter::once(name).chain(part.metrics.iter().map(figure)).chain([speed]).collect()
}

/// What a model's row doesn't say: failures, cut answers, why a figure is missing, the confusion.
fn beside(report: &EvaluationReport, result: &ModelResult) -> String {
    let name = report.models.get(result.model).map_or("", |model| model.name.as_str());
    let mut out = String::new();
    if result.failed > 0 {
        let first = result.first_failure.as_deref().unwrap_or_default();
        out += &format!("{name}: {} items have no answer; the first: {first}\n", result.failed);
    }
    if result.cut > 0 {
        out += &format!(
            "{name}: {} of {} answers were cut at the longest length\n",
            result.cut, result.answered
        );
    }
    for figure in &result.figures {
        if let Some(why) = figure.why.as_ref().filter(|_| figure.value.is_none()) {
            out += &format!("{name}: no {}: {why}\n", figure.metric);
        }
    }
    if let Some(confusion) = &result.confusion {
        out += &format!("{name}: true label, and how often each was read\n{}", matrix(confusion));
    }
    out
}

fn matrix(confusion: &ConfusionMatrix) -> String {
    let mut columns = vec![("", Align::Left)];
    columns.extend(confusion.labels.iter().map(|label| (label.as_str(), Align::Right)));
    columns.push(("unread", Align::Right));
    let rows: Vec<Vec<String>> = confusion
        .labels
        .iter()
        .zip(&confusion.counts)
        .map(|(label, counts)| {
            std::iter::once(format!("  {label}")).chain(counts.iter().map(u64::to_string)).collect()
        })
        .collect();
    table(&columns, &rows)
}

/// Sentences: all by the first metric, and of the others those that are unlikely to be chance.
fn comparisons(part: &EvaluationPart) -> Vec<&str> {
    let first = part.metrics.first();
    let is_shown = |metric: &String, could_be_chance: bool| Some(metric) == first || !could_be_chance;
    part.comparisons
        .iter()
        .filter(|one| is_shown(&one.metric, one.could_be_chance()))
        .map(|one| one.told.as_str())
        .collect()
}
