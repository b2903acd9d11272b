//! Losses, gradients and logits against those of transformers and PEFT (`tests/fixtures/write_peft.py`), on tiny models.

use std::sync::Arc;

use dojo_studio::domain::batch::{PackedBatch, TokenExample};
use dojo_studio::domain::recipe::BaseFormat;
use dojo_studio::engine::adapter::{Adapter, LoraConfig, Module, Projection};
use dojo_studio::engine::generate::{Decoder, Generator, Limits, Precision};
use dojo_studio::engine::model::OpenModel;
use dojo_studio::engine::train::step::{DecoderStudent, StepOptions};
use dojo_studio::engine::train::student::Student;
use serde::Deserialize;

use crate::support::tiny::Tiny;

#[derive(Deserialize)]
struct Case {
    name: String,
    kind: String,
    layers: usize,
    more: serde_json::Map<String, serde_json::Value>,
    dora: bool,
    modules: Vec<String>,
    tokens: Vec<u32>,
    /// Every twentieth logit of the base, behind 40 tokens.
    base_logits: Vec<f32>,
    /// Summed over the trained tokens, with the adapter.
    loss: f64,
    trained: usize,
    /// Of all trained numbers.
    norm: f64,
    /// Some of them, with their places.
    gradients: Vec<(usize, f32)>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../fixtures/peft.json")).unwrap()
}

const KINDS: [&str; 8] = ["llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3", "smollm3", "granite"];

impl Case {
    fn open(&self) -> (tempfile::TempDir, OpenModel) {
        let place = tempfile::tempdir().unwrap();
        let kind = KINDS.into_iter().find(|kind| *kind == self.kind).unwrap();
        let tiny = Tiny { layers: self.layers, more: self.more.clone(), ..Tiny::new(kind) };
        let model = tiny.open_folder(place.path());
        (place, model)
    }

    /// As the script fills it.
    fn adapter(&self, model: &OpenModel) -> Adapter {
        let (config, weights) = (&model.config, &*model.weights);
        let lora = LoraConfig {
            r: 3,
            lora_alpha: 6.0,
            lora_dropout: 0.0,
            target_modules: Projection::ALL.to_vec(),
            use_rslora: false,
            use_dora: self.dora,
        };
        let mut adapter = Adapter::zeros(lora, "tiny", config).unwrap();
        adapter.add_modules(&Module::named(&self.modules, config).unwrap(), config);
        if !self.tokens.is_empty() {
            adapter.add_tokens(&self.tokens, config).unwrap();
        }
        adapter.copy_base(config, weights).unwrap();
        adapter.measure_magnitudes(weights, BaseFormat::F32).unwrap();
        let magnitudes: Vec<(usize, usize)> =
            adapter.slots.iter().filter_map(|slot| Some((slot.magnitudes?, slot.outputs))).collect();
        for (place, value) in adapter.values.iter_mut().enumerate() {
            let wave = (0.2 * (0.7 * place as f64).sin()) as f32;
            let is_magnitude =
                magnitudes.iter().any(|&(start, count)| (start..start + count).contains(&place));
            *value = if is_magnitude { *value * (1.0 + wave) } else { *value + wave };
        }
        if self.kind == "phi3" {
            adapter.values.fill(0.0);
        }
        adapter
    }
}

fn tokens(seed: usize, length: usize) -> Vec<u32> {
    (0..length).map(|i| ((i * 37 + seed * 101 + i * i) % 250) as u32).collect()
}

fn near(what: &str, ours: f64, theirs: f64, tolerance: f64, scale: f64) {
    assert!((ours - theirs).abs() <= tolerance * scale, "{what}: {ours}, the reference says {theirs}");
}

#[test]
fn every_architecture_has_the_logits_of_transformers() {
    for case in cases() {
        let (_place, model) = case.open();
        let decoder = Decoder::load(&model.config, &*model.weights, Precision::Full).unwrap();
        let limits = Limits { threads: 2, ..Limits::default() };
        let mut generator = Generator::new(Arc::new(decoder), Arc::clone(&model.tokenizer), limits);
        let ours = generator.last_logits(&tokens(3, 40), None).unwrap();
        for (ours, theirs) in ours.iter().step_by(20).zip(&case.base_logits) {
            near(&case.name, f64::from(*ours), f64::from(*theirs), 1e-3, 1.0);
        }
    }
}

#[test]
fn a_step_has_the_loss_and_the_gradients_of_peft() {
    for case in cases() {
        let (_place, model) = case.open();
        let mut student = DecoderStudent::open(&model, StepOptions::default()).unwrap();
        let adapter = case.adapter(&model);
        let batch = PackedBatch::pack(&[(1, 21), (2, 34)].map(|(seed, length)| TokenExample {
            source: format!("example {seed}"),
            tokens: tokens(seed, length),
            trained: (0..length).map(|i| i % 3 != 1).collect(),
        }));
        let mut gradients = vec![0.0; adapter.values.len()];
        let losses = student.backward(&adapter, &batch, 1.0, None, &mut gradients).unwrap();
        assert_eq!(losses.tokens, case.trained, "{}", case.name);
        near(&case.name, losses.nll, case.loss, 1e-4, case.loss);
        if case.gradients.is_empty() {
            continue;
        }
        let norm = gradients.iter().map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt();
        near(&format!("{}, norm", case.name), norm, case.norm, 1e-3, case.norm);
        let largest = case.gradients.iter().fold(0.0, |most, (_, theirs)| theirs.abs().max(most));
        for &(place, theirs) in &case.gradients {
            let what = format!("{}, gradient {place}", case.name);
            near(&what, f64::from(gradients[place]), f64::from(theirs), 1e-3, f64::from(largest));
        }
    }
}
