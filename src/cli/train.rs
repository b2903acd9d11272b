//! `dojo train`: a run from a recipe, or an earlier run resumed; in the foreground or detached.

use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde_json::json;

use super::print;
use super::progress::{Pull, TrainProgress};
use crate::app::runs::{self, Launch, RunSummary};
use crate::app::studio::Clean;
use crate::app::train::{self, TrainJob, preflight, recipe};
use crate::config::Folders;
use crate::domain::device::DeviceName;
use crate::domain::name;
use crate::domain::recipe::{Override, Recipe};
use crate::domain::run::{Phase, RunFolder};
use crate::engine::hub::Network;
use crate::engine::train::host::nobody;

/// Arguments of `dojo train`.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(super) struct TrainArguments {
    /// The recipe, a TOML file.
    #[arg(required_unless_present = "resume", conflicts_with = "resume")]
    recipe: Option<PathBuf>,
    /// Override a key of the recipe, such as `train.learning_rate=1e-4`. May be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<Override>,
    /// Where to train: auto, cpu, cuda:N or metal. Short for `--set compute.device=...`.
    #[arg(long, value_name = "DEVICE")]
    device: Option<DeviceName>,
    /// The run's folder.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["name", "resume"])]
    run: Option<PathBuf>,
    /// The run's name; otherwise sft-0001 and so on.
    #[arg(long, conflicts_with = "resume")]
    name: Option<String>,
    /// Go on with a run (its name or folder) from its last checkpoint.
    #[arg(long, value_name = "RUN")]
    resume: Option<String>,
    /// Wait in the queue until this run has ended.
    #[arg(long, value_name = "RUN")]
    after: Option<String>,
    /// End after the first evaluation at this share of the steps, such as 0.25; --resume goes on from there.
    #[arg(long, value_name = "SHARE", value_parser = share, conflicts_with_all = ["detach", "dry_run"])]
    until: Option<f64>,
    /// Start in the background and return at once.
    #[arg(long)]
    detach: bool,
    /// Never reach for the network.
    #[arg(long)]
    offline: bool,
    /// Only say what the run will take, and measure a step.
    #[arg(long, conflicts_with_all = ["detach", "after", "resume"])]
    dry_run: bool,
    /// Only print the recipe with every key resolved.
    #[arg(long)]
    print: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &TrainArguments) -> Result<ExitCode> {
    arguments.check_names()?;
    let folders = Folders::from_environment()?;
    let resumed = arguments.resume.as_deref().map(|name| runs::find_run(&folders, name)).transpose()?;
    let overrides = arguments.overrides();
    let recipe = match (&arguments.recipe, &resumed) {
        (Some(path), _) => recipe::load(path, &overrides)?,
        (None, Some(run)) => recipe::of_run(&run.folder, &overrides)?,
        (None, None) => anyhow::bail!("name a recipe, or a run to --resume"),
    };
    if arguments.print {
        print::say(recipe.to_toml().trim_end())?;
        return Ok(ExitCode::SUCCESS);
    }
    // Before a folder is made for it.
    train::place(&recipe)?;
    if arguments.dry_run {
        return dry_run(arguments, &recipe, &folders);
    }
    let after = arguments.after.as_deref().map(|name| runs::find_run(&folders, name)).transpose()?;
    let after = after.map(|run| run.folder);
    let folder = match &resumed {
        Some(run) => run.folder.clone(),
        None => new_folder(arguments, &recipe, &folders)?,
    };
    if arguments.detach {
        return detach(arguments, folder, resumed.as_ref(), after.as_ref());
    }
    let network = network(arguments.offline);
    let process = train::host::Process::Own;
    let run = in_foreground(&TrainJob {
        recipe,
        folder,
        after,
        until: arguments.until,
        folders,
        network,
        process,
    })?;
    report(&run, arguments.json)?;
    Ok(ExitCode::SUCCESS)
}

impl TrainArguments {
    /// A run's name is typed and printed again, and its folder's name is its name.
    fn check_names(&self) -> Result<()> {
        if let Some(name) = &self.name {
            name::check("run", name).map_err(anyhow::Error::msg)?;
        }
        if let Some(folder) = &self.run {
            let written = folder.to_string_lossy();
            let last = folder.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
            ensure!(
                !written.trim().is_empty() && !written.chars().any(char::is_control) && last.len() <= 255,
                "{} can't be a run's folder",
                name::shown(&written)
            );
        }
        Ok(())
    }

    /// All overrides; `--device` counts last.
    fn overrides(&self) -> Vec<Override> {
        let device = self
            .device
            .map(|device| Override { key: "compute.device".to_owned(), value: device.to_string() });
        self.overrides.iter().cloned().chain(device).collect()
    }
}

/// A part of a whole.
fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| *share > 0.0 && *share <= 1.0);
    share.ok_or_else(|| format!("{text} is not above 0 and at most 1"))
}

const fn network(offline: bool) -> Network {
    if offline { Network::Offline } else { Network::Allowed }
}

/// Trains in this process with a progress bar; the run's log goes to its folder.
pub(super) fn in_foreground(job: &TrainJob) -> Result<RunSummary> {
    let listener = Box::new(TrainProgress::new(&job.folder.name()));
    let ran = log_to(&job.folder).and_then(|()| train::execute(job, listener, &mut Pull::new()));
    if ran.is_err() {
        runs::clear_unbegun(&job.folder);
    }
    ran?;
    runs::summarise(job.folder.path()).context("read the state of the run that just ended")
}

