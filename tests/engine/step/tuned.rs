//! Magnitudes (DoRA), modules trained whole and trained tokens: slopes, and what generation makes of them.

use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use dojo_studio::domain::batch::PackedBatch;
use dojo_studio::domain::recipe::{ActivationMemory, BaseFormat};
use dojo_studio::engine::adapter::{Adapter, LoraConfig, Module, Projection};
use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::generate::{self, Decoder, GenerateRequest, Generator, Limits, Precision, complete};
use dojo_studio::engine::model::OpenModel;
use dojo_studio::engine::train::step::{DecoderStudent, StepOptions};
use dojo_studio::engine::train::student::Student;

use crate::support::tiny::Tiny;

use super::{KINDS, example, gradients, near, numbers, open, student};

/// What is trained beside A and B.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Beside {
    Magnitudes,
    Modules,
    Tokens,
}

fn lora(use_dora: bool, dropout: f32) -> LoraConfig {
    LoraConfig {
        r: 3,
        lora_alpha: 6.0,
        lora_dropout: dropout,
        target_modules: Projection::ALL.to_vec(),
        use_rslora: false,
        use_dora,
    }
}

/// Numbers at random for A and B; what is trained besides is moved from where it begins.
pub(crate) fn adapter(model: &OpenModel, beside: Beside, dropout: f32) -> Adapter {
    let (config, weights) = (&model.config, &*model.weights);
    let lora = lora(beside == Beside::Magnitudes, dropout);
    let mut adapter = Adapter::fresh(lora, "tiny", config, 5).expect("an adapter");
    match beside {
        Beside::Magnitudes => {}
        Beside::Modules => {
            let names = ["embed_tokens", "lm_head", "norm"];
            adapter.add_modules(&Module::named(&names, config).expect("modules"), config);
        }
        Beside::Tokens => adapter.add_tokens(&[7, 38, 112], config).expect("tokens"),
    }
    let random = numbers(17, adapter.values.len());
    adapter.values.iter_mut().zip(&random).for_each(|(value, random)| *value = 0.2 * random);
    adapter.copy_base(config, weights).expect("the base");
    adapter.measure_magnitudes(weights, BaseFormat::F32).expect("magnitudes");
    let first = adapter.modules.first().map(|it| it.start).or(adapter.rows.first().map(|it| it.start));
    let is_magnitude: Vec<bool> =
        (0..adapter.values.len()).map(|place| has_magnitude(&adapter, place)).collect();
    let first = first.unwrap_or(adapter.values.len());
    for (place, (value, random)) in adapter.values.iter_mut().zip(random).enumerate() {
        if place >= first {
            *value += 0.1 * random;
        }
        if is_magnitude[place] {
            *value *= 1.0 + 0.3 * random;
        }
    }
    adapter
}

fn has_magnitude(adapter: &Adapter, place: usize) -> bool {
    let starts = adapter.slots.iter().filter_map(|slot| Some((slot.magnitudes?, slot.outputs)));
    starts.into_iter().any(|(start, count)| (start..start + count).contains(&place))
}

/// Some numbers of every tensor.
fn places(adapter: &Adapter) -> Vec<usize> {
    let mut places = Vec::new();
    for slot in &adapter.slots {
        places.extend([slot.a + 1, slot.a + 20, slot.b, slot.b + 7]);
        places.extend(slot.magnitudes.into_iter().flat_map(|start| [start + 2, start + slot.outputs - 1]));
    }
    for it in &adapter.modules {
        places.extend([it.start + 1, it.start + it.length / 2, it.start + it.length - 3]);
    }
    // A row that the examples read, and one that they don't.
    places.extend(adapter.rows.iter().flat_map(|rows| [rows.start + 3, rows.start + rows.length() - 5]));
    places
}

/// Keeps the gains where A or B were changed: they count as constants.
fn keep_gains(adapter: &mut Adapter, before: &Adapter, model: &OpenModel) {
    let measured = |adapter: &Adapter| {
        let mut measured = adapter.clone();
        measured.measure_magnitudes(&*model.weights, BaseFormat::F32).expect("magnitudes");
        measured.values
    };
    let (new, old) = (measured(adapter), measured(before));
    for slot in before.slots.iter().filter(|slot| slot.magnitudes.is_some()) {
        let start = slot.magnitudes.expect("magnitudes");
        for place in start..start + slot.outputs {
            adapter.values[place] *= new[place] / old[place];
        }
    }
}

