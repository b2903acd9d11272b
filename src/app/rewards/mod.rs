//! Rewards with what they need: the models, judges and programs of this machine, found by name and handed in.

pub(crate) mod desk;
mod judges;
pub mod trust;

use std::path::Path;
use std::sync::Arc;

use self::judges::{SpeakerJudge, Tokens, Vectors};
use self::trust::Trust;
use anyhow::{Context, Result, bail, ensure};

use crate::config::Folders;
use crate::data::plain_rows::{PlainRow, plain_rows};
use crate::domain::record::{Fields, Provenance, Record};
use crate::domain::reward::RewardUse;
use crate::reward::bench::{BenchColumns, BenchRow, CompletionWanted};
use crate::reward::helpers::{Helpers, Programs};
use crate::reward::{self, COMMAND, RewardSet, Threads, bench};
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
    RewardSet::of_task(task, &helpers(folders, &task.rewards, task.file.as_deref(), names)?)
}

/// The same on threads of its own, beside what trains.
///
/// # Errors
/// As [`set`].
pub fn set_on_own_threads(
    folders: &Folders,
    task: &Arc<Task>,
    names: &HelperNames<'_>,
    threads: usize,
) -> Result<RewardSet> {
    reward::check(&task.rewards).context("read the rewards")?;
    let helpers = helpers(folders, &task.rewards, task.file.as_deref(), names)?;
    RewardSet::new(task, &task.rewards, &helpers, Threads::Own(threads)).context("read the rewards")
}

/// The rewards of a blueprint's file, which say whether an example is good enough. All of them can be had: one that lacks
/// what it needs is told, since an example that nobody has looked at is not a checked one.
///
/// # Errors
/// Where the table is wrong, a program may not run, or a reward needs a model or a judge.
pub(crate) fn of_blueprint(
    folders: &Folders,
    rewards: &[RewardUse],
    file: Option<&Path>,
    names: &HelperNames<'_>,
) -> Result<RewardSet> {
    reward::check(rewards).context("read the blueprint's rewards")?;
    let task = Arc::new(crate::task::find("chat", None)?);
    let helpers = helpers(folders, rewards, file, names)?;
    let set =
        RewardSet::new(&task, rewards, &helpers, Threads::Shared).context("read the blueprint's rewards")?;
    if let Some((name, what)) = set.lacking().next() {
        bail!("use the reward {name} as a check: {what}");
    }
    Ok(set)
}

/// What was named, opened: a model for embeddings only if a reward needs one.
fn helpers(
    folders: &Folders,
    rewards: &[RewardUse],
    file: Option<&Path>,
    names: &HelperNames<'_>,
) -> Result<Helpers> {
    let mut helpers = Helpers { programs: programs(folders, rewards, file)?, ..Helpers::default() };
    let needs = |kinds: &[&str]| rewards.iter().any(|row| kinds.contains(&row.reward.as_str()));
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

/// Whether the commands of a file's rewards may run: its folder has to be trusted as it is.
fn programs(folders: &Folders, rewards: &[RewardUse], file: Option<&Path>) -> Result<Programs> {
    if !rewards.iter().any(|row| row.reward == COMMAND) {
        return Ok(Programs::Unasked);
    }
    let Some(file) = file else { return Ok(Programs::Unasked) };
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

/// What a person says of the rows of a file, a folder or a shipped task.
#[derive(Debug, Clone, Copy)]
pub struct BenchSource<'a> {
    /// Nothing means the task's samples.
    pub data: Option<&'a Path>,
    /// `part=column`.
    pub map: &'a [String],
    pub wanted: CompletionWanted,
}

/// Rows to score, and what was taken from which of their columns.
pub struct BenchData {
    pub rows: Vec<BenchRow>,
    pub taken: Vec<String>,
}

/// The rows of a file or folder, or the samples of a shipped task.
///
/// # Errors
/// Where they can't be read, or which of their columns is which can't be told.
pub fn bench_data(task: &Task, source: &BenchSource<'_>) -> Result<BenchData> {
    let rows = match source.data {
        Some(data) => plain_rows(data)?,
        None => sample_rows(task)?,
    };
    let of = || source.data.map_or_else(|| "the samples".to_owned(), |data| data.display().to_string());
    read_rows(task, rows, source).with_context(|| format!("read {}", of()))
}

/// The samples of a shipped task; an error where it has none.
fn sample_rows(task: &Task) -> Result<Vec<PlainRow>> {
    let samples = bench::samples(&task.name);
    ensure!(
        !samples.is_empty(),
        "the task {} ships without samples: name a file of records with reference answers",
        task.name
    );
    let plain = |record: Record| PlainRow {
        fields: record.fields,
        numbers: record.numbers,
        provenance: record.provenance,
    };
    Ok(samples.into_iter().map(plain).collect())
}

fn read_rows(task: &Task, rows: Vec<PlainRow>, source: &BenchSource<'_>) -> Result<BenchData> {
    let fields: Vec<Fields> = rows.iter().map(|row| row.fields.clone()).collect();
    let columns = BenchColumns::find(task, &fields, source.map, source.wanted)?;
    let read = |row: PlainRow| {
        let mut read = columns.row(&row.fields, &row.numbers);
        read.record.provenance = row.provenance;
        read
    };
    let rows = rows.into_iter().map(read).collect();
    Ok(BenchData { rows, taken: columns.told() })
}

/// The one row that a person means: a JSON object, a file (its first row), `FILE:N`, or nothing for a sample.
///
/// # Errors
/// Where it is no JSON object, the file has no such row, or which of its columns is which can't be told.
pub fn bench_row(task: &Task, given: Option<&str>, source: &BenchSource<'_>) -> Result<BenchData> {
    let (rows, number) = match given {
        None => (sample_rows(task)?, 1),
        Some(given) if given.trim_start().starts_with('{') => {
            let fields = serde_json::from_str(given).context("read the record: it is no JSON object")?;
            (vec![PlainRow { fields, numbers: Vec::new(), provenance: Provenance::default() }], 1)
        }
        Some(given) => {
            let parts = given.rsplit_once(':').map(|(path, number)| (path, number.parse::<usize>()));
            let (path, number) = match parts {
                Some((path, Ok(number))) if !Path::new(given).exists() => (path, number),
                Some(_) | None => (given, 1),
            };
            let rows = plain_rows(Path::new(path))?;
            let count = rows.len();
            ensure!((1..=count).contains(&number), "{path} has {count} records, and no number {number}");
            (rows, number)
        }
    };
    let mut data = read_rows(task, rows, source).context("read the record")?;
    data.rows = data.rows.into_iter().skip(number - 1).take(1).collect();
    Ok(data)
}
