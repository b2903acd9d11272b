use std::path::Path;

use dojo_studio::domain::run::{RunFolder, Sample};
use dojo_studio::engine::train::checkpoint;
use dojo_studio::engine::train::host::HostRequest;
use dojo_studio::engine::train::trainer::TrainOutcome;

use crate::support::bigram::{self, Bigram, Heard, Script, timeless};

fn values(folder: &Path) -> Vec<u8> {
    std::fs::read(folder.join("adapter/adapter_model.safetensors")).unwrap()
}

fn numbers(folder: &Path, name: &str) -> Vec<f64> {
    timeless(&folder.join("metrics.jsonl")).iter().filter_map(|line| line.get(name)?.as_f64()).collect()
}

#[test]
fn a_run_reports_every_step_and_the_loss_falls() {
    let home = tempfile::tempdir().unwrap();
    let mut host = Script::default();
    let recipe = bigram::recipe(&["train.learning_rate=0.2"]);
    let outcome = bigram::train(home.path(), &recipe, &mut host).unwrap();
    assert_eq!(outcome, TrainOutcome::Done);
    // 20 examples in batches of 2, two batches a step: 5 steps an epoch, 4 epochs.
    assert_eq!(host.heard[..2], [Heard::Began(0, 20), Heard::Rehearsed(14)]);
    let steps: Vec<u64> = host
        .heard
        .iter()
        .filter_map(|heard| if let Heard::Stepped(step) = heard { Some(*step) } else { None })
        .collect();
    assert_eq!(steps, (1..=20).collect::<Vec<u64>>());
    let losses = numbers(home.path(), "loss");
    assert!(losses[19] < 0.8 * losses[0], "{losses:?}");
    let eval = numbers(home.path(), "eval_loss");
    assert_eq!(eval.len(), 8, "before the first step, at steps 3, 6, ... 18, and at the end");
    assert!(eval[7] < 0.8 * eval[0], "{eval:?}");
}

#[test]
fn a_line_of_metrics_has_the_names_that_trl_users_plot() {
    let home = tempfile::tempdir().unwrap();
    bigram::train(home.path(), &bigram::recipe(&["train.max_steps=1"]), &mut Script::default()).unwrap();
    let text = std::fs::read_to_string(home.path().join("metrics.jsonl")).unwrap();
    let names = |line: &str| -> Vec<String> {
        serde_json::from_str::<serde_json::Map<_, _>>(line).unwrap().keys().cloned().collect()
    };
    let lines: Vec<Vec<String>> = text.lines().map(names).collect();
    let eval = ["step", "epoch", "eval_loss", "eval_entropy", "eval_mean_token_accuracy"];
    let shared = [
        "step",
        "epoch",
        "loss",
        "entropy",
        "mean_token_accuracy",
        "grad_norm",
        "learning_rate",
        "num_tokens",
    ];
    let measured = ["tokens_per_second", "step_time", "memory_gb", "truncated_fraction"];
    assert_eq!(lines, [eval.to_vec(), [&shared[..], &measured[..]].concat(), eval.to_vec()]);
}

#[test]
fn a_run_stopped_at_ticks_of_every_kind_and_resumed_ends_as_one_that_was_not() {
    let recipe = bigram::recipe(&[]);
    let whole = tempfile::tempdir().unwrap();
    let mut host = Script::default();
    bigram::train(whole.path(), &recipe, &mut host).unwrap();
    let expected = (timeless(&whole.path().join("metrics.jsonl")), values(whole.path()));
    let samples = std::fs::read(whole.path().join("samples.jsonl")).unwrap();
    // Steps, evaluation batches and sampled tokens are hit at every place of their cycles.
    for tick in (0..host.ticks()).step_by(3) {
        let broken = tempfile::tempdir().unwrap();
        let outcome =
            bigram::train(broken.path(), &recipe, &mut Script::at(tick, HostRequest::Stop)).unwrap();
        assert_eq!(outcome, TrainOutcome::Stopped, "tick {tick}");
        bigram::train(broken.path(), &recipe, &mut Script::default()).unwrap();
        let found = (timeless(&broken.path().join("metrics.jsonl")), values(broken.path()));
        assert_eq!(found, expected, "stopped at tick {tick}");
        assert_eq!(std::fs::read(broken.path().join("samples.jsonl")).unwrap(), samples, "tick {tick}");
    }
}

