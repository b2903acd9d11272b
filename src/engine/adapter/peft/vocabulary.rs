//! How many rows the embedding had when an adapter was saved: PEFT's recipe for new tokens resizes it, to as many as the
//! tokenizer has or to a multiple of some number, more than the base has or fewer.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::super::Module;
use super::read::{Read, unreadable};
use super::{CONFIG, COPY, ORIGINAL, ROWS_BASE, WEIGHTS, tensor};
use crate::model::ModelConfig;
use crate::model::safetensors::SafetensorsFile;
use crate::model::weights::TensorRows;
use dojo_core::data::regular::is_there;

/// The rows that an adapter wants its base to have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Vocabulary {
    pub(crate) rows: usize,
    /// What stands in rows that the base lacks, by the tensor's name: as many as are new. Others are the mean of the
    /// base's.
    pub(crate) new: BTreeMap<String, Vec<f32>>,
    /// Whether these rows are neither the base's nor trained: a folder that Dojo writes doesn't say them.
    pub(crate) lent: bool,
    /// Whether the folder holds embeddings of so many rows.
    pub(crate) saved: bool,
}

impl Vocabulary {
    pub(crate) const fn of_rows(rows: usize) -> Self {
        Self { rows, new: BTreeMap::new(), lent: false, saved: false }
    }

    /// What an adapter's folder says; nothing where it wants the rows that the model has. `tokens` is how many its
    /// tokenizer has.
    ///
    /// # Errors
    /// Where a file is damaged, or its parts contradict each other.
    pub(crate) fn of(folder: &Path, model: &ModelConfig, tokens: usize) -> Result<Option<Self>> {
        let (config, weights) = (folder.join(CONFIG), folder.join(WEIGHTS));
        // Whoever loads the adapter says what is missing.
        if !is_there(&config) || !is_there(&weights) {
            return Ok(None);
        }
        let read = || -> Result<Option<Self>> {
            let file = SafetensorsFile::open(&weights)?;
            let trained = Read::open(&config)?.tokens(Module::Embedding)?.unwrap_or_default();
            if let Some(rows) = saved_rows(&file, model)? {
                let same = rows == model.vocabulary;
                return Ok(if same { None } else { Some(Self::saved(&file, model, rows, &trained)?) });
            }
            let needed = trained.into_iter().max().map_or(0, |last| last as usize + 1);
            Ok((needed > model.vocabulary && needed <= tokens).then(|| Self::of_rows(needed)))
        };
        read().map_err(|error| unreadable(folder, &error))
    }

    fn saved(file: &SafetensorsFile, model: &ModelConfig, rows: usize, trained: &[u32]) -> Result<Self> {
        let mut found = Self { saved: true, ..Self::of_rows(rows) };
        let trained: BTreeSet<usize> = trained.iter().map(|&token| token as usize).collect();
        let covered = rows > model.vocabulary && (model.vocabulary..rows).all(|row| trained.contains(&row));
        for module in [Module::Embedding, Module::Output] {
            let name = tensor(module, ROWS_BASE);
            let Some(entry) = file.entry(&name).filter(|_| !covered) else { continue };
            found.lent = true;
            if rows > model.vocabulary {
                let count = rows - model.vocabulary;
                let behind = TensorRows::Range { first: model.vocabulary, count };
                let numbers = file.mapped(entry)?.expand(&behind, &[count, model.hidden]);
                let numbers = numbers.with_context(|| format!("tensor {name}"))?;
                found.new.insert(format!("{}.weight", module.path()), numbers);
            }
        }
        Ok(found)
    }
}

/// Whether an adapter's folder trains single tokens' rows.
///
/// # Errors
/// Where its configuration is damaged.
pub(crate) fn trains_tokens(folder: &Path) -> Result<bool> {
    let config = folder.join(CONFIG);
    if !is_there(&config) {
        return Ok(false);
    }
    let read =
        || -> Result<bool> { Ok(Read::open(&config)?.token_indices().is_some_and(|it| !it.is_null())) };
    read().map_err(|error| unreadable(folder, &error))
}

/// The rows of the embedding and the output layer, where both were saved with the adapter: PEFT saves both where it
/// resized them. One alone is of a base that had as many.
fn saved_rows(file: &SafetensorsFile, model: &ModelConfig) -> Result<Option<usize>> {
    let mut found: Option<(usize, String)> = None;
    let mut modules = BTreeSet::new();
    for module in [Module::Embedding, Module::Output] {
        for end in [".weight", COPY, ORIGINAL, ROWS_BASE] {
            let name = tensor(module, end);
            let Some(entry) = file.entry(&name) else { continue };
            // Another model's, which whoever loads it says.
            let &[rows, width] = entry.shape() else { return Ok(None) };
            if width != model.hidden || rows == 0 {
                return Ok(None);
            }
            if let Some((others, other)) = &found {
                ensure!(rows == *others, "its {name} has {rows} rows, and its {other} has {others}");
            }
            found = Some((rows, name));
            modules.insert(module);
        }
    }
    Ok(found.map(|(rows, _)| rows).filter(|_| modules.len() == 2))
}
