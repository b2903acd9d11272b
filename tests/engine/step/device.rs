//! The step on a device against the one on the processor: the same losses and gradients, for every architecture and for
//! all that can be trained.

use candle_core::quantized::GgmlDType;
use dojo_studio::domain::batch::PackedBatch;
use dojo_studio::domain::recipe::{ActivationMemory, BaseFormat, Dtype};
use dojo_studio::engine::adapter::Adapter;
use dojo_studio::engine::model::OpenModel;
use dojo_studio::engine::train::device::{DeviceOptions, DeviceStudent};
use dojo_studio::engine::train::step::{DecoderStudent, StepOptions};
use dojo_studio::engine::train::student::{Losses, Student};

use super::tuned::{self, Beside};
use super::{KINDS, adapter, example, near, open};
use crate::support::device::device;
use crate::support::tiny::Tiny;

const PLAIN: DeviceOptions =
    DeviceOptions { activation_memory: ActivationMemory::Keep, base: BaseFormat::F32, dtype: Dtype::F32 };

fn on_device(model: &OpenModel, options: DeviceOptions) -> DeviceStudent {
    DeviceStudent::open(model, &device(), options).expect("the weights")
}

fn on_processor(model: &OpenModel, base: BaseFormat) -> DecoderStudent {
    let options = StepOptions { activation_memory: ActivationMemory::Keep, base, ..StepOptions::default() };
    DecoderStudent::open(model, options).expect("the weights")
}

/// Examples of which one is longer than a tile of queries.
fn batch() -> PackedBatch {
    PackedBatch::pack(&[example(1, 40), example(2, 7), example(3, 150)])
}

fn step(student: &mut dyn Student, adapter: &Adapter, dropout: Option<u64>) -> (Losses, Vec<f32>) {
    let mut gradients = vec![0.0; adapter.values.len()];
    let losses = student.backward(adapter, &batch(), 0.01, dropout, &mut gradients).expect("a step");
    (losses, gradients)
}

/// Losses are sums of rounded numbers; which token is the likeliest is not.
fn same_losses(what: &str, ours: Losses, plain: Losses, tolerance: f64) {
    assert_eq!(ours.tokens, plain.tokens, "{what}");
    assert!((ours.nll - plain.nll).abs() <= tolerance * plain.nll, "{what}: {ours:?} {plain:?}");
    assert!((ours.entropy - plain.entropy).abs() <= tolerance * plain.entropy, "{what}: {ours:?} {plain:?}");
    let share = 10.0 * tolerance * plain.tokens as f64;
    assert!(ours.correct.abs_diff(plain.correct) as f64 <= share, "{what}: {ours:?} {plain:?}");
}

fn same(what: &str, model: &OpenModel, adapter: &Adapter, base: BaseFormat) {
    let options = DeviceOptions { base, ..PLAIN };
    let (mut ours, mut plain) = (on_device(model, options), on_processor(model, base));
    let seed = (adapter.config.lora_dropout > 0.0).then_some(11);
    let (our_losses, our_gradients) = step(&mut ours, adapter, seed);
    let (losses, gradients) = step(&mut plain, adapter, seed);
    same_losses(what, our_losses, losses, 1e-5);
    near(what, &our_gradients, &gradients, 1e-4);
    let (ours, plain) = (ours.evaluate(adapter, &batch()), plain.evaluate(adapter, &batch()));
    same_losses(what, ours.expect("evaluate"), plain.expect("evaluate"), 1e-5);
}

#[test]
fn a_step_on_the_device_is_that_on_the_processor_for_every_architecture() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        same(kind, &model, &adapter(&model, 0.0), BaseFormat::F32);
    }
}

#[test]
fn dropout_on_the_device_draws_what_it_draws_on_the_processor() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        same(kind, &model, &adapter(&model, 0.25), BaseFormat::F32);
    }
}

#[test]
fn what_is_trained_beside_the_adapter_is_trained_on_the_device_too() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        // What dropout adds is looked at everywhere, what it leaves out where it is the simplest.
        let dropouts: &[f32] = if kind == "llama" { &[0.0, 0.25] } else { &[0.25] };
        for beside in [Beside::Magnitudes, Beside::Modules, Beside::Tokens] {
            for &dropout in dropouts {
                let adapter = tuned::adapter(&model, beside, dropout);
                same(&format!("{kind} {beside:?} {dropout}"), &model, &adapter, BaseFormat::F32);
            }
        }
    }
}

#[test]
fn an_adapter_of_some_projections_is_trained_alone_on_the_device() {
    use dojo_studio::engine::adapter::Projection::{DownProj, KProj, UpProj};
    let (_folder, model) = open("qwen2");
    for beside in [None, Some(Beside::Magnitudes)] {
        let mut some = beside.map_or_else(|| adapter(&model, 0.0), |it| tuned::adapter(&model, it, 0.25));
        some.slots.retain(|slot| slot.layer == 1 && [KProj, UpProj, DownProj].contains(&slot.projection));
        same(&format!("{beside:?}"), &model, &some, BaseFormat::F32);
    }
}

