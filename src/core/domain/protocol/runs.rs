//! Training runs: following them, and asking things of them.

use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::rollout::StepGroups;
use crate::domain::run::{RunCommand, Sample};
use crate::domain::run_info::{Notes, RunId, RunInfo};
use crate::domain::series::MetricChunk;

/// Asked of the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum RunsCommand {
    /// Follow the values, samples and log of these runs too; of all others only how they stand.
    Watch(Vec<RunId>),
    /// Read the values of a watched run between two steps, both included, one by one.
    Detail { run: RunId, first: u32, last: u32 },
    /// Read the completions that a run drew for a step, or for the last before it that drew any.
    Completions { run: RunId, step: u32 },
    /// Leave a command in the run's folder.
    Tell(RunId, RunCommand),
    /// Start a process that trains by a recipe; with `after`, once that run has ended.
    Start { recipe: PathBuf, after: Option<RunId> },
    /// Start a process that takes up a run at its last checkpoint.
    Resume(RunId),
    /// Write a recipe that begins with this run's adapter; one that is there already is left as it is.
    CarryOn { run: RunId, recipe: PathBuf },
    /// Remove the run's folder with all that is in it.
    Delete(RunId),
    /// Write `notes.toml` into the run's folder.
    Note(RunId, Notes),
    /// Look through the session's recipes again.
    ListRecipes,
    /// Say what a run by this recipe would take, without starting it.
    Preflight(PathBuf),
    /// Write a recipe's text over what it was when it was read; nothing for a file that is not there yet.
    SaveRecipe { path: PathBuf, text: String, before: Option<String> },
}

/// Has happened.
#[derive(Debug, Clone, PartialEq)]
pub enum RunsEvent {
    /// Another session's runs are followed from now on: what was known is of no interest.
    Cleared,
    /// A run was found, or anything that the list shows of it has changed.
    Seen(Arc<RunInfo>),
    /// The folder is gone.
    Removed(RunId),
    /// The values of these runs are followed; those of all others are let go.
    Watched(Vec<RunId>),
    /// What is known of a watched run's files starts anew: they were replaced, or are read for the first time.
    Restarted(RunId),
    /// How far the reading of a long metrics file is, in bytes.
    Reading(RunId, FileReading),
    MetricsAppended(RunId, Arc<MetricChunk>),
    /// The values between two steps, as [`RunsCommand::Detail`] asks for them.
    DetailRead(RunId, (u32, u32), Arc<MetricChunk>),
    /// What [`RunsCommand::Completions`] asks for.
    CompletionsRead(RunId, Arc<StepGroups>),
    SamplesAppended(RunId, Vec<Sample>),
    LogAppended(RunId, Vec<String>),
    /// Sorted by name.
    RecipesListed(Vec<RecipeFile>),
    Preflighted(Preflight),
    /// These runs of other sessions go on, or wait to.
    GoesOnElsewhere(Vec<Elsewhere>),
    /// No run was started yet: the machine is at one of another session.
    Busy(Busy),
    /// A run by a recipe starts by itself, in this window, once what it waits for is done.
    Promised(Promise),
    /// The run by this recipe was started, or won't be.
    PromiseEnded(PathBuf),
}

/// How much of a file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FileReading {
    pub done_bytes: u64,
    pub total_bytes: u64,
}

/// A recipe of the session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecipeFile {
    pub path: PathBuf,
    /// The file's name without its ending.
    pub name: String,
    pub text: String,
    /// Why no run can start by it as it is on the disk: its records are missing, say. One sentence.
    pub missing: Option<String>,
    /// The model that a run fetches first, where it isn't on this machine.
    pub fetches: Option<String>,
    /// How many examples a run cuts, and how many of them lose their whole answer, in a sentence; nothing where none is.
    pub cut: Option<String>,
}

/// What a run by a recipe would take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preflight {
    pub recipe: PathBuf,
    /// What the recipe said when it was asked.
    pub text: String,
    /// `None` while it is measured; else the facts, or why there are none.
    pub outcome: Option<Result<Vec<Fact>, String>>,
}

/// One line of a preflight; a warning is called `!`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    pub name: String,
    pub value: String,
}

/// A run of another session.
#[derive(Debug, Clone, PartialEq)]
pub struct Elsewhere {
    /// The session's name.
    pub session: String,
    pub run: RunInfo,
}

/// A run that starts when its model is here and its examples' tokens are counted. No process has it yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    pub recipe: PathBuf,
    pub model: String,
}

impl Promise {
    /// The recipe's name.
    #[must_use]
    pub fn name(&self) -> String {
        self.recipe.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }
}

/// A run that was to be started while one of another session goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Busy {
    pub recipe: PathBuf,
    /// The one that goes on, and the name of its session.
    pub run: RunId,
    pub session: String,
}
