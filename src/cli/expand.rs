//! `dojo expand`: the examples that a blueprint plans, written by a teacher into a session.

use std::process::ExitCode;

use anyhow::Result;
use clap::Args;

use super::review_jobs::{dollars, interruptible, session_of, table_of, temperature};
use super::{job_bar, print};
use crate::app::expand::{
    self, ExampleWriter, ExpandOptions, ExpandPart, ExpandSummary, ExpandWatch, PreviewedExample,
};
use crate::app::review::{self, Dry};
use crate::config::Folders;
use crate::domain::counted::counted;
use crate::domain::teacher::Money;
use crate::teacher::budget::Budget;

/// Arguments of `dojo expand`.
#[derive(Args)]
pub(super) struct ExpandArguments {
    /// A blueprint's file, or the name of one that ships.
    blueprint: String,
    /// Who writes: a teacher of settings.toml, or local:MODEL.
    #[arg(long)]
    teacher: String,
    /// Who judges where a reward of the blueprint needs a judge; what that costs is in no estimate and no budget here.
    #[arg(long)]
    judge: Option<String>,
    /// A session's name or folder; the one that was open last otherwise.
    #[arg(long)]
    session: Option<String>,
    /// Examples of the whole plan, those that are there counted; the blueprint's own number otherwise.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    count: Option<u64>,
    /// Show so many first and keep none; what they cost is not paid again.
    #[arg(long, value_name = "EXAMPLES", num_args = 0..=1, default_missing_value = "5")]
    preview: Option<usize>,
    /// Ask anew for what cells lack, the weakest first.
    #[arg(long, conflicts_with = "preview")]
    refill: bool,
    /// Write so many, then wait: run again, it goes on when you have decided on all that are there.
    #[arg(long, value_name = "EXAMPLES", num_args = 0..=1, default_missing_value = "20", value_parser = clap::value_parser!(u64).range(1..))]
    gate: Option<u64>,
    /// Spend at most so many dollars on this blueprint; where it goes on, what it has spent so far counts.
    #[arg(long, value_parser = dollars, allow_negative_numbers = true)]
    max_dollars: Option<f64>,
    /// Spend at most so many tokens on this blueprint, prompts and answers together; as above.
    #[arg(long)]
    max_tokens: Option<u64>,
    /// The longest answer, in tokens; by each form's words otherwise.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    answer_tokens: Option<u32>,
    /// 0 for the likeliest answer.
    #[arg(long, default_value_t = 0.8, value_parser = temperature)]
    temperature: f64,
    /// Say what it would take, and ask nothing.
    #[arg(long)]
    dry_run: bool,
    /// One JSON object instead of a table.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &ExpandArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let named = expand::find(&arguments.blueprint)?;
    let info = session_of(&folders, arguments.session.as_deref())?;
    let options = options(arguments);
    let speaker = review::speaker(&folders, &arguments.teacher, &info.path, options.budget, options.dry)?;
    let writer = ExampleWriter {
        speaker: &*speaker,
        terms: expand::terms_of(&folders, &arguments.teacher),
        judge: arguments.judge.clone(),
    };
    let mut session = review::open(&info)?;
    let (runtime, stop) = interruptible()?;
    let mut bar = job_bar::of_job();
    let mut planned = |summary: &ExpandSummary| {
        if summary.job.questions > 0 {
            print::complain(&cost(summary, &writer.terms));
        }
    };
    let watch = ExpandWatch { stop: &stop, planned: &mut planned, progress: &mut bar };
    let job = expand::expand(&folders, &mut session, &named, &writer, &options, watch);
    let summary = runtime.block_on(job)?;
    if arguments.json {
        print::say_json(&serde_json::to_string(&summary)?)?;
    } else {
        for example in &summary.previewed {
            print::say(&shown(example))?;
        }
        print::say(&table(&summary, &arguments.blueprint))?;
    }
    if let Some(cut) = &summary.job.cut {
        print::complain(cut);
        return Ok(ExitCode::from(1));
    }
    if summary.job.kept == 0 && !summary.job.set_aside.is_empty() {
        print::complain("no answer passed the checks; `dojo blueprint rejected` shows them with the reasons");
        return Ok(ExitCode::from(1));
    }
    Ok(ExitCode::SUCCESS)
}

fn options(arguments: &ExpandArguments) -> ExpandOptions {
    ExpandOptions {
        count: arguments.count,
        part: match (arguments.preview, arguments.refill) {
            (Some(most), _) => ExpandPart::Preview(most),
            (None, true) => ExpandPart::Refill,
            (None, false) => ExpandPart::Plan,
        },
        gate: arguments.gate,
        budget: Budget { money: arguments.max_dollars.map(Money::dollars), tokens: arguments.max_tokens },
        max_tokens: arguments.answer_tokens,
        temperature: arguments.temperature,
        dry: if arguments.dry_run { Dry::Plan } else { Dry::Run },
    }
}

/// Said before anything is asked.
fn cost(summary: &ExpandSummary, terms: &str) -> String {
    let job = &summary.job;
    format!(
        "{} to {}: about {} tokens, ${:.4}; terms of its answers: {terms}",
        counted(job.questions, "question"),
        job.speaker,
        job.estimated_tokens,
        job.estimated_dollars
    )
}

fn table(summary: &ExpandSummary, given: &str) -> String {
    let job = &summary.job;
    let kept = if summary.previewed.is_empty() {
        format!("{} ({} of {} planned are there)", job.kept, summary.there, summary.planned)
    } else {
        format!("none: a preview; {} would be", job.kept)
    };
    let mut lines = vec![format!("{:<10} {} ({})", "blueprint", summary.blueprint, summary.version)];
    lines.push(table_of(job, &kept));
    if let Some(share) = summary.unique_share {
        lines.push(format!(
            "{:<10} {:.1}% of what passed the other checks repeats nothing; a near-duplicate has {:.0}% of its word \
             triples in one that is there ({} compared with)",
            "unique",
            share * 100.0,
            summary.near_duplicate_from * 100.0,
            counted(summary.compared_with, "record")
        ));
    }
    if summary.gate_waits_for > 0 {
        lines.push(format!(
            "{:<10} {} of this blueprint wait for you: approve or reject them (`dojo data list 'source:\"expand:{}\" \
             status:new'`, or a and backspace in the studio's Data), then run this again",
            "gate",
            counted(summary.gate_waits_for, "record"),
            summary.blueprint
        ));
    } else if summary.later > 0 {
        lines.push(format!(
            "{:<10} {} are left for the stages after this one: review these, then run this again",
            "gate",
            counted(summary.later, "example")
        ));
    }
    if summary.previewed.is_empty() && job.kept > 0 {
        lines.push(format!("{:<10} `dojo blueprint coverage {given}` shows what each cell has", "next"));
    }
    lines.join("\n")
}

/// An example of a preview.
fn shown(example: &PreviewedExample) -> String {
    let columns: Vec<String> = example
        .columns
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.as_str().unwrap_or_default()))
        .collect();
    let verdict = example
        .rejected
        .as_ref()
        .map_or_else(|| "would be kept".to_owned(), |why| format!("would be set aside ({why})"));
    let question =
        if example.question.is_empty() { String::new() } else { format!("{}\n\n", example.question) };
    format!("== {} · {}\n== {verdict}\n\n{question}{}\n", example.cell, columns.join(", "), example.answer)
}
