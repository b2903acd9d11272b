//! Sweeps: one recipe trained with several values of some of its keys, as ordinary runs, each in a process of its own, one
//! after the other. What a sweep is lies in a folder beside the runs, so that it goes on where it was stopped or killed.

mod race;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::{runs, sessions};
use crate::app::runs::RunSummary;
use crate::app::train::{self, recipe};
use crate::config::Folders;
use crate::domain::name;
use crate::domain::recipe::{Recipe, source};
use crate::domain::run::RunFolder;
use crate::domain::sweep::{SweepRun, SweptKey, combinations};
use crate::ground::files;

pub use race::{Race, RaceEnd, RaceEvent};

/// The folder of sweeps, beside the folder of runs.
const SWEEPS: &str = "sweeps";
/// A sweep's plan, in its folder.
const PLAN: &str = "sweep.json";

/// A sweep as it was planned.
#[derive(Debug, Clone)]
pub struct Sweep {
    pub name: String,
    folder: PathBuf,
    pub plan: SweepPlan,
}

/// What a sweep trains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SweepPlan {
    /// The folder of its runs.
    pub parent: PathBuf,
    /// Whether those that fall behind are stopped early.
    pub halving: bool,
    pub runs: Vec<SweepRun>,
}

/// What to plan.
pub struct SweepRequest<'a> {
    pub recipe: &'a Path,
    pub keys: &'a [SweptKey],
    /// The folder of its runs.
    pub parent: &'a Path,
    pub name: Option<&'a str>,
    pub halving: bool,
}

/// Reads the recipe with every combination of values; writes nothing.
///
/// # Errors
/// Where a recipe is wrong, a name is taken, or the runs can't be told apart by an evaluation.
pub fn check(request: &SweepRequest<'_>) -> Result<Vec<SweepRun>> {
    let name = name_of(request)?;
    Ok(resolved(request, &name)?.into_iter().map(|(run, _)| run).collect())
}

/// As [`check`], and writes the plan down; trains nothing.
///
/// # Errors
/// As [`check`], and where nothing can be written.
pub fn plan(request: &SweepRequest<'_>) -> Result<Sweep> {
    let name = name_of(request)?;
    let (runs, recipes): (Vec<SweepRun>, Vec<Recipe>) = resolved(request, &name)?.into_iter().unzip();
    let sweeps = request.parent.with_file_name(SWEEPS);
    let folder = sweeps.join(&name);
    std::fs::create_dir_all(&sweeps).with_context(|| format!("create {}", sweeps.display()))?;
    std::fs::create_dir(&folder)
        .with_context(|| format!("create {}; is the sweep's name taken?", folder.display()))?;
    let plan = SweepPlan { parent: request.parent.to_path_buf(), halving: request.halving, runs };
    let sweep = Sweep { name, folder, plan };
    for (run, recipe) in sweep.plan.runs.iter().zip(&recipes) {
        files::write_atomically(&sweep.recipe(run), recipe.to_toml().as_bytes())?;
    }
    // Last: a folder without it is no sweep.
    files::write_atomically(&sweep.folder.join(PLAN), &serde_json::to_vec_pretty(&sweep.plan)?)?;
    Ok(sweep)
}

fn name_of(request: &SweepRequest<'_>) -> Result<String> {
    match request.name {
        Some(name) => {
            name::check("sweep", name).map_err(anyhow::Error::msg)?;
            Ok(name.to_owned())
        }
        None => free_name(&request.parent.with_file_name(SWEEPS), request.parent),
    }
}

/// The runs, each with its recipe.
fn resolved(request: &SweepRequest<'_>, name: &str) -> Result<Vec<(SweepRun, Recipe)>> {
    let recipe = |run: SweepRun| {
        let recipe = recipe::load(request.recipe, &run.overrides())?;
        train::place(&recipe)?;
        can_be_compared(&recipe, request.halving)?;
        let taken = request.parent.join(&run.name).exists();
        ensure!(!taken, "{} is a run already: give the sweep another --name", run.name);
        Ok((run, recipe))
    };
    combinations(name, request.keys).map_err(anyhow::Error::msg)?.into_iter().map(recipe).collect()
}

