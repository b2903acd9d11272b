//! Where a model lies on disk, and in which of the two forms.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::gguf::GgufFile;
use super::hf;
use dojo_core::data::regular::is_there;
use dojo_core::domain::name::one_line;

/// A model's local files, checked to be there but not yet read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// What people call it: the alias, the hub's name, or the path.
    pub name: String,
    /// What an adapter records as its base model: the hub's name where one is known, else as `name`.
    pub base: String,
    pub form: ModelStorage,
}

/// How a model is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelStorage {
    /// A folder with `config.json`, `tokenizer.json` and safetensors files.
    HuggingFace(PathBuf),
    /// One GGUF file with tokenizer and chat template inside.
    Gguf(PathBuf),
}

impl ModelFiles {
    /// The model at a path: a Hugging Face folder, a GGUF file, or a folder that holds exactly one GGUF file.
    ///
    /// # Errors
    /// Where nothing is there, or it is neither of these.
    pub fn at(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let form = ModelStorage::at(path)?;
        Ok(Self { base: name.clone(), name, form })
    }

    /// The folder or file.
    #[must_use]
    pub fn path(&self) -> &Path {
        match &self.form {
            ModelStorage::HuggingFace(path) | ModelStorage::Gguf(path) => path,
        }
    }
}

impl ModelFiles {
    /// Bytes of the files that hold its weights.
    #[must_use]
    pub fn weight_bytes(&self) -> u64 {
        let length = |path: &Path| path.metadata().map_or(0, |found| found.len());
        match &self.form {
            ModelStorage::Gguf(path) => length(path),
            ModelStorage::HuggingFace(folder) => {
                let paths =
                    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
                paths
                    .filter(|path| path.extension().is_some_and(|end| end == "safetensors"))
                    .map(|path| length(&path))
                    .sum()
            }
        }
    }

    /// Whether the files that a model needs are there, without opening one.
    ///
    /// # Errors
    /// Names the one that is missing.
    pub fn look(&self) -> Result<()> {
        let ModelStorage::HuggingFace(folder) = &self.form else { return Ok(()) };
        let weights = |entry: &std::fs::DirEntry| {
            entry.path().extension().is_some_and(|ending| ending == "safetensors") && is_there(&entry.path())
        };
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("open model {}", folder.display()))?;
        ensure!(
            is_there(&folder.join("tokenizer.json")),
            "the model folder {} holds no tokenizer.json",
            folder.display()
        );
        ensure!(
            entries.flatten().any(|entry| weights(&entry)),
            "the model folder {} holds no weights (*.safetensors)",
            folder.display()
        );
        Ok(())
    }

    /// Whether the files are what their names say: a GGUF with a header, or a configuration with tensors that are all
    /// there and a tokenizer. Says nothing of the architecture, which may be one that Dojo only embeds texts with.
    ///
    /// # Errors
    /// Where a file is missing, damaged or cut short.
    pub fn verify(&self) -> Result<()> {
        let verify = || match &self.form {
            ModelStorage::Gguf(path) => {
                let file = GgufFile::open(path)?;
                ensure!(!file.header().tensors.is_empty(), "{} holds no tensors", path.display());
                Ok(())
            }
            ModelStorage::HuggingFace(folder) => hf::verify(folder),
        };
        verify().map_err(|error| anyhow!(one_line(&format!("{error:#}"))))
    }
}

impl ModelStorage {
    fn at(path: &Path) -> Result<Self> {
        if path.is_file() {
            if !is_gguf(path) {
                bail!("{} is not a model: a GGUF file's name ends in .gguf", path.display());
            }
            return Ok(Self::Gguf(path.to_path_buf()));
        }
        if is_there(&path.join("config.json")) {
            return Ok(Self::HuggingFace(path.to_path_buf()));
        }
        let entries = std::fs::read_dir(path).with_context(|| format!("open model {}", path.display()))?;
        let mut found: Vec<PathBuf> = entries
            .filter_map(|entry| entry.ok().map(|entry| entry.path()))
            .filter(|path| path.is_file() && is_gguf(path))
            .collect();
        match (found.pop(), found.is_empty()) {
            (Some(file), true) => Ok(Self::Gguf(file)),
            (Some(_), false) => {
                bail!("{} holds several GGUF files: name one of them", path.display())
            }
            (None, _) => bail!(
                "{} is not a model folder: it holds neither config.json nor a GGUF file",
                path.display()
            ),
        }
    }
}

fn is_gguf(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gguf"))
}
