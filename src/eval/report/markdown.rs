//! The report as Markdown.

use super::{ITEMS_SHOWN, asked, beside, brief, day, figures_table, model_name, provenance};
use crate::domain::evaluation::{ConfusionMatrix, EvaluationPart, KeptEvaluation};

/// The whole report.
#[must_use]
pub fn markdown(kept: &KeptEvaluation) -> String {
    let report = &kept.report;
    let mut out = format!("# {}\n\n{}. {}\n\n", cell(&report.name), day(report), asked(report));
    if let Some(why) = &report.unfinished {
        out += &format!("**Unfinished:** {why}.\n\n");
    }
    for (number, part) in report.parts.iter().enumerate() {
        out += &told_part(kept, number, part);
    }
    let failed = report.models.iter().filter_map(|model| Some((&model.name, model.failed.as_ref()?)));
    let failed: Vec<String> =
        failed.map(|(name, why)| format!("- {}: {}\n", cell(name), cell(why))).collect();
    if !failed.is_empty() {
        out += &format!("## Models without figures\n\n{}\n", failed.concat());
    }
    if !report.notes.is_empty() {
        let notes: Vec<String> = report.notes.iter().map(|note| format!("- {}\n", cell(note))).collect();
        out += &format!("## Notes\n\n{}\n", notes.concat());
    }
    let rows: Vec<Vec<String>> = provenance(report).into_iter().map(|row| row.to_vec()).collect();
    let head = ["what", "made of", "version"].map(str::to_owned);
    out + "## Versions\n\n" + &table(&head, &rows)
}

fn told_part(kept: &KeptEvaluation, number: usize, part: &EvaluationPart) -> String {
    let report = &kept.report;
    let (head, rows) = figures_table(report, part);
    let mut out = format!("## {}\n\n{} items of {}.\n\n", cell(&part.title()), part.items, cell(&part.data));
    out += &table(&head, &rows);
    for comparison in &part.comparisons {
        out += &format!("- {}\n", cell(&comparison.told));
    }
    for result in &part.results {
        let name = model_name(report, result.model);
        beside(result, name).iter().for_each(|line| out += &format!("- {}\n", cell(line)));
    }
    out.push('\n');
    for result in &part.results {
        if let Some(confusion) = &result.confusion {
            out += &format!("{}, true labels by row:\n\n", cell(model_name(report, result.model)));
            out += &matrix(confusion);
        }
    }
    out + &items(kept, number)
}

fn matrix(confusion: &ConfusionMatrix) -> String {
    let head: Vec<String> = std::iter::once("true".to_owned())
        .chain(confusion.labels.iter().cloned())
        .chain(["unread".to_owned()])
        .collect();
    let row = |(label, counts): (&String, &Vec<u64>)| {
        std::iter::once(label.clone()).chain(counts.iter().map(u64::to_string)).collect()
    };
    table(&head, &confusion.labels.iter().zip(&confusion.counts).map(row).collect::<Vec<_>>())
}

/// Items that the first two models with figures answered differently.
fn items(kept: &KeptEvaluation, number: usize) -> String {
    let Some(part) = kept.report.parts.get(number) else { return String::new() };
    let [first, second, ..] = part.results.as_slice() else { return String::new() };
    let found = kept.disagreements(number, first.model, second.model);
    if found.is_empty() {
        return String::new();
    }
    let names = (model_name(&kept.report, first.model), model_name(&kept.report, second.model));
    let shown = found.len().min(ITEMS_SHOWN);
    let mut out = format!(
        "### {shown} of {} items that {} and {} answered differently\n\n",
        found.len(),
        cell(names.0),
        cell(names.1)
    );
    for one in found.iter().take(ITEMS_SHOWN) {
        let truth =
            one.item.truth.as_ref().map_or_else(String::new, |truth| format!(" · true label {truth}"));
        out += &format!("**{}{}**\n\n{}\n", cell(&one.item.place), cell(&truth), quoted(&one.item.prompt));
        for (name, answer) in [(names.0, one.first), (names.1, one.second)] {
            let read = answer.read.as_ref().map_or_else(String::new, |read| format!(" ({read})"));
            let right = match answer.right {
                Some(true) => ", right",
                Some(false) => ", wrong",
                None => "",
            };
            out += &format!("{}{}{right}:\n\n{}\n", cell(name), cell(&read), quoted(&answer.answer));
        }
    }
    out
}

/// A text in a fence that it can't close.
fn quoted(text: &str) -> String {
    let text = brief(text);
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n")
}

/// A text that neither ends a cell nor begins markup.
fn cell(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '|' | '<' | '>' | '*' | '`' | '\\' => {
                out.push('\\');
                out.push(character);
            }
            // No text becomes a link or fetches a picture.
            '(' if out.ends_with(']') => out.push_str("\\("),
            '\n' | '\r' => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells.iter().map(|one| cell(one)).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = format!("|{}\n", " --- |".repeat(head.len()));
    let rows: String = rows.iter().map(|row| line(row)).collect();
    format!("{}{rule}{rows}\n", line(head))
}
