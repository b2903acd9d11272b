//! `dojo eval`: models held against each other on the same items, reports of it, and the metrics themselves held against
//! expected figures.

mod check;
mod report;
mod run;
mod show;
mod told;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::config::Folders;

/// Arguments of `dojo eval`.
#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(super) struct EvalArguments {
    #[command(flatten)]
    run: run::EvalRunArguments,
    #[command(subcommand)]
    command: Option<EvalSubcommand>,
}

#[derive(Subcommand)]
enum EvalSubcommand {
    /// Compare our text metrics with a file of expected figures; 0 only if all agree.
    Check(check::EvalCheckArguments),
    /// List the evaluations that there are, the newest first.
    List(show::EvalListArguments),
    /// List the metrics.
    Metrics(show::MetricsArguments),
    /// Write an evaluation for others: Markdown, or one HTML file with pictures.
    Report(report::EvalReportArguments),
    /// Show an evaluation again: its table, the comparisons, and items that two models answered differently.
    Show(show::EvalShowArguments),
}

pub(super) fn run(arguments: &EvalArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    match &arguments.command {
        None => run::run(&folders, &arguments.run),
        Some(EvalSubcommand::Check(arguments)) => check::run(arguments),
        Some(EvalSubcommand::List(arguments)) => show::list(&folders, arguments),
        Some(EvalSubcommand::Metrics(arguments)) => show::metrics(arguments),
        Some(EvalSubcommand::Report(arguments)) => report::run(&folders, arguments),
        Some(EvalSubcommand::Show(arguments)) => show::run(&folders, arguments),
    }
}
