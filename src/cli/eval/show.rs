//! `dojo eval list`, `dojo eval show`, `dojo eval metrics`.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;

use super::told::told;
use crate::app::evaluation::{folder_of, list as all, load};
use crate::cli::data::{Align, table};
use crate::cli::print;
use crate::config::Folders;
use crate::domain::evaluation::{AnswerDisagreement, KeptEvaluation};
use crate::domain::name::one_line;
use crate::eval::metric::KINDS;

/// Arguments of `dojo eval list`.
#[derive(Args)]
pub(super) struct EvalListArguments {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Arguments of `dojo eval metrics`.
#[derive(Args)]
pub(super) struct MetricsArguments {
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Arguments of `dojo eval show`.
#[derive(Args)]
pub(super) struct EvalShowArguments {
    /// The evaluation: its name or folder; the newest otherwise.
    name: Option<String>,
    /// Show so many items that two models answered differently.
    #[arg(long, default_value_t = 0, value_name = "N")]
    items: usize,
    /// Which two models, by their numbers in the order in which they were named.
    #[arg(long, num_args = 2, value_names = ["FIRST", "SECOND"], default_values_t = [1, 2])]
    between: Vec<usize>,
    /// Of which table, by its number.
    #[arg(long, default_value_t = 1, value_name = "N")]
    part: usize,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn list(folders: &Folders, arguments: &EvalListArguments) -> Result<ExitCode> {
    let found = all(folders)?;
    if arguments.json {
        print::say_json(&json!({ "evaluations": found }).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    if found.is_empty() {
        print::say("no evaluation yet: dojo eval --model smollm2-135m --task nli-cot --data pairs.jsonl")?;
        return Ok(ExitCode::SUCCESS);
    }
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|one| {
            let state = if one.unfinished { "unfinished" } else { "" };
            vec![
                one.name.clone(),
                one.items.to_string(),
                one.tasks.join(", "),
                one.models.join(", "),
                state.to_owned(),
                one.best.clone(),
            ]
        })
        .collect();
    let columns = [
        ("name", Align::Left),
        ("items", Align::Right),
        ("tasks", Align::Left),
        ("models", Align::Left),
        ("", Align::Left),
        ("best", Align::Left),
    ];
    print::say(table(&columns, &rows).trim_end())?;
    Ok(ExitCode::SUCCESS)
}

pub(super) fn metrics(arguments: &MetricsArguments) -> Result<ExitCode> {
    let rewards = crate::reward::KINDS.iter().map(|kind| (format!("reward:{}", kind.name), kind.about));
    let sum = ("reward".to_owned(), "The task's weighted sum of rewards");
    let own = KINDS.iter().map(|kind| (kind.name.to_owned(), kind.about));
    let known: Vec<(String, &str)> = own.chain([sum]).chain(rewards).collect();
    if arguments.json {
        let listed: Vec<_> =
            known.iter().map(|(name, about)| json!({"name": name, "about": about})).collect();
        print::say_json(&json!({ "metrics": listed }).to_string())?;
    } else {
        let rows: Vec<Vec<String>> =
            known.into_iter().map(|(name, about)| vec![name, about.to_owned()]).collect();
        print::say(table(&[("metric", Align::Left), ("", Align::Left)], &rows).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// The evaluation of that name, or the newest.
pub(super) fn named(folders: &Folders, name: Option<&str>) -> Result<KeptEvaluation> {
    let newest = || all(folders).map(|found| found.into_iter().next().map(|one| one.name));
    let name = match name {
        Some(name) => name.to_owned(),
        None => newest()?.context("there is no evaluation yet")?,
    };
    load(&folder_of(folders, &name)?)
}

pub(super) fn run(folders: &Folders, arguments: &EvalShowArguments) -> Result<ExitCode> {
    let kept = named(folders, arguments.name.as_deref())?;
    let disagreements = disagreements(&kept, arguments)?;
    if arguments.json {
        let items: Vec<_> = disagreements
            .iter()
            .map(|one| json!({"item": one.item, "first": one.first, "second": one.second}))
            .collect();
        print::say_json(&json!({ "report": kept.report, "disagreements": items }).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut out = told(&kept.report);
    for one in &disagreements {
        out += &told_item(&kept, one);
    }
    print::say(out.trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn disagreements<'k>(
    kept: &'k KeptEvaluation,
    arguments: &EvalShowArguments,
) -> Result<Vec<AnswerDisagreement<'k>>> {
    if arguments.items == 0 {
        return Ok(Vec::new());
    }
    let models = kept.report.models.len();
    let place = |number: usize, what: &str, count: usize| {
        ensure!((1..=count).contains(&number), "there is no {what} {number}: there are {count}");
        Ok(number - 1)
    };
    let [first, second] = arguments.between[..] else { anyhow::bail!("--between takes two numbers") };
    let part = place(arguments.part, "table", kept.report.parts.len())?;
    let (first, second) = (place(first, "model", models)?, place(second, "model", models)?);
    Ok(kept.disagreements(part, first, second).into_iter().take(arguments.items).collect())
}

/// Characters of a text in a list.
const SHOWN: usize = 300;

fn told_item(kept: &KeptEvaluation, one: &AnswerDisagreement<'_>) -> String {
    let brief = |text: &str| text.chars().take(SHOWN).collect::<String>();
    let truth = one.item.truth.as_ref().map_or_else(String::new, |truth| format!("  true label {truth}"));
    let mut out = format!("\n{}{truth}\n  {}\n", one.item.place, brief(&one_line(&one.item.prompt)));
    for answer in [one.first, one.second] {
        let name = kept.report.models.get(answer.model).map_or("", |model| model.name.as_str());
        let sign = match answer.right {
            Some(true) => "✓",
            Some(false) => "✗",
            None => "·",
        };
        let read = answer.read.as_ref().map_or_else(String::new, |read| format!(" [{read}]"));
        out += &format!("  {sign} {name}{read}: {}\n", brief(&one_line(&answer.answer)));
    }
    out
}
