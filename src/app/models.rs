//! Models and adapters on this machine.

use std::path::Path;

use anyhow::Result;

use crate::config::Folders;
use crate::domain::protocol::models::{ModelFile, ModelKind};

/// Base models of the models folder, adapters of the session's runs; by kind, then name.
///
/// # Errors
/// Where a folder is there but can't be read.
pub fn list(folders: &Folders, session_runs: Option<&Path>) -> Result<Vec<ModelFile>> {
    let mut found = Vec::new();
    for path in children(&folders.models())? {
        if let Some(model) = base(&path) {
            found.push(model);
        }
    }
    for runs in session_runs.into_iter().chain([folders.runs().as_path()]) {
        for run in children(runs)? {
            found.extend(adapter(&run));
        }
    }
    found.sort_by(|left, right| (left.kind, &left.name).cmp(&(right.kind, &right.name)));
    Ok(found)
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

fn base(path: &Path) -> Option<ModelFile> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    if name.starts_with('.') {
        return None;
    }
    let bytes = size(path);
    let note = if path.is_dir() { folder_note(path)? } else { file_note(&name)? };
    Some(ModelFile { name, kind: ModelKind::Base, path: path.to_path_buf(), bytes, note })
}

fn folder_note(path: &Path) -> Option<String> {
    let names: Vec<String> = std::fs::read_dir(path)
        .ok()?
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let notes: Vec<String> = names.iter().filter_map(|name| file_note(name)).collect();
    notes.first().cloned()
}

fn file_note(name: &str) -> Option<String> {
    let (stem, extension) = name.rsplit_once('.')?;
    match extension {
        "gguf" => {
            // Names end in the kind of their numbers, by custom: `….Q4_1.gguf`.
            let kind = stem.rsplit(['.', '-']).next().filter(|kind| kind.starts_with(['Q', 'F', 'B', 'I']));
            Some(kind.map_or_else(|| "GGUF".to_owned(), |kind| format!("GGUF {kind}")))
        }
        "safetensors" => Some("safetensors".to_owned()),
        _ => None,
    }
}

fn adapter(run: &Path) -> Option<ModelFile> {
    let folder = run.join("adapter");
    let text = std::fs::read_to_string(folder.join("adapter_config.json")).ok()?;
    let config: serde_json::Value = serde_json::from_str(&text).ok()?;
    let rank = config.get("r").and_then(serde_json::Value::as_u64);
    let base = config.get("base_model_name_or_path").and_then(|name| name.as_str()).unwrap_or_default();
    let base = base.rsplit('/').next().unwrap_or(base);
    let note = rank.map_or_else(|| base.to_owned(), |rank| format!("{base} · rank {rank}"));
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
