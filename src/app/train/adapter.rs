//! The adapter that a run begins with: fresh, or a PEFT folder to be continued.

use std::path::Path;

use anyhow::{Context, Result, ensure};

use crate::domain::recipe::{LoraPart, Recipe, TargetModules};
use crate::engine::adapter::{Adapter, LoraConfig, Module, Projection};
use crate::engine::model::OpenModel;

/// A fresh adapter by the recipe, with rows for `tokens`, or the one that it continues.
///
/// # Errors
/// Where the folder to be continued can't be read or is for another model.
pub fn first(recipe: &Recipe, model: &OpenModel, tokens: &[u32]) -> Result<Adapter> {
    if let Some(folder) = &recipe.model.adapter {
        return Adapter::load(Path::new(folder), &model.config);
    }
    let (lora, config, weights) = (&recipe.lora, &model.config, &*model.weights);
    let mut adapter = Adapter::fresh(lora_config(lora), &*model.files.base, config, recipe.train.seed)?;
    let modules = Module::named(&lora.modules_to_save, config).context("read lora.modules_to_save")?;
    adapter.add_modules(&modules, config);
    if !tokens.is_empty() {
        adapter.add_tokens(tokens, config).context("read lora.trained_tokens")?;
    }
    adapter.copy_base(config, weights)?;
    adapter.measure_magnitudes(weights, recipe.compute.base_format)?;
    Ok(adapter)
}

/// The model with the tokens that the recipe trains, or those of the adapter that it continues; and which are trained.
///
/// # Errors
/// Where a token can't be added.
pub fn with_tokens(recipe: &Recipe, model: OpenModel) -> Result<(OpenModel, Vec<u32>)> {
    match &recipe.model.adapter {
        Some(folder) => {
            let model = model.with_tokens_of(Path::new(folder))?;
            ensure!(
                !model.has_lent_rows(),
                "{folder} can't be continued: PEFT saved it over an embedding of {} rows, of which it trains some, and \
                 Dojo doesn't write such a folder; resize the base, save it, and train on that",
                model.config.vocabulary
            );
            Ok((model, Vec::new()))
        }
        None if recipe.lora.trained_tokens.is_empty() => Ok((model, Vec::new())),
        None => model.with_tokens(&recipe.lora.trained_tokens).context("read lora.trained_tokens"),
    }
}

/// Writes a PEFT folder, with the tokenizer where it has tokens that the model's own lacks.
///
/// # Errors
/// Where the folder can't be written.
pub fn save(adapter: &Adapter, model: &OpenModel, folder: &Path) -> Result<()> {
    adapter.save(folder, &model.config)?;
    if model.has_added_tokens() { model.save_tokenizer(folder) } else { Ok(()) }
}

/// The engine's form of a recipe's `[lora]`.
#[must_use]
pub fn lora_config(lora: &LoraPart) -> LoraConfig {
    let target_modules = match &lora.target_modules {
        TargetModules::Named(_) => Projection::ALL.to_vec(),
        TargetModules::List(names) => {
            let named = |projection: &Projection| names.iter().any(|name| name == projection.name());
            Projection::ALL.into_iter().filter(named).collect()
        }
    };
    LoraConfig {
        r: lora.r,
        lora_alpha: lora.lora_alpha as f32,
        lora_dropout: lora.lora_dropout as f32,
        target_modules,
        use_rslora: lora.use_rslora,
        use_dora: lora.use_dora,
    }
}