fn log_to(folder: &RunFolder) -> Result<()> {
    let path = folder.log();
    let file = OpenOptions::new().create(true).append(true).open(&path);
    let file = file.with_context(|| format!("open {}", path.display()))?;
    let level = tracing_subscriber::EnvFilter::try_from_env("DOJO_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,dojo_studio=info"));
    let subscriber =
        tracing_subscriber::fmt().with_writer(Mutex::new(Clean(file))).with_ansi(false).with_target(false);
    // Where a logger is set already, the run goes to that one.
    let _ = subscriber.with_env_filter(level).try_init();
    Ok(())
}

/// The folder that the arguments ask for, made where it is missing.
fn new_folder(arguments: &TrainArguments, recipe: &Recipe, folders: &Folders) -> Result<RunFolder> {
    if let Some(folder) = &arguments.run {
        let taken = runs::summarise(folder).is_some_and(|run| run.state.process != 0);
        ensure!(!taken, "{} is a run already; go on with it by --resume", folder.display());
        std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
        let folder = folder.canonicalize().with_context(|| format!("find {}", folder.display()))?;
        return Ok(RunFolder::new(folder));
    }
    let parent = runs_beside(arguments.recipe.as_deref(), folders);
    runs::create_run_folder(&parent, arguments.name.as_deref(), recipe.method.name())
}

/// A session's recipe runs in that session; others in the folder of runs that belong to none.
pub(super) fn runs_beside(recipe: Option<&Path>, folders: &Folders) -> PathBuf {
    let session = recipe.and_then(|path| path.canonicalize().ok()).and_then(|path| {
        let sessions = folders.sessions().canonicalize().ok()?;
        let name = path.strip_prefix(&sessions).ok()?.components().next()?;
        Some(sessions.join(name).join("runs"))
    });
    session.unwrap_or_else(|| folders.runs())
}

fn detach(
    arguments: &TrainArguments,
    folder: RunFolder,
    resumed: Option<&RunSummary>,
    after: Option<&RunFolder>,
) -> Result<ExitCode> {
    if let Some(run) = resumed {
        ensure!(!run.standing.is_live(), "the run {} is {} already", run.name, run.standing.name());
    }
    let name = folder.name();
    let path = folder.path().display().to_string();
    let overrides = arguments.overrides();
    let launch = if let Some(recipe) = &arguments.recipe {
        let overrides = overrides.iter().map(|one| format!("{}={}", one.key, one.value)).collect();
        Launch::New { recipe: recipe.clone(), overrides, folder }
    } else {
        ensure!(
            overrides.is_empty(),
            "a run that goes on in the background takes its recipe as it is: leave --detach out, or --set and --device"
        );
        Launch::Resume { folder }
    };
    let process = runs::start_detached(&launch, after)?;
    if arguments.json {
        print::say(&json!({"run": name, "folder": path, "process": process}).to_string())?;
    } else {
        print::say(&format!("{name} runs in the background: {path}"))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What came of a run.
pub(super) fn report(run: &RunSummary, as_json: bool) -> Result<()> {
    let (state, folder) = (&run.state, &run.folder);
    if as_json {
        let report = json!({
            "run": run.name,
            "folder": folder.path(),
            "phase": state.phase,
            "step": state.step,
            "total_steps": state.total_steps,
            "best_eval_loss": state.best_eval_loss,
            "adapter": folder.adapter(),
        });
        return print::say(&report.to_string());
    }
    let best = state.best_eval_loss.map_or_else(String::new, |loss| format!(", best eval_loss {loss:.4}"));
    let more = if state.phase == Phase::Stopped {
        format!("; go on with `dojo train --resume {}`", run.name)
    } else {
        String::new()
    };
    let adapter = if folder.adapter().is_dir() {
        format!("the adapter is in {}", folder.adapter().display())
    } else {
        "it ended before its first step, without an adapter".to_owned()
    };
    let (phase, steps) = (state.phase.name(), format!("{} of {} steps", state.step, state.total_steps));
    print::say(&format!("{} is {phase}: {steps}{best}; {adapter}{more}", run.name))
}

fn dry_run(arguments: &TrainArguments, recipe: &Recipe, folders: &Folders) -> Result<ExitCode> {
    let mut progress = Pull::new();
    let network = network(arguments.offline);
    let prepared = train::prepare(recipe, folders, network, &mut progress, &mut |doing| {
        print::complain(doing);
        nobody()
    })?;
    let runs = arguments.run.clone().unwrap_or_else(|| runs_beside(arguments.recipe.as_deref(), folders));
    let mut figures = preflight::preflight(recipe, &prepared, &runs)?;
    print::complain("measuring a step");
    let mut student = train::student(&prepared.model, recipe, &train::place(recipe)?)?;
    preflight::measure(&mut figures, recipe, &prepared, &mut *student)?;
    if arguments.json {
        print::say(&serde_json::to_string(&figures)?)?;
    } else {
        figures.sentences().iter().try_for_each(|line| print::say(line))?;
    }
    Ok(ExitCode::SUCCESS)
}
