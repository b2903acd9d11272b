//! From a PEFT folder to an adapter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::fused::{Pair, modules};
use super::super::{Adapter, LoraConfig, Module, Projection, lay_out};
use super::targets::{AdaptedModules, ByModule, Targets};
use super::{CONFIG, LAYERS, MAGNITUDES, ROOT, WEIGHTS, keys, whole};
use crate::adapter::fused::Module as Linear;
use crate::model::ModelConfig;
use crate::model::hf::{MOST_JSON, read_bounded};
use crate::model::safetensors::SafetensorsFile;
use crate::model::weights::TensorRows;
use dojo_core::data::regular::is_there;
use dojo_core::domain::name::one_line;

/// `adapter_config.json`, as far as it is read. Which keys there may be, `keys` says.
#[derive(Debug, Deserialize)]
struct PeftKeys {
    base_model_name_or_path: Option<String>,
    #[serde(default = "peft_rank")]
    r: usize,
    #[serde(default = "peft_alpha")]
    lora_alpha: f32,
    lora_dropout: Option<f32>,
    use_rslora: Option<bool>,
    use_dora: Option<bool>,
    ensure_weight_tying: Option<bool>,
    modules_to_save: Option<Vec<String>>,
    /// A list of tokens, or lists by module.
    trainable_token_indices: Option<Value>,
    rank_pattern: Option<Map<String, Value>>,
    alpha_pattern: Option<Map<String, Value>>,
    #[serde(flatten)]
    choice: AdaptedModules,
}

/// What PEFT takes where a file doesn't say it.
const fn peft_rank() -> usize {
    8
}

const fn peft_alpha() -> f32 {
    8.0
}

/// An `adapter_config.json`, checked and understood.
pub(super) struct Read {
    base: Option<String>,
    r: usize,
    lora_alpha: f32,
    lora_dropout: f32,
    use_rslora: bool,
    use_dora: bool,
    ensure_weight_tying: bool,
    modules_to_save: Vec<String>,
    trainable_token_indices: Option<Value>,
    ranks: ByModule<usize>,
    alphas: ByModule<f32>,
    targets: Targets,
}

impl Adapter {
    /// Reads a PEFT folder for a model. Patterns of rank and alpha are taken in by raising every rank to the highest
    /// (with zeros, which change nothing) and putting the difference in scale into B.
    ///
    /// # Errors
    /// Where a file is missing or damaged, the adapter is of a kind that Dojo has no part of, or its shapes are
    /// another model's.
    pub fn load(folder: &Path, model: &ModelConfig) -> Result<Self> {
        let load = || {
            let config = Read::open(&folder.join(CONFIG))?;
            let weights = folder.join(WEIGHTS);
            ensure!(
                is_there(&weights),
                "it holds no {WEIGHTS} (a .bin file isn't read: save it as safetensors)"
            );
            let file = SafetensorsFile::open(&weights)?;
            let pairs = config.pairs(&file, model)?;
            let mut adapter = config.adapter(pairs, model)?;
            config.modules(&file, model, &mut adapter)?;
            config.rows(&file, model, &mut adapter)?;
            Ok(adapter)
        };
        load().map_err(|error| unreadable(folder, &error))
    }
}

/// An adapter's files are quoted in what is wrong with them, and may hold anything.
pub(super) fn unreadable(folder: &Path, error: &anyhow::Error) -> anyhow::Error {
    anyhow!("load the adapter {}: {}", folder.display(), one_line(&format!("{error:#}")))
}

impl Read {
    pub(super) fn open(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> {
            let unreadable = |error: serde_json::Error| anyhow!(one_line(&error.to_string()));
            let text = read_bounded(path, MOST_JSON)?;
            let raw: Map<String, Value> = serde_json::from_slice(&text).map_err(unreadable)?;
            keys::check(&raw)?;
            let keys: PeftKeys = serde_json::from_value(Value::Object(raw)).map_err(unreadable)?;
            ensure!(keys.r > 0, "its r is 0");
            let rank = |value: &Value| value.as_u64().map(|rank| rank as usize);
            let alpha = |value: &Value| value.as_f64().map(|alpha| alpha as f32);
            Ok(Self {
                ranks: ByModule::of("rank_pattern", keys.rank_pattern.as_ref(), rank)?,
                alphas: ByModule::of("alpha_pattern", keys.alpha_pattern.as_ref(), alpha)?,
                targets: Targets::of(&keys.choice)?,
                base: keys.base_model_name_or_path,
                r: keys.r,
                lora_alpha: keys.lora_alpha,
                lora_dropout: keys.lora_dropout.unwrap_or(0.0),
                use_rslora: keys.use_rslora == Some(true),
                use_dora: keys.use_dora == Some(true),
                ensure_weight_tying: keys.ensure_weight_tying == Some(true),
                modules_to_save: keys.modules_to_save.unwrap_or_default(),
                trainable_token_indices: keys.trainable_token_indices,
            })
        };
        read().with_context(|| format!("read {}", path.display()))
    }

