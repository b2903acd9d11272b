//! The model that a person means for expanding or reranking: a teacher of the settings, a model of this machine, one
//! with an adapter (`MODEL+FOLDER`), or an adapter alone (its folder, or its run's name).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Result, bail};

use crate::app::local_model::{ADAPTER_CONFIG, base_of_adapter, parts};
use crate::app::review::{self, Dry};
use crate::config::Folders;
use crate::engine::hub::{self, Network, PullProgress};
use crate::engine::model::ModelFiles;
use crate::teacher::Speaker;
use crate::teacher::budget::Budget;

/// What answers.
pub(super) enum NamedModel {
    Teacher(Arc<dyn Speaker>),
    Local { files: ModelFiles, adapter: Option<PathBuf> },
}

/// Where names are looked for.
pub(super) struct NamePlaces<'a> {
    pub(super) folders: &'a Folders,
    /// The library's folder: what teachers answer is kept there.
    pub(super) library: &'a Path,
    pub(super) network: Network,
}

impl NamePlaces<'_> {
    /// The model of a name; a local one is fetched if it isn't here and the network may be used, and not yet loaded.
    ///
    /// # Errors
    /// Where there is none of that name, or it is of a form that isn't read.
    pub(super) fn find(&self, given: &str, progress: &mut dyn PullProgress) -> Result<NamedModel> {
        let (settings, _) = self.folders.read_settings();
        if settings.teachers.contains_key(given) {
            let speaker = review::speaker(self.folders, given, self.library, Budget::default(), Dry::Run)?;
            return Ok(NamedModel::Teacher(speaker));
        }
        let given = given.strip_prefix("local:").unwrap_or(given);
        let (name, adapter) = if let Some(folder) = self.adapter(given) {
            (base_of_adapter(&folder)?, Some(folder))
        } else {
            let (name, adapter) = parts(given);
            (name.to_owned(), adapter.map(|adapter| self.adapter(adapter).unwrap_or_else(|| adapter.into())))
        };
        refuse_onnx(Path::new(&name))?;
        let files = hub::resolve(&self.folders.models(), &name, self.network, progress)?;
        Ok(NamedModel::Local { files, adapter })
    }

    /// The folder of the adapter that is named, if one is.
    fn adapter(&self, given: &str) -> Option<PathBuf> {
        let session = self.library.parent().unwrap_or(Path::new("."));
        let runs = [session.join("runs"), self.folders.runs()].map(|runs| runs.join(given).join("adapter"));
        let places = std::iter::once(PathBuf::from(given)).chain(runs);
        places.into_iter().find(|folder| folder.join(ADAPTER_CONFIG).is_file())
    }
}

/// ONNX has the arithmetic in the file, which nothing here computes.
fn refuse_onnx(path: &Path) -> Result<()> {
    let is_onnx = |path: &Path| path.extension().is_some_and(|end| end.eq_ignore_ascii_case("onnx"));
    let holds = |end: &str| {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).any(|file| file.extension().is_some_and(|other| other == end))
    };
    if is_onnx(path) || path.is_dir() && holds("onnx") && !holds("safetensors") {
        bail!(
            "{} is ONNX, which isn't read: name the folder of the same model with config.json, tokenizer.json and \
             model.safetensors (ms-marco-minilm-l6-v2 has them)",
            path.display()
        );
    }
    Ok(())
}
