//! Models and adapters on this machine.

use std::path::Path;

use anyhow::Result;

use crate::app::runs;
use crate::config::Folders;
use crate::data::regular;
use crate::domain::protocol::models::{ModelFile, ModelKind, RETRIEVAL_ONLY};
use crate::engine::hub::embeds_only;
use crate::engine::hub::{self, LocalModel};
use crate::engine::model::ModelFiles;
use crate::engine::model::hf::MOST_JSON;

/// Pulled base models, adapters of the session's runs and of runs without one; by kind, then name.
///
/// # Errors
/// Where a folder is there but can't be read.
pub fn list(folders: &Folders, session_runs: Option<&Path>) -> Result<Vec<ModelFile>> {
    let mut found: Vec<ModelFile> = hub::list(&folders.models())?.into_iter().map(base).collect();
    for runs in session_runs.into_iter().chain([folders.runs().as_path()]) {
        for run in children(runs)? {
            found.extend(adapter(&run));
        }
    }
    found.sort_by(|left, right| (left.kind, &left.name).cmp(&(right.kind, &right.name)));
    Ok(found)
}

fn base(model: LocalModel) -> ModelFile {
    let files = ModelFiles::at(&model.folder).ok();
    let (kind, note) = if files.is_some_and(|files| embeds_only(&model.name, Some(&files))) {
        (ModelKind::Embedding, format!("{RETRIEVAL_ONLY} · {}", model.source))
    } else {
        (ModelKind::Base, model.source)
    };
    ModelFile { name: model.name, kind, path: model.folder, bytes: model.bytes, note }
}

fn children(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    match std::fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => {
            Err(anyhow::Error::new(error).context(format!("look for models in {}", folder.display())))
        }
    }
}

fn adapter(run: &Path) -> Option<ModelFile> {
    let folder = run.join("adapter");
    let text = regular::text(&folder.join("adapter_config.json"), MOST_JSON).ok()?;
    let config: serde_json::Value = serde_json::from_str(&text).ok()?;
    let rank = config.get("r").and_then(serde_json::Value::as_u64);
    let base = config.get("base_model_name_or_path").and_then(|name| name.as_str()).unwrap_or_default();
    let base = base.rsplit('/').next().unwrap_or(base);
    let mut note = rank.map_or_else(|| base.to_owned(), |rank| format!("{base} · rank {rank}"));
    let state = runs::summarise(run).map(|run| run.state);
    // One that was stopped before its first step has learnt nothing.
    if state.as_ref().is_some_and(|state| state.step == 0 && !state.phase.is_live()) {
        return None;
    }
    if let Some(state) = state.filter(|state| state.step > 0) {
        note.push_str(&format!(" · step {}", state.step));
    }
    Some(ModelFile {
        name: run.file_name()?.to_string_lossy().into_owned(),
        kind: ModelKind::Adapter,
        bytes: size(&folder),
        path: folder,
        note,
    })
}

fn size(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else {
        return std::fs::metadata(path).map_or(0, |file| file.len());
    };
    entries.flatten().map(|entry| size(&entry.path())).sum()
}