    /// Whether embedding and output layer are trained as one where they are tied.
    pub(super) const fn ensures_tying(&self) -> bool {
        self.ensure_weight_tying
    }

    /// Whether a module is trained whole, as a copy.
    pub(super) fn saves(&self, module: Module) -> bool {
        let path = module.path();
        self.modules_to_save.iter().any(|name| !name.is_empty() && path.ends_with(name.as_str()))
    }

    pub(super) const fn token_indices(&self) -> Option<&Value> {
        self.trainable_token_indices.as_ref()
    }

    /// The matrices of every adapted projection.
    fn pairs(
        &self,
        file: &SafetensorsFile,
        model: &ModelConfig,
    ) -> Result<BTreeMap<(usize, Projection), Pair>> {
        let modules = modules(model);
        let mut pairs = BTreeMap::new();
        let whole = whole::names(model);
        for name in file.names().filter(|name| !whole.contains(*name)) {
            let (layer, path, matrix) = parse(name).with_context(|| unknown(name))?;
            let module = modules
                .iter()
                .find(|module| module.path == path)
                .filter(|_| layer < model.layers)
                .with_context(|| {
                self.another_model(&format!("this model has no {path} in a layer {layer}"))
            })?;
            let place = format!("model.layers.{layer}.{path}");
            ensure!(
                self.targets.name(&place)?,
                "it holds tensor {name}, but its target_modules (with exclude_modules and layers_to_transform) don't \
                 name {place}, so that PEFT leaves it out: name it there, or take its tensors out of the file"
            );
            ensure!(
                matrix != "M" || self.use_dora,
                "it holds tensor {name}, a magnitude of DoRA, but its use_dora isn't true, so that PEFT leaves it out: set \
                 use_dora, or take the magnitudes out of the file"
            );
            if matrix == "A" {
                let pair = self.read_pair(file, name, module, model)?;
                let outputs: Vec<usize> = module.parts.iter().map(|part| part.shape(model).0).collect();
                let parts = module.parts.iter().zip(pair.split(&outputs));
                pairs.extend(parts.map(|(&part, pair)| ((layer, part), pair)));
            } else {
                let other = format!("{LAYERS}{layer}.{path}.lora_A.weight");
                ensure!(file.entry(&other).is_some(), "tensor {other} is missing");
            }
        }
        ensure!(!pairs.is_empty(), "it holds no tensors of adapted layers");
        self.check_whole(&pairs, &modules, model)?;
        Ok(pairs)
    }

    /// Fails where the file lacks a module that its configuration adapts: the model would be half the one that was trained.
    fn check_whole(
        &self,
        pairs: &BTreeMap<(usize, Projection), Pair>,
        modules: &[Linear],
        model: &ModelConfig,
    ) -> Result<()> {
        let has = |layer: usize, module: &Linear| {
            module.parts.first().is_some_and(|&part| pairs.contains_key(&(layer, part)))
        };
        let all = (0..model.layers).flat_map(|layer| modules.iter().map(move |module| (layer, module)));
        for (layer, module) in all {
            let place = format!("model.layers.{layer}.{}", module.path);
            // One that is trained whole has no matrices of a low rank.
            let is_whole =
                || self.modules_to_save.iter().any(|name| !name.is_empty() && place.ends_with(name.as_str()));
            ensure!(
                has(layer, module) || is_whole() || !self.targets.name(&place)?,
                "its target_modules name {place}, and the file holds no tensors of it: the file isn't whole, the adapter is \
                 of a model with fewer layers, or its layers_to_transform should leave that one out"
            );
        }
        Ok(())
    }

