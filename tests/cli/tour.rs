//! `dojo tour` as a person runs it without a terminal, on a tiny random model.

use std::process::Output;

use serde_json::Value;

use crate::support::program::World;
use crate::support::tiny::Tiny;

const STEPS: [&str; 8] =
    ["data", "review", "sft", "before and after", "grpo", "library", "evaluation", "export"];

/// A world whose model has room for the sample's examples.
fn world() -> World {
    let world = World::new();
    Tiny { context: 4096, ..Tiny::new("llama") }.write_folder(&world.path().join("model"));
    world
}

fn tour(world: &World, more: &[&str]) -> Output {
    let short = ["--set", "train.max_steps=2", "--set", "train.per_device_train_batch_size=2"];
    world.dojo(&[&["tour", "--yes", "--model", "model"], &short[..], more].concat())
}

/// What is kept of each step: its name and what became of it.
fn kept(world: &World) -> Vec<(String, String)> {
    let text = std::fs::read(world.path().join("data/sessions/tour/tour.json")).unwrap();
    let kept: Value = serde_json::from_slice(&text).unwrap();
    let of = |step: &Value, key: &str| step[key].as_str().unwrap().to_owned();
    let taken = kept["taken"].as_array().unwrap();
    taken.iter().map(|step| (of(step, "step"), of(step, "outcome"))).collect()
}

fn all_done() -> Vec<(String, String)> {
    STEPS.iter().map(|step| ((*step).to_owned(), "done".to_owned())).collect()
}

#[test]
fn every_step_is_taken_without_a_terminal_and_told_in_a_table_and_nothing_is_taken_twice() {
    let world = world();
    let said = tour(&world, &[]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.status.success(), "{text}\n{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(kept(&world), all_done());
    let table = &text[text.rfind("result").unwrap()..];
    assert!(STEPS.iter().all(|step| table.contains(step)), "{table}");
    assert!(text.contains("the teacher's correction"), "{text}");
    let session = world.path().join("data/sessions/tour");
    assert!(session.join("runs/tour-grpo/adapter").is_dir());
    assert!(session.join("exports/gguf-q8_0").is_dir());

    let before = std::fs::read(session.join("runs/tour-sft/metrics.jsonl")).unwrap();
    let again = tour(&world, &[]);
    assert!(again.status.success());
    assert_eq!(std::fs::read(session.join("runs/tour-sft/metrics.jsonl")).unwrap(), before);
}

#[test]
fn a_step_that_fails_is_told_and_the_others_go_on_and_the_next_tour_takes_what_failed() {
    let world = world();
    // What GRPO's recipe can't be, and what an SFT's doesn't read.
    let broken = tour(&world, &["--set", "grpo.num_generations=1"]);
    assert_eq!(broken.status.code(), Some(1), "{}", String::from_utf8_lossy(&broken.stderr));
    let expected: Vec<(String, String)> = STEPS
        .iter()
        .map(|step| ((*step).to_owned(), if *step == "grpo" { "failed" } else { "done" }.to_owned()))
        .collect();
    assert_eq!(kept(&world), expected);
    let mended = tour(&world, &[]);
    assert!(mended.status.success(), "{}", String::from_utf8_lossy(&mended.stdout));
    let mut now = kept(&world);
    let mut all = all_done();
    now.sort();
    all.sort();
    assert_eq!(now, all);
}

#[test]
fn a_session_of_that_name_that_is_the_persons_own_is_left_alone() {
    let world = world();
    world.say(&["new", "tour"]);
    for more in [&[][..], &["--again"]] {
        let refused = tour(&world, more);
        assert_eq!(refused.status.code(), Some(1));
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains("is your own"), "{told}");
    }
    assert!(world.path().join("data/sessions/tour/session.toml").is_file());
}

#[test]
fn without_a_terminal_a_tour_that_would_wait_says_what_does_not() {
    let refused = world().dojo(&["tour", "--model", "model"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("dojo tour --yes"));
}
