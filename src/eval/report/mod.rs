//! An evaluation as a document for others: Markdown, or one HTML file with its pictures inside. Both say the same.

mod html;
mod markdown;
mod picture;

pub use html::html;
pub use markdown::markdown;

use chrono::DateTime;

use crate::domain::evaluation::{EvaluationPart, EvaluationReport, MetricFigure, ModelResult};

/// Items of a part that a document shows.
const ITEMS_SHOWN: usize = 10;
/// Characters of a text in it.
const TEXT_SHOWN: usize = 600;

fn model_name(report: &EvaluationReport, model: usize) -> &str {
    report.models.get(model).map_or("", |model| model.name.as_str())
}

/// When it was made, by the world's clock.
fn day(report: &EvaluationReport) -> String {
    let moment = DateTime::from_timestamp(report.made as i64, 0);
    moment.map_or_else(String::new, |moment| moment.format("%Y-%m-%d %H:%M UTC").to_string())
}

/// How it was asked, in a sentence.
fn asked(report: &EvaluationReport) -> String {
    let order = &report.order;
    let drawn = if order.temperature > 0.0 {
        format!("drawn at temperature {}", order.temperature)
    } else {
        "greedy".to_owned()
    };
    format!(
        "Answers are {drawn}, of {} tokens at most, seed {}. Intervals hold the true figure in 95 of 100 evaluations \
         (percentile bootstrap over the items; Wilson's formula for a share of which all items are alike). Two models are \
         compared on the items that both answered: McNemar's exact test for right and wrong, the paired bootstrap for \
         other figures, corrected by Holm over all comparisons by the same metric.",
        order.max_new_tokens, order.seed
    )
}

/// A table's head and rows, the best model first.
fn figures_table(report: &EvaluationReport, part: &EvaluationPart) -> (Vec<String>, Vec<Vec<String>>) {
    let head =
        ["model".to_owned()].into_iter().chain(part.metrics.iter().cloned()).chain(["answered".to_owned()]);
    let row = |result: &ModelResult| {
        let figure = |metric: &String| {
            result.figure(metric).map_or_else(|| "–".to_owned(), MetricFigure::told_with_interval)
        };
        std::iter::once(model_name(report, result.model).to_owned())
            .chain(part.metrics.iter().map(figure))
            .chain([format!("{} of {}", result.answered, part.items)])
            .collect()
    };
    (head.collect(), part.ordered().into_iter().map(row).collect())
}

/// What a model's row doesn't say.
fn beside(result: &ModelResult, name: &str) -> Vec<String> {
    let mut said = Vec::new();
    if result.failed > 0 {
        let first = result.first_failure.as_deref().unwrap_or_default();
        said.push(format!("{name}: {} items have no answer; the first: {first}", result.failed));
    }
    if result.cut > 0 {
        said.push(format!("{name}: {} answers were cut at the longest length", result.cut));
    }
    for figure in &result.figures {
        if let Some(why) = &figure.why {
            said.push(format!("{name}, {} of {} items: {why}", figure.metric, figure.items));
        }
    }
    said
}

/// A text as far as it is shown.
fn brief(text: &str) -> String {
    let mut shown: String = text.chars().take(TEXT_SHOWN).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// What the evaluation was made of, to the hash.
fn provenance(report: &EvaluationReport) -> Vec<[String; 3]> {
    let models =
        report.models.iter().map(|model| [model.name.clone(), model.about.clone(), model.version.clone()]);
    let parts = report.parts.iter().flat_map(|part| {
        [
            [part.title(), format!("items of {}", part.data), part.data_version.clone()],
            [part.title(), format!("prompts ({})", part.prompt), part.prompt_version.clone()],
        ]
    });
    models.chain(parts).collect()
}