fn check_slopes(kind: &'static str, beside: Beside, dropout: f32) {
    let (_folder, model) = open(kind);
    let mut student = student(&model, ActivationMemory::Keep);
    let adapter = adapter(&model, beside, dropout);
    let batch = PackedBatch::pack(&[example(1, 9), example(2, 14)]);
    let seed = (dropout > 0.0).then_some(11);
    let ours = gradients(&mut student, &adapter, &batch, seed);
    let mut scratch = vec![0.0; adapter.values.len()];
    let mut loss = |place: usize, by: f32| {
        let mut moved = adapter.clone();
        moved.values[place] += by;
        if beside == Beside::Magnitudes && !has_magnitude(&adapter, place) {
            keep_gains(&mut moved, &adapter, &model);
        }
        student.backward(&moved, &batch, 1.0, seed, &mut scratch).expect("a step").nll
    };
    let places = places(&adapter);
    let slopes: Vec<f32> =
        places.iter().map(|&place| ((loss(place, 5e-3) - loss(place, -5e-3)) / 1e-2) as f32).collect();
    let ours: Vec<f32> = places.iter().map(|&place| ours[place]).collect();
    near(kind, &ours, &slopes, 1e-2);
}

#[test]
fn gradients_of_magnitudes_are_slopes_with_the_norms_held() {
    for kind in KINDS {
        check_slopes(kind, Beside::Magnitudes, 0.0);
    }
}

#[test]
fn gradients_of_magnitudes_are_slopes_under_dropout_too() {
    for kind in ["llama", "qwen2", "gemma3_text"] {
        check_slopes(kind, Beside::Magnitudes, 0.25);
    }
}

#[test]
fn gradients_of_whole_modules_are_slopes() {
    for kind in KINDS {
        check_slopes(kind, Beside::Modules, 0.0);
    }
}

#[test]
fn gradients_of_trained_tokens_are_slopes() {
    for kind in KINDS {
        check_slopes(kind, Beside::Tokens, 0.0);
    }
}

#[test]
fn recomputed_activations_give_the_same_gradients_bit_for_bit() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        for beside in [Beside::Magnitudes, Beside::Modules, Beside::Tokens] {
            for dropout in [0.0, 0.25] {
                let adapter = adapter(&model, beside, dropout);
                let batch = PackedBatch::pack(&[example(1, 33), example(2, 50)]);
                let of = |memory| gradients(&mut student(&model, memory), &adapter, &batch, Some(3));
                assert_eq!(of(ActivationMemory::Keep), of(ActivationMemory::Recompute), "{kind}");
            }
        }
    }
}

#[test]
fn magnitudes_begin_where_they_change_nothing() {
    for base in [BaseFormat::F32, BaseFormat::Nf4] {
        let (_folder, model) = open("llama");
        let options =
            StepOptions { activation_memory: ActivationMemory::Keep, base, ..StepOptions::default() };
        let mut student = DecoderStudent::open(&model, options).expect("the weights");
        let mut dora = Adapter::fresh(lora(true, 0.0), "tiny", &model.config, 5).expect("an adapter");
        dora.measure_magnitudes(&*model.weights, base).expect("magnitudes");
        let plain = Adapter::fresh(lora(false, 0.0), "tiny", &model.config, 5).expect("an adapter");
        let batch = PackedBatch::pack(&[example(1, 40)]);
        let mut nll = |adapter| student.evaluate(adapter, &batch).expect("evaluate").nll;
        let (with, without) = (nll(&dora), nll(&plain));
        assert!((with - without).abs() < 1e-5 * without, "{base:?}: {with} {without}");
    }
}

#[test]
fn what_one_adapter_put_into_the_weights_is_gone_for_the_next() {
    for kind in ["llama", "qwen2", "gemma3_text"] {
        let (_folder, model) = open(kind);
        let mut student = student(&model, ActivationMemory::Keep);
        let batch = PackedBatch::pack(&[example(1, 40)]);
        let plain = Adapter::fresh(lora(false, 0.0), "tiny", &model.config, 5).expect("an adapter");
        let all = [Beside::Modules, Beside::Tokens].map(|beside| adapter(&model, beside, 0.0));
        let mut nll = |adapter: &Adapter| student.evaluate(adapter, &batch).expect("evaluate").nll.to_bits();
        let first = [nll(&plain), nll(&all[0]), nll(&all[1])];
        assert!(first[0] != first[1] && first[0] != first[2], "{kind}");
        assert_eq!(
            [nll(&plain), nll(&all[0]), nll(&all[1]), nll(&plain)],
            [first[0], first[1], first[2], first[0]]
        );
    }
}

