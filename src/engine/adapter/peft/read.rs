//! From a PEFT folder to an adapter.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::super::fused::{Pair, modules};
use super::super::{Adapter, LoraConfig, Module, Projection, lay_out};
use super::{CONFIG, LAYERS, MAGNITUDES, ROOT, ROWS, WEIGHTS, rows_tensor, whole_tensor};
use crate::engine::adapter::fused::Module as Linear;
use crate::engine::model::ModelConfig;
use crate::engine::model::safetensors::SafetensorsFile;
use crate::engine::model::weights::Rows;

/// Keys that change what an adapter computes, and that Dojo has no part of: they must be off.
const MUST_BE_OFF: [&str; 11] = [
    "alora_invocation_tokens",
    "arrow_config",
    "fan_in_fan_out",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "monteclora_config",
    "target_parameters",
    "use_bdlora",
    "use_qalora",
    "velora_config",
];

/// `adapter_config.json`, as far as it is read. Other keys are looked at one by one.
#[derive(Debug, Deserialize)]
struct Read {
    peft_type: Option<String>,
    base_model_name_or_path: Option<String>,
    r: usize,
    lora_alpha: f32,
    #[serde(default)]
    lora_dropout: f32,
    #[serde(default)]
    use_rslora: bool,
    #[serde(default)]
    use_dora: bool,
    #[serde(default)]
    ensure_weight_tying: bool,
    /// A list of tokens, or lists by module.
    trainable_token_indices: Option<Value>,
    bias: Option<String>,
    #[serde(default)]
    rank_pattern: BTreeMap<String, usize>,
    #[serde(default)]
    alpha_pattern: BTreeMap<String, f32>,
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
                weights.is_file(),
                "it holds no {WEIGHTS} (a .bin file isn't read: save it as safetensors)"
            );
            let file = SafetensorsFile::open(&weights)?;
            let pairs = config.pairs(&file, model)?;
            let mut adapter = config.adapter(pairs, model)?;
            config.modules(&file, model, &mut adapter)?;
            config.rows(&file, model, &mut adapter)?;
            Ok(adapter)
        };
        load().with_context(|| format!("load the adapter {}", folder.display()))
    }
}

impl Read {
    fn open(path: &Path) -> Result<Self> {
        let read = || -> Result<Self> {
            let raw: Value = serde_json::from_slice(&std::fs::read(path)?)?;
            for key in MUST_BE_OFF {
                let off = match raw.get(key) {
                    None | Some(Value::Null | Value::Bool(false)) => true,
                    Some(Value::Array(list)) => list.is_empty(),
                    Some(Value::Object(map)) => map.is_empty(),
                    Some(_) => false,
                };
                ensure!(off, "it uses {key}, which Dojo doesn't support");
            }
            let config: Self = serde_json::from_value(raw)?;
            if let Some(kind) = config.peft_type.as_ref().filter(|kind| *kind != "LORA") {
                bail!("it is a {kind} adapter; Dojo reads LORA");
            }
            ensure!(
                config.bias.as_ref().is_none_or(|bias| bias == "none"),
                "it trains biases, which Dojo doesn't"
            );
            ensure!(config.r > 0, "its r is 0");
            Ok(config)
        };
        read().with_context(|| format!("read {}", path.display()))
    }

