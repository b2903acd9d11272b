//! The whole step on tiny models of every architecture: gradients against finite differences, packing, recomputation,
//! dropout, and the refusals.

mod autograd;
mod device;
mod prompts;
mod shared;
mod slopes;

use dojo_studio::domain::batch::{PackedBatch, TokenExample};
use dojo_studio::domain::recipe::{ActivationMemory, BaseFormat};
use dojo_studio::engine::adapter::{Adapter, LoraConfig, Projection};
use dojo_studio::engine::kernels::gemm::MatmulPrecision;
use dojo_studio::engine::kernels::isa::has_bf16_products;
use dojo_studio::engine::model::OpenModel;
use dojo_studio::engine::train::step::{DecoderStudent, StepOptions};
use dojo_studio::engine::train::student::Student;

pub(crate) mod tuned;

use super::kernels::{near, numbers};
use crate::support::tiny::Tiny;

const KINDS: [&str; 7] = ["llama", "mistral", "qwen2", "qwen3", "gemma3_text", "phi3", "smollm3"];

fn example(seed: usize, length: usize) -> TokenExample {
    let tokens = (0..length).map(|i| ((i * 37 + seed * 101 + i * i) % 250) as u32).collect();
    TokenExample {
        source: format!("example {seed}"),
        tokens,
        trained: (0..length).map(|i| i % 3 != 1).collect(),
    }
}

fn adapter(model: &OpenModel, dropout: f32) -> Adapter {
    let config = LoraConfig {
        r: 3,
        lora_alpha: 6.0,
        lora_dropout: dropout,
        target_modules: Projection::ALL.to_vec(),
        use_rslora: false,
        use_dora: false,
    };
    let mut adapter = Adapter::fresh(config, "tiny", &model.config, 5).expect("an adapter");
    let values = numbers(17, adapter.values.len());
    adapter.values.iter_mut().zip(values).for_each(|(value, random)| *value = 0.2 * random);
    adapter
}

fn open(kind: &'static str) -> (tempfile::TempDir, OpenModel) {
    let folder = tempfile::tempdir().expect("a folder");
    let mut tiny = Tiny::new(kind);
    if kind == "mistral" {
        tiny.sliding_window = Some(6);
    }
    let model = tiny.open_folder(folder.path());
    (folder, model)
}

fn student(model: &OpenModel, activation_memory: ActivationMemory) -> DecoderStudent {
    DecoderStudent::open(
        model,
        StepOptions { activation_memory, base: BaseFormat::F32, products: MatmulPrecision::F32 },
    )
    .expect("the weights")
}

fn gradients(
    student: &mut DecoderStudent,
    adapter: &Adapter,
    batch: &PackedBatch,
    dropout: Option<u64>,
) -> Vec<f32> {
    let mut gradients = vec![0.0; adapter.values.len()];
    student.backward(adapter, batch, 1.0, dropout, &mut gradients).expect("a step");
    gradients
}

#[test]
fn gradients_are_the_slopes_of_the_loss_for_every_architecture() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        let mut student = student(&model, ActivationMemory::Keep);
        let mut adapter = adapter(&model, 0.0);
        let batch = PackedBatch::pack(&[example(1, 9), example(2, 14)]);
        let ours = gradients(&mut student, &adapter, &batch, None);
        // Some numbers of every tensor.
        let places: Vec<usize> =
            adapter.slots.iter().flat_map(|slot| [slot.a + 1, slot.a + 20, slot.b, slot.b + 7]).collect();
        let slopes: Vec<f32> = places
            .iter()
            .map(|&place| {
                let middle = adapter.values[place];
                let mut loss = |value: f32| {
                    adapter.values[place] = value;
                    student.evaluate(&adapter, &batch).expect("evaluate").nll
                };
                let (above, below) = (loss(middle + 5e-3), loss(middle - 5e-3));
                adapter.values[place] = middle;
                ((above - below) / 1e-2) as f32
            })
            .collect();
        let ours: Vec<f32> = places.iter().map(|&place| ours[place]).collect();
        near(kind, &ours, &slopes, 1e-2);
    }
}

#[test]
fn packed_examples_give_the_losses_and_gradients_of_examples_alone() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        let mut student = student(&model, ActivationMemory::Keep);
        let adapter = adapter(&model, 0.0);
        let examples = [example(1, 30), example(2, 7), example(3, 70)];
        let packed = gradients(&mut student, &adapter, &PackedBatch::pack(&examples), None);
        let mut alone = vec![0.0; packed.len()];
        for example in &examples {
            student.backward(&adapter, &PackedBatch::pack([example]), 1.0, None, &mut alone).expect("a step");
        }
        near(kind, &packed, &alone, 1e-4);
    }
}

