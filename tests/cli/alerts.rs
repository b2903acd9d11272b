//! `[alerts]`: a program of the user's is told what becomes of a run.

use serde_json::Value;

use crate::support::program::World;

/// A world whose alerts are written into a file: the sentence, then the event.
fn world() -> World {
    let world = World::new();
    let told = world.path().join("told.txt");
    let script = format!("(printf '%s\\n' \"$1\"; cat) >> '{}'", told.display());
    let settings = world.path().join("settings");
    std::fs::create_dir_all(&settings).unwrap();
    let text = format!("[alerts]\ncommand = [\"sh\", \"-c\", {}, \"sh\"]\n", Value::from(script));
    std::fs::write(settings.join("settings.toml"), text).unwrap();
    world
}

/// The sentences and the events.
fn told(world: &World) -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(world.path().join("told.txt")).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines.chunks(2).map(|two| (two[0].to_owned(), serde_json::from_str(two[1]).unwrap())).collect()
}

#[test]
fn the_end_of_a_run_is_told_before_its_process_ends() {
    let world = world();
    world.write_recipe("train.max_steps = 3\n");
    world.say(&["train", "recipe.toml", "--name", "mine"]);
    let told = told(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    let (sentence, event) = &told[0];
    assert_eq!(sentence, "mine is done: 3 of 3 steps");
    assert_eq!((event["event"].as_str(), event["phase"].as_str()), (Some("ended"), Some("done")));
    assert_eq!(event["text"].as_str(), Some(sentence.as_str()));
}

#[test]
fn a_run_that_fails_says_why_and_what_the_doctor_finds_is_told_once() {
    let world = world();
    world.write_recipe("data.map = []\n");
    std::fs::write(world.path().join("train.jsonl"), "").unwrap();
    assert!(!world.dojo(&["train", "recipe.toml", "--name", "empty"]).status.success());
    let failed = told(&world);
    assert!(failed[0].0.starts_with("empty failed: "), "{failed:?}");

    let other = self::world();
    // Far too fast: the loss rises without an end.
    other.write_recipe("train.max_steps = 60\ntrain.warmup_steps = 0\ntrain.max_grad_norm = 0\n");
    other.dojo(&["train", "recipe.toml", "--name", "fast", "--set", "train.learning_rate=9"]);
    let told = told(&other);
    let found: Vec<String> = told
        .iter()
        .filter(|(_, event)| event["event"] == "finding")
        .map(|(_, event)| format!("{} {}", event["metric"], event["weight"]))
        .collect();
    assert!(!found.is_empty(), "{told:?}");
    let distinct: std::collections::BTreeSet<&String> = found.iter().collect();
    assert_eq!(distinct.len(), found.len(), "each is told once: {found:?}");
    assert_eq!(told.last().unwrap().1["event"], "ended");
}

#[test]
fn a_program_that_cannot_be_started_ends_no_run() {
    let world = World::new();
    let settings = world.path().join("settings");
    std::fs::create_dir_all(&settings).unwrap();
    std::fs::write(settings.join("settings.toml"), "[alerts]\ncommand = [\"no-such-program-here\"]\n")
        .unwrap();
    world.write_recipe("train.max_steps = 2\n");
    world.say(&["train", "recipe.toml", "--name", "mine"]);
    let log = std::fs::read_to_string(world.run("mine").join("log")).unwrap();
    assert!(log.contains("could not be told") && log.contains("no-such-program-here"), "{log}");
}
