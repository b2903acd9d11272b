//! Examples that share their prompt: the same losses and gradients as if each had its own.

use dojo_studio::domain::batch::{PackedBatch, TokenExample};
use dojo_studio::domain::recipe::{ActivationMemory, BaseFormat, Dtype};
use dojo_studio::engine::adapter::Adapter;
use dojo_studio::engine::train::course::TO_THE_END;
use dojo_studio::engine::train::device::{DeviceOptions, DeviceStudent};
use dojo_studio::engine::train::student::{LossSlope, Student};

use super::{KINDS, adapter, example, near, open, student};
use crate::support::device::device;

/// Three completions of one prompt, one of another, and two of a third.
fn completions() -> Vec<TokenExample> {
    let completion = |prompt: usize, length: usize, seed: usize| {
        let (head, tail) = (example(prompt, 5 + prompt), example(seed, length));
        TokenExample::of_completion([head.tokens, tail.tokens].concat(), 5 + prompt)
    };
    let lengths = [(1, 9), (1, 1), (1, 70), (2, 4), (30, 6), (30, 12)];
    lengths.into_iter().zip(40..).map(|((prompt, length), seed)| completion(prompt, length, seed)).collect()
}

/// Losses of all rows, and the gradient of a loss that weighs each differently.
fn passed(
    student: &mut dyn Student,
    adapter: &Adapter,
    batch: &PackedBatch,
    dropout: Option<u64>,
) -> (Vec<f32>, Vec<f32>) {
    let mut gradients = vec![0.0; adapter.values.len()];
    let mut slopes = |rows: &[_]| (0..rows.len()).map(|row| (row as f32 * 0.7).sin()).collect();
    let rows = student
        .backward_rows(adapter, batch, (LossSlope::Each(&mut slopes), dropout), &mut gradients, TO_THE_END)
        .expect("a step")
        .expect("it wasn't stopped");
    (rows.iter().map(|row| row.nll).collect(), gradients)
}

#[test]
fn a_shared_prompt_trains_as_if_each_completion_had_its_own() {
    let examples = completions();
    let shared = PackedBatch::pack_sharing(&examples.iter().collect::<Vec<_>>());
    let apart = PackedBatch::pack(&examples);
    assert_eq!(shared.unshared().as_ref(), &apart);
    assert_eq!(
        (shared.tokens.len(), shared.unshared_tokens()),
        (apart.tokens.len() - 2 * 5 - 34, apart.tokens.len())
    );
    for kind in KINDS {
        let (_folder, model) = open(kind);
        for dropout in [None, Some(7)] {
            let adapter = adapter(&model, if dropout.is_some() { 0.25 } else { 0.0 });
            for memory in [ActivationMemory::Keep, ActivationMemory::Recompute] {
                let mut student = student(&model, memory);
                let ours = passed(&mut student, &adapter, &shared, dropout);
                let plain = passed(&mut student, &adapter, &apart, dropout);
                near(kind, &ours.0, &plain.0, 1e-4);
                near(kind, &ours.1, &plain.1, 1e-4);
                let evaluated =
                    student.evaluate_rows(&adapter, &shared, TO_THE_END).expect("evaluate").expect("all");
                if dropout.is_none() {
                    near(kind, &evaluated.iter().map(|row| row.nll).collect::<Vec<_>>(), &plain.0, 1e-4);
                }
            }
            let options = DeviceOptions {
                activation_memory: ActivationMemory::Keep,
                base: BaseFormat::F32,
                dtype: Dtype::F32,
            };
            let mut on_device = DeviceStudent::open(&model, &device(), options).expect("the weights");
            let ours = passed(&mut on_device, &adapter, &shared, dropout);
            let plain = passed(&mut student(&model, ActivationMemory::Keep), &adapter, &apart, dropout);
            near(kind, &ours.1, &plain.1, 1e-3);
        }
    }
}
