//! Training on the weights that generation holds, and at a temperature.

use dojo_studio::domain::batch::PackedBatch;
use dojo_studio::domain::recipe::{ActivationMemory, BaseFormat, Dtype};
use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::generate::{
    GenerateRequest, Limits, Loaded, LogProbabilityOf, Precision, Sampling, complete,
};
use dojo_studio::engine::kernels::gemm::MatmulPrecision;
use dojo_studio::engine::train::course::TO_THE_END;
use dojo_studio::engine::train::device::{DeviceOptions, DeviceStudent};
use dojo_studio::engine::train::step::{DecoderStudent, StepOptions};
use dojo_studio::engine::train::student::Student;

use super::{KINDS, adapter, example, gradients, near, open, student};
use crate::support::device::device;

fn sharing(model: &dojo_studio::engine::model::OpenModel, loaded: &Loaded) -> DecoderStudent {
    let view = loaded.view().expect("weights on the processor");
    let options = StepOptions {
        activation_memory: ActivationMemory::Keep,
        base: BaseFormat::F32,
        products: MatmulPrecision::F32,
    };
    DecoderStudent::over(&model.name, &model.config, &view, options).expect("the weights")
}

#[test]
fn weights_that_generation_holds_train_bit_for_bit_as_those_of_the_file() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        let loaded = Loaded::new(&model, Precision::Exact, &ComputeDevice::Cpu).expect("the weights");
        let adapter = adapter(&model, 0.0);
        let batch = PackedBatch::pack(&[example(1, 33), example(2, 9)]);
        let own = gradients(&mut student(&model, ActivationMemory::Keep), &adapter, &batch, None);
        let shared = gradients(&mut sharing(&model, &loaded), &adapter, &batch, None);
        assert!(own == shared, "{kind}");
    }
}

#[test]
fn at_a_temperature_gradients_are_still_the_slopes_of_the_loss() {
    for kind in ["llama", "gemma3_text"] {
        let (_folder, model) = open(kind);
        let mut adapter = adapter(&model, 0.0);
        let batch = PackedBatch::pack(&[example(1, 9), example(2, 14)]);
        let mut student = student(&model, ActivationMemory::Keep);
        let plain = student.evaluate(&adapter, &batch).expect("evaluate").nll;
        student.set_temperature(0.7);
        let ours = gradients(&mut student, &adapter, &batch, None);
        let places: Vec<usize> = adapter.slots.iter().flat_map(|slot| [slot.a + 1, slot.b + 7]).collect();
        let mut slopes = Vec::new();
        for &place in &places {
            let middle = adapter.values[place];
            let mut loss = |value: f32| {
                adapter.values[place] = value;
                student.evaluate(&adapter, &batch).expect("evaluate").nll
            };
            slopes.push(((loss(middle + 5e-3) - loss(middle - 5e-3)) / 1e-2) as f32);
            adapter.values[place] = middle;
        }
        near(kind, &places.iter().map(|&place| ours[place]).collect::<Vec<_>>(), &slopes, 1e-2);
        let sharp = student.evaluate(&adapter, &batch).expect("evaluate").nll;
        assert!((sharp - plain).abs() > 1e-3, "{kind}: {sharp} and {plain}");
        let options = DeviceOptions {
            activation_memory: ActivationMemory::Keep,
            base: BaseFormat::F32,
            dtype: Dtype::F32,
        };
        let mut on_device = DeviceStudent::open(&model, &device(), options).expect("the weights");
        on_device.set_temperature(0.7);
        let mut theirs = vec![0.0; ours.len()];
        on_device.backward(&adapter, &batch, 1.0, None, &mut theirs).expect("a step");
        near(kind, &theirs, &ours, 1e-3);
    }
}

#[test]
fn what_samples_and_what_trains_agree_on_every_token() {
    for kind in KINDS {
        let (_folder, model) = open(kind);
        let loaded = Loaded::new(&model, Precision::Exact, &ComputeDevice::Cpu).expect("the weights");
        let adapter = adapter(&model, 0.0);
        let mut generator = loaded.generator(Limits::default()).expect("a generator");
        let id = generator.add_adapter(&adapter).expect("an adapter");
        let sampling = Sampling {
            temperature: 0.7,
            log_probabilities: Some(0),
            log_probabilities_of: LogProbabilityOf::Tempered,
            seed: 3,
            ..Sampling::default()
        };
        let prompt = example(4, 12).tokens;
        let request = GenerateRequest {
            sampling,
            choices: 4,
            adapter: Some(id),
            ..GenerateRequest::new(prompt.clone(), 20)
        };
        let drawn = complete(&mut generator, vec![request], &mut |_| Ok(())).expect("completions");
        let mut trainer = sharing(&model, &loaded);
        trainer.set_temperature(0.7);
        for one in &drawn[0] {
            let mut whole = example(4, 12);
            whole.tokens.extend(&one.tokens);
            whole.trained = (0..whole.tokens.len()).map(|at| at >= prompt.len()).collect();
            let rows = trainer.evaluate_rows(&adapter, &PackedBatch::pack([&whole]), TO_THE_END);
            let rows = rows.expect("a pass").expect("rows");
            assert_eq!(rows.len(), one.log_probabilities.len(), "{kind}");
            for (row, sampled) in rows.iter().zip(&one.log_probabilities) {
                assert!((row.nll + sampled).abs() < 1e-3, "{kind}: {} and {sampled}", -row.nll);
            }
        }
    }
}
