//! Records become files that other programs read. The same records give the same bytes; a file appears whole or not
//! at all.
//!
//! Adding a form: a file here, and a row in [`ExportFormat`].

mod csv;
mod file;
mod flat;
mod folder;
mod held;
mod jsonl;
mod parquet;
mod rows;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use serde::Serialize;

pub use crate::domain::export::{ExportFormat, Splits};
use crate::domain::record::Record;

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Added {
    Written,
    /// It does not fit the form, and why.
    LeftOut(String),
}

/// One file in the making.
trait Sink {
    fn add(&mut self, record: &Record) -> Result<Added>;

    /// Makes the file appear.
    fn finish(self: Box<Self>) -> Result<()>;
}

/// An export in the making. Dropping it leaves nothing behind.
pub struct Exporter {
    path: PathBuf,
    form: ExportFormat,
    splits: Splits,
    sinks: BTreeMap<Option<String>, Box<dyn Sink>>,
    summary: Exported,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Exported {
    pub written: u64,
    pub left_out: u64,
    /// Pairs of which only the chosen answer was written.
    pub chosen_only: u64,
    /// The first records that did not fit, with the reason.
    pub reasons: Vec<String>,
    pub files: Vec<PathBuf>,
}

/// Reasons that a summary keeps.
const SHOWN_REASONS: usize = 10;

impl Exporter {
    /// Nothing is at the path before [`Exporter::finish`]. A file that is there is replaced then; a folder is not.
    ///
    /// # Errors
    /// Where a folder is asked for at a path that is taken.
    pub fn create(path: &Path, form: ExportFormat, splits: Splits) -> Result<Self> {
        let taken = path.symlink_metadata().is_ok();
        ensure!(
            form != ExportFormat::Folder || !taken,
            "{} exists already; name a folder that does not",
            path.display()
        );
        ensure!(!path.is_dir(), "{} is a folder; name a file in it", path.display());
        Ok(Self { path: path.to_owned(), form, splits, sinks: BTreeMap::new(), summary: Exported::default() })
    }

    /// Writes a record, or says why it does not fit.
    ///
    /// # Errors
    /// Where the disk fails or is full.
    pub fn add(&mut self, record: &Record) -> Result<Added> {
        let split = match self.splits {
            Splits::Apart if self.form != ExportFormat::Folder => {
                record.split.clone().map(|split| plain_name(&split))
            }
            Splits::Apart | Splits::Together => None,
        };
        if !self.sinks.contains_key(&split) {
            let path = path_of(&self.path, split.as_deref());
            self.sinks.insert(split.clone(), open(&path, self.form)?);
            self.summary.files.push(path);
        }
        let Some(sink) = self.sinks.get_mut(&split) else {
            bail!("{}: no file is open", self.path.display())
        };
        let added = sink.add(record)?;
        match &added {
            Added::Written => {
                self.summary.written += 1;
                self.summary.chosen_only +=
                    u64::from(self.form == ExportFormat::Messages && record.preference.is_some());
            }
            Added::LeftOut(reason) => {
                self.summary.left_out += 1;
                if self.summary.reasons.len() < SHOWN_REASONS {
                    self.summary.reasons.push(format!("{}: {reason}", record.place()));
                }
            }
        }
        Ok(added)
    }

    /// Makes the files appear.
    ///
    /// # Errors
    /// Where nothing was written or the disk fails; then no file has changed that was not yet finished.
    pub fn finish(mut self) -> Result<Exported> {
        if self.summary.written == 0 {
            match self.summary.reasons.first() {
                Some(reason) => bail!("no record fits the form {}; {reason}", self.form.name()),
                None => bail!("there is no record to export"),
            }
        }
        for sink in std::mem::take(&mut self.sinks).into_values() {
            sink.finish()?;
        }
        self.summary.files.sort();
        Ok(self.summary)
    }
}

fn open(path: &Path, form: ExportFormat) -> Result<Box<dyn Sink>> {
    match form {
        ExportFormat::Messages => Ok(Box::new(jsonl::JsonlWriter::create(path, jsonl::messages)?)),
        ExportFormat::PromptCompletion => {
            Ok(Box::new(jsonl::JsonlWriter::create(path, jsonl::prompt_completion)?))
        }
        ExportFormat::Preference => Ok(Box::new(jsonl::JsonlWriter::create(path, jsonl::preference)?)),
        ExportFormat::Rows => Ok(Box::new(rows::RowsWriter::create(path)?)),
        ExportFormat::Csv => Ok(Box::new(csv::CsvWriter::create(path)?)),
        ExportFormat::Parquet => Ok(Box::new(parquet::Parquet::create(path)?)),
        ExportFormat::Folder => Ok(Box::new(folder::Folder::create(path)?)),
    }
}

/// The files that an export to a path can write, when records have these splits.
#[must_use]
pub fn targets(path: &Path, form: ExportFormat, splits: Splits, names: &[String]) -> Vec<PathBuf> {
    let mut targets = vec![path.to_owned()];
    if splits == Splits::Apart && form != ExportFormat::Folder {
        targets.extend(names.iter().map(|name| path_of(path, Some(&plain_name(name)))));
    }
    targets
}

fn path_of(path: &Path, split: Option<&str>) -> PathBuf {
    let Some(split) = split else { return path.to_owned() };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}.{split}{ending}"))
}

/// A split's name as it can stand in a file's name: letters, digits and `_`.
fn plain_name(split: &str) -> String {
    split.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}
