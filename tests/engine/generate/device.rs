//! Generation over candle's tensors, on the processor or on the device of `DOJO_TEST_DEVICE`: what it says against what
//! the processor's own kernels say.

use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use dojo_studio::engine::adapter::Adapter;
use dojo_studio::engine::generate::{
    AdapterId, DeviceDecoder, GenerateRequest, Generator, Limits, Precision, Sampling,
};
use dojo_studio::engine::model::OpenModel;

use super::{KINDS, generator, open, run, tokens};
use crate::engine::step::tuned::{Beside, adapter};
use crate::support::device;
use crate::support::tiny::Tiny;

fn limits() -> Limits {
    Limits { threads: 2, prompt_chunk: 64, ..Limits::default() }
}

fn on_device(model: &OpenModel, precision: Precision, limits: Limits) -> Generator {
    let decoder = DeviceDecoder::load(&model.config, &*model.weights, &device::device(), precision).unwrap();
    Generator::on(Arc::new(decoder), Arc::clone(&model.tokenizer), limits).unwrap()
}

fn assert_close(found: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert!(
            (found - expected).abs() < tolerance * (1.0 + expected.abs()),
            "{what}, {place}: {found} and {expected}"
        );
    }
}

fn adapters(model: &OpenModel) -> Vec<Adapter> {
    [Beside::Magnitudes, Beside::Modules, Beside::Tokens].map(|beside| adapter(model, beside, 0.0)).into()
}

#[test]
fn every_architecture_and_adapter_finds_a_text_as_likely_as_the_processors_kernels_do() {
    for kind in KINDS {
        let sliding_window = matches!(kind, "mistral" | "gemma3_text").then_some(9);
        let (model, _place) = open(&Tiny { layers: 7, sliding_window, ..Tiny::new(kind) });
        let mut host = generator(&model, Precision::Full, limits());
        let mut ours = on_device(&model, Precision::Full, limits());
        let text = tokens(150, 1);
        let mut compare = |host_id: Option<AdapterId>, own_id: Option<AdapterId>, what: &str| {
            let expected = host.negative_log_likelihoods(&text, host_id).unwrap();
            let found = ours.negative_log_likelihoods(&text, own_id).unwrap();
            assert_close(&found, &expected, 1e-3, &format!("{kind}, {what}"));
        };
        compare(None, None, "no adapter");
        for (number, adapter) in adapters(&model).iter().enumerate() {
            let mut host = generator(&model, Precision::Full, limits());
            let mut ours = on_device(&model, Precision::Full, limits());
            let ids = [host.add_adapter(adapter).unwrap(), ours.add_adapter(adapter).unwrap()];
            let expected = host.negative_log_likelihoods(&text, Some(ids[0])).unwrap();
            let found = ours.negative_log_likelihoods(&text, Some(ids[1])).unwrap();
            assert_close(&found, &expected, 1e-3, &format!("{kind}, adapter {number}"));
        }
    }
}

/// A GGUF's norms are whole, a folder's may be offsets from 1: they are read once, and by one rule.
#[test]
fn every_architectures_gguf_finds_a_text_as_likely_as_the_processors_kernels_do() {
    for kind in KINDS {
        let place = tempfile::tempdir().unwrap();
        let model = Tiny::new(kind).open_gguf(&place.path().join("model.gguf"), GgmlDType::F32);
        let text = tokens(60, 1);
        let lesson = adapter(&model, Beside::Modules, 0.0);
        let scores = |generator: &mut Generator| {
            let id = generator.add_adapter(&lesson).unwrap();
            [None, Some(id)].map(|id| generator.negative_log_likelihoods(&text, id).unwrap()).concat()
        };
        let expected = scores(&mut generator(&model, Precision::Full, limits()));
        assert_close(&scores(&mut on_device(&model, Precision::Full, limits())), &expected, 1e-3, kind);
    }
}

#[test]
fn soft_caps_bound_scores_and_logits() {
    let mut tiny = Tiny::new("gemma3_text");
    let caps = serde_json::json!({"attn_logit_softcapping": 1.5, "final_logit_softcapping": 8.0});
    tiny.more = caps.as_object().cloned().unwrap();
    let (model, _place) = open(&tiny);
    let lesson = adapter(&model, Beside::Tokens, 0.0);
    let text = tokens(70, 2);
    let scores = |generator: &mut Generator| {
        let id = generator.add_adapter(&lesson).unwrap();
        generator.negative_log_likelihoods(&text, Some(id)).unwrap()
    };
    let expected = scores(&mut generator(&model, Precision::Full, limits()));
    assert_close(&scores(&mut on_device(&model, Precision::Full, limits())), &expected, 1e-3, "caps");
}

