//! `dojo runs`: lists runs, says what they saw, and leaves commands for them.

mod data;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use super::print;
use super::progress::duration;
use crate::app::runs::{self, Launch, RunSummary};
use crate::config::Folders;
use crate::domain::run::{RunCommand, Standing};
use crate::ground::clock;
use crate::ui::widgets::text;

/// Arguments of `dojo runs`.
#[derive(Args)]
pub(super) struct RunsArguments {
    #[command(subcommand)]
    action: Option<RunsSubcommand>,
    /// Print one JSON object.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum RunsSubcommand {
    /// List all runs, newest first.
    List,
    /// Hold a run after the step in progress.
    Pause { run: String },
    /// Let a paused run go on; continue a stopped or crashed one in the background.
    Resume { run: String },
    /// Save a checkpoint after the step in progress.
    Checkpoint { run: String },
    /// Save a checkpoint and end.
    Stop { run: String },
    /// Say what a run was trained on: which records, and what became of each since.
    Data { run: String },
    /// Delete a run with all its checkpoints.
    Delete { run: String },
}

pub(super) fn run(arguments: &RunsArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    let find = |name: &str| runs::find_run(&folders, name);
    let said = match arguments.action.as_ref().unwrap_or(&RunsSubcommand::List) {
        RunsSubcommand::List => {
            list(&runs::list_runs(&folders)?, arguments.json)?;
            return Ok(ExitCode::SUCCESS);
        }
        RunsSubcommand::Data { run } => {
            data::tell(&find(run)?, arguments.json)?;
            return Ok(ExitCode::SUCCESS);
        }
        RunsSubcommand::Pause { run } => command(&find(run)?, RunCommand::Pause)?,
        RunsSubcommand::Resume { run } => resume(&find(run)?)?,
        RunsSubcommand::Checkpoint { run } => command(&find(run)?, RunCommand::Checkpoint)?,
        RunsSubcommand::Stop { run } => command(&find(run)?, RunCommand::Stop)?,
        RunsSubcommand::Delete { run } => {
            let run = find(run)?;
            runs::delete_run(&run)?;
            format!("{} is deleted", run.name)
        }
    };
    print::say(&if arguments.json { json!({"said": said}).to_string() } else { said })?;
    Ok(ExitCode::SUCCESS)
}

fn command(run: &RunSummary, command: RunCommand) -> Result<String> {
    runs::send_command(run, command)?;
    Ok(format!("asked {} to {}", run.name, command.name()))
}

fn resume(run: &RunSummary) -> Result<String> {
    if run.standing.is_live() {
        return command(run, RunCommand::Resume);
    }
    runs::start_detached(&Launch::Resume { folder: run.folder.clone() }, None)?;
    Ok(format!("{} goes on in the background", run.name))
}

fn list(found: &[RunSummary], as_json: bool) -> Result<()> {
    if as_json {
        let row = |run: &RunSummary| {
            json!({
                "name": run.name,
                "session": run.session(),
                "folder": run.folder.path(),
                "standing": run.standing,
                "state": run.state,
            })
        };
        return print::say(&json!({"runs": found.iter().map(row).collect::<Vec<_>>()}).to_string());
    }
    if found.is_empty() {
        return print::say("no runs yet; `dojo train RECIPE` starts one");
    }
    // A run of no session has no name there.
    let sessions: Vec<String> = found.iter().map(|run| run.session().unwrap_or_else(|| "–".into())).collect();
    let widest = |names: &mut dyn Iterator<Item = &str>| names.map(text::width).max().unwrap_or_default();
    let name = widest(&mut found.iter().map(|run| run.name.as_str()));
    let session = widest(&mut sessions.iter().map(String::as_str));
    for (run, of) in found.iter().zip(&sessions) {
        print::say(&line((run, name), (of, session)))?;
    }
    Ok(())
}

fn line((run, width): (&RunSummary, usize), (session, of): (&str, usize)) -> String {
    let state = &run.state;
    let sign = match run.standing {
        Standing::Queued | Standing::Starting => "◌",
        Standing::Running => "●",
        Standing::Paused => "‖",
        Standing::Done => "✓",
        Standing::Stopped => "■",
        Standing::Failed | Standing::Crashed => "✗",
    };
    let steps = format!("{}/{}", state.step, state.total_steps);
    let best = state.best_eval_loss.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}"));
    let when =
        match state.seconds_left.filter(|_| matches!(run.standing, Standing::Running | Standing::Starting)) {
            Some(seconds) => format!("{} left", duration(seconds)),
            None => format!("{} ago", duration(clock::now() - state.heartbeat)),
        };
    let why = match run.standing {
        standing if standing.is_live() && state.process != 0 && runs::is_silent(state, clock::now()) => {
            format!("process {} is suspended; `kill -CONT {}` lets it go on", state.process, state.process)
        }
        Standing::Crashed => format!("go on with `dojo runs resume {}`", run.name),
        _ => state.doing().unwrap_or_default(),
    };
    let name = format!("{:width$}  {session:of$}", run.name);
    let row =
        format!("{sign} {name}  {:8} {steps:>11}  eval {best:>7}  {when:>10}  {why}", run.standing.name());
    row.trim_end().to_owned()
}