#[test]
fn lines_written_after_the_last_checkpoint_are_cut_off_when_a_run_is_resumed() {
    let recipe = bigram::recipe(&[]);
    let whole = tempfile::tempdir().unwrap();
    bigram::train(whole.path(), &recipe, &mut Script::default()).unwrap();
    let killed = tempfile::tempdir().unwrap();
    bigram::train(killed.path(), &recipe, &mut Script::at(20, HostRequest::Stop)).unwrap();
    let metrics = killed.path().join("metrics.jsonl");
    let torn = std::fs::read_to_string(&metrics).unwrap() + "{\"step\":99,\"loss\":1.0}\n{\"step\":100,\"lo";
    std::fs::write(&metrics, torn).unwrap();
    bigram::train(killed.path(), &recipe, &mut Script::default()).unwrap();
    assert_eq!(timeless(&metrics), timeless(&whole.path().join("metrics.jsonl")));
}

#[test]
fn a_checkpoint_that_someone_asks_for_is_saved_before_the_next_step() {
    let home = tempfile::tempdir().unwrap();
    let recipe = bigram::recipe(&[
        "data.split=0",
        "save.save_steps=0",
        "sample.sample_steps=0",
        "eval.eval_steps=1000",
    ]);
    let mut host = Script::at(3, HostRequest::Checkpoint);
    bigram::train(home.path(), &recipe, &mut host).unwrap();
    let saved = host.heard.iter().position(|heard| matches!(heard, Heard::Saved(_))).unwrap();
    // One tick for the evaluation before the first step, then one before each step.
    assert_eq!(host.heard[saved - 1..=saved + 1], [Heard::Stepped(2), Heard::Saved(2), Heard::Stepped(3)]);
}

#[test]
fn a_checkpoint_that_someone_asks_for_is_saved_at_once_wherever_the_run_is() {
    let recipe = bigram::recipe(&["save.save_steps=0", "eval.per_device_eval_batch_size=2"]);
    let samples =
        |host: &Script| host.heard.iter().filter(|heard| matches!(heard, Heard::Sampled(_))).count();
    let home = tempfile::tempdir().unwrap();
    let mut undisturbed = Script::default();
    bigram::train(home.path(), &recipe, &mut undisturbed).unwrap();
    // Before steps, halfway through evaluations, halfway through samples: a paused run waits in any of them.
    for tick in 0..undisturbed.ticks() - 1 {
        let home = tempfile::tempdir().unwrap();
        let mut host = Script::at(tick, HostRequest::Checkpoint);
        bigram::train(home.path(), &recipe, &mut host).unwrap();
        let heard = &host.heard[..host.heard_before[tick + 1]];
        assert!(matches!(heard.last(), Some(Heard::Saved(_))), "tick {tick}: {heard:?}");
        assert_eq!(samples(&host), samples(&undisturbed), "tick {tick}");
    }
}

#[test]
fn the_newest_checkpoints_and_the_best_one_are_kept() {
    let home = tempfile::tempdir().unwrap();
    let recipe = bigram::recipe(&[
        "eval.eval_steps=3",
        "save.save_steps=1",
        "train.max_steps=11",
        "eval.early_stopping_threshold=0.35",
    ]);
    let mut host = Script::default();
    bigram::train(home.path(), &recipe, &mut host).unwrap();
    let best = host
        .heard
        .iter()
        .rev()
        .find_map(|heard| if let Heard::Evaluated(step, true) = heard { Some(*step) } else { None });
    let mut expected = vec![best.unwrap(), 10, 11];
    expected.dedup();
    assert_eq!(checkpoint::steps(&RunFolder::new(home.path())).unwrap(), expected);
}

