//! `dojo sweep`: one recipe with several values of some of its keys, trained as ordinary runs, with one table at the end.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;

use super::print;
use super::progress::duration;
use super::train::runs_beside;
use crate::app::sweep::{self, Race, RaceEnd, RaceEvent, Sweep, SweepRequest, SweepRow};
use crate::config::Folders;
use crate::domain::counted::counted;
use crate::domain::sweep::SweptKey;
use crate::ui::widgets::text;

/// Arguments of `dojo sweep`.
#[derive(Args)]
pub(super) struct SweepArguments {
    /// The recipe, a TOML file.
    #[arg(required_unless_present_any = ["resume", "show"], conflicts_with_all = ["resume", "show"])]
    recipe: Option<PathBuf>,
    /// A key of the recipe and its values, such as `lora.r=8,16,32`. May be repeated: every combination is a run.
    #[arg(long = "set", value_name = "KEY=A,B,C")]
    keys: Vec<SweptKey>,
    /// Stop those that fall behind: after a part of their steps the worse half ends, and so on.
    #[arg(long)]
    halving: bool,
    /// The sweep's name; otherwise sweep-0001 and so on. Its runs are NAME-01, NAME-02 ...
    #[arg(long)]
    name: Option<String>,
    /// Go on with a sweep that was stopped.
    #[arg(long, value_name = "SWEEP", conflicts_with_all = ["keys", "halving", "name"])]
    resume: Option<String>,
    /// Only print the table of a sweep.
    #[arg(long, value_name = "SWEEP", conflicts_with_all = ["keys", "halving", "name", "resume"])]
    show: Option<String>,
    /// Only say what would be trained.
    #[arg(long, conflicts_with_all = ["resume", "show"])]
    dry_run: bool,
    /// Never reach for the network.
    #[arg(long)]
    offline: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &SweepArguments) -> Result<ExitCode> {
    let folders = Folders::from_environment()?;
    if let Some(name) = &arguments.show {
        tell(&sweep::find(&folders, name)?, arguments.json)?;
        return Ok(ExitCode::SUCCESS);
    }
    let sweep = match (&arguments.resume, &arguments.recipe) {
        (Some(name), _) => sweep::find(&folders, name)?,
        (None, Some(recipe)) => {
            let parent = runs_beside(Some(recipe), &folders);
            let request = SweepRequest {
                recipe,
                keys: &arguments.keys,
                parent: &parent,
                name: arguments.name.as_deref(),
                halving: arguments.halving,
            };
            if arguments.dry_run {
                return planned(&sweep::check(&request)?, arguments.json);
            }
            sweep::plan(&request)?
        }
        (None, None) => anyhow::bail!("name a recipe, or a sweep to --resume"),
    };
    let end = race(&sweep, arguments.offline)?;
    tell(&sweep, arguments.json)?;
    Ok(match end {
        RaceEnd::Over { failed: 0 } => ExitCode::SUCCESS,
        RaceEnd::Over { failed } => {
            print::complain(&format!(
                "{} failed: `dojo sweep --resume {}` tries again",
                counted(failed as u64, "run"),
                sweep.name
            ));
            ExitCode::from(1)
        }
        RaceEnd::Stopped => {
            print::complain(&format!("stopped; go on with `dojo sweep --resume {}`", sweep.name));
            ExitCode::from(1)
        }
    })
}