#[test]
fn blocks_and_half_floats_are_multiplied_as_they_are_stored() {
    let formats = [
        (GgmlDType::F32, 3e-3),
        (GgmlDType::F16, 3e-3),
        (GgmlDType::BF16, 3e-3),
        (GgmlDType::Q8_0, 0.1),
        (GgmlDType::Q5_1, 0.1),
        (GgmlDType::Q4_0, 0.1),
        (GgmlDType::Q4K, 0.1),
        (GgmlDType::Q6K, 0.1),
    ];
    for (format, tolerance) in formats {
        let wide = matches!(format, GgmlDType::Q4K | GgmlDType::Q6K);
        // Whole blocks of 256, or two of 32, which is the least that candle's processor takes.
        let (hidden, intermediate, head_dim) = if wide { (256, 256, 64) } else { (64, 128, 16) };
        let place = tempfile::tempdir().unwrap();
        let tiny = Tiny { hidden, intermediate, head_dim, ..Tiny::new("llama") };
        let model = tiny.open_gguf(&place.path().join("model.gguf"), format);
        let lesson = adapter(&model, Beside::Magnitudes, 0.0);
        let text = tokens(60, 4);
        let scores = |generator: &mut Generator| {
            let id = generator.add_adapter(&lesson).unwrap();
            let plain = generator.negative_log_likelihoods(&text, None).unwrap();
            [plain, generator.negative_log_likelihoods(&text, Some(id)).unwrap()].concat()
        };
        // Expanded to f32, the blocks are the reference; activations rounded to 8 bits move it a little.
        let expected = scores(&mut generator(&model, Precision::Full, limits()));
        let found = scores(&mut on_device(&model, Precision::Stored, limits()));
        assert_close(&found, &expected, tolerance, &format!("{format:?}"));
        let mean = |scores: &[f32]| scores.iter().sum::<f32>() / scores.len() as f32;
        let (ours, reference) = (mean(&found), mean(&expected));
        assert!((ours - reference).abs() < 1e-2 * reference, "{format:?}: {ours} and {reference}");
        let whole = scores(&mut on_device(&model, Precision::Full, limits()));
        assert_close(&whole, &expected, 1e-3, &format!("{format:?} expanded"));
    }
    let (model, _place) = open(&Tiny::new("qwen2"));
    let text = tokens(60, 4);
    let expected =
        generator(&model, Precision::Full, limits()).negative_log_likelihoods(&text, None).unwrap();
    let mut compact = on_device(&model, Precision::Compact, limits());
    assert_close(&compact.negative_log_likelihoods(&text, None).unwrap(), &expected, 0.1, "compact");
}

/// Requests of many lengths and kinds together, joining as others leave: each token's reported likelihood is what the
/// processor finds for the same text.
#[test]
fn many_sequences_with_many_adapters_are_one_step_each() {
    for kind in ["llama", "gemma3_text"] {
        let sliding_window = (kind == "gemma3_text").then_some(20);
        let (model, _place) = open(&Tiny { layers: 7, context: 512, sliding_window, ..Tiny::new(kind) });
        let mut host = generator(&model, Precision::Full, limits());
        let mut ours = on_device(&model, Precision::Full, Limits { sequences: 6, ..limits() });
        let ids: Vec<(AdapterId, AdapterId)> = adapters(&model)
            .iter()
            .map(|adapter| (host.add_adapter(adapter).unwrap(), ours.add_adapter(adapter).unwrap()))
            .collect();
        let sampling = |seed: usize| Sampling {
            temperature: 1.0,
            seed: seed as u64,
            log_probabilities: Some(0),
            ..Sampling::default()
        };
        let chosen = |seed: usize| seed.checked_sub(1).and_then(|index| ids.get(index % 4));
        let request = |seed: usize| GenerateRequest {
            sampling: sampling(seed),
            adapter: chosen(seed).map(|(_, own)| *own),
            choices: 1 + seed % 3,
            ..GenerateRequest::new(tokens(3 + 41 * (seed % 5), seed as u32 % 4), 9 + 4 * seed)
        };
        let answers = run(&mut ours, (0..12).map(request).collect());
        for (seed, choices) in answers.iter().enumerate() {
            assert_eq!(choices.len(), 1 + seed % 3);
            for choice in choices {
                let prompt = request(seed).prompt;
                let text = [prompt.as_slice(), &choice.tokens].concat();
                let scores =
                    host.negative_log_likelihoods(&text, chosen(seed).map(|(host, _)| *host)).unwrap();
                let found: Vec<f32> = choice.log_probabilities.iter().map(|log| -log).collect();
                assert_close(&found, &scores[prompt.len() - 1..], 2e-3, &format!("{kind} {seed}"));
            }
        }
    }
}

#[test]
fn a_long_prompt_is_attended_to_in_runs() {
    let (model, _place) = open(&Tiny { layers: 1, context: 4096, ..Tiny::new("llama") });
    let wide = || Limits { prompt_chunk: 4096, ..limits() };
    let text = tokens(2300, 3);
    let greedy = |generator: &mut Generator| {
        let sampling = Sampling { temperature: 0.0, log_probabilities: Some(0), ..Sampling::default() };
        let answers =
            run(generator, vec![GenerateRequest { sampling, ..GenerateRequest::new(text.clone(), 3) }]);
        answers[0][0].log_probabilities.clone()
    };
    let expected = greedy(&mut generator(&model, Precision::Full, wide()));
    assert_close(&greedy(&mut on_device(&model, Precision::Full, wide())), &expected, 1e-3, "runs");
}
