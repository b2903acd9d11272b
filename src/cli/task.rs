//! `dojo task`: the tasks there are, and whether one fits its records.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::print::{say, say_json};
use crate::data::import::{ImportOptions, read_all};
use crate::domain::recipe::OnMalformed;
use crate::domain::record::Record;
use crate::reward;
use crate::task::{self, TaskReport};

/// Arguments of `dojo task`.
#[derive(Args)]
pub(super) struct TaskArguments {
    /// A session's folder, whose own tasks are known too.
    #[arg(long, global = true, value_name = "FOLDER")]
    session: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: TaskSubcommand,
}

#[derive(Subcommand)]
enum TaskSubcommand {
    /// List the tasks.
    List,
    /// Try a task on records: every prompt renders, every label is known, every answer reads back.
    Check(TaskCheckArguments),
}

/// Arguments of `dojo task check`.
#[derive(Args)]
struct TaskCheckArguments {
    /// A task's name, or its file.
    task: String,
    /// A file of records, or a folder of them.
    data: PathBuf,
    /// What a column is: part=column, such as prompt=question.
    #[arg(long = "map", value_name = "PART=COLUMN")]
    map: Vec<String>,
}

pub(super) fn run(arguments: &TaskArguments) -> Result<ExitCode> {
    let session = arguments.session.as_deref();
    match &arguments.command {
        TaskSubcommand::List => list(session, arguments.json),
        TaskSubcommand::Check(check) => run_check(session, arguments.json, check),
    }
}

fn list(session: Option<&Path>, json: bool) -> Result<ExitCode> {
    let names = task::names(session);
    let tasks: Vec<task::Task> = names.iter().map(|name| task::find(name, session)).collect::<Result<_>>()?;
    if json {
        let tasks: Vec<_> = tasks
            .iter()
            .map(|task| json!({"name": task.name, "about": task.about, "metrics": task.metrics, "rewards": task.rewards}))
            .collect();
        say_json(&json!({"tasks": tasks}).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let width = names.iter().map(String::len).max().unwrap_or(0);
    for task in tasks {
        say(&format!("{:width$}  {}", task.name, task.about))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn run_check(session: Option<&Path>, json: bool, arguments: &TaskCheckArguments) -> Result<ExitCode> {
    let task = task::find(&arguments.task, session)?;
    reward::check(&task.rewards).with_context(|| format!("read the rewards of the task {}", task.name))?;
    let options = ImportOptions { map: arguments.map.clone(), ..ImportOptions::default() };
    let records: Vec<Record> = read_all(&arguments.data, &options, OnMalformed::Fail)?.records;
    let report = task::check_records(&task, &records);
    if json {
        say_json(&serde_json::to_string(&report)?)?;
    } else {
        say(&for_people(&task, &report))?;
    }
    if report.prompts == 0 {
        bail!("the task {} fits none of the {} records", task.name, report.records);
    }
    Ok(if report.wrong == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn for_people(task: &task::Task, report: &TaskReport) -> String {
    let TaskReport { records, prompts, answers, labels, wrong, .. } = report;
    let mut out = format!(
        "task {}: {prompts} of {records} records become a prompt, {answers} have an answer to learn, {labels} a label \
         that it knows",
        task.name
    );
    for problem in &report.problems {
        out += &format!("\n{}: {}", problem.place, problem.what);
    }
    out += &match wrong {
        0 => "\nnothing is wrong".to_owned(),
        1 => "\n1 record has something wrong".to_owned(),
        many => format!("\n{many} records have something wrong"),
    };
    out
}
