//! The adapter that a run begins with: fresh, or a PEFT folder to be continued.

use std::path::Path;

use anyhow::Result;

use crate::domain::recipe::{LoraPart, Recipe, TargetModules};
use crate::engine::adapter::{Adapter, LoraConfig, Projection};
use crate::engine::model::OpenModel;

/// A fresh adapter by the recipe, or the one that it continues.
///
/// # Errors
/// Where the folder to be continued can't be read or is for another model.
pub fn first(recipe: &Recipe, model: &OpenModel) -> Result<Adapter> {
    match &recipe.model.adapter {
        Some(folder) => Adapter::load(Path::new(folder), &model.config),
        None => {
            Adapter::fresh(lora_config(&recipe.lora), &*model.files.base, &model.config, recipe.train.seed)
        }
    }
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
    }
}
