//! A trained model, opened: its base, what was trained, and the base with that in its weights.

use std::path::PathBuf;

use anyhow::{Result, ensure};

use super::combine::{CombineMethod, combined};
use crate::adapter::Adapter;
use crate::model::{self, ModelFiles, OpenModel};

/// An adapter's folder, and how much of what it changes counts.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightedAdapter {
    pub folder: PathBuf,
    pub weight: f32,
}

/// A model as it was trained, and as it is handed over.
pub struct TrainedModel {
    /// The base with the tokens that its adapters bring.
    pub base: OpenModel,
    /// As training sees it, with the tokens that its adapters bring; to be asked with `adapter`.
    pub reference: OpenModel,
    pub adapter: Option<Adapter>,
    /// The adapters in its weights, which are computed as each is read.
    pub merged: OpenModel,
    /// Models that its adapters say they were made for, if that isn't this one's name.
    pub other_bases: Vec<String>,
    /// Whether an adapter brings tokens or rows that the base's files lack.
    pub has_own_tokens: bool,
}

impl TrainedModel {
    /// Opens a base with its adapters; none are the base itself.
    ///
    /// # Errors
    /// If a file is missing or damaged, or an adapter is another model's.
    pub fn open(files: &ModelFiles, adapters: &[WeightedAdapter], method: CombineMethod) -> Result<Self> {
        let mut base = model::open(files)?;
        for adapter in adapters {
            base = base.with_tokens_of(&adapter.folder)?;
        }
        let has_own_tokens = !base.foreign_tokens().is_empty() || base.has_added_tokens();
        let loaded = adapters.iter().map(|adapter| Adapter::load(&adapter.folder, &base.config));
        let loaded = loaded.collect::<Result<Vec<_>>>()?;
        let other_bases =
            loaded.iter().map(|adapter| adapter.base.clone()).filter(|base| !is_named(files, base)).collect();
        let weights: Vec<f32> = adapters.iter().map(|adapter| adapter.weight).collect();
        ensure!(weights.iter().all(|weight| weight.is_finite()), "a weight of an adapter is no number");
        let plain = weights.iter().all(|weight| weight.total_cmp(&1.0).is_eq());
        if let [adapter] = loaded.as_slice()
            && plain
        {
            let merged = adapter.clone().merged_into(base.clone())?;
            let adapter = Some(adapter.clone());
            return Ok(Self { reference: base.clone(), base, adapter, merged, other_bases, has_own_tokens });
        }
        let merged = if loaded.is_empty() {
            base.clone()
        } else {
            combined(&base, loaded.into_iter().zip(weights), method)?
        };
        Ok(Self { base, reference: merged.clone(), adapter: None, merged, other_bases, has_own_tokens })
    }
}

/// Whether an adapter's base is called as this model is, by the hub's name or the path, or by its last part.
fn is_named(files: &ModelFiles, base: &str) -> bool {
    let last = |name: &str| name.trim_end_matches('/').rsplit('/').next().unwrap_or(name).to_lowercase();
    base.is_empty() || base == files.base || base == files.name || last(base) == last(&files.base)
}
