//! Recipes as files: those of a folder, one of them read, one of them written over what it was.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::domain::protocol::runs::RecipeFile;
use crate::domain::session::FILE;
use crate::ground::files;

/// A recipe larger than this is no recipe.
const RECIPE_BYTES: u64 = 1 << 20;

/// The recipes of one folder by name; none where it is missing.
pub(super) fn recipes_in(folder: &Path) -> Result<Vec<RecipeFile>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("read the folder {}", folder.display())),
    };
    let is_recipe = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "toml")
            && path.file_name().is_none_or(|name| name != FILE && name != "notes.toml")
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_recipe).collect();
    paths.sort();
    paths.into_iter().map(|path| read_recipe(&path)).collect()
}

pub(super) fn read_recipe(path: &Path) -> Result<RecipeFile> {
    let size = std::fs::metadata(path).with_context(|| format!("read {}", path.display()))?.len();
    if size > RECIPE_BYTES {
        bail!("{} has {size} bytes, which is no recipe", path.display());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let name = path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    Ok(RecipeFile { path: path.to_path_buf(), name, text, missing: None, fetches: None, cut: None })
}

pub(super) fn write_recipe(path: &Path, text: &str, before: Option<&str>) -> Result<()> {
    let now = std::fs::read_to_string(path).ok();
    if let Some(now) = now.filter(|now| now != text) {
        ensure!(
            before == Some(now.as_str()),
            "{} was changed elsewhere meanwhile, and was left as it is; what you wrote is kept here, and saving once \
             more writes it over that",
            path.display()
        );
    }
    let folder = path.parent().with_context(|| format!("{} is in no folder", path.display()))?;
    std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    files::remove_partial_files(folder);
    files::write_atomically(path, text.as_bytes())
}
