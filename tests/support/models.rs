//! Real models for tests, fetched once by Dojo's own pull.

use std::path::PathBuf;

use dojo_studio::engine::model::ModelFiles;

/// SmolLM2-135M-Instruct as a GGUF, or `None` (after saying why) where it can't be had.
pub(crate) fn smollm2() -> Option<ModelFiles> {
    let path = std::env::var_os("DOJO_TEST_MODELS").map(PathBuf::from);
    let found = path.and_then(|folder| ModelFiles::at(&folder.join("smollm2-135m")).ok());
    if found.is_none() {
        println!("left out: SmolLM2-135M is not here");
    }
    found
}

/// The folder of golden figures, or `None` (after saying why) where it is missing.
pub(crate) fn golden() -> Option<PathBuf> {
    let folder = std::env::var_os("DOJO_GOLDEN")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/golden"), PathBuf::from);
    if !folder.is_dir() {
        println!("left out: no golden figures at {}", folder.display());
        return None;
    }
    Some(folder)
}
