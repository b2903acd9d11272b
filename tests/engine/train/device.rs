//! A whole run whose steps are made of candle's operations, against the same run by the processor's own.

use std::path::Path;

use dojo_studio::domain::batch::TokenExample;
use dojo_studio::domain::recipe::{ActivationMemory, BaseFormat, Dtype};
use dojo_studio::domain::run::RunFolder;
use dojo_studio::engine::adapter::{Adapter, LoraConfig, Projection};
use dojo_studio::engine::model::OpenModel;
use dojo_studio::engine::train::device::{DeviceOptions, DeviceStudent};
use dojo_studio::engine::train::host::HostRequest;
use dojo_studio::engine::train::objective::Supervised;
use dojo_studio::engine::train::step::{DecoderStudent, StepOptions};
use dojo_studio::engine::train::student::Student;
use dojo_studio::engine::train::trainer::{self, TrainOutcome, TrainingTask};

use crate::support::bigram::{Script, recipe};
use crate::support::device::device;
use crate::support::tiny::Tiny;

fn examples(count: usize, from: usize) -> Vec<TokenExample> {
    let example = |index: usize| {
        let length = 6 + index * 7 % 11;
        let tokens = (0..length).map(|n| ((index * 31 + n * 5) % 200) as u32).collect();
        TokenExample { source: format!("example {index}"), tokens, trained: vec![true; length] }
    };
    (from..from + count).map(example).collect()
}

fn run(model: &OpenModel, student: &mut dyn Student, folder: &Path, host: &mut Script) -> TrainOutcome {
    let lora = LoraConfig {
        r: 4,
        lora_alpha: 8.0,
        lora_dropout: 0.1,
        target_modules: Projection::ALL.to_vec(),
        use_rslora: false,
        use_dora: false,
    };
    let recipe = recipe(&["train.learning_rate=0.01", "train.num_train_epochs=2", "sample.sample_steps=0"]);
    let task = TrainingTask {
        recipe: &recipe,
        folder: &RunFolder::new(folder.to_owned()),
        student,
        sampler: None,
        adapter: Adapter::fresh(lora, "tiny", &model.config, 3).unwrap(),
        objective: &mut Supervised { train: &examples(20, 0), eval: &examples(5, 100) },
        truncated_fraction: 0.0,
        prompts: &[],
        save_adapter: &|adapter, folder| adapter.save(folder, &model.config),
    };
    trainer::train(task, host).unwrap()
}

fn numbers(folder: &Path, name: &str) -> Vec<f64> {
    let text = std::fs::read_to_string(folder.join("metrics.jsonl")).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    lines.filter_map(|line| line.get(name)?.as_f64()).collect()
}

fn on_device(model: &OpenModel, dtype: Dtype) -> DeviceStudent {
    let options = DeviceOptions { activation_memory: ActivationMemory::Auto, base: BaseFormat::F32, dtype };
    DeviceStudent::open(model, &device(), options).unwrap()
}

#[test]
fn a_run_on_the_device_goes_as_one_on_the_processor_and_resumes_exactly() {
    let place = tempfile::tempdir().unwrap();
    let model = Tiny::new("llama").open_folder(&place.path().join("model"));
    let [ours, plain, broken, narrow] = ["ours", "plain", "broken", "narrow"].map(|name| {
        let folder = place.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        folder
    });
    let mut processor = DecoderStudent::open(&model, StepOptions::default()).unwrap();
    assert_eq!(run(&model, &mut processor, &plain, &mut Script::default()), TrainOutcome::Done);
    let whole = run(&model, &mut on_device(&model, Dtype::F32), &ours, &mut Script::default());
    assert_eq!(whole, TrainOutcome::Done);
    run(&model, &mut on_device(&model, Dtype::Bf16), &narrow, &mut Script::default());
    for name in ["loss", "grad_norm", "eval_loss", "mean_token_accuracy", "num_tokens"] {
        let (ours, plain, narrow) = (numbers(&ours, name), numbers(&plain, name), numbers(&narrow, name));
        assert!(ours.len() == plain.len() && !ours.is_empty(), "{name}");
        for ((ours, plain), narrow) in ours.iter().zip(&plain).zip(&narrow) {
            assert!((ours - plain).abs() <= 2e-3 * plain.abs() + 1e-9, "{name}: {ours} {plain}");
            assert!((narrow - plain).abs() <= 0.1 * plain.abs() + 0.05, "{name} in bf16: {narrow} {plain}");
        }
    }
    assert!(numbers(&ours, "memory_gb").iter().all(|&gb| gb > 0.0));
    let stopped =
        run(&model, &mut on_device(&model, Dtype::F32), &broken, &mut Script::at(7, HostRequest::Stop));
    assert_eq!(stopped, TrainOutcome::Stopped);
    run(&model, &mut on_device(&model, Dtype::F32), &broken, &mut Script::default());
    let adapter = |folder: &Path| std::fs::read(folder.join("adapter/adapter_model.safetensors")).unwrap();
    assert!(adapter(&broken) == adapter(&ours), "the resumed run ends elsewhere");
}
