//! Runs as seen from outside: starting them detached, listing them, leaving commands for them, deleting them. The
//! studio and `dojo runs` both use this. Knows run folders, not what happens inside a run.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::lost;
use super::run_lock::{self, RunLock};
use crate::config::Folders;
use crate::data::regular;
use crate::domain::name;
use crate::domain::run::{Phase, RunCommand, RunFolder, RunState, Standing};
use crate::domain::session::FILE;
use crate::ground::folders::{self, Leftover};
use crate::ground::{clock, files, process, thread};

/// A heartbeat older than this, in seconds, means that the process is gone, unless it can be seen to live.
pub const STALE_SECONDS: f64 = 15.0;

/// A run and how it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct RunSummary {
    pub name: String,
    pub folder: RunFolder,
    pub state: RunState,
    pub standing: Standing,
}

/// All runs: those of no session, then those of each of the user's sessions; newest first.
///
/// # Errors
/// Where a folder can't be read.
pub fn list_runs(folders: &Folders) -> Result<Vec<RunSummary>> {
    let mut runs = list_runs_in(&folders.runs())?;
    for session in subfolders(&folders.sessions())? {
        runs.extend(list_runs_in(&session.join("runs"))?);
    }
    sort(&mut runs);
    Ok(runs)
}

/// The runs in one folder, newest first; none where the folder is missing.
///
/// # Errors
/// Where the folder can't be read.
pub fn list_runs_in(folder: &Path) -> Result<Vec<RunSummary>> {
    let mut runs: Vec<RunSummary> = subfolders(folder)?.iter().filter_map(|run| summarise(run)).collect();
    sort(&mut runs);
    Ok(runs)
}

fn sort(runs: &mut [RunSummary]) {
    runs.sort_by(|a, b| b.state.started.total_cmp(&a.state.started).then_with(|| b.name.cmp(&a.name)));
}

pub(super) fn subfolders(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("read the folder {}", folder.display())),
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    Ok(paths.filter(|path| path.is_dir() && !is_hidden(path)).collect())
}

/// Folders that are being made or removed begin with a dot.
pub(super) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

impl RunSummary {
    /// The name of the session that the run belongs to, if it lies in one.
    #[must_use]
    pub fn session(&self) -> Option<String> {
        let session = self.folder.path().parent()?.parent()?;
        let name = session.join(FILE).is_file().then(|| session.file_name())?;
        name.map(|name| name.to_string_lossy().into_owned())
    }
}

