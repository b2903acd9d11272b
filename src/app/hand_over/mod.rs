//! From what a person names (a run, an adapter's folder, a model) to a trained model that can be handed over, with what its
//! card says. `dojo merge` and `dojo export` use it.

mod facts;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::local_model::{ADAPTER_CONFIG, base_of_adapter};
use super::runs;
use super::train::{base_difference, described, recipe};
use crate::config::Folders;
use crate::domain::run::RunFolder;
use crate::engine::export::{CombineMethod, ModelFacts, TrainedModel, WeightedAdapter};
use crate::engine::hub::{self, Network, PullProgress};

/// What is to be handed over, as a person says it.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// A run, an adapter's folder or a model; several of the first two are put together. `NAME=WEIGHT` weighs one.
    pub named: Vec<String>,
    /// The base, if it isn't the one that the adapters name.
    pub base: Option<String>,
    pub method: CombineMethod,
    /// What it will be called.
    pub name: Option<String>,
}

/// A trained model with what is known of it.
pub struct HandOverSubject {
    pub trained: TrainedModel,
    pub facts: ModelFacts,
    /// What whoever asked should know.
    pub notices: Vec<String>,
}

/// One of the things that are named.
pub(in crate::app) enum NamedPart {
    Run(RunFolder),
    Adapter(PathBuf),
    Model(String),
}

/// Finds and opens what is named.
///
/// # Errors
/// If there is none of that name, a file is damaged, or an adapter was made for another base.
pub fn open(folders: &Folders, asked: &HandOver, progress: &mut dyn PullProgress) -> Result<HandOverSubject> {
    let mut parts = Vec::new();
    for named in &asked.named {
        let (name, weight) = weighted(named)?;
        parts.push((find(folders, name)?, weight));
    }
    let base = base_name(asked, &parts)?;
    let files = hub::resolve(&folders.models(), &base, Network::Allowed, progress)?;
    let adapters = parts.iter().filter_map(|(part, weight)| {
        let folder = match part {
            NamedPart::Run(run) => run.adapter(),
            NamedPart::Adapter(folder) => folder.clone(),
            NamedPart::Model(_) => return None,
        };
        Some(WeightedAdapter { folder, weight: *weight })
    });
    let adapters: Vec<WeightedAdapter> = adapters.collect();
    let trained = TrainedModel::open(&files, &adapters, asked.method)?;
    let notices = same_base(asked, &parts, &trained)?;
    let mut facts = facts::of(&files, &adapters, asked.method);
    if let [(NamedPart::Run(run), _)] = parts.as_slice() {
        facts = described::of_run(run, facts);
    }
    facts.name = asked.name.clone().unwrap_or_else(|| name_of(&parts, &facts.base));
    Ok(HandOverSubject { trained, facts, notices })
}

/// `NAME=0.5`; 1 without a weight. A name may itself hold the sign.
fn weighted(named: &str) -> Result<(&str, f32)> {
    let Some((name, weight)) = named.rsplit_once('=').filter(|_| !Path::new(named).exists()) else {
        return Ok((named, 1.0));
    };
    let weight: f32 =
        weight.parse().ok().with_context(|| format!("{weight:?} is no weight: write {name}=0.5"))?;
    ensure!(weight.is_finite(), "{weight} is no weight: write {name}=0.5");
    Ok((name, weight))
}

/// What a person means by a name: a run, an adapter's folder, else a model.
///
/// # Errors
/// If it is a run that has no adapter yet.
pub(in crate::app) fn find(folders: &Folders, name: &str) -> Result<NamedPart> {
    let path = Path::new(name);
    if path.join(ADAPTER_CONFIG).is_file() {
        return Ok(NamedPart::Adapter(path.to_path_buf()));
    }
    let is_model_there = path.join("config.json").is_file() || path.is_file();
    if !is_model_there && let Ok(run) = runs::find_run(folders, name) {
        let adapter = run.folder.adapter();
        ensure!(
            adapter.join(ADAPTER_CONFIG).is_file(),
            "the run {} has no adapter yet: it is {}, and writes one when it is done or stopped",
            run.name,
            run.standing.name()
        );
        return Ok(NamedPart::Run(run.folder));
    }
    if path.is_dir() && !is_model_there && path.join("adapter").join(ADAPTER_CONFIG).is_file() {
        return Ok(NamedPart::Adapter(path.join("adapter")));
    }
    Ok(NamedPart::Model(name.to_owned()))
}

/// The one base of all that is named.
fn base_name(asked: &HandOver, parts: &[(NamedPart, f32)]) -> Result<String> {
    if let Some((NamedPart::Model(name), weight)) =
        parts.iter().find(|(part, _)| matches!(part, NamedPart::Model(_)))
    {
        let alone = parts.len() == 1 && asked.base.is_none() && weight.total_cmp(&1.0).is_eq();
        if !alone {
            bail!(
                "{name} is no run and no adapter's folder: only those are put together (`dojo runs` lists runs)"
            );
        }
        return Ok(name.clone());
    }
    if let Some(base) = &asked.base {
        return Ok(base.clone());
    }
    let mut found: Option<String> = None;
    for (part, _) in parts {
        let base = match part {
            NamedPart::Run(run) => recipe::of_run(run, &[])?.model.base,
            NamedPart::Adapter(folder) => base_of_adapter(folder)?,
            NamedPart::Model(_) => continue,
        };
        if let Some(other) = found.as_ref().filter(|other| **other != base) {
            bail!(
                "the adapters were made for different models, {other} and {base}: --base says which one counts"
            );
        }
        found = Some(base);
    }
    found.context("nothing is named to be handed over")
}

/// Sentences on a base that isn't the one that was trained on.
///
/// # Errors
/// If it is another, and nobody said that it is meant.
fn same_base(asked: &HandOver, parts: &[(NamedPart, f32)], trained: &TrainedModel) -> Result<Vec<String>> {
    let mut notices = Vec::new();
    for other in &trained.other_bases {
        let told = format!(
            "an adapter says that it was made for {other}, and the base is {}",
            trained.base.files.base
        );
        ensure!(asked.base.is_some(), "{told}: --base says that this is meant");
        notices.push(told);
    }
    for (part, _) in parts {
        let NamedPart::Run(run) = part else { continue };
        if let Some(difference) = base_difference(run, &trained.base)? {
            let told = format!("the base isn't the one that {} was trained on: {difference}", run.name());
            ensure!(asked.base.is_some(), "{told}; --base says that this is meant");
            notices.push(told);
        }
    }
    notices.extend(trained.base.notices.weights.iter().chain(&trained.base.notices.adapters).cloned());
    Ok(notices)
}

fn name_of(parts: &[(NamedPart, f32)], base: &str) -> String {
    let last = |text: &str| text.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or(text).to_owned();
    let names: Vec<String> = parts
        .iter()
        .map(|(part, _)| match part {
            NamedPart::Run(run) => run.name(),
            NamedPart::Adapter(folder) if folder.ends_with("adapter") => {
                folder.parent().map_or_else(|| last(base), |run| last(&run.display().to_string()))
            }
            NamedPart::Adapter(folder) => last(&folder.display().to_string()),
            NamedPart::Model(_) => last(base),
        })
        .collect();
    let model = last(base);
    let stem = model.strip_suffix(".gguf").unwrap_or(&model);
    match parts {
        [(NamedPart::Model(_), _)] => stem.to_owned(),
        _ => format!("{stem}-{}", names.join("-")),
    }
}
