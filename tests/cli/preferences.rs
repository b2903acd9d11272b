//! `dojo train` with `method = "dpo"`, on a tiny model.

use serde_json::json;

use crate::support::bigram::timeless;
use crate::support::program::World;

/// Twelve pairs, one of equal answers, and an answer alone.
fn world() -> World {
    let world = World::new();
    let pair = |n: usize| {
        json!({
            "prompt": [{"role": "user", "content": format!("count from {n}")}],
            "chosen": [{"role": "assistant", "content": format!("the {n} the {}", n + 1)}],
            "rejected": [{"role": "assistant", "content": "never"}],
        })
    };
    let mut lines: Vec<String> = (0..12).map(|n| pair(n).to_string()).collect();
    let mut same = pair(30);
    same["rejected"] = same["chosen"].clone();
    lines.push(same.to_string());
    std::fs::write(world.path().join("train.jsonl"), lines.join("\n")).unwrap();
    world.write_recipe(
        "method = \"dpo\"\ntrain.max_steps = 4\nsave.save_steps = 2\nsample.sample_steps = 0\n",
    );
    world
}

#[test]
fn pairs_are_trained_on_with_their_reference_kept_and_a_resumed_run_ends_as_a_whole_one() {
    let world = world();
    world.say(&["train", "recipe.toml", "--name", "whole"]);
    let lines = timeless(&world.run("whole").join("metrics.jsonl"));
    let first = lines.iter().find(|line| line.contains_key("loss")).unwrap();
    assert!((first["loss"].as_f64().unwrap() - 2.0f64.ln()).abs() < 1e-5, "{first:?}");
    let log = std::fs::read_to_string(world.run("whole").join("log")).unwrap_or_default();
    assert!(log.contains("both answers are the same"), "{log}");
    let kept = std::fs::read_to_string(world.run("whole").join("reference.jsonl")).unwrap();
    assert_eq!(kept.lines().count(), 13, "a heading, and 12 pairs: {kept}");

    world.say(&["train", "recipe.toml", "--name", "broken", "--set", "train.max_steps=2"]);
    let kept = world.run("broken").join("reference.jsonl");
    let lines = std::fs::read_to_string(&kept).unwrap().lines().count();
    assert!((3..13).contains(&lines), "a heading, and the pairs that two steps draw: {lines}");
    // As a kill in the middle of a line leaves it: what is whole counts, and the rest is computed.
    let text = std::fs::read_to_string(&kept).unwrap();
    let cut: String = text.split_inclusive('\n').take(7).collect::<String>() + "{\"pair\": 1, \"log_";
    std::fs::write(&kept, cut).unwrap();
    world.say(&["train", "--resume", "broken", "--set", "train.max_steps=4"]);
    let whole = std::fs::read_to_string(world.run("whole").join("reference.jsonl")).unwrap();
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), whole);
    assert!(text.lines().all(|line| whole.lines().any(|kept| kept == line)), "what was read is kept: {text}");
    let steps = |run: &str| {
        let lines = timeless(&world.run(run).join("metrics.jsonl"));
        lines.iter().filter(|line| line.contains_key("loss")).cloned().collect::<Vec<_>>()
    };
    // The learning rate goes by the steps that each was to have.
    assert_eq!(steps("broken").len(), steps("whole").len());
}

#[test]
fn answers_are_no_pairs_and_pairs_no_answers() {
    let world = world();
    let refused = |arguments: &[&str]| {
        let output = world.dojo(arguments);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let told = refused(&["train", "recipe.toml", "--set", "method=sft"]);
    assert!(told.contains("sft learns answers, not preferences"), "{told}");
    let answer = json!({"prompt": "count", "completion": "one"}).to_string();
    std::fs::write(world.path().join("train.jsonl"), answer).unwrap();
    let told = refused(&["train", "recipe.toml"]);
    assert!(told.contains("none of the 1 records of") && told.contains("set:pairs"), "{told}");
}

#[test]
fn a_run_on_preferences_is_measured_before_it_begins() {
    let world = world();
    let told = world.say(&["train", "recipe.toml", "--dry-run"]);
    assert!(told.contains("both answers are the same"), "{told}");
    assert!(told.contains("steps     4 "), "{told}");
}

#[test]
fn a_learning_rate_of_supervised_training_is_said() {
    let world = world();
    let told = world.say(&["train", "recipe.toml", "--dry-run"]);
    assert!(
        told.contains(
            "train.learning_rate is 0.001, as supervised training has it: dpo moves a model that can answer already \
             and takes about 1e-5; without the key that is the default"
        ),
        "{told}"
    );
    let quiet = world.say(&["train", "recipe.toml", "--dry-run", "--set", "train.learning_rate=1e-5"]);
    assert!(!quiet.contains("as supervised training has it"), "{quiet}");
}