/// How a run folder stands; `None` where it holds no readable state, and no whole checkpoint in its stead.
#[must_use]
pub fn summarise(folder: &Path) -> Option<RunSummary> {
    let folder = RunFolder::new(folder);
    let read = match fs::read(folder.state()) {
        Ok(bytes) => serde_json::from_slice(&bytes).ok(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(_) => return None,
    };
    let state: RunState = read.or_else(|| lost::state_of(&folder))?;
    let now = clock::now();
    let standing = match standing(&state, now) {
        live if live.is_live() && is_orphaned(&folder, &state, is_silent(&state, now)) => Standing::Crashed,
        standing => standing,
    };
    Some(RunSummary { name: folder.name(), folder, state, standing })
}

/// The lines of a run's values as they are; none where they can't be read.
pub(super) fn metrics_text(folder: &RunFolder) -> String {
    /// A run of weeks has less.
    const MOST: u64 = 1 << 28;
    regular::text(&folder.metrics(), MOST).unwrap_or_default()
}

/// How a state stands at a time (seconds since 1970). Of a run of this machine the process tells: one that lives outweighs
/// an old heartbeat, for it may only be suspended. A run of another machine is judged by its heartbeat alone.
#[must_use]
pub fn standing(state: &RunState, now: f64) -> Standing {
    let gone = is_gone(state, is_silent(state, now), &process::host_name());
    if state.phase.is_live() && gone { Standing::Crashed } else { state.phase.into() }
}

/// Whether the last heartbeat is too old for a process that runs.
#[must_use]
pub fn is_silent(state: &RunState, now: f64) -> bool {
    now - state.heartbeat > STALE_SECONDS
}

/// Whether the process of a run in a live phase has ended, seen from the machine called `host`.
pub(super) fn is_gone(state: &RunState, silent: bool, host: &str) -> bool {
    // Process 0: put there by the starter, before the process itself could write.
    if state.process == 0 || state.host != host { silent } else { !process::is_alive(state.process) }
}

/// Whether a silent run is without its process although one of that number lives: the number was given to another
/// program since. A run's process holds the run's lock as long as it lives.
pub(super) fn is_orphaned(folder: &RunFolder, state: &RunState, silent: bool) -> bool {
    silent && state.host == process::host_name() && run_lock::is_held(folder) == Some(false)
}

/// Finds a run by its folder or by its name.
///
/// # Errors
/// Where there is none, or two sessions have one of that name.
pub fn find_run(folders: &Folders, name: &str) -> Result<RunSummary> {
    if let Some(run) = summarise(Path::new(name)) {
        return Ok(run);
    }
    let mut found: Vec<RunSummary> = list_runs(folders)?.into_iter().filter(|run| run.name == name).collect();
    match found.len() {
        0 => bail!("there is no run `{}`; `dojo runs` lists them", name::plain(name)),
        1 => Ok(found.remove(0)),
        count => bail!(
            "{count} runs are called `{name}`; give the folder instead, such as {}",
            found[0].folder.path().display()
        ),
    }
}

/// Leaves a command for a run; it obeys at its next step.
///
/// # Errors
/// Where the run is not alive, so that nobody would obey.
pub fn send_command(run: &RunSummary, command: RunCommand) -> Result<()> {
    if !run.standing.is_live() {
        bail!("the run {} can't {}: it is {}", run.name, command.name(), run.standing.name());
    }
    let folder = run.folder.commands();
    fs::create_dir_all(&folder).with_context(|| format!("create {}", folder.display()))?;
    // Asked and taken back between two looks of the run: the last word counts.
    if let Some(opposite) = command.opposite() {
        files::remove_if_there(&folder.join(opposite.name()))?;
    }
    let file = folder.join(command.name());
    fs::write(&file, b"").with_context(|| format!("leave the command {}", file.display()))
}

/// Deletes a run's folder with all its checkpoints.
///
/// # Errors
/// Where the run is alive, a process trains there whatever the state says, or the folder can't be removed.
pub fn delete_run(run: &RunSummary) -> Result<()> {
    if run.standing.is_live() {
        bail!("the run {} is {}; stop it first", run.name, run.standing.name());
    }
    let _lock = RunLock::take(&run.folder).with_context(|| format!("delete the run {}", run.name))?;
    // It may have been started since it was looked at.
    let started = |now: &RunSummary| now.standing.is_live() && now.state.heartbeat > run.state.heartbeat;
    if let Some(now) = summarise(run.folder.path()).filter(started) {
        bail!("the run {} is {}; stop it first", run.name, now.standing.name());
    }
    folders::remove_folder(run.folder.path()).with_context(|| format!("delete the run {}", run.name))
}

/// Removes what a process that was killed while it deleted runs left of them.
fn clean_deleted(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let deleted = matches!(Leftover::of(&name), Some((Leftover::Removed, _)));
        if deleted && run_lock::is_held(&RunFolder::new(entry.path())) != Some(true) {
            let removed = files::remove_if_there(&entry.path());
            tracing::debug!(?name, ?removed, "left by a killed deletion");
        }
    }
}

/// Makes a new run folder: by that name, or by the first free `PREFIX-0001`.
///
/// # Errors
/// Where the name is taken or can't be a folder's, or the folder can't be made.
pub fn create_run_folder(parent: &Path, name: Option<&str>, prefix: &str) -> Result<RunFolder> {
    if let Some(name) = name {
        name::check("run", name).map_err(anyhow::Error::msg)?;
    }
    fs::create_dir_all(parent).with_context(|| format!("create {}", parent.display()))?;
    clean_deleted(parent);
    if let Some(name) = name {
        let folder = parent.join(name);
        let made = fs::create_dir(&folder);
        made.with_context(|| format!("create the run folder {}; is the name taken?", folder.display()))?;
        return Ok(RunFolder::new(folder));
    }
    let prefix = name::made_of(prefix);
    for number in 1_u32.. {
        let folder = parent.join(format!("{prefix}-{number:04}"));
        match fs::create_dir(&folder) {
            Ok(()) => return Ok(RunFolder::new(folder)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error).with_context(|| format!("create {}", folder.display())),
        }
    }
    bail!("no run number is free in {}", parent.display())
}

/// What to start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// A recipe file with overrides (`key=value`), in a folder made by [`create_run_folder`].
    New { recipe: PathBuf, overrides: Vec<String>, folder: RunFolder },
    /// An earlier run, from its last checkpoint.
    Resume { folder: RunFolder },
}

