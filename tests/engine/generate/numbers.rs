//! Logits against the plain decoder; and that nothing computed beside a sequence changes it.

use candle_core::quantized::GgmlDType;
use dojo_studio::engine::adapter::{Adapter, LoraConfig, Projection};
use dojo_studio::engine::generate::{GenerateRequest, Limits, Precision, Sampling};

use super::plain::Plain;
use super::{KINDS, generator, open, run, tokens};
use crate::support::tiny::Tiny;

fn limits() -> Limits {
    Limits { threads: 2, prompt_chunk: 32, ..Limits::default() }
}

fn assert_close(found: &[f32], expected: &[f32], what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 2e-3, "{what}: {found} and {expected}");
    }
    assert_eq!(found.len(), expected.len(), "{what}");
}

fn lora() -> LoraConfig {
    LoraConfig {
        r: 4,
        lora_alpha: 8.0,
        lora_dropout: 0.0,
        target_modules: Projection::ALL.to_vec(),
        use_rslora: false,
        use_dora: false,
    }
}

/// An adapter that changes something.
fn adapter(model: &dojo_studio::engine::model::OpenModel) -> Adapter {
    adapter_of(lora(), model)
}

fn adapter_of(lora: LoraConfig, model: &dojo_studio::engine::model::OpenModel) -> Adapter {
    let mut adapter = Adapter::zeros(lora, "tiny", &model.config).unwrap();
    for (index, value) in adapter.values.iter_mut().enumerate() {
        *value = ((index * 7919 % 1000) as f32 / 1000.0 - 0.5) * 0.2;
    }
    adapter
}

#[test]
fn every_architecture_gives_the_logits_of_plain_loops() {
    for kind in KINDS {
        let sliding_window = matches!(kind, "mistral" | "gemma3_text").then_some(9);
        let (model, _place) = open(&Tiny { layers: 7, sliding_window, ..Tiny::new(kind) });
        let mut generator = generator(&model, Precision::Full, limits());
        let text = tokens(41, 1);
        let found = generator.last_logits(&text, None).unwrap();
        let plain = Plain { config: &model.config, weights: model.weights.as_ref(), adapter: None };
        assert_close(&found, &plain.last_logits(&text), kind);
    }
}

#[test]
fn an_adapter_changes_what_it_is_asked_for_and_nothing_else() {
    let (model, _place) = open(&Tiny { tied: false, ..Tiny::new("llama") });
    let adapter = adapter(&model);
    let mut generator = generator(&model, Precision::Full, limits());
    let id = generator.add_adapter(&adapter).unwrap();
    let text = tokens(20, 2);
    let plain = |adapter| Plain { config: &model.config, weights: model.weights.as_ref(), adapter };
    let with = plain(Some(&adapter)).last_logits(&text);
    let without = plain(None).last_logits(&text);
    assert!(with.iter().zip(&without).any(|(a, b)| (a - b).abs() > 0.1));
    assert_close(&generator.last_logits(&text, Some(id)).unwrap(), &with, "with");
    assert_close(&generator.last_logits(&text, None).unwrap(), &without, "without");
    // Both at once, in one step.
    let sampling = Sampling { temperature: 1.0, ..Sampling::default() };
    let request = GenerateRequest { sampling, ..GenerateRequest::new(text, 12) };
    let tuned = GenerateRequest { adapter: Some(id), ..request.clone() };
    let together = run(&mut generator, vec![request.clone(), tuned.clone(), request.clone()]);
    assert_eq!(together[0], together[2]);
    assert_ne!(together[0][0].tokens, together[1][0].tokens);
    assert_eq!(run(&mut generator, vec![tuned])[0][0].tokens, together[1][0].tokens);
}

