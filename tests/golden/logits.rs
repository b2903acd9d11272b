//! Logits, likelihoods and greedy tokens of the shipped GGUF, computed in f32, on the processor and over a device's tensors.

use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::generate::{GenerateRequest, Limits, Precision, complete, load};
use dojo_studio::engine::model;
use serde::Deserialize;

use crate::support::device::device;
use crate::support::models::{golden, smollm2};

#[derive(Deserialize)]
struct Prompt {
    input_ids: Vec<u32>,
    last_top10: Vec<(usize, f32)>,
    mean_nll: f32,
    greedy_32: Vec<u32>,
}

#[test]
fn the_shipped_model_has_the_references_logits_likelihoods_and_greedy_tokens() {
    says_what_the_reference_says(&ComputeDevice::Cpu);
}

#[test]
fn on_a_device_the_shipped_model_has_them_too() {
    says_what_the_reference_says(&ComputeDevice::Device(device()));
}

fn says_what_the_reference_says(place: &ComputeDevice) {
    let (Some(folder), Some(files)) = (golden(), smollm2()) else { return };
    let prompts: Vec<Prompt> =
        serde_json::from_str(&std::fs::read_to_string(folder.join("logits.json")).unwrap()).unwrap();
    let open = model::open(&files).unwrap();
    let mut generator = load(&open, Precision::Full, place, Limits::default()).unwrap();
    for prompt in &prompts {
        let logits = generator.last_logits(&prompt.input_ids, None).unwrap();
        for &(token, expected) in &prompt.last_top10 {
            assert!((logits[token] - expected).abs() < 2e-3, "{token}: {} and {expected}", logits[token]);
        }
        let nll = generator.negative_log_likelihoods(&prompt.input_ids, None).unwrap();
        let mean = nll.iter().sum::<f32>() / nll.len() as f32;
        assert!((mean - prompt.mean_nll).abs() < 1e-3, "{mean} and {}", prompt.mean_nll);
    }
    // All together: a sequence's tokens don't depend on what is computed beside it.
    let requests = prompts.iter().map(|prompt| GenerateRequest::new(prompt.input_ids.clone(), 32)).collect();
    let completions = complete(&mut generator, requests, &mut |_| Ok(())).unwrap();
    for (prompt, choices) in prompts.iter().zip(&completions) {
        assert_eq!(choices[0].tokens, prompt.greedy_32);
    }
}