#[test]
fn early_stopping_ends_a_run_whose_loss_no_longer_falls() {
    let home = tempfile::tempdir().unwrap();
    let overrides =
        ["train.learning_rate=1e-9", "eval.early_stopping_patience=2", "eval.early_stopping_threshold=0.01"];
    let mut host = Script::default();
    let outcome = bigram::train(home.path(), &bigram::recipe(&overrides), &mut host).unwrap();
    assert_eq!(outcome, TrainOutcome::Done);
    // The first evaluation after a step is the best there is; then two without gain.
    assert!(host.heard.contains(&Heard::StoppedEarly(9)), "{:?}", host.heard);
    assert!(!host.heard.contains(&Heard::Stepped(10)));
}

#[test]
fn the_best_adapter_is_the_final_one_where_the_recipe_says_so() {
    let home = tempfile::tempdir().unwrap();
    // The rate is so high that later losses are worse.
    let overrides = [
        "train.learning_rate=1",
        "train.lr_scheduler_type=constant",
        "save.load_best_model_at_end=true",
        "eval.eval_steps=1",
    ];
    bigram::train(home.path(), &bigram::recipe(&overrides), &mut Script::default()).unwrap();
    let eval = numbers(home.path(), "eval_loss");
    let best = (1..eval.len()).min_by(|&a, &b| eval[a].total_cmp(&eval[b])).unwrap();
    assert!(best < 20, "the last evaluation must not be the best for this test to tell: {eval:?}");
    let kept = home.path().join(format!("checkpoints/step-{best}/adapter_model.safetensors"));
    assert_eq!(std::fs::read(kept).unwrap(), values(home.path()));
}

