//! Where evaluations are kept: a folder each, with the report, the items and the answers; and beside them the answers of all
//! evaluations by the hash of what was asked of whom, so that nothing is computed or paid for twice.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::runs::create_run_folder;
use crate::config::Folders;
use crate::domain::evaluation::{EvaluationReport, EvaluationSummary, KeptEvaluation};
use crate::domain::name;
use crate::ground::files;
use crate::teacher::cache::{self, AnswerCache};

/// One evaluation's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EvaluationFolder(PathBuf);

const REPORT: &str = "report.json";
const ITEMS: &str = "items.jsonl";
const ANSWERS: &str = "answers.jsonl";

/// Where all of them are.
pub(super) fn place(folders: &Folders) -> PathBuf {
    folders.data.join("evals")
}

/// The answers of all evaluations.
///
/// # Errors
/// If they can't be opened; the sentence says what to do.
pub(super) fn answers(folders: &Folders) -> Result<AnswerCache> {
    let place = place(folders);
    std::fs::create_dir_all(&place).with_context(|| format!("make {}", place.display()))?;
    AnswerCache::open(&place)
        .map_err(|error| anyhow!("open what keeps answers in {}: {}", place.display(), cache::trouble(error)))
}

/// A new folder, by a name or the next number.
///
/// # Errors
/// If the name is taken or can't be a folder's.
pub fn make_folder(folders: &Folders, name: Option<&str>) -> Result<EvaluationFolder> {
    let made = create_run_folder(&place(folders), name, "eval").context("make the evaluation's folder")?;
    Ok(EvaluationFolder(made.path().to_path_buf()))
}

/// The folder of an evaluation, by its name or its path.
///
/// # Errors
/// If there is none; the sentence says which there are.
pub fn folder_of(folders: &Folders, named: &str) -> Result<EvaluationFolder> {
    let path = Path::new(named);
    if path.join(REPORT).is_file() {
        return Ok(EvaluationFolder(path.to_path_buf()));
    }
    let own = place(folders).join(named);
    if path.components().count() == 1 && own.join(REPORT).is_file() {
        return Ok(EvaluationFolder(own));
    }
    let known: Vec<String> = list(folders)?.into_iter().map(|one| one.name).collect();
    let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
    bail!("there is no evaluation `{}`; there are: {known}", name::plain(named))
}

/// All evaluations, the newest first. A report that can't be read is left out of the list, and told in the log.
///
/// # Errors
/// If the folder can't be read.
pub fn list(folders: &Folders) -> Result<Vec<EvaluationSummary>> {
    let place = place(folders);
    let entries = match std::fs::read_dir(&place) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("read {}", place.display())),
    };
    let mut found = Vec::new();
    for folder in entries.flatten().map(|entry| entry.path()).filter(|path| path.join(REPORT).is_file()) {
        match EvaluationFolder(folder).report() {
            Ok((folder, report)) => found.push(summary(folder, &report)),
            Err(error) => tracing::warn!("{error:#}"),
        }
    }
    found.sort_by(|a, b| b.made.total_cmp(&a.made).then_with(|| b.name.cmp(&a.name)));
    Ok(found)
}

fn summary(folder: PathBuf, report: &EvaluationReport) -> EvaluationSummary {
    let best = report.parts.first().and_then(|part| {
        let metric = part.metrics.first()?;
        let best = part.ordered().into_iter().next()?;
        let name = &report.models.get(best.model)?.name;
        Some(format!("{name}: {metric} {}", best.figure(metric)?.told_with_interval()))
    });
    let mut tasks: Vec<String> = report.parts.iter().map(|part| part.task.clone()).collect();
    tasks.dedup();
    EvaluationSummary {
        name: report.name.clone(),
        folder,
        made: report.made,
        models: report.models.iter().map(|model| model.name.clone()).collect(),
        tasks,
        items: report.parts.iter().map(|part| part.items).sum(),
        best: best.unwrap_or_default(),
        unfinished: report.unfinished.is_some(),
    }
}

/// Everything of an evaluation.
///
/// # Errors
/// If a file of it can't be read.
pub fn load(folder: &EvaluationFolder) -> Result<KeptEvaluation> {
    let (_, report) = folder.clone().report()?;
    let (items, answers) = (lines(&folder.0.join(ITEMS))?, lines(&folder.0.join(ANSWERS))?);
    Ok(KeptEvaluation { report, items, answers })
}

impl EvaluationFolder {
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    #[must_use]
    pub fn name(&self) -> String {
        self.0.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// Whether there is a report already.
    pub(super) fn is_begun(&self) -> bool {
        self.0.join(REPORT).is_file()
    }

    /// Takes away a folder in which nothing was begun, since its order was wrong.
    pub fn remove_unbegun(&self) {
        // One that holds something stays.
        std::fs::remove_dir(&self.0).ok();
    }

    fn report(self) -> Result<(PathBuf, EvaluationReport)> {
        let path = self.0.join(REPORT);
        let told = || format!("read {}", path.display());
        let text = std::fs::read(&path).with_context(told)?;
        Ok((self.0, serde_json::from_slice(&text).with_context(told)?))
    }

    /// Keeps what there is; the report comes last, so that what it speaks of is there.
    ///
    /// # Errors
    /// If a file can't be written.
    pub(super) fn keep(&self, kept: &KeptEvaluation) -> Result<()> {
        write_lines(&self.0.join(ITEMS), &kept.items)?;
        write_lines(&self.0.join(ANSWERS), &kept.answers)?;
        files::write_atomically(&self.0.join(REPORT), &serde_json::to_vec_pretty(&kept.report)?)
    }
}

fn write_lines<T: Serialize>(path: &Path, rows: &[T]) -> Result<()> {
    let mut bytes = Vec::new();
    for row in rows {
        serde_json::to_writer(&mut bytes, row)?;
        bytes.push(b'\n');
    }
    files::write_atomically(path, &bytes)
}

fn lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("read {}", path.display())),
    };
    let read = |(at, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("read line {} of {}", at + 1, path.display()))
    };
    text.lines().enumerate().map(read).collect()
}
