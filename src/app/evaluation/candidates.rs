//! Whom a name means: an endpoint of the settings, or a model of this machine with an adapter, be it a run's, one of its
//! checkpoints, or a folder.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::app::hand_over::{self, NamedPart};
use crate::app::local_model::{ADAPTER_CONFIG, base_of_adapter};
use crate::app::runs;
use crate::app::train::{described, recipe};
use crate::config::Folders;
use crate::domain::run::RunFolder;
use crate::engine::train::checkpoint;

/// Whoever answers.
#[derive(Debug, Clone)]
pub(super) enum EvaluationCandidate {
    Endpoint(String),
    Local(LocalCandidate),
}

/// A model of this machine.
#[derive(Debug, Clone)]
pub(super) struct LocalCandidate {
    pub(super) base: String,
    pub(super) adapter: Option<PathBuf>,
    /// The run that the adapter is from.
    pub(super) run: Option<RunFolder>,
}

/// What says that a model is run by this program, as for jobs.
const LOCAL: &str = "local:";

/// Finds out whom a name means.
///
/// # Errors
/// If it is a run without an adapter, or a checkpoint or an adapter that isn't there.
pub(super) fn find(folders: &Folders, name: &str) -> Result<EvaluationCandidate> {
    let (settings, _) = folders.read_settings();
    if settings.teachers.contains_key(name) {
        return Ok(EvaluationCandidate::Endpoint(name.to_owned()));
    }
    let name = name.strip_prefix(LOCAL).unwrap_or(name);
    if let Some(local) = with_adapter(name)? {
        return Ok(EvaluationCandidate::Local(local));
    }
    if let Some(local) = of_checkpoint(folders, name)? {
        return Ok(EvaluationCandidate::Local(local));
    }
    let local = match hand_over::find(folders, name)? {
        NamedPart::Run(run) => of_run(run.clone(), run.adapter())?,
        NamedPart::Adapter(folder) => {
            LocalCandidate { base: base_of_adapter(&folder)?, adapter: Some(folder), run: None }
        }
        NamedPart::Model(base) => LocalCandidate { base, adapter: None, run: None },
    };
    Ok(EvaluationCandidate::Local(local))
}

fn of_run(run: RunFolder, adapter: PathBuf) -> Result<LocalCandidate> {
    Ok(LocalCandidate { base: recipe::of_run(&run, &[])?.model.base, adapter: Some(adapter), run: Some(run) })
}

/// `MODEL+ADAPTER`.
fn with_adapter(name: &str) -> Result<Option<LocalCandidate>> {
    let Some((base, folder)) = name.split_once('+').filter(|_| !Path::new(name).exists()) else {
        return Ok(None);
    };
    let adapter = PathBuf::from(folder);
    ensure!(
        adapter.join(ADAPTER_CONFIG).is_file(),
        "{folder} is no adapter's folder: it has no {ADAPTER_CONFIG}"
    );
    Ok(Some(LocalCandidate { base: base.to_owned(), adapter: Some(adapter), run: None }))
}

/// `RUN@STEP`.
fn of_checkpoint(folders: &Folders, name: &str) -> Result<Option<LocalCandidate>> {
    let parts = name.rsplit_once('@').and_then(|(run, step)| Some((run, step.parse::<u64>().ok()?)));
    let Some((run, step)) = parts.filter(|(run, _)| !run.contains(':') && !Path::new(name).exists()) else {
        return Ok(None);
    };
    let run = runs::find_run(folders, run)?.folder;
    let adapter = checkpoint::folder(&run, step);
    let steps: Vec<String> = checkpoint::steps(&run)?.iter().map(u64::to_string).collect();
    ensure!(
        adapter.join(ADAPTER_CONFIG).is_file(),
        "the run {} has no checkpoint of step {step}; it has {}",
        run.name(),
        if steps.is_empty() { "none".to_owned() } else { steps.join(", ") }
    );
    of_run(run, adapter).map(Some)
}

/// As a report names it: a path by its last parts, and never twice the same.
pub(super) fn shown_names(names: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = Vec::new();
    for name in names {
        let path = Path::new(name);
        let short = if path.is_absolute() { described::short(path) } else { name.clone() };
        let same = shown.iter().filter(|before| **before == short).count();
        shown.push(if same == 0 { short } else { format!("{short} ({})", same + 1) });
    }
    shown
}

/// Paths that are there as they are from anywhere, so that an evaluation is taken up from anywhere.
pub(super) fn absolute(name: &str) -> Result<String> {
    if !Path::new(name).exists() {
        return Ok(name.to_owned());
    }
    let path = std::path::absolute(name).with_context(|| format!("find {name}"))?;
    Ok(path.to_string_lossy().into_owned())
}
