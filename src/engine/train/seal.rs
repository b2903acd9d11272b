//! What `trainer_state.json` says of a checkpoint's files and of itself, so that a damaged one is known as such: their
//! sizes, and hashes of their bytes.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};

use dojo_core::ground::hash;

/// How closely a checkpoint is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SealCheck {
    /// Whether its files are there and as long as they were written: no file is read.
    Sizes,
    /// And whether their bytes are those that were written.
    Bytes,
}

/// Earlier versions wrote none of it, or the sizes alone.
#[derive(Deserialize)]
pub(super) struct Seal {
    #[serde(default)]
    files: BTreeMap<String, u64>,
    #[serde(default)]
    hashes: BTreeMap<String, String>,
    /// Of the text that it stands in, as it is with [`UNSEALED`] in its place.
    #[serde(default)]
    seal: Option<String>,
}

const UNSEALED: &str = "0000000000000000";

/// The text of a state with the seal of a folder's files, which are all written.
pub(super) fn sealed(state: &impl Serialize, folder: &Path) -> Result<String> {
    let mut value = serde_json::to_value(state)?;
    let sizes = sizes(folder)?;
    let hashes = sizes.keys().map(|name| Ok((name.clone(), hash_of(&folder.join(name))?)));
    let hashes: BTreeMap<String, String> = hashes.collect::<Result<_>>()?;
    if let Some(keys) = value.as_object_mut() {
        keys.insert("files".to_owned(), serde_json::to_value(sizes)?);
        keys.insert("hashes".to_owned(), serde_json::to_value(hashes)?);
        keys.insert("seal".to_owned(), UNSEALED.into());
    }
    let text = serde_json::to_string_pretty(&value)?;
    let seal = written(hash::of_bytes(text.as_bytes()));
    Ok(text.replace(&entry(UNSEALED), &entry(&seal)))
}

/// The bytes of a folder's files, by their names.
pub(super) fn sizes(folder: &Path) -> Result<BTreeMap<String, u64>> {
    let read = || -> std::io::Result<BTreeMap<String, u64>> {
        let entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
        let size =
            |entry: &fs::DirEntry| Ok((entry.file_name().to_string_lossy().into(), entry.metadata()?.len()));
        entries.iter().filter(|entry| entry.path().is_file()).map(size).collect()
    };
    read().with_context(|| format!("read {}", folder.display()))
}

impl Seal {
    /// Whether it says anything of the files.
    pub(super) fn is_there(&self) -> bool {
        !self.files.is_empty()
    }

    /// Checks the files that are `found` in a folder, and the text that the seal stands in.
    pub(super) fn check(
        &self,
        folder: &Path,
        (path, text): (&Path, &str),
        found: &BTreeMap<String, u64>,
        look: SealCheck,
    ) -> Result<()> {
        for (name, &size) in &self.files {
            let path = folder.join(name);
            let found = *found.get(name).with_context(|| format!("{} is missing", path.display()))?;
            ensure!(found == size, "{} has {found} bytes, but was written with {size}", path.display());
        }
        if look == SealCheck::Sizes {
            return Ok(());
        }
        let damaged =
            |path: &Path| format!("{} is damaged: its bytes aren't those that were written", path.display());
        if let Some(seal) = &self.seal {
            let unsealed = text.replace(&entry(seal), &entry(UNSEALED));
            ensure!(*seal == written(hash::of_bytes(unsealed.as_bytes())), damaged(path));
        }
        for (name, expected) in &self.hashes {
            let path = folder.join(name);
            ensure!(hash_of(&path)? == *expected, damaged(&path));
        }
        Ok(())
    }
}

fn entry(seal: &str) -> String {
    format!("\"seal\": \"{seal}\"")
}

fn hash_of(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| format!("read {}", path.display()))?;
    Ok(written(hash::of_bytes(&bytes)))
}

fn written(hash: u64) -> String {
    format!("{hash:016x}")
}
