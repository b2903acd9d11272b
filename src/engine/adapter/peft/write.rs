//! From an adapter to a PEFT folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::Serialize;
use serde_json::Value;

use super::super::fused::{Module as Linear, Pair, modules};
use super::super::{Adapter, Module, TokenRows};
use super::{CONFIG, LAYERS, MAGNITUDES, WEIGHTS, rows_tensor, whole_tensor};
use crate::model::ModelConfig;
use dojo_core::ground::files::write_atomically;

/// `adapter_config.json`, as it is written: what every version of PEFT since `use_rslora` understands.
#[derive(Debug, Serialize)]
struct WrittenConfig<'a> {
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
    trainable_token_indices: Option<Value>,
    rank_pattern: BTreeMap<String, usize>,
    alpha_pattern: BTreeMap<String, Value>,
}

impl Adapter {
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
                let stem = format!("{LAYERS}{layer}.{}", module.path);
                let name = |matrix: &str| format!("{stem}.lora_{matrix}.weight");
                named.push((name("A"), vec![pair.rank, pair.inputs], bytes(&pair.a)));
                named.push((name("B"), vec![pair.outputs, pair.rank], bytes(&pair.b)));
                if let Some(magnitudes) = &pair.magnitudes {
                    named.push((format!("{stem}{MAGNITUDES}"), vec![pair.outputs], bytes(magnitudes)));
                }
            }
        }
        for it in &self.modules {
            let numbers = self.part(it.start, it.length);
            named.push((whole_tensor(it.module), it.module.shape(model), bytes(numbers)));
        }
        for rows in &self.rows {
            let numbers = self.part(rows.start, rows.length());
            named.push((rows_tensor(rows.module), vec![rows.tokens.len(), rows.width], bytes(numbers)));
        }
        let views = named.iter().map(|(name, shape, bytes)| {
            Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?))
        });
        let views = views.collect::<Result<Vec<_>>>()?;
        let format = [("format".to_owned(), "pt".to_owned())].into();
        Ok(safetensors::serialize(views, Some(format))?)
    }

    /// A module's matrices in one layer; parts of a fused one that aren't adapted are zeros.
    pub(in super::super) fn pair(
        &self,
        layer: usize,
        module: &Linear,
        model: &ModelConfig,
    ) -> Result<Option<Pair>> {
        if !module.parts.iter().any(|&part| self.slot(layer, part).is_some()) {
            return Ok(None);
        }
        let rank = self.config.r;
        let mut parts = Vec::new();
        for &part in module.parts {
            let (outputs, inputs) = part.shape(model);
            let mut pair = Pair { rank, inputs, outputs, ..Pair::default() };
            if let Some(slot) = self.slot(layer, part) {
                ensure!((slot.outputs, slot.inputs) == (outputs, inputs), "it is another model's adapter");
                pair.a = self.part(slot.a, rank * inputs).to_vec();
                pair.b = self.part(slot.b, outputs * rank).to_vec();
                pair.magnitudes = slot.magnitudes.map(|start| self.part(start, outputs).to_vec());
                ensure!(
                    pair.a.len() == rank * inputs && pair.b.len() == outputs * rank,
                    "its values are fewer than its slots need"
                );
            } else {
                (pair.a, pair.b) = (vec![0.0; rank * inputs], vec![0.0; outputs * rank]);
            }
            parts.push(pair);
        }
        Ok(Some(Pair::join(&parts)))
    }

    fn written(&self, model: &ModelConfig) -> WrittenConfig<'_> {
        let adapted = |module: &&Linear| {
            module.parts.iter().any(|&part| self.slots.iter().any(|slot| slot.projection == part))
        };
        let modules = modules(model);
        let name = |module: &Linear| module.path.rsplit('.').next().unwrap_or_default().to_owned();
        let fused = modules.iter().filter(adapted).filter(|module| module.parts.len() > 1);
        let layers: BTreeSet<usize> = self.slots.iter().map(|slot| slot.layer).collect();
        // A fused module has the rank of its parts together; alpha grows along, so that the scale stays.
        let alpha = |parts: usize| {
            let parts = parts as f32;
            number(self.config.lora_alpha * if self.config.use_rslora { parts.sqrt() } else { parts })
        };
        WrittenConfig {
            peft_type: "LORA",
            task_type: "CAUSAL_LM",
            base_model_name_or_path: &self.base,
            revision: None,
            inference_mode: true,
            r: self.config.r,
            lora_alpha: number(self.config.lora_alpha),
            lora_dropout: self.config.lora_dropout,
            use_rslora: self.config.use_rslora,
            use_dora: self.config.use_dora,
            target_modules: modules.iter().filter(adapted).map(name).collect(),
            layers_to_transform: (layers.len() < model.layers).then_some(layers),
            layers_pattern: None,
            bias: "none",
            fan_in_fan_out: false,
            init_lora_weights: true,
            modules_to_save: (!self.modules.is_empty()).then(|| Module::names(&self.modules, model)),
            trainable_token_indices: self.written_rows(),
            rank_pattern: fused.clone().map(|it| (name(it), it.parts.len() * self.config.r)).collect(),
            alpha_pattern: fused.map(|it| (name(it), alpha(it.parts.len()))).collect(),
        }
    }

    /// Tokens as a list where they are the embedding's alone, else by module.
    fn written_rows(&self) -> Option<Value> {
        if let [rows] = self.rows.as_slice()
            && rows.module == Module::Embedding
        {
            return Some(Value::from(rows.tokens.clone()));
        }
        let name = |rows: &TokenRows| rows.module.path().trim_start_matches("model.").to_owned();
        let by_module: serde_json::Map<_, _> =
            self.rows.iter().map(|rows| (name(rows), Value::from(rows.tokens.clone()))).collect();
        (!by_module.is_empty()).then_some(Value::Object(by_module))
    }
}

/// PEFT writes whole numbers as such.
fn number(value: f32) -> Value {
    if value.fract() == 0.0 { Value::from(value as i64) } else { Value::from(f64::from(value)) }
}
