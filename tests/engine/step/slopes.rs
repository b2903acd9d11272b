//! Gradients of losses that weigh each token: sums of those of the tokens' own, whatever is trained.

use dojo_studio::domain::batch::{IGNORED, PackedBatch};
use dojo_studio::domain::recipe::{ActivationMemory, BaseFormat, Dtype};
use dojo_studio::engine::adapter::Adapter;
use dojo_studio::engine::kernels::cross_entropy::RowLoss;
use dojo_studio::engine::train::course::TO_THE_END;
use dojo_studio::engine::train::device::{DeviceOptions, DeviceStudent};
use dojo_studio::engine::train::student::{LossSlope, Student};

use super::tuned::{self, Beside};
use super::{adapter, example, near, open, student};
use crate::support::device::device;

/// Some positive, some negative, one 0.
fn slope(row: usize) -> f32 {
    ((row * 7 + 3) % 5) as f32 * 0.25 - 0.5
}

fn batch() -> PackedBatch {
    PackedBatch::pack(&[example(1, 11), example(2, 6)])
}

fn weighed(student: &mut dyn Student, adapter: &Adapter) -> (Vec<RowLoss>, Vec<f32>) {
    let mut gradients = vec![0.0; adapter.values.len()];
    let mut slopes = |rows: &[RowLoss]| (0..rows.len()).map(slope).collect();
    let each = (LossSlope::Each(&mut slopes), None);
    let rows = student.backward_rows(adapter, &batch(), each, &mut gradients, TO_THE_END).expect("a step");
    (rows.expect("rows"), gradients)
}

/// The same, a token at a time.
fn one_by_one(student: &mut dyn Student, adapter: &Adapter) -> (Vec<f64>, Vec<f32>) {
    let whole = batch();
    let places = (0..whole.targets.len()).filter(|&place| whole.targets[place] != IGNORED);
    let (mut losses, mut gradients) = (Vec::new(), vec![0.0; adapter.values.len()]);
    for (row, place) in places.enumerate() {
        let mut alone = whole.clone();
        let target = |(at, target): (usize, &u32)| if at == place { *target } else { IGNORED };
        alone.targets = whole.targets.iter().enumerate().map(target).collect();
        let found = student.backward(adapter, &alone, slope(row), None, &mut gradients).expect("a step");
        losses.push(found.nll);
    }
    (losses, gradients)
}

fn check(what: &str, student: &mut dyn Student, adapter: &Adapter) {
    let (rows, gradients) = weighed(student, adapter);
    let (losses, sums) = one_by_one(student, adapter);
    assert_eq!(rows.len(), losses.len(), "{what}");
    for (row, loss) in rows.iter().zip(&losses) {
        assert!((f64::from(row.nll) - loss).abs() < 1e-4, "{what}: {row:?}, not {loss}");
    }
    near(what, &gradients, &sums, 1e-3);
}

#[test]
fn a_slope_for_each_token_weighs_its_gradient() {
    for kind in ["llama", "gemma3_text"] {
        let (_folder, model) = open(kind);
        check(kind, &mut student(&model, ActivationMemory::Keep), &adapter(&model, 0.0));
        let options = DeviceOptions {
            activation_memory: ActivationMemory::Keep,
            base: BaseFormat::F32,
            dtype: Dtype::F32,
        };
        let mut on_device = DeviceStudent::open(&model, &device(), options).expect("the weights");
        check(kind, &mut on_device, &adapter(&model, 0.0));
    }
}

#[test]
fn the_output_layer_and_tokens_learn_by_the_slope_of_each_token_too() {
    let (_folder, model) = open("llama");
    for beside in [Beside::Modules, Beside::Tokens] {
        let adapter = tuned::adapter(&model, beside, 0.0);
        check(&format!("{beside:?}"), &mut student(&model, ActivationMemory::Recompute), &adapter);
    }
}