#[test]
fn adapters_of_any_ranks_in_one_step_leave_each_other_alone() {
    let (model, _place) = open(&Tiny { tied: false, ..Tiny::new("llama") });
    for ranks in [[8, 4, 2], [2, 4, 8], [3, 17, 1]] {
        let mut generator = generator(&model, Precision::Full, limits());
        let ids =
            ranks.map(|r| generator.add_adapter(&adapter_of(LoraConfig { r, ..lora() }, &model)).unwrap());
        let sampling = || Sampling { temperature: 1.0, log_probabilities: Some(0), ..Sampling::default() };
        let request = |place: usize| GenerateRequest {
            sampling: sampling(),
            adapter: ids.get(place % 4).copied(),
            ..GenerateRequest::new(tokens(9 + place, place as u32), 12)
        };
        let together = run(&mut generator, (0..8).map(request).collect());
        for (place, choices) in together.iter().enumerate() {
            let alone = run(&mut generator, vec![request(place)]);
            assert_eq!(alone[0][0].tokens, choices[0].tokens, "{ranks:?} {place}");
            assert_close(&choices[0].log_probabilities, &alone[0][0].log_probabilities, "together");
        }
    }
}

#[test]
fn an_adapter_of_another_model_is_refused() {
    let (model, _place) = open(&Tiny::new("llama"));
    let (other, _other_place) = open(&Tiny { hidden: 64, ..Tiny::new("llama") });
    let mut generator = generator(&model, Precision::Full, limits());
    let error = generator.add_adapter(&adapter(&other)).unwrap_err().to_string();
    assert!(error.contains("another model"), "{error}");
}

#[test]
fn a_sequence_gives_the_same_tokens_alone_and_among_others() {
    for format in [GgmlDType::F32, GgmlDType::F16, GgmlDType::Q8_0, GgmlDType::Q4_1] {
        let place = tempfile::tempdir().unwrap();
        let model = Tiny::new("llama").open_gguf(&place.path().join("model.gguf"), format);
        let request = |seed: u32| GenerateRequest {
            sampling: Sampling { temperature: 1.0, seed: seed.into(), ..Sampling::default() },
            ..GenerateRequest::new(tokens(10 + 17 * seed as usize, seed), 20)
        };
        let all = run(&mut generator(&model, Precision::Stored, limits()), (0..5).map(request).collect());
        for (seed, together) in (0..5).zip(&all) {
            let wide = Limits { threads: 1, prompt_chunk: 512, ..Limits::default() };
            let alone = run(&mut generator(&model, Precision::Stored, wide), vec![request(seed)]);
            assert_eq!(alone[0][0].tokens, together[0].tokens, "{format:?} {seed}");
        }
    }
}

#[test]
fn likelihoods_are_those_of_the_logits() {
    let (model, _place) = open(&Tiny::new("qwen2"));
    let mut generator = generator(&model, Precision::Full, limits());
    let text = tokens(70, 3);
    let found = generator.negative_log_likelihoods(&text, None).unwrap();
    assert_eq!(found.len(), 69);
    for end in [1, 30, 69] {
        let logits = generator.last_logits(&text[..end], None).unwrap();
        let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
        let expected = sum.ln() - logits[text[end] as usize];
        assert!((found[end - 1] - expected).abs() < 1e-3, "{end}: {} and {expected}", found[end - 1]);
    }
}

#[test]
fn continuations_of_one_text_are_as_likely_together_as_alone() {
    let (model, _place) = open(&Tiny::new("qwen2"));
    let mut generator = generator(&model, Precision::Full, limits());
    // Texts that end within a page, with one, and behind a chunk; continuations of several lengths.
    for length in [1, 15, 16, 17, 64, 70] {
        let text = tokens(length, 3);
        let continuations = [vec![5], tokens(20, 9), vec![7, 8, 9], vec![5]];
        let found = generator.log_likelihoods_of(&text, &continuations, None).unwrap();
        assert!((found[0] - found[3]).abs() < 1e-6, "the later ones leave no trace: {found:?}");
        for (continuation, found) in continuations.iter().zip(found) {
            let whole: Vec<u32> = text.iter().chain(continuation).copied().collect();
            let each = generator.negative_log_likelihoods(&whole, None).unwrap();
            let expected: f32 = -each[length - 1..].iter().sum::<f32>();
            assert!((found - f64::from(expected)).abs() < 1e-2, "{length}: {found} and {expected}");
        }
    }
    assert!(generator.log_likelihoods_of(&[1, 2], &[vec![3], Vec::new()], None).is_err());
    assert!(generator.log_likelihoods_of(&[], &[vec![3]], None).is_err());
}
