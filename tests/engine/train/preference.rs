//! Training on preferences, with the smallest student.

use std::path::Path;

use dojo_studio::domain::batch::{TokenExample, TokenPair};
use dojo_studio::domain::recipe::Recipe;
use dojo_studio::domain::run::RunFolder;
use dojo_studio::engine::train::course::TO_THE_END;
use dojo_studio::engine::train::host::HostRequest;
use dojo_studio::engine::train::objective::{Preferences, ReferencePair, reference_log_probabilities};
use dojo_studio::engine::train::trainer::{self, TrainOutcome, TrainingTask};

use crate::support::bigram::{self, Bigram, Script, VOCABULARY, save_adapter, timeless};

/// Counting up is better than counting down, from the same two tokens.
fn pairs(count: usize, from: usize) -> Vec<TokenPair> {
    let answer = |start: usize, step: usize, length: usize| {
        let tokens: Vec<u32> = (0..2)
            .chain(2..length)
            .map(|at| ((start + if at < 2 { at } else { 1 + (at - 1) * step }) % VOCABULARY) as u32)
            .collect();
        let trained = (0..tokens.len()).map(|at| at >= 2).collect();
        TokenExample { source: "pair".to_owned(), tokens, trained }
    };
    (from..from + count)
        .map(|index| TokenPair {
            chosen: answer(index, 1, 4 + index % 3),
            rejected: answer(index, VOCABULARY - 1, 4 + index % 2),
        })
        .collect()
}

fn recipe(overrides: &[&str]) -> Recipe {
    let dpo = ["method=dpo", "train.learning_rate=0.05", "lora.lora_dropout=0.0", "sample.sample_steps=0"];
    bigram::recipe(&[&dpo, overrides].concat())
}

fn train(folder: &Path, recipe: &Recipe, host: &mut Script) -> TrainOutcome {
    std::fs::create_dir_all(folder).unwrap();
    let (train, eval) = (pairs(12, 0), pairs(4, 20));
    let mut student = Bigram::default();
    let mut of = |pairs: &[TokenPair]| -> Vec<ReferencePair> {
        reference_log_probabilities(&mut student, &bigram::adapter(), pairs, TO_THE_END).unwrap().unwrap()
    };
    let (train_reference, eval_reference) = (of(&train), of(&eval));
    let mut objective = Preferences {
        train: &train,
        eval: &eval,
        train_reference: &train_reference,
        eval_reference: &eval_reference,
        dpo: recipe.dpo.as_ref().unwrap(),
    };
    let task = TrainingTask {
        recipe,
        folder: &RunFolder::new(folder),
        student: &mut Bigram::default(),
        sampler: None,
        adapter: bigram::adapter(),
        objective: &mut objective,
        truncated_fraction: 0.0,
        prompts: &[],
        save_adapter: &save_adapter,
    };
    trainer::train(task, host).unwrap()
}

fn numbers(folder: &Path, name: &str) -> Vec<f64> {
    timeless(&folder.join("metrics.jsonl")).iter().filter_map(|line| line.get(name)?.as_f64()).collect()
}

#[test]
fn a_run_on_preferences_widens_the_margin_and_logs_what_trl_logs() {
    let home = tempfile::tempdir().unwrap();
    let done = train(home.path(), &recipe(&["train.num_train_epochs=20"]), &mut Script::default());
    assert_eq!(done, TrainOutcome::Done);
    let (loss, margins) = (numbers(home.path(), "loss"), numbers(home.path(), "rewards/margins"));
    assert!((loss[0] - 2.0f64.ln()).abs() < 1e-6, "before a step the model is its reference: {}", loss[0]);
    assert!(margins[0].abs() < 1e-6 && *margins.last().unwrap() > 0.1, "{margins:?}");
    let held_out = numbers(home.path(), "eval_rewards/accuracies");
    assert_eq!((held_out[0], *held_out.last().unwrap()), (0.0, 1.0), "{held_out:?}");
    for name in [
        "entropy",
        "mean_token_accuracy",
        "logps/chosen",
        "logps/rejected",
        "rewards/chosen",
        "rewards/rejected",
    ] {
        assert_eq!(numbers(home.path(), name).len(), loss.len(), "{name}");
        assert!(!numbers(home.path(), &format!("eval_{name}")).is_empty(), "eval_{name}");
    }
}

#[test]
fn a_run_on_preferences_that_was_stopped_goes_on_as_one_that_was_not() {
    let home = tempfile::tempdir().unwrap();
    let recipe = recipe(&["dpo.loss_type=[\"sigmoid\", \"sft\"]", "dpo.loss_weights=[1.0, 0.2]"]);
    let (whole, broken) = (home.path().join("whole"), home.path().join("broken"));
    train(&whole, &recipe, &mut Script::default());
    assert_eq!(train(&broken, &recipe, &mut Script::at(5, HostRequest::Stop)), TrainOutcome::Stopped);
    assert_eq!(train(&broken, &recipe, &mut Script::default()), TrainOutcome::Done);
    assert_eq!(timeless(&broken.join("metrics.jsonl")), timeless(&whole.join("metrics.jsonl")));
    let adapter = |folder: &Path| std::fs::read(folder.join("adapter/adapter_model.safetensors")).unwrap();
    assert!(adapter(&broken) == adapter(&whole));
}

/// With accumulated micro-batches a step's loss is that of all its pairs at once.
#[test]
fn micro_batches_of_pairs_add_up_to_the_step_of_all() {
    let home = tempfile::tempdir().unwrap();
    let losses = ["sigmoid", "sft"].map(|kind| format!("dpo.loss_type={kind}"));
    for kind in &losses {
        let step = |name: &str, batch: &str, accumulation: &str| {
            let folder = home.path().join(format!("{kind}-{name}"));
            train(
                &folder,
                &recipe(&[kind, batch, accumulation, "train.num_train_epochs=2"]),
                &mut Script::default(),
            );
            (numbers(&folder, "eval_loss"), numbers(&folder, "logps/chosen"))
        };
        let whole =
            step("whole", "train.per_device_train_batch_size=12", "train.gradient_accumulation_steps=1");
        let parts =
            step("parts", "train.per_device_train_batch_size=3", "train.gradient_accumulation_steps=4");
        for (whole, parts) in [(whole.0, parts.0), (whole.1, parts.1)] {
            assert_eq!(whole.len(), parts.len());
            assert!(
                whole.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-4),
                "{kind}: {whole:?} {parts:?}"
            );
        }
    }
}