fn planned(runs: &[crate::domain::sweep::SweepRun], as_json: bool) -> Result<ExitCode> {
    if as_json {
        print::say(&json!({"runs": runs}).to_string())?;
    } else {
        runs.iter().try_for_each(|run| print::say(&format!("{}  {}", run.name, run.settings())))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn race(sweep: &Sweep, offline: bool) -> Result<RaceEnd> {
    let stop = Arc::new(AtomicBool::new(false));
    // The run in progress hears them too, saves a checkpoint and ends; the sweep waits for it.
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).context("listen to Ctrl-C")?;
    }
    let program = std::env::current_exe().context("find the program's own file")?;
    let race = Race { sweep, program: &program, offline, stop: &stop };
    let total = sweep.plan.runs.len();
    let place =
        |name: &str| sweep.plan.runs.iter().position(|run| run.name == name).map_or(0, |index| index + 1);
    let end = race.run(&mut |event| match event {
        RaceEvent::Round(round) if round.share < 1.0 => {
            print::complain(&format!(
                "{} train to {:.0}% of their steps",
                counted(round.runs as u64, "run"),
                round.share * 100.0
            ));
        }
        RaceEvent::Round(_) => {}
        RaceEvent::Begins(run) => {
            print::complain(&format!("{} ({} of {total}): {}", run.name, place(&run.name), run.settings()));
        }
        RaceEvent::Failed(run, why) => print::complain(&format!("{} failed: {why}", run.name)),
        RaceEvent::FallsBehind(run) => print::complain(&format!("{} falls behind and ends", run.name)),
    });
    ensure!(
        !stop.load(Ordering::Relaxed) || end.is_ok(),
        "stopped; go on with `dojo sweep --resume {}`",
        sweep.name
    );
    end
}

/// The table: best first.
fn tell(sweep: &Sweep, as_json: bool) -> Result<()> {
    let rows = sweep.rows();
    if as_json {
        let rows: Vec<_> = rows.iter().map(|row| as_value(sweep, row)).collect();
        return print::say(
            &json!({"sweep": sweep.name, "halving": sweep.plan.halving, "runs": rows}).to_string(),
        );
    }
    let width = rows.iter().map(|row| text::width(&row.run.name)).max().unwrap_or_default();
    print::say(&format!(
        "  {:width$}  {:8} {:>11}  {:>9}  {:>9}  {:>8}  settings",
        "run", "state", "steps", "eval_loss", "best", "took"
    ))?;
    for (index, row) in rows.iter().enumerate() {
        let mark = if index == 0 && row.eval.is_some() { "*" } else { " " };
        print::say(&format!("{mark} {}", line(row, width)))?;
    }
    let two: Vec<&SweepRow> = rows.iter().filter(|row| row.eval.is_some()).take(2).collect();
    if let [first, second] = two[..] {
        print::say(&format!(
            "\n`dojo eval --model {} --model {} --task TASK --data FILE` says whether the first two differ by more than chance",
            first.run.name, second.run.name
        ))?;
    }
    Ok(())
}

fn line(row: &SweepRow, width: usize) -> String {
    let state = row.summary.as_ref().map(|run| &run.state);
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |loss| format!("{loss:.4}"));
    let steps = state.map_or_else(|| "-".to_owned(), |state| format!("{}/{}", state.step, state.total_steps));
    let took = state.map_or_else(|| "-".to_owned(), |state| duration(state.heartbeat - state.started));
    let standing = row.summary.as_ref().map_or("waiting", |run| run.standing.name());
    format!(
        "{:width$}  {standing:8} {steps:>11}  {:>9}  {:>9}  {took:>8}  {}",
        row.run.name,
        number(row.eval.map(|(_, loss)| loss)),
        number(state.and_then(|state| state.best_eval_loss)),
        row.run.settings()
    )
}

fn as_value(sweep: &Sweep, row: &SweepRow) -> serde_json::Value {
    let state = row.summary.as_ref().map(|run| &run.state);
    json!({
        "run": row.run.name,
        "folder": sweep.run_folder(&row.run).path(),
        "set": row.run.set.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        "standing": row.summary.as_ref().map(|run| run.standing),
        "step": state.map(|state| state.step),
        "total_steps": state.map(|state| state.total_steps),
        "eval_step": row.eval.map(|(step, _)| step),
        "eval_loss": row.eval.map(|(_, loss)| loss),
        "best_eval_loss": state.and_then(|state| state.best_eval_loss),
    })
}
