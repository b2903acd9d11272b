//! Rewards with what they need: the models, judges and programs of this machine, found by name and handed in.

mod judges;
pub mod trust;

use std::path::Path;
use std::sync::Arc;

use self::judges::{SpeakerJudge, Tokens, Vectors};
use self::trust::Trust;
use anyhow::{Context, Result, bail, ensure};

use crate::config::Folders;
use crate::data::import::{ImportOptions, read_all};
use crate::domain::recipe::OnMalformed;
use crate::domain::record::Record;
use crate::reward::helpers::{Helpers, Programs};
use crate::reward::{self, COMMAND, RewardSet, bench};
use crate::task::Task;

/// Who helps, by the names that a person gives.
#[derive(Debug, Clone, Copy, Default)]
pub struct HelperNames<'a> {
    pub embedder: Option<&'a str>,
    pub judge: Option<&'a str>,
    pub tokenizer: Option<&'a str>,
}

/// A task's rewards, with what they need.
///
/// # Errors
/// Where the task's table is wrong, or a model or judge that was named can't be had.
pub fn set(folders: &Folders, task: &Arc<Task>, names: &HelperNames<'_>) -> Result<RewardSet> {
    reward::check(&task.rewards).with_context(|| format!("read the rewards of the task {}", task.name))?;
    RewardSet::of_task(task, &helpers(folders, task, names)?)
}

/// What was named, opened: a model for embeddings only if a reward needs one.
fn helpers(folders: &Folders, task: &Task, names: &HelperNames<'_>) -> Result<Helpers> {
    let mut helpers = Helpers { programs: programs(folders, task)?, ..Helpers::default() };
    let needs = |kinds: &[&str]| task.rewards.iter().any(|row| kinds.contains(&row.reward.as_str()));
    if let Some(name) = names.embedder.filter(|_| needs(&["similarity"])) {
        helpers.vectors = Some(Arc::new(Vectors::open(folders, name)?));
    }
    if let Some(name) = names.tokenizer {
        helpers.tokens = Some(Arc::new(Tokens::open(folders, name)?));
    }
    if let Some(name) = names.judge.filter(|_| needs(&["judge", "logical-equivalence"])) {
        let judge = Arc::new(SpeakerJudge::open(folders, name)?);
        helpers.entailment = Some(judge.clone());
        helpers.judge = Some(judge);
    }
    Ok(helpers)
}

/// Whether the task's commands may run: the folder of its file has to be trusted as it is.
fn programs(folders: &Folders, task: &Task) -> Result<Programs> {
    if !task.rewards.iter().any(|row| row.reward == COMMAND) {
        return Ok(Programs::Unasked);
    }
    let Some(file) = &task.file else { return Ok(Programs::Unasked) };
    let folder = trust::folder_of(file);
    let found = trust::commands_in(&folder)?;
    let refused = |why: &str| {
        let shown = folder.display();
        Programs::Refused(format!("{why}: `dojo trust {shown}` shows what would run, and asks"))
    };
    Ok(match trust::trust_of(folders, &found)? {
        Trust::Trusted => Programs::Trusted { folder: found.folder },
        Trust::Changed => refused("its command, or code beside it, has changed since you trusted its folder"),
        Trust::Unknown => refused("its command runs only if you trust its folder"),
    })
}

/// The samples of a shipped task.
///
/// # Errors
/// Where the task has none.
pub fn samples(task: &Task) -> Result<Vec<Record>> {
    let samples = bench::samples(&task.name);
    ensure!(
        !samples.is_empty(),
        "the task {} ships without samples: name a file of records with reference answers",
        task.name
    );
    Ok(samples)
}

/// The record that a person means: a JSON object, a file (its first record), `FILE:N`, or nothing for a sample.
///
/// # Errors
/// Where it is no JSON object, or the file has no such record.
pub fn record(task: &Task, given: Option<&str>) -> Result<Record> {
    let Some(given) = given else {
        return samples(task)?.into_iter().next().context("the task has no sample");
    };
    if given.trim_start().starts_with('{') {
        let row = serde_json::from_str(given).context("read the record: it is no JSON object")?;
        return Ok(bench::record_of(row));
    }
    let (path, number) = match given.rsplit_once(':').map(|(path, number)| (path, number.parse::<usize>())) {
        Some((path, Ok(number))) if !Path::new(given).exists() => (path, number),
        Some(_) | None => (given, 1),
    };
    let records = read_all(Path::new(path), &ImportOptions::default(), OnMalformed::Fail)?.records;
    let count = records.len();
    match number.checked_sub(1).and_then(|index| records.into_iter().nth(index)) {
        Some(record) => Ok(record),
        None => bail!("{path} has {count} records, and no number {number}"),
    }
}