    /// The matrices of every adapted projection.
    fn pairs(
        &self,
        file: &SafetensorsFile,
        model: &ModelConfig,
    ) -> Result<BTreeMap<(usize, Projection), Pair>> {
        let modules = modules(model);
        let mut pairs = BTreeMap::new();
        let whole: BTreeSet<String> = Module::all(model).into_iter().map(whole_tensor).collect();
        for name in file.names().filter(|name| !whole.contains(*name) && !name.ends_with(ROWS)) {
            let (layer, path, matrix) = parse(name)
                .with_context(|| format!("tensor {name} is none of a LoRA adapter that Dojo knows"))?;
            let module = modules
                .iter()
                .find(|module| module.path == path)
                .filter(|_| layer < model.layers)
                .with_context(|| {
                self.another_model(&format!("this model has no {path} in a layer {layer}"))
            })?;
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
        Ok(pairs)
    }

    /// A and B of one module, in the scale of the whole adapter.
    fn read_pair(
        &self,
        file: &SafetensorsFile,
        a: &str,
        module: &Linear,
        model: &ModelConfig,
    ) -> Result<Pair> {
        let rank = pattern(&self.rank_pattern, a).unwrap_or(self.r);
        let alpha = pattern(&self.alpha_pattern, a).unwrap_or(self.lora_alpha);
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

    /// The modules that are trained whole.
    fn modules(&self, file: &SafetensorsFile, model: &ModelConfig, adapter: &mut Adapter) -> Result<()> {
        let there = |module: &Module| file.entry(&whole_tensor(*module)).is_some();
        let modules: Vec<Module> = Module::all(model).into_iter().filter(there).collect();
        let outer = modules.iter().any(|module| matches!(module, Module::Embedding | Module::Output));
        ensure!(
            !(outer && self.ensure_weight_tying && model.tied_embeddings),
            "it trains the embedding and the output layer as one (ensure_weight_tying), which Dojo doesn't support"
        );
        adapter.add_modules(&modules, model);
        for it in adapter.modules.clone() {
            let numbers = self.read_tensor(file, &whole_tensor(it.module), &it.module.shape(model))?;
            put(adapter, it.start, &numbers)?;
        }
        Ok(())
    }

    /// Single tokens' rows.
    fn rows(&self, file: &SafetensorsFile, model: &ModelConfig, adapter: &mut Adapter) -> Result<()> {
        for name in file.names().filter(|name| name.ends_with(ROWS)) {
            let known = [Module::Embedding, Module::Output].into_iter().find(|it| rows_tensor(*it) == name);
            let module = known.with_context(|| {
                format!("tensor {name} trains tokens of a layer that is neither embed_tokens nor lm_head")
            })?;
            let tokens = self.tokens(module).with_context(|| {
                format!("its trainable_token_indices don't say which tokens {name} holds")
            })?;
            adapter.add_rows(module, &tokens, model).map_err(|error| self.another(&error.to_string()))?;
            if let Some(rows) = adapter.rows.last().cloned() {
                let numbers = self.read_tensor(file, name, &[rows.tokens.len(), rows.width])?;
                put(adapter, rows.start, &numbers)?;
            }
        }
        Ok(())
    }

    /// The tokens that are trained in a module.
    fn tokens(&self, module: Module) -> Option<Vec<u32>> {
        let given = self.trainable_token_indices.as_ref()?;
        let list = match given {
            Value::Object(by_module) => {
                let path = module.path();
                by_module.iter().find(|(name, _)| path.ends_with(name.as_str()))?.1
            }
            list => list,
        };
        list.as_array()?.iter().map(|token| u32::try_from(token.as_u64()?).ok()).collect()
    }

    fn read_tensor(&self, file: &SafetensorsFile, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let entry = file.entry(name).with_context(|| format!("tensor {name} is missing"))?;
        let mapped = file.mapped(entry).with_context(|| format!("tensor {name}"))?;
        if mapped.shape != shape {
            return Err(self.another(&format!("{name} is {:?}, this model needs {shape:?}", mapped.shape)));
        }
        mapped.expand(&Rows::All, shape).with_context(|| format!("tensor {name}"))
    }

    fn scale(&self, alpha: f32, rank: usize) -> f32 {
        let rank = rank as f32;
        alpha / if self.use_rslora { rank.sqrt() } else { rank }
    }

    fn another(&self, why: &str) -> anyhow::Error {
        anyhow::anyhow!(self.another_model(why))
    }

    fn another_model(&self, why: &str) -> String {
        let base = self.base_model_name_or_path.as_deref().unwrap_or("an unnamed model");
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
        let base = self.base_model_name_or_path.clone().unwrap_or_default();
        Ok(Adapter { config, base, slots, modules: Vec::new(), rows: Vec::new(), values })
    }
}

/// Puts numbers among the trained ones.
fn put(adapter: &mut Adapter, start: usize, numbers: &[f32]) -> Result<()> {
    let place = adapter.values.get_mut(start..start + numbers.len());
    place.context("its values are fewer than its parts need")?.copy_from_slice(numbers);
    Ok(())
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

/// What a pattern says about a tensor: PEFT matches a module's whole name or its end, the first hit counts.
fn pattern<T: Copy>(patterns: &BTreeMap<String, T>, tensor: &str) -> Option<T> {
    let module = tensor.strip_prefix(ROOT)?.split(".lora_").next()?;
    let hit = |key: &str| module == key || module.strip_suffix(key).is_some_and(|rest| rest.ends_with('.'));
    patterns.iter().find(|(key, _)| hit(key)).map(|(_, &value)| value)
}