#[test]
fn soft_caps_and_scaled_ranks_are_the_same_on_the_device() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut tiny = Tiny::new("gemma3_text");
    let caps = serde_json::json!({"attn_logit_softcapping": 1.5, "final_logit_softcapping": 8.0});
    tiny.more = caps.as_object().cloned().expect("keys");
    tiny.sliding_window = Some(5);
    let model = tiny.open_folder(folder.path());
    let mut adapter = adapter(&model, 0.1);
    adapter.config.use_rslora = true;
    same("caps", &model, &adapter, BaseFormat::F32);
}

#[test]
fn bases_in_blocks_and_in_4_bits_are_expanded_on_the_device() {
    let folder = tempfile::tempdir().expect("a folder");
    for format in [GgmlDType::Q8_0, GgmlDType::Q4_1, GgmlDType::F16] {
        let path = folder.path().join(format!("{format:?}.gguf"));
        for kind in ["llama", "phi3"] {
            let model = Tiny::new(kind).open_gguf(&path, format);
            for base in [BaseFormat::Stored, BaseFormat::Nf4] {
                same(&format!("{kind} {format:?} {base:?}"), &model, &adapter(&model, 0.0), base);
            }
        }
    }
    let (_folder, model) = open("llama");
    let mut dora = tuned::adapter(&model, Beside::Magnitudes, 0.0);
    dora.measure_magnitudes(&*model.weights, BaseFormat::Nf4).expect("magnitudes");
    same("magnitudes over 4 bits", &model, &dora, BaseFormat::Nf4);
}

#[test]
fn activations_computed_again_on_the_device_give_the_same_gradients_bit_for_bit() {
    for kind in ["qwen2", "gemma3_text"] {
        let (_folder, model) = open(kind);
        for beside in [Beside::Magnitudes, Beside::Modules] {
            let adapter = tuned::adapter(&model, beside, 0.25);
            let of = |activation_memory| {
                step(&mut on_device(&model, DeviceOptions { activation_memory, ..PLAIN }), &adapter, Some(3))
            };
            let kept = of(ActivationMemory::Keep);
            assert_eq!(kept, of(ActivationMemory::Recompute), "{kind}");
            assert_eq!(kept, of(ActivationMemory::Auto), "{kind}");
        }
    }
}

#[test]
fn narrow_number_formats_change_losses_and_gradients_by_their_rounding_alone() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        for (dtype, tolerance) in [(Dtype::Bf16, 6e-2), (Dtype::F16, 1e-2)] {
            let what = format!("{kind} {dtype:?}");
            let adapter = adapter(&model, 0.0);
            let (losses, whole) = step(&mut on_device(&model, PLAIN), &adapter, None);
            let rounded = step(&mut on_device(&model, DeviceOptions { dtype, ..PLAIN }), &adapter, None);
            assert_ne!(whole, rounded.1, "{what}: nothing was rounded");
            same_losses(&what, rounded.0, losses, f64::from(tolerance) / 5.0);
            near(&what, &rounded.1, &whole, tolerance);
        }
    }
}

#[test]
fn small_gradients_do_not_vanish_in_f16_nor_do_large_ones_overflow() {
    let (_folder, model) = open("llama");
    let adapter = adapter(&model, 0.0);
    let batch = batch();
    let mut student = on_device(&model, DeviceOptions { dtype: Dtype::F16, ..PLAIN });
    let mut of = |scale: f32| {
        let mut gradients = vec![0.0; adapter.values.len()];
        student.backward(&adapter, &batch, scale, None, &mut gradients).expect("a step");
        gradients.iter().map(|gradient| gradient / scale).collect::<Vec<f32>>()
    };
    let usual = of(1e-2);
    near("small", &of(1e-12), &usual, 1e-2);
    // Above what is scaled up to, so that nothing is scaled; single numbers may still be too large.
    near("as they are", &of(64.0), &usual, 1e-2);
    near("small again", &of(1e-12), &usual, 1e-2);
}

#[test]
fn what_does_not_fit_the_model_is_refused_on_the_device_too() {
    let (_folder, model) = open("llama");
    let mut student = on_device(&model, PLAIN);
    let adapter = adapter(&model, 0.0);
    let long = PackedBatch::pack([&example(1, 300)]);
    let long = student.evaluate(&adapter, &long).expect_err("a refusal").to_string();
    assert!(long.contains("300 tokens") && long.contains("max_length"), "{long}");
    let mut other = adapter;
    other.slots[0].inputs += 1;
    let other = student.evaluate(&other, &batch()).expect_err("a refusal").to_string();
    assert!(other.contains("for another model"), "{other}");
    let mut none = example(1, 5);
    none.trained.fill(false);
    let nothing = student.evaluate(&self::adapter(&model, 0.0), &PackedBatch::pack([&none]));
    assert_eq!(nothing.expect("no loss"), Losses::default());
}
