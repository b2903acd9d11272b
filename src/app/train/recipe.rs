//! Recipe files: read, with overrides, and with paths that no longer depend on where one stands.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::domain::recipe::keys::{self, KeyKind};
use crate::domain::recipe::{Override, Recipe, source};
use crate::domain::run::RunFolder;
use crate::domain::session::FILE;

/// Reads a recipe file. Paths in it are relative to its folder, those in overrides to the current one.
///
/// # Errors
/// Where the file can't be read or something in it is wrong; the message names the file and the line.
pub fn load(path: &Path, overrides: &[Override]) -> Result<Recipe> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("read the recipe {}", path.display()))?;
    let here = std::env::current_dir().context("find the current folder")?;
    let folder = here.join(path).parent().map_or_else(|| here.clone(), Path::to_path_buf);
    parse(&text, overrides, &format!("recipe {}", path.display()), &folder)
}

/// The recipe of an earlier run, with overrides.
///
/// # Errors
/// As [`load`].
pub fn of_run(run: &RunFolder, overrides: &[Override]) -> Result<Recipe> {
    load(&run.recipe(), overrides)
}

/// As [`load`], from a text whose paths are relative to `folder`.
///
/// # Errors
/// Where something in it is wrong; the message begins with `origin`.
pub fn parse(text: &str, overrides: &[Override], origin: &str, folder: &Path) -> Result<Recipe> {
    let mut recipe = Recipe::parse(text, overrides, origin)?;
    let here = std::env::current_dir().context("find the current folder")?;
    let base = |key: &str| if overrides.iter().any(|one| one.key == key) { here.as_path() } else { folder };
    for key in keys::keys().filter(|key| matches!(key.kind, KeyKind::Path | KeyKind::Examples)) {
        if let Some(path) = place(&mut recipe, key.name).filter(|path| source::of_session(path).is_none()) {
            *path = absolute(base(key.name), path);
        }
    }
    find_session(&mut recipe, [folder, &here])?;
    let model = absolute(base("model.base"), &recipe.model.base);
    if Path::new(&model).exists() {
        recipe.model.base = model;
    }
    if let Some(grpo) = &mut recipe.grpo {
        let task = absolute(base("grpo.task"), &grpo.task);
        if Path::new(&task).is_file() {
            grpo.task = task;
        }
    }
    Ok(recipe)
}

/// Which session a recipe's filters and sets are of: the one it names, else the one in whose folder it lies, else the one that
/// somebody stands in.
fn find_session(recipe: &mut Recipe, places: [&Path; 2]) -> Result<()> {
    let data = &mut recipe.data;
    let asks = [Some(&data.train), data.eval.as_ref()]
        .into_iter()
        .flatten()
        .any(|one| source::of_session(one).is_some());
    if asks && data.session.is_none() {
        let mut folders = places.into_iter().flat_map(Path::ancestors);
        let holding = folders.find(|folder| folder.join(FILE).is_file());
        let holding = holding.with_context(|| {
            format!(
                "data.train is {:?}, but the recipe lies in no session: set data.session to a session's folder",
                data.train
            )
        })?;
        data.session = Some(holding.to_string_lossy().into_owned());
    }
    Ok(())
}

/// The value of a key that holds a path.
fn place<'a>(recipe: &'a mut Recipe, key: &str) -> Option<&'a mut String> {
    match key {
        "model.adapter" => recipe.model.adapter.as_mut(),
        "data.train" => Some(&mut recipe.data.train),
        "data.eval" => recipe.data.eval.as_mut(),
        "data.session" => recipe.data.session.as_mut(),
        _ => None,
    }
}

/// Joined, and without `.` and `..` where they only lead back.
fn absolute(base: &Path, path: &str) -> String {
    let mut joined = PathBuf::new();
    for part in base.join(path).components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if joined.file_name().is_some() && !joined.is_symlink() => {
                joined.pop();
            }
            _ => joined.push(part),
        }
    }
    joined.to_string_lossy().into_owned()
}
