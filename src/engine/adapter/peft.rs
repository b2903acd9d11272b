//! PEFT's folders: `adapter_config.json` and `adapter_model.safetensors`, with PEFT's names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::fused::{Module, Pair, modules};
use super::{Adapter, LoraConfig, Projection, lay_out};
use crate::engine::files::write_atomically;
use crate::engine::model::ModelConfig;
use crate::engine::model::safetensors::SafetensorsFile;
use crate::engine::model::weights::Rows;

const CONFIG: &str = "adapter_config.json";
const WEIGHTS: &str = "adapter_model.safetensors";

/// Every tensor's name begins with this.
const PREFIX: &str = "base_model.model.model.layers.";

/// Keys that change what an adapter computes, and that Dojo has no part of: they must be off.
const MUST_BE_OFF: [&str; 14] = [
    "alora_invocation_tokens",
    "arrow_config",
    "fan_in_fan_out",
    "kasa_config",
    "layer_replication",
    "lora_bias",
    "modules_to_save",
    "monteclora_config",
    "target_parameters",
    "trainable_token_indices",
    "use_bdlora",
    "use_dora",
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
    bias: Option<String>,
    #[serde(default)]
    rank_pattern: BTreeMap<String, usize>,
    #[serde(default)]
    alpha_pattern: BTreeMap<String, f32>,
}

/// `adapter_config.json`, as it is written: what every version of PEFT since `use_rslora` understands.
#[derive(Debug, Serialize)]
struct Written<'a> {
    peft_type: &'a str,
    task_type: &'a str,
    base_model_name_or_path: &'a str,
    revision: Option<&'a str>,
    inference_mode: bool,
    r: usize,
    lora_alpha: Value,
    lora_dropout: f32,
    use_rslora: bool,
    use_dora: bool,
    target_modules: BTreeSet<String>,
    layers_to_transform: Option<BTreeSet<usize>>,
    layers_pattern: Option<&'a str>,
    bias: &'a str,
    fan_in_fan_out: bool,
    init_lora_weights: bool,
    modules_to_save: Option<Vec<String>>,
    rank_pattern: BTreeMap<String, usize>,
    alpha_pattern: BTreeMap<String, Value>,
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
            let pairs = config.pairs(&SafetensorsFile::open(&weights)?, model)?;
            config.adapter(pairs, model)
        };
        load().with_context(|| format!("load the adapter {}", folder.display()))
    }

    /// Writes a PEFT folder, each file to a temporary name beside first. An older adapter there is replaced.
    ///
    /// # Errors
    /// Where the disk is full or the folder can't be written.
    pub fn save(&self, folder: &Path, model: &ModelConfig) -> Result<()> {
        let save = || -> Result<()> {
            std::fs::create_dir_all(folder)?;
            write_atomically(&folder.join(WEIGHTS), &self.tensors(model)?)?;
            let config = serde_json::to_vec_pretty(&self.written(model))?;
            write_atomically(&folder.join(CONFIG), &config)
        };
        save().with_context(|| format!("save the adapter {}", folder.display()))
    }

    /// The file of tensors.
    fn tensors(&self, model: &ModelConfig) -> Result<Vec<u8>> {
        let mut named: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
        let bytes = |numbers: &[f32]| numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        for layer in 0..model.layers {
            for module in modules(model) {
                let Some(pair) = self.pair(layer, &module, model)? else { continue };
                let name = |matrix: &str| format!("{PREFIX}{layer}.{}.lora_{matrix}.weight", module.path);
                named.push((name("A"), vec![pair.rank, pair.inputs], bytes(&pair.a)));
                named.push((name("B"), vec![pair.outputs, pair.rank], bytes(&pair.b)));
            }
        }
        let views = named.iter().map(|(name, shape, bytes)| {
            Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        let format = [("format".to_owned(), "pt".to_owned())].into();
        Ok(safetensors::serialize(views, Some(format))?)
    }

    /// A module's matrices in one layer; parts of a fused one that aren't adapted are zeros.
    fn pair(&self, layer: usize, module: &Module, model: &ModelConfig) -> Result<Option<Pair>> {
        if !module.parts.iter().any(|&part| self.slot(layer, part).is_some()) {
            return Ok(None);
        }
        let rank = self.config.r;
        let mut parts = Vec::new();
        for &part in module.parts {
            let (outputs, inputs) = part.shape(model);
            let numbers = match self.slot(layer, part) {
                None => (vec![0.0; rank * inputs], vec![0.0; outputs * rank]),
                Some(slot) => {
                    ensure!(
                        (slot.outputs, slot.inputs) == (outputs, inputs),
                        "it is another model's adapter"
                    );
                    let a = self.values.get(slot.a..slot.a + rank * inputs);
                    let b = self.values.get(slot.b..slot.b + outputs * rank);
                    let (a, b) = a.zip(b).context("its values are fewer than its slots need")?;
                    (a.to_vec(), b.to_vec())
                }
            };
            parts.push(Pair { rank, inputs, outputs, a: numbers.0, b: numbers.1 });
        }
        Ok(Some(Pair::join(&parts)))
    }

    fn written(&self, model: &ModelConfig) -> Written<'_> {
        let adapted = |module: &&Module| {
            module.parts.iter().any(|&part| self.slots.iter().any(|slot| slot.projection == part))
        };
        let modules = modules(model);
        let name = |module: &Module| module.path.rsplit('.').next().unwrap_or_default().to_owned();
        let fused = modules.iter().filter(adapted).filter(|module| module.parts.len() > 1);
        let layers: BTreeSet<usize> = self.slots.iter().map(|slot| slot.layer).collect();
        // A fused module has the rank of its parts together; alpha grows along, so that the scale stays.
        let alpha = |parts: usize| {
            let parts = parts as f32;
            number(self.config.lora_alpha * if self.config.use_rslora { parts.sqrt() } else { parts })
        };
        Written {
            peft_type: "LORA",
            task_type: "CAUSAL_LM",
            base_model_name_or_path: &self.base,
            revision: None,
            inference_mode: true,
            r: self.config.r,
            lora_alpha: number(self.config.lora_alpha),
            lora_dropout: self.config.lora_dropout,
            use_rslora: self.config.use_rslora,
            use_dora: false,
            target_modules: modules.iter().filter(adapted).map(name).collect(),
            layers_to_transform: (layers.len() < model.layers).then_some(layers),
            layers_pattern: None,
            bias: "none",
            fan_in_fan_out: false,
            init_lora_weights: true,
            modules_to_save: None,
            rank_pattern: fused.clone().map(|it| (name(it), it.parts.len() * self.config.r)).collect(),
            alpha_pattern: fused.map(|it| (name(it), alpha(it.parts.len()))).collect(),
        }
    }
}