    /// A and B of one module, in the scale of the whole adapter.
    fn read_pair(
        &self,
        file: &SafetensorsFile,
        a: &str,
        module: &Linear,
        model: &ModelConfig,
    ) -> Result<Pair> {
        let path = a.strip_prefix(ROOT).and_then(|rest| rest.split(".lora_").next()).unwrap_or(a);
        let rank = self.ranks.get(path)?.unwrap_or(self.r);
        let alpha = self.alphas.get(path)?.unwrap_or(self.lora_alpha);
        ensure!(rank > 0, "its rank pattern gives {a} a rank of 0");
        let outputs: usize = module.parts.iter().map(|part| part.shape(model).0).sum();
        let inputs = module.parts.first().map_or(0, |part| part.shape(model).1);
        let a_matrix = self.read_tensor(file, a, &[rank, inputs])?;
        let b_matrix = self.read_tensor(file, &a.replace(".lora_A.", ".lora_B."), &[outputs, rank])?;
        let magnitudes = if self.use_dora {
            Some(self.read_tensor(file, &a.replace(".lora_A.weight", MAGNITUDES), &[outputs])?)
        } else {
            None
        };
        let factor = self.scale(alpha, rank) / self.scale(self.lora_alpha, self.r);
        Ok(Pair { rank, inputs, outputs, a: a_matrix, b: b_matrix, magnitudes }.widen(rank, factor))
    }

    pub(super) fn read_tensor(
        &self,
        file: &SafetensorsFile,
        name: &str,
        shape: &[usize],
    ) -> Result<Vec<f32>> {
        let entry = file.entry(name).with_context(|| format!("tensor {name} is missing"))?;
        let mapped = file.mapped(entry).with_context(|| format!("tensor {name}"))?;
        if mapped.shape != shape {
            return Err(self.another(&format!("{name} is {:?}, this model needs {shape:?}", mapped.shape)));
        }
        let numbers = mapped.expand(&TensorRows::All, shape).with_context(|| format!("tensor {name}"))?;
        ensure!(
            numbers.iter().all(|number| number.is_finite()),
            "tensor {name} holds values that are not numbers (NaN or infinite)"
        );
        Ok(numbers)
    }

    fn scale(&self, alpha: f32, rank: usize) -> f32 {
        let rank = rank as f32;
        alpha / if self.use_rslora { rank.sqrt() } else { rank }
    }

    pub(super) fn another(&self, why: &str) -> anyhow::Error {
        anyhow!(self.another_model(why))
    }

    fn another_model(&self, why: &str) -> String {
        let base = self.base.as_deref().unwrap_or("an unnamed model");
        format!("it is an adapter for another model ({base}): {why}")
    }

    /// Lays the matrices out, all at the highest rank.
    fn adapter(&self, pairs: BTreeMap<(usize, Projection), Pair>, model: &ModelConfig) -> Result<Adapter> {
        let highest = pairs.values().map(|pair| pair.rank).max().unwrap_or(self.r);
        let targets: BTreeSet<Projection> = pairs.keys().map(|&(_, projection)| projection).collect();
        let scale = self.scale(self.lora_alpha, self.r);
        let rank = highest as f32;
        let config = LoraConfig {
            r: highest,
            // So that the scale stays what it was at the rank of the file.
            lora_alpha: if highest == self.r {
                self.lora_alpha
            } else {
                scale * if self.use_rslora { rank.sqrt() } else { rank }
            },
            lora_dropout: self.lora_dropout,
            target_modules: targets.into_iter().collect(),
            use_rslora: self.use_rslora,
            use_dora: self.use_dora,
        };
        config.validate()?;
        let (slots, length) = lay_out(pairs.keys().copied(), &config, model);
        let mut values = Vec::with_capacity(length);
        for pair in pairs.into_values() {
            let pair = pair.widen(highest, 1.0);
            values.extend(pair.a);
            values.extend(pair.b);
            values.extend(pair.magnitudes.unwrap_or_default());
        }
        let base = self.base.clone().unwrap_or_default();
        Ok(Adapter { config, base, slots, modules: Vec::new(), rows: Vec::new(), values })
    }
}

/// What is said of a tensor that stands for nothing here.
fn unknown(name: &str) -> String {
    let outer = [Module::Embedding, Module::Output].into_iter().map(Module::path);
    match outer.into_iter().find(|path| name.starts_with(&format!("{ROOT}{path}."))) {
        Some(path) => format!(
            "tensor {name} adapts {path} at a low rank, and Dojo adapts the linear layers of decoder layers alone"
        ),
        None => format!("tensor {name} is none of a LoRA adapter that Dojo knows"),
    }
}

/// `model.layers.3.self_attn.q_proj.lora_A.weight` behind the root -> 3, `self_attn.q_proj`, `A`; magnitudes are `M`.
fn parse(name: &str) -> Option<(usize, &str, &str)> {
    let (layer, rest) = name.strip_prefix(LAYERS)?.split_once('.')?;
    if let Some(path) = rest.strip_suffix(MAGNITUDES) {
        return Some((layer.parse().ok()?, path, "M"));
    }
    let (path, matrix) = rest.strip_suffix(".weight")?.rsplit_once(".lora_")?;
    matches!(matrix, "A" | "B").then_some((layer.parse().ok()?, path, matrix))
}