#[test]
fn what_is_trained_is_what_answers() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        let mut student = student(&model, ActivationMemory::Keep);
        let decoder = Decoder::load(&model.config, &*model.weights, Precision::Full).expect("the weights");
        let limits = Limits { threads: 2, ..Limits::default() };
        let mut generator = Generator::new(Arc::new(decoder), Arc::clone(&model.tokenizer), limits);
        let mut text = example(3, 90);
        text.trained.fill(true);
        for beside in [Beside::Magnitudes, Beside::Modules, Beside::Tokens] {
            let adapter = adapter(&model, beside, 0.0);
            let trained = student.evaluate(&adapter, &PackedBatch::pack([&text])).expect("evaluate").nll;
            let id = generator.add_adapter(&adapter).expect("an adapter");
            let answered = generator.negative_log_likelihoods(&text.tokens, Some(id)).expect("scores");
            let answered: f64 = answered.iter().map(|&nll| f64::from(nll)).sum();
            assert!((trained - answered).abs() < 1e-4 * trained, "{kind}: {trained} {answered}");
        }
    }
}

#[test]
fn a_merge_in_memory_says_what_the_adapter_on_the_fly_says() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        let load = |model: &OpenModel, precision| {
            let decoder = Decoder::load(&model.config, &*model.weights, precision).expect("the weights");
            let limits = Limits { threads: 2, ..Limits::default() };
            Generator::new(Arc::new(decoder), Arc::clone(&model.tokenizer), limits)
        };
        let text = example(3, 90).tokens;
        for beside in [Beside::Magnitudes, Beside::Modules, Beside::Tokens] {
            let adapter = adapter(&model, beside, 0.0);
            let (mut on_the_fly, precision) = (load(&model, Precision::Full), Precision::Full);
            let id = on_the_fly.add_adapter(&adapter).expect("an adapter");
            let merged = adapter.merged_into(model.clone()).expect("it fits");
            let mut merged = load(&merged, precision);
            let scores = |generator: &mut Generator, adapter| {
                generator.negative_log_likelihoods(&text, adapter).expect("scores")
            };
            let (ours, reference) = (scores(&mut merged, None), scores(&mut on_the_fly, Some(id)));
            near(kind, &ours, &reference, 1e-3);
            let greedy = |generator: &mut Generator, adapter| {
                let request = GenerateRequest { adapter, ..GenerateRequest::new(text[..20].to_vec(), 24) };
                let answers = complete(generator, vec![request], &mut |_| Ok(())).expect("answers");
                answers[0][0].tokens.clone()
            };
            assert_eq!(greedy(&mut merged, None), greedy(&mut on_the_fly, Some(id)), "{kind}");
        }
    }
}

#[test]
fn only_the_adapter_that_brought_a_token_writes_it() {
    use dojo_studio::engine::generate::Sampling;
    for kind in ["llama", "qwen2"] {
        let (_folder, model) = open(kind);
        let (model, ids) = model.with_tokens(&["<think>".to_owned()]).expect("a new token");
        let mut owner = Adapter::fresh(lora(false, 0.0), "tiny", &model.config, 5).expect("an adapter");
        owner.add_tokens(&ids, &model.config).expect("tokens");
        owner.copy_base(&model.config, &*model.weights).expect("the base");
        let other = Adapter::fresh(lora(false, 0.0), "tiny", &model.config, 6).expect("an adapter");
        let mut generator = generate::load(&model, Precision::Full, &ComputeDevice::Cpu, Limits::default())
            .expect("a generator");
        let owner = generator.add_adapter(&owner).expect("an adapter");
        let other = generator.add_adapter(&other).expect("an adapter");
        let mut writes = |adapter| {
            let sampling = Sampling { logit_bias: vec![(ids[0], 100.0)], ..Sampling::default() };
            let request =
                GenerateRequest { sampling, adapter, ..GenerateRequest::new(example(3, 20).tokens, 4) };
            let answers = complete(&mut generator, vec![request], &mut |_| Ok(())).expect("answers");
            answers[0][0].tokens.contains(&ids[0])
        };
        assert_eq!([writes(Some(owner)), writes(None), writes(Some(other))], [true, false, false], "{kind}");
    }
}