impl Launch {
    /// The folder of the run.
    #[must_use]
    pub const fn folder(&self) -> &RunFolder {
        match self {
            Self::New { folder, .. } | Self::Resume { folder } => folder,
        }
    }

    /// The arguments of `dojo` that do this, to run or to show.
    #[must_use]
    pub fn arguments(&self, after: Option<&RunFolder>) -> Vec<String> {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let mut arguments = vec!["train".to_owned()];
        match self {
            Self::New { recipe, overrides, folder } => {
                arguments.push(text(recipe));
                arguments.extend(overrides.iter().flat_map(|one| ["--set".to_owned(), one.clone()]));
                arguments.extend(["--run".to_owned(), text(folder.path())]);
            }
            Self::Resume { folder } => arguments.extend(["--resume".to_owned(), text(folder.path())]),
        }
        if let Some(after) = after {
            arguments.extend(["--after".to_owned(), text(after.path())]);
        }
        arguments
    }
}

/// Starts a run as a process of its own that outlives this one and its terminal; with `after`, it waits in the queue
/// until that run has ended. Its words go to the run's log. Gives back the process id.
///
/// # Errors
/// Where the folder can't be written or the process not be started.
pub fn start_detached(launch: &Launch, after: Option<&RunFolder>) -> Result<u32> {
    let program = std::env::current_exe().context("find the program's own file")?;
    start_program(&program, launch, after)
}

/// As [`start_detached`], with the program's file given.
///
/// # Errors
/// As [`start_detached`].
pub fn start_program(program: &Path, launch: &Launch, after: Option<&RunFolder>) -> Result<u32> {
    let folder = launch.folder();
    if let (Launch::Resume { .. }, Some(run)) = (launch, summarise(folder.path())) {
        ensure!(!run.standing.is_live(), "the run {} is {} already", run.name, run.standing.name());
    }
    let begun = announce(folder, if after.is_some() { Phase::Queued } else { Phase::Starting })
        .and_then(|()| spawn(program, launch, after));
    if begun.is_err() && matches!(launch, Launch::New { .. }) {
        // There is no process that could say more.
        files::remove_if_there(&folder.state()).unwrap_or_default();
        clear_unbegun(folder);
    }
    begun
}

fn spawn(program: &Path, launch: &Launch, after: Option<&RunFolder>) -> Result<u32> {
    let folder = launch.folder();
    let log = OpenOptions::new().create(true).append(true).open(folder.log());
    let log = log.with_context(|| format!("open {}", folder.log().display()))?;
    let mut command = Command::new(program);
    command.args(launch.arguments(after)).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    super::process::detach(&mut command);
    let mut child = command.spawn().with_context(|| format!("start {}", program.display()))?;
    let id = child.id();
    // Collects the process when it ends, so that it does not linger as a zombie that seems alive.
    thread::start("run collect", move || child.wait());
    Ok(id)
}

/// Takes the folder of a run away that could not even begin (the disk is full), if it holds nothing that anybody wrote.
pub fn clear_unbegun(folder: &RunFolder) {
    for file in [folder.log(), folder.lock()] {
        if fs::metadata(&file).is_ok_and(|file| file.is_file() && file.len() == 0) {
            fs::remove_file(&file).unwrap_or_default();
        }
    }
    // A folder with something in it stays.
    for folder in [folder.commands().as_path(), folder.path()] {
        fs::remove_dir(folder).unwrap_or_default();
    }
}

/// Writes the first state, so that the run is listed before its process has come up.
fn announce(folder: &RunFolder, phase: Phase) -> Result<()> {
    let earlier = summarise(folder.path()).map(|run| run.state);
    let time = clock::now();
    let state = RunState {
        host: process::host_name(),
        started: earlier.as_ref().map_or(time, |state| state.started),
        step: earlier.as_ref().map_or(0, |state| state.step),
        total_steps: earlier.as_ref().map_or(0, |state| state.total_steps),
        checkpoint_step: earlier.as_ref().and_then(|state| state.checkpoint_step),
        best_eval_loss: earlier.as_ref().and_then(|state| state.best_eval_loss),
        earlier: earlier.as_ref().and_then(RunState::to_return_to),
        ..RunState::begun(phase, time)
    };
    files::write_atomically(&folder.state(), &serde_json::to_vec_pretty(&state)?)
}
