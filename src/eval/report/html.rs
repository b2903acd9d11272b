//! The report as one HTML file: styles and pictures are inside, nothing is fetched, and no script runs.

use super::picture::{intervals, matrix};
use super::{ITEMS_SHOWN, asked, beside, brief, day, figures_table, model_name, provenance};
use crate::domain::evaluation::{EvaluationPart, KeptEvaluation, MetricFigure};

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;\
background:#fff}table{border-collapse:collapse;margin:1rem 0}th,td{border-bottom:1px solid #ddd;padding:.3rem .8rem;\
text-align:right}th:first-child,td:first-child{text-align:left}pre{white-space:pre-wrap;background:#f5f5f5;padding:.6rem;\
margin:.3rem 0}svg{max-width:100%;height:auto;font:13px system-ui,sans-serif;display:block;margin:.4rem 0}\
text{fill:currentColor}text.name{text-anchor:end}text.middle{text-anchor:middle}line.axis{stroke:#999}\
line.interval{stroke:#4477aa;stroke-width:2}circle{fill:#4477aa}rect.hit{fill:#4477aa}rect.miss{fill:#cc6677}\
.chance{color:#777}code{font-size:.9em}@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}\
pre{background:#222}th,td{border-color:#444}}";

/// The whole report.
#[must_use]
pub fn html(kept: &KeptEvaluation) -> String {
    let report = &kept.report;
    let name = escaped(&report.name);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width,initial-scale=1\"><title>{name}</title><style>{STYLE}</style></head><body>\n\
         <h1>{name}</h1>\n<p>{}. {}</p>\n",
        day(report),
        escaped(&asked(report))
    );
    if let Some(why) = &report.unfinished {
        out += &format!("<p><strong>Unfinished:</strong> {}.</p>\n", escaped(why));
    }
    for (number, part) in report.parts.iter().enumerate() {
        out += &told_part(kept, number, part);
    }
    let failed = report.models.iter().filter_map(|model| Some((&model.name, model.failed.as_ref()?)));
    let failed: Vec<String> = failed.map(|(name, why)| format!("{name}: {why}")).collect();
    out += &list("Models without figures", &failed);
    out += &list("Notes", &report.notes);
    let rows: Vec<Vec<String>> = provenance(report).into_iter().map(|row| row.to_vec()).collect();
    let head = ["what", "made of", "version"].map(str::to_owned);
    out += &format!("<h2>Versions</h2>\n{}", table(&head, &rows));
    out + "</body></html>\n"
}

fn told_part(kept: &KeptEvaluation, number: usize, part: &EvaluationPart) -> String {
    let report = &kept.report;
    let (head, rows) = figures_table(report, part);
    let (title, data) = (escaped(&part.title()), escaped(&part.data));
    let mut out =
        format!("<h2>{title}</h2>\n<p>{} items of {data}.</p>\n{}", part.items, table(&head, &rows));
    for metric in &part.metrics {
        let figures: Vec<(&str, &MetricFigure)> = part
            .ordered()
            .into_iter()
            .filter_map(|result| Some((model_name(report, result.model), result.figure(metric)?)))
            .filter(|(_, figure)| figure.value.is_some())
            .collect();
        if !figures.is_empty() {
            out += &format!("<h3>{}</h3>\n{}\n", escaped(metric), intervals(&figures));
        }
    }
    let said: Vec<String> = part
        .comparisons
        .iter()
        .map(|one| {
            let class = if one.could_be_chance() { " class=\"chance\"" } else { "" };
            format!("<li{class}>{}</li>\n", escaped(&one.told))
        })
        .collect();
    if !said.is_empty() {
        out += &format!("<h3>Differences</h3>\n<ul>\n{}</ul>\n", said.concat());
    }
    let known: Vec<String> =
        part.results.iter().flat_map(|result| beside(result, model_name(report, result.model))).collect();
    out += &list("", &known);
    for result in &part.results {
        if let Some(confusion) = &result.confusion {
            let name = escaped(model_name(report, result.model));
            out +=
                &format!("<h3>{name}: true labels by row, read ones by column</h3>\n{}\n", matrix(confusion));
        }
    }
    out + &items(kept, number, part)
}

/// Items that the first two models with figures answered differently, each closed until it is opened.
fn items(kept: &KeptEvaluation, number: usize, part: &EvaluationPart) -> String {
    let [first, second, ..] = part.results.as_slice() else { return String::new() };
    let found = kept.disagreements(number, first.model, second.model);
    if found.is_empty() {
        return String::new();
    }
    let names = [first.model, second.model].map(|model| escaped(model_name(&kept.report, model)));
    let shown = found.len().min(ITEMS_SHOWN);
    let mut out = format!(
        "<h3>{shown} of {} items that {} and {} answered differently</h3>\n",
        found.len(),
        names[0],
        names[1]
    );
    for one in found.iter().take(ITEMS_SHOWN) {
        let truth =
            one.item.truth.as_ref().map_or_else(String::new, |truth| format!(" · true label {truth}"));
        let prompt = escaped(&brief(&one.item.prompt));
        out += &format!(
            "<details><summary>{}{}</summary><pre>{prompt}</pre>",
            escaped(&one.item.place),
            escaped(&truth)
        );
        for (name, answer) in names.iter().zip([one.first, one.second]) {
            let right = match answer.right {
                Some(true) => ", right",
                Some(false) => ", wrong",
                None => "",
            };
            let read = answer.read.as_ref().map_or_else(String::new, |read| format!(" ({read})"));
            let text = escaped(&brief(&answer.answer));
            out += &format!("<p>{name}{}{right}</p><pre>{text}</pre>", escaped(&read));
        }
        out += "</details>\n";
    }
    out
}

fn list(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let head = if title.is_empty() { String::new() } else { format!("<h2>{title}</h2>\n") };
    let lines: Vec<String> = lines.iter().map(|line| format!("<li>{}</li>\n", escaped(line))).collect();
    format!("{head}<ul>\n{}</ul>\n", lines.concat())
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let cells = |cells: &[String], tag: &str| {
        let cells: Vec<String> =
            cells.iter().map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
        format!("<tr>{}</tr>\n", cells.concat())
    };
    let rows: Vec<String> = rows.iter().map(|row| cells(row, "td")).collect();
    format!("<table>\n{}{}</table>\n", cells(head, "th"), rows.concat())
}

/// A text that is no markup, without characters that steer.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(character),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