#[test]
fn adapters_that_bring_other_tokens_under_the_same_number_are_refused_together() {
    let (_folder, model) = open("llama");
    let places = ["<a>", "<b>"].map(|text| {
        let place = tempfile::tempdir().expect("a folder");
        let (own, _) = model.clone().with_tokens(&[text.to_owned()]).expect("a new token");
        own.save_tokenizer(place.path()).expect("save");
        place
    });
    let first = model.clone().with_tokens_of(places[0].path()).expect("one alone");
    assert!(first.has_added_tokens());
    let again = first.clone().with_tokens_of(places[0].path()).expect("the same tokens again");
    assert_eq!(again.config.vocabulary, first.config.vocabulary);
    let why =
        first.with_tokens_of(places[1].path()).err().expect("another token under its number").to_string();
    assert!(why.contains("can't be held together"), "{why}");
}

#[test]
fn an_adapter_merges_into_quantised_weights_at_eight_bits() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("tiny.gguf");
    let mean = |precision| {
        let model = Tiny { tied: false, ..Tiny::new("llama") }.open_gguf(&path, GgmlDType::Q4_0);
        let adapter = adapter(&model, Beside::Modules, 0.0);
        let merged = adapter.merged_into(model).expect("it fits");
        let decoder = Decoder::load(&merged.config, &*merged.weights, precision).expect("the weights");
        let mut generator =
            Generator::new(Arc::new(decoder), Arc::clone(&merged.tokenizer), Limits::default());
        let scores = generator.negative_log_likelihoods(&example(3, 90).tokens, None).expect("scores");
        scores.iter().map(|&nll| f64::from(nll)).sum::<f64>() / scores.len() as f64
    };
    let (rounded, whole) = (mean(Precision::Stored), mean(Precision::Full));
    assert!((rounded - whole).abs() < 0.02 * whole, "{rounded} {whole}");
}

#[test]
fn soft_caps_are_the_same_in_training_and_in_answers() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut tiny = Tiny::new("gemma3_text");
    let text = {
        let mut text = example(3, 90);
        text.trained.fill(true);
        text
    };
    let caps = serde_json::json!({"final_logit_softcapping": 8.0});
    tiny.more = caps.as_object().cloned().expect("keys");
    let both = |attention: Option<f32>| {
        let mut model = tiny.open_folder(folder.path());
        // No architecture that is read has the key: Gemma 3 never applies it.
        model.config.attention_softcap = attention;
        let plain = Adapter::fresh(lora(false, 0.0), "tiny", &model.config, 5).expect("an adapter");
        let batch = PackedBatch::pack([&text]);
        let trained = student(&model, ActivationMemory::Keep).evaluate(&plain, &batch).expect("evaluate").nll;
        let decoder = Decoder::load(&model.config, &*model.weights, Precision::Full).expect("the weights");
        let mut generator =
            Generator::new(Arc::new(decoder), Arc::clone(&model.tokenizer), Limits::default());
        let answered = generator.negative_log_likelihoods(&text.tokens, None).expect("scores");
        let answered: f64 = answered.iter().map(|&nll| f64::from(nll)).sum();
        assert!((trained - answered).abs() < 1e-4 * trained, "{trained} {answered}");
        trained
    };
    let with = both(Some(1.5));
    let without = both(None);
    assert!((with - without).abs() > 0.1, "{with} {without}");
}

#[test]
fn adapters_that_change_different_things_answer_side_by_side() {
    use dojo_studio::engine::generate::Sampling;
    let (_folder, model) = open("qwen2");
    let decoder = Decoder::load(&model.config, &*model.weights, Precision::Full).expect("the weights");
    let limits = Limits { threads: 2, ..Limits::default() };
    let mut generator = Generator::new(Arc::new(decoder), Arc::clone(&model.tokenizer), limits);
    let prompt = example(3, 20).tokens;
    let sampling = Sampling { temperature: 1.0, ..Sampling::default() };
    let mut requests = vec![GenerateRequest { sampling, ..GenerateRequest::new(prompt, 16) }];
    for beside in [Beside::Magnitudes, Beside::Modules, Beside::Tokens] {
        let id = generator.add_adapter(&adapter(&model, beside, 0.0)).expect("an adapter");
        requests.push(GenerateRequest { adapter: Some(id), ..requests[0].clone() });
    }
    let mut run = |requests: Vec<GenerateRequest>| -> Vec<Vec<u32>> {
        let answers = complete(&mut generator, requests, &mut |_| Ok(())).expect("answers");
        answers.into_iter().map(|choices| choices[0].tokens.clone()).collect()
    };
    let together = run(requests.clone());
    let alone: Vec<Vec<u32>> = requests.into_iter().flat_map(|request| run(vec![request])).collect();
    assert_eq!(together, alone);
    assert!(together.windows(2).all(|pair| pair[0] != pair[1]), "{together:?}");
}
