//! `dojo reward`: rewards tried, checked, measured and attacked before anything trains on them.

mod audit;
mod check;
mod list;
mod score;
mod try_one;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use clap::{Args, Subcommand};

use super::print;
use crate::app::rewards::{self, HelperNames};
use crate::config::Folders;
use crate::reward::RewardSet;
use crate::reward::bench::CompletionWanted;
use crate::task::{self, Task};

/// Arguments of `dojo reward`.
#[derive(Args)]
pub(super) struct RewardArguments {
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
    /// A session's folder, whose own tasks are known too.
    #[arg(long, global = true, value_name = "FOLDER")]
    session: Option<PathBuf>,
    #[command(subcommand)]
    command: RewardSubcommand,
}

#[derive(Subcommand)]
enum RewardSubcommand {
    /// List the rewards, what they say and their keys.
    List,
    /// Score one completion: each component, and each deduction with its reason.
    Try(Box<try_one::TryArguments>),
    /// Compare with a file of expected scores; 0 only if every row agrees.
    Check(check::RewardCheckArguments),
    /// Score a dataset: histogram, worst and best, and two versions compared.
    Score(Box<score::RewardScoreArguments>),
    /// Score answers that are no answers; 1 if one of them cheats the reward.
    Audit(Box<audit::AuditArguments>),
}

/// What some rewards need besides.
#[derive(Args, Default)]
struct HelperArguments {
    /// The model for embeddings, on this machine.
    #[arg(long, value_name = "MODEL")]
    embedder: Option<String>,
    /// Who judges answers and entailment: a teacher of settings.toml, or local:MODEL.
    #[arg(long, value_name = "NAME")]
    judge: Option<String>,
    /// The model whose tokens lengths are counted in; else words.
    #[arg(long, value_name = "MODEL")]
    tokenizer: Option<String>,
}

/// Which column is which.
#[derive(Args, Default)]
struct ColumnArguments {
    /// What a column is, as part=column: `completion` is what is scored, `reference` the answer to compare with; and fields
    /// of the task (query, premise) or parts of a record (prompt, label).
    #[arg(long = "map", value_name = "PART=COLUMN")]
    map: Vec<String>,
    /// Score the records' own answers: they are the truth, so they say how the reward scores and not how a model does.
    #[arg(long)]
    reference_answers: bool,
}

impl ColumnArguments {
    const fn wanted(&self) -> CompletionWanted {
        if self.reference_answers { CompletionWanted::ReferenceAnswers } else { CompletionWanted::FromColumn }
    }
}

/// What every subcommand is told.
struct RewardContext {
    folders: Folders,
    json: bool,
    session: Option<PathBuf>,
}

pub(super) fn run(arguments: &RewardArguments) -> Result<ExitCode> {
    let place = RewardContext {
        folders: Folders::from_environment()?,
        json: arguments.json,
        session: arguments.session.clone(),
    };
    match &arguments.command {
        RewardSubcommand::List => list::run(&place),
        RewardSubcommand::Try(arguments) => try_one::run(&place, arguments),
        RewardSubcommand::Check(arguments) => check::run(&place, arguments),
        RewardSubcommand::Score(arguments) => score::run(&place, arguments),
        RewardSubcommand::Audit(arguments) => audit::run(&place, arguments),
    }
}

impl RewardContext {
    fn task(&self, name: &str) -> Result<Arc<Task>> {
        task::find(name, self.session.as_deref()).map(Arc::new)
    }

    fn set(&self, task: &Arc<Task>, helpers: &HelperArguments) -> Result<RewardSet> {
        let names = HelperNames {
            embedder: helpers.embedder.as_deref(),
            judge: helpers.judge.as_deref(),
            tokenizer: helpers.tokenizer.as_deref(),
        };
        rewards::set(&self.folders, task, &names)
    }

    fn print(&self, json: &impl serde::Serialize, people: impl FnOnce() -> String) -> Result<()> {
        if self.json {
            return print::say_json(&serde_json::to_string(json)?);
        }
        print::say(people().trim_end_matches('\n'))
    }
}

/// What was taken from which column, a line each.
fn taken_told(taken: &[String]) -> String {
    taken.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// What of a table can't say anything, and what went wrong: said besides the results.
fn complain_of(set: &RewardSet) {
    for (name, what) in set.lacking() {
        print::complain(&format!("the reward {name} does not apply: {what}"));
    }
    for (name, what, count) in set.troubles() {
        print::complain(&format!("the reward {name}: {what} ({count} times)"));
    }
}