/// Runs are ranked by how they do on examples that they don't learn.
fn can_be_compared(recipe: &Recipe, halving: bool) -> Result<()> {
    ensure!(
        recipe.data.eval.is_some()
            || recipe.data.split > 0.0
            || source::of_session(&recipe.data.train).is_some(),
        "a sweep ranks its runs by eval_loss: name data.eval in the recipe, or hold some examples out with data.split"
    );
    ensure!(
        !halving || recipe.eval.eval_steps > 0,
        "--halving compares runs while they train: set eval.eval_steps in the recipe"
    );
    Ok(())
}

/// The first `sweep-0001` that neither a sweep nor a run's name begins with.
fn free_name(sweeps: &Path, runs: &Path) -> Result<String> {
    for number in 1_u32..=9999 {
        let name = format!("sweep-{number:04}");
        if !sweeps.join(&name).exists() && !runs.join(format!("{name}-01")).exists() {
            return Ok(name);
        }
    }
    bail!("no number of a sweep is free in {}", sweeps.display())
}

/// A sweep by its name: of no session, or of any.
///
/// # Errors
/// Where there is none of the name, or several.
pub fn find(folders: &Folders, name: &str) -> Result<Sweep> {
    let mut parents = vec![folders.runs()];
    parents.extend(
        sessions::list(folders)?.into_iter().map(|one| folders.sessions().join(one.name).join("runs")),
    );
    let places = parents.iter().map(|parent| parent.with_file_name(SWEEPS).join(name));
    let mut found: Vec<PathBuf> = places.filter(|place| place.join(PLAN).is_file()).collect();
    match (found.pop(), found.first()) {
        (Some(folder), None) => open(folder, name),
        (Some(one), Some(other)) => {
            bail!("two sweeps are called {}: {} and {}", name::shown(name), one.display(), other.display())
        }
        (None, _) => {
            bail!("there is no sweep {}; `dojo sweep RECIPE --set lora.r=8,16` begins one", name::shown(name))
        }
    }
}

fn open(folder: PathBuf, name: &str) -> Result<Sweep> {
    let path = folder.join(PLAN);
    let text = std::fs::read(&path).with_context(|| format!("read {}", path.display()))?;
    let plan = serde_json::from_slice(&text).with_context(|| format!("read {}", path.display()))?;
    Ok(Sweep { name: name.to_owned(), folder, plan })
}

/// A run of a sweep and how it did.
#[derive(Debug, Clone)]
pub struct SweepRow {
    pub run: SweepRun,
    /// Missing while it has not begun.
    pub summary: Option<RunSummary>,
    /// The last evaluation: its step, and the loss.
    pub eval: Option<(u64, f64)>,
}

impl Sweep {
    /// The run's recipe with every key resolved.
    #[must_use]
    pub fn recipe(&self, run: &SweepRun) -> PathBuf {
        self.folder.join(format!("{}.toml", run.name))
    }

    /// The run's folder, whether it is there or not.
    #[must_use]
    pub fn run_folder(&self, run: &SweepRun) -> RunFolder {
        RunFolder::new(self.plan.parent.join(&run.name))
    }

    /// All runs, the best first: by the loss of the last evaluation among those that went equally far.
    #[must_use]
    pub fn rows(&self) -> Vec<SweepRow> {
        let row = |run: &SweepRun| {
            let folder = self.run_folder(run);
            let eval = race::last_eval(&folder);
            SweepRow { run: run.clone(), summary: runs::summarise(folder.path()), eval }
        };
        let mut rows: Vec<SweepRow> = self.plan.runs.iter().map(row).collect();
        let loss = |row: &SweepRow| row.eval.map_or(f64::INFINITY, |(_, loss)| loss);
        rows.sort_by(|a, b| b.share().total_cmp(&a.share()).then_with(|| loss(a).total_cmp(&loss(b))));
        rows
    }
}

impl SweepRow {
    /// How far it is, from 0 to 1, as finely as a table shows it.
    fn share(&self) -> f64 {
        let Some(state) = self.summary.as_ref().map(|run| &run.state) else { return 0.0 };
        if state.total_steps == 0 {
            0.0
        } else {
            (state.step as f64 / state.total_steps as f64 * 100.0).round()
        }
    }
}