/// PEFT writes whole numbers as such.
fn number(value: f32) -> Value {
    if value.fract() == 0.0 { Value::from(value as i64) } else { Value::from(f64::from(value)) }
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
        for name in file.names() {
            let (layer, path, matrix) = parse(name)
                .with_context(|| format!("tensor {name} is none of a LoRA adapter for linear layers"))?;
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
                let other = name.replace(".lora_B.", ".lora_A.");
                ensure!(file.entry(&other).is_some(), "tensor {other} is missing");
            }
        }
        ensure!(!pairs.is_empty(), "it holds no tensors");
        Ok(pairs)
    }

    /// A and B of one module, in the scale of the whole adapter.
    fn read_pair(
        &self,
        file: &SafetensorsFile,
        a: &str,
        module: &Module,
        model: &ModelConfig,
    ) -> Result<Pair> {
        let rank = pattern(&self.rank_pattern, a).unwrap_or(self.r);
        let alpha = pattern(&self.alpha_pattern, a).unwrap_or(self.lora_alpha);
        ensure!(rank > 0, "its rank pattern gives {a} a rank of 0");
        let outputs: usize = module.parts.iter().map(|part| part.shape(model).0).sum();
        let inputs = module.parts.first().map_or(0, |part| part.shape(model).1);
        let a_matrix = self.read_matrix(file, a, [rank, inputs])?;
        let b_matrix = self.read_matrix(file, &a.replace(".lora_A.", ".lora_B."), [outputs, rank])?;
        let factor = self.scale(alpha, rank) / self.scale(self.lora_alpha, self.r);
        Ok(Pair { rank, inputs, outputs, a: a_matrix, b: b_matrix }.widen(rank, factor))
    }

    fn read_matrix(&self, file: &SafetensorsFile, name: &str, shape: [usize; 2]) -> Result<Vec<f32>> {
        let entry = file.entry(name).with_context(|| format!("tensor {name} is missing"))?;
        let mapped = file.mapped(entry).with_context(|| format!("tensor {name}"))?;
        if mapped.shape != shape {
            bail!(self.another_model(&format!("{name} is {:?}, this model needs {shape:?}", mapped.shape)));
        }
        mapped.expand(&Rows::All, &shape).with_context(|| format!("tensor {name}"))
    }

    fn scale(&self, alpha: f32, rank: usize) -> f32 {
        let rank = rank as f32;
        alpha / if self.use_rslora { rank.sqrt() } else { rank }
    }

    fn another_model(&self, why: &str) -> String {
        let base = self.base_model_name_or_path.as_deref().unwrap_or("an unnamed model");
        format!("it is an adapter for another model ({base}): {why}")
    }

    /// Lays the matrices out, all at the highest rank.
    fn adapter(self, pairs: BTreeMap<(usize, Projection), Pair>, model: &ModelConfig) -> Result<Adapter> {
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
        };
        config.validate()?;
        let (slots, length) = lay_out(pairs.keys().copied(), highest, model);
        let mut values = Vec::with_capacity(length);
        for pair in pairs.into_values() {
            let pair = pair.widen(highest, 1.0);
            values.extend(pair.a);
            values.extend(pair.b);
        }
        let base = self.base_model_name_or_path.unwrap_or_default();
        Ok(Adapter { config, base, slots, values })
    }
}

/// `{PREFIX}3.self_attn.q_proj.lora_A.weight` -> 3, `self_attn.q_proj`, `A`.
fn parse(name: &str) -> Option<(usize, &str, &str)> {
    let (layer, rest) = name.strip_prefix(PREFIX)?.split_once('.')?;
    let (path, matrix) = rest.strip_suffix(".weight")?.rsplit_once(".lora_")?;
    matches!(matrix, "A" | "B").then_some((layer.parse().ok()?, path, matrix))
}

/// What a pattern says about a tensor: PEFT matches a module's whole name or its end, the first hit counts.
fn pattern<T: Copy>(patterns: &BTreeMap<String, T>, tensor: &str) -> Option<T> {
    let module = tensor.strip_prefix("base_model.model.")?.split(".lora_").next()?;
    let hit = |key: &str| module == key || module.strip_suffix(key).is_some_and(|rest| rest.ends_with('.'));
    patterns.iter().find(|(key, _)| hit(key)).map(|(_, &value)| value)
}