#[test]
fn recomputed_activations_give_the_same_gradients_bit_for_bit() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        let adapter = adapter(&model, 0.25);
        let batch = PackedBatch::pack(&[example(1, 33), example(2, 50)]);
        let kept = gradients(&mut student(&model, ActivationMemory::Keep), &adapter, &batch, Some(3));
        let again = gradients(&mut student(&model, ActivationMemory::Recompute), &adapter, &batch, Some(3));
        assert_eq!(kept, again, "{kind}");
    }
}

#[test]
fn products_of_bf16_change_losses_and_gradients_by_their_rounding_alone() {
    if !has_bf16_products() {
        println!("left out: this processor has no AVX512-BF16");
        return;
    }
    for kind in KINDS {
        let (_folder, model) = open(kind);
        let adapter = adapter(&model, 0.0);
        let batch = PackedBatch::pack(&[example(1, 90), example(2, 60)]);
        let whole = gradients(&mut student(&model, ActivationMemory::Keep), &adapter, &batch, None);
        let options = StepOptions { products: MatmulPrecision::Bf16, ..StepOptions::default() };
        let mut rounded = DecoderStudent::open(&model, options).expect("the weights");
        let rounded = gradients(&mut rounded, &adapter, &batch, None);
        assert_ne!(whole, rounded, "{kind}: nothing was rounded");
        near(kind, &rounded, &whole, 3e-2);
    }
}

#[test]
fn dropout_is_drawn_from_its_seed() {
    let (_folder, model) = open("llama");
    let mut student = student(&model, ActivationMemory::Keep);
    let adapter = adapter(&model, 0.25);
    let batch = PackedBatch::pack(&[example(1, 40)]);
    let with = gradients(&mut student, &adapter, &batch, Some(1));
    assert_eq!(with, gradients(&mut student, &adapter, &batch, Some(1)));
    assert_ne!(with, gradients(&mut student, &adapter, &batch, Some(2)));
    assert_ne!(with, gradients(&mut student, &adapter, &batch, None));
}

#[test]
fn an_adapter_of_some_projections_trains_those_alone() {
    let (_folder, model) = open("llama");
    let mut student = student(&model, ActivationMemory::Keep);
    let mut some = adapter(&model, 0.0);
    let all = gradients(&mut student, &some, &PackedBatch::pack(&[example(1, 20)]), None);
    let untouched = some.clone();
    some.slots
        .retain(|slot| slot.layer == 1 && matches!(slot.projection, Projection::VProj | Projection::UpProj));
    for slot in untouched.slots.iter().filter(|slot| !some.slots.contains(slot)) {
        // B zero: what the other adapters would add vanishes, so that the kept ones see the same model.
        some.values[slot.b..slot.b + slot.outputs * 3].fill(0.0);
    }
    let ours = gradients(&mut student, &some, &PackedBatch::pack(&[example(1, 20)]), None);
    assert_ne!(all, ours);
    let kept = |place: usize| {
        let within =
            |slot: &dojo_studio::engine::adapter::Slot| (slot.a..slot.b + slot.outputs * 3).contains(&place);
        some.slots.iter().any(within)
    };
    assert!(ours.iter().enumerate().all(|(place, &gradient)| gradient == 0.0 || kept(place)));
    assert!(ours.iter().any(|&gradient| gradient != 0.0));
}

#[test]
fn what_does_not_fit_the_model_is_refused_by_name() {
    let (_folder, model) = open("llama");
    let mut student = student(&model, ActivationMemory::Keep);
    let adapter = adapter(&model, 0.0);
    let refusal = |student: &mut DecoderStudent, adapter: &Adapter, example: &TokenExample| {
        student.evaluate(adapter, &PackedBatch::pack([example])).expect_err("a refusal").to_string()
    };
    let long = refusal(&mut student, &adapter, &example(1, 300));
    assert!(long.contains("300 tokens") && long.contains("max_length"), "{long}");
    let mut strange = example(1, 5);
    strange.tokens[2] = 100_000;
    let strange = refusal(&mut student, &adapter, &strange);
    assert!(strange.contains("100000") && strange.contains("another model"), "{strange}");
    let mut other = adapter;
    other.slots[0].inputs += 1;
    let other = refusal(&mut student, &other, &example(1, 5));
    assert!(other.contains("for another model"), "{other}");
}
