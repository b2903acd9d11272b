//! The tensors of a PEFT folder that stand for whole modules, and those of single tokens' rows.
//!
//! PEFT saves a module of `modules_to_save` under its own name; where it was saved with the embedding besides (because
//! the vocabulary grew, say), a second copy and what it was before stand there too. A module under its own name that
//! `modules_to_save` doesn't name is the base's, as it was when the adapter was saved, and takes its place.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::super::{Adapter, Module};
use super::read::Read;
use super::{COPY, ORIGINAL, ROWS, ROWS_BASE, rows_tensor, tensor, whole_tensor};
use crate::model::ModelConfig;
use crate::model::safetensors::{Entry, SafetensorsFile};

/// The names of all tensors that are read here.
pub(super) fn names(model: &ModelConfig) -> BTreeSet<String> {
    let ends = [".weight", COPY, ORIGINAL, ROWS_BASE, ROWS];
    let all = Module::all(model).into_iter();
    all.flat_map(|module| ends.iter().map(move |end| tensor(module, end))).collect()
}

impl Read {
    /// The modules that are trained whole, or replaced.
    pub(super) fn modules(
        &self,
        file: &SafetensorsFile,
        model: &ModelConfig,
        adapter: &mut Adapter,
    ) -> Result<()> {
        let found = self.whole(file, model)?;
        let outer = found.iter().any(|(module, _)| matches!(module, Module::Embedding | Module::Output));
        ensure!(
            !(outer && self.ensures_tying() && model.tied_embeddings),
            "it trains the embedding and the output layer as one (ensure_weight_tying), which Dojo doesn't support"
        );
        let modules: Vec<Module> = found.iter().map(|(module, _)| *module).collect();
        adapter.add_modules(&modules, model);
        for (it, (_, name)) in adapter.modules.clone().into_iter().zip(found) {
            if let Some(&[rows, width]) = file.entry(&name).map(Entry::shape)
                && width == model.hidden
                && rows != model.vocabulary
            {
                bail!(
                    "its {name} has {rows} rows, and the embedding has {} here: it is another model's, or another \
                     adapter has resized the embedding, and these two can't be held together",
                    model.vocabulary
                );
            }
            let numbers = self.read_tensor(file, &name, &it.module.shape(model))?;
            put(adapter, it.start, &numbers)?;
        }
        Ok(())
    }

    /// Modules, rising, and the tensors that hold their numbers.
    fn whole(&self, file: &SafetensorsFile, model: &ModelConfig) -> Result<Vec<(Module, String)>> {
        let has = |name: &String| file.entry(name).is_some();
        let mut found: Vec<(Module, String)> = Vec::new();
        for module in Module::all(model) {
            let (own, copy) = (whole_tensor(module), tensor(module, COPY));
            if self.saves(module) {
                ensure!(
                    has(&own),
                    "its modules_to_save names {}, but tensor {own} is missing",
                    module.path()
                );
            }
            if has(&copy) {
                let shape = module.shape(model);
                let same = has(&own)
                    && self.read_tensor(file, &own, &shape)? == self.read_tensor(file, &copy, &shape)?;
                ensure!(same, "tensor {copy} is no copy of {own}, which PEFT reads: one of them is damaged");
            }
            if has(&own) {
                found.push((module, own));
            }
        }
        if model.tied_embeddings {
            for (one, other) in [(Module::Embedding, Module::Output), (Module::Output, Module::Embedding)] {
                found.extend(self.follows(&found, (one, other), file));
            }
            found.sort();
        }
        Ok(found)
    }

    /// Embedding and output layer of a tied model are one until one of them is trained as a copy: what takes the place
    /// of one, takes the other's, too.
    fn follows(
        &self,
        found: &[(Module, String)],
        (one, other): (Module, Module),
        file: &SafetensorsFile,
    ) -> Option<(Module, String)> {
        if found.iter().any(|(module, _)| *module == other) {
            return None;
        }
        let (_, name) = found.iter().find(|(module, _)| *module == one)?;
        let shared = if self.saves(one) { tensor(one, ORIGINAL) } else { name.clone() };
        file.entry(&shared).is_some().then_some((other, shared))
    }

    /// Single tokens' rows.
    pub(super) fn rows(
        &self,
        file: &SafetensorsFile,
        model: &ModelConfig,
        adapter: &mut Adapter,
    ) -> Result<()> {
        for module in [Module::Embedding, Module::Output] {
            let name = rows_tensor(module);
            let tokens = self.tokens(module)?;
            if file.entry(&name).is_none() {
                ensure!(
                    tokens.is_none() || (module == Module::Output && model.tied_embeddings),
                    "its trainable_token_indices name tokens of {}, but tensor {name} is missing",
                    module.path()
                );
                continue;
            }
            if module == Module::Output && model.tied_embeddings {
                self.same_rows(file, model)?;
                continue;
            }
            let tokens = tokens.with_context(|| {
                format!("its trainable_token_indices don't say which tokens {name} holds")
            })?;
            adapter.add_rows(module, &tokens, model).map_err(|error| self.another(&error.to_string()))?;
            if let Some(rows) = adapter.rows.last().cloned() {
                let numbers = self.read_tensor(file, &name, &[rows.tokens.len(), rows.width])?;
                put(adapter, rows.start, &numbers)?;
            }
        }
        Ok(())
    }

    /// Where the output layer is tied, its rows are the embedding's, saved twice.
    fn same_rows(&self, file: &SafetensorsFile, model: &ModelConfig) -> Result<()> {
        let (embedding, output) = (rows_tensor(Module::Embedding), rows_tensor(Module::Output));
        let shape = [self.tokens(Module::Embedding)?.map_or(0, |tokens| tokens.len()), model.hidden];
        let same = file.entry(&embedding).is_some()
            && self.read_tensor(file, &embedding, &shape)? == self.read_tensor(file, &output, &shape)?;
        ensure!(
            same,
            "it trains rows of lm_head, which is tied to the embedding in this model, and they differ from the \
             embedding's"
        );
        Ok(())
    }

    /// The tokens that are trained in a module, as far as they are said.
    pub(super) fn tokens(&self, module: Module) -> Result<Option<Vec<u32>>> {
        let Some(given) = self.token_indices() else { return Ok(None) };
        let list = match given {
            Value::Object(by_module) => {
                let path = module.path();
                match by_module.iter().find(|(name, _)| path.ends_with(name.as_str())) {
                    Some((_, list)) => list,
                    None => return Ok(None),
                }
            }
            list if module == Module::Embedding => list,
            _ => return Ok(None),
        };
        let tokens: Option<Vec<u32>> = list
            .as_array()
            .and_then(|list| list.iter().map(|token| u32::try_from(token.as_u64()?).ok()).collect());
        match tokens {
            Some(tokens) => Ok(Some(tokens)),
            None => bail!("its trainable_token_indices for {} are no list of tokens", module.path()),
        }
    }
}

/// Puts numbers among the trained ones.
fn put(adapter: &mut Adapter, start: usize, numbers: &[f32]) -> Result<()> {
    let place = adapter.values.get_mut(start..start + numbers.len());
    place.context("its values are fewer than its parts need")?.copy_from_slice(numbers);
    Ok(())
}