#[test]
fn where_the_best_values_are_damaged_at_the_end_the_last_ones_are_kept_and_it_is_told() {
    let home = tempfile::tempdir().unwrap();
    let overrides = [
        "train.learning_rate=1",
        "train.lr_scheduler_type=constant",
        "save.load_best_model_at_end=true",
        "eval.eval_steps=1",
    ];
    bigram::train(home.path(), &bigram::recipe(&overrides), &mut Script::default()).unwrap();
    let eval = numbers(home.path(), "eval_loss");
    let best = (1..eval.len()).min_by(|&a, &b| eval[a].total_cmp(&eval[b])).unwrap();
    let damaged = home.path().join(format!("checkpoints/step-{best}/optimizer.safetensors"));
    let mut bytes = std::fs::read(&damaged).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(damaged, bytes).unwrap();
    // It goes on from its end, and writes its adapter once more.
    let mut host = Script::default();
    bigram::train(home.path(), &bigram::recipe(&overrides), &mut host).unwrap();
    assert_eq!(host.heard.last(), Some(&Heard::BestLost(best as u64)));
    let last = home.path().join(format!("checkpoints/step-{}/adapter_model.safetensors", eval.len() - 1));
    assert_eq!(std::fs::read(last).unwrap(), values(home.path()));
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_leaves_the_last_checkpoint() {
    let home = tempfile::tempdir().unwrap();
    // The rehearsal is the first call; two calls a step.
    let mut student = Bigram { nan_at: Some(1 + 2 * 5), ..Bigram::default() };
    let error =
        bigram::train_student(home.path(), &bigram::recipe(&[]), &mut Script::default(), &mut student);
    assert_eq!(
        error.unwrap_err().to_string(),
        "the loss is NaN at step 6: training has diverged (the checkpoint of step 4 is intact); lower \
         train.learning_rate, now 0.05"
    );
    let last = timeless(&home.path().join("metrics.jsonl")).pop().unwrap();
    assert_eq!((last["step"].as_u64(), last["loss"].as_str()), (Some(6), Some("NaN")));
    assert_eq!(checkpoint::steps(&RunFolder::new(home.path())).unwrap(), [3, 4]);
}

#[test]
fn other_examples_than_those_of_the_checkpoint_are_refused() {
    let home = tempfile::tempdir().unwrap();
    bigram::train(home.path(), &bigram::recipe(&[]), &mut Script::at(20, HostRequest::Stop)).unwrap();
    let state = std::fs::read_dir(home.path().join("checkpoints")).unwrap().next().unwrap().unwrap().path();
    let path = state.join("trainer_state.json");
    let mut changed: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    changed["examples"] = 1.into();
    // As an earlier version wrote it: what is sealed can't be changed.
    for key in ["hashes", "seal"] {
        changed.as_object_mut().unwrap().remove(key);
    }
    for step in checkpoint::steps(&RunFolder::new(home.path())).unwrap() {
        let path = home.path().join(format!("checkpoints/step-{step}/trainer_state.json"));
        changed["step"] = step.into();
        std::fs::write(path, changed.to_string()).unwrap();
    }
    let error = bigram::train(home.path(), &bigram::recipe(&[]), &mut Script::default()).unwrap_err();
    assert!(error.to_string().starts_with("the training examples are not those that"), "{error}");
}

#[test]
fn samples_are_drawn_before_the_first_step_and_every_few_steps() {
    let home = tempfile::tempdir().unwrap();
    bigram::train(home.path(), &bigram::recipe(&["train.max_steps=6"]), &mut Script::default()).unwrap();
    let text = std::fs::read_to_string(home.path().join("samples.jsonl")).unwrap();
    let samples: Vec<Sample> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let steps: Vec<(u64, &str)> =
        samples.iter().map(|sample| (sample.step, sample.prompt.as_str())).collect();
    assert_eq!(steps, [(0, "count"), (0, "on"), (5, "count"), (5, "on"), (6, "count"), (6, "on")]);
    assert!(samples.iter().all(|sample| sample.completion.split(' ').count() == 6));
}

#[test]
fn packing_reads_every_example_once_an_epoch() {
    let home = tempfile::tempdir().unwrap();
    let overrides = [
        "data.packing=bfd",
        "data.max_length=16",
        "train.num_train_epochs=1",
        "train.per_device_train_batch_size=1",
    ];
    bigram::train(home.path(), &bigram::recipe(&overrides), &mut Script::default()).unwrap();
    let lines = timeless(&home.path().join("metrics.jsonl"));
    let tokens = lines.iter().filter_map(|line| line.get("num_tokens")?.as_u64()).max().unwrap();
    let expected: usize = bigram::examples(20).iter().map(|example| example.tokens.len()).sum();
    assert_eq!(tokens, expected as u64);
}

#[test]
fn a_stop_interrupts_the_largest_batch_and_the_run_is_resumed_as_if_it_had_not_begun() {
    let (home, whole) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let recipe = bigram::recipe(&[]);
    let mut host = Script::that_stops_after(0);
    assert_eq!(bigram::train(home.path(), &recipe, &mut host).unwrap(), TrainOutcome::Stopped);
    assert_eq!((host.ticks(), host.heard), (0, vec![Heard::Began(0, 20), Heard::Saved(0)]));
    bigram::train(home.path(), &recipe, &mut Script::default()).unwrap();
    bigram::train(whole.path(), &recipe, &mut Script::default()).unwrap();
    let metrics = |home: &tempfile::TempDir| bigram::timeless(&home.path().join("metrics.jsonl"));
    assert_eq!(metrics(&home), metrics(&whole));
}

#[test]
fn a_stop_in_the_middle_of_a_step_or_an_evaluation_leaves_the_run_as_it_was_before() {
    let whole = tempfile::tempdir().unwrap();
    let recipe = bigram::recipe(&[]);
    bigram::train(whole.path(), &recipe, &mut Script::default()).unwrap();
    let metrics = |home: &tempfile::TempDir| bigram::timeless(&home.path().join("metrics.jsonl"));
    for passes in 1..16 {
        let home = tempfile::tempdir().unwrap();
        let mut host = Script::that_stops_after(passes);
        assert_eq!(bigram::train(home.path(), &recipe, &mut host).unwrap(), TrainOutcome::Stopped);
        assert!(host.ticks() <= passes + 20 && host.heard.last() != Some(&Heard::Stepped(20)));
        bigram::train(home.path(), &recipe, &mut Script::default()).unwrap();
        assert_eq!(metrics(&home), metrics(&whole), "stopped after {passes} passes");
        assert_eq!(values(home.path()), values(whole.path()), "stopped after {passes} passes");
    }
}
