//! A GGUF's tensors by Hugging Face names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Context, Result};

use super::{GgufFile, TensorEntry, names};
use crate::model::config::ModelConfig;
use crate::model::weights::{Mapped, Stored, TensorSource, Weights, shape_of};

pub(crate) struct GgufWeights {
    file: Arc<GgufFile>,
    config: ModelConfig,
}

impl GgufWeights {
    pub(crate) fn new(file: Arc<GgufFile>, config: ModelConfig) -> Self {
        Self { file, config }
    }

    fn find(&self, name: &str) -> Option<(TensorSource, &TensorEntry)> {
        let source = names::source(&self.config, name)?;
        let entry = self.file.header().tensors.get(&source.tensor)?;
        Some((source, entry))
    }

    fn read<T>(&self, name: &str, take: impl FnOnce(&Mapped, &TensorSource) -> Result<T>) -> Result<T> {
        let read = || {
            let (source, entry) = self.find(name).context("it is missing")?;
            take(&self.file.mapped(entry), &source)
        };
        read().with_context(|| format!("read tensor {name} of {}", self.file.path().display()))
    }
}

impl Weights for GgufWeights {
    fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    fn shape(&self, name: &str) -> Option<Vec<usize>> {
        let (source, entry) = self.find(name)?;
        Some(shape_of(&entry.shape, &source.rows))
    }

    fn f32(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        self.read(name, |tensor, source| tensor.expand(&source.rows, shape))
    }

    fn stored(&self, name: &str, shape: &[usize]) -> Result<Stored> {
        self.read(name, |tensor, source| tensor.copy(&source.rows, shape))
    }

    fn unread(&self, read: &BTreeSet<String>) -> Vec<String> {
        let used: BTreeSet<String> =
            read.iter().filter_map(|name| self.find(name)).map(|(source, _)| source.tensor).collect();
        self.file.header().tensors.keys().filter(|name| !used.contains(*name)).cloned().collect()
    }

    fn samples(&self) -> Result<BTreeMap<String, u64>> {
        let tensors = self.file.header().tensors.iter();
        let samples = tensors.map(|(name, entry)| Ok((name.clone(), self.file.mapped(entry).sample()?)));
        samples.collect::<Result<_>>().with_context(|| format!("read {}", self.file.path().display()))
    }
}
