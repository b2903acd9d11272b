//! `dojo runs` beside a live run.

use std::process::Command;

use crate::support::program::{World, wait_until};

fn phase_is(world: &World, run: &str, phase: &str) -> bool {
    world.state(run).is_some_and(|state| state["phase"] == phase)
}

#[test]
fn a_detached_run_obeys_pause_checkpoint_resume_and_stop() {
    let world = World::new();
    world.write_recipe("train.max_steps = 100000\nsave.save_steps = 0\n");
    world.say(&["train", "recipe.toml", "--detach", "--name", "long"]);
    wait_until("the run to come up", || phase_is(&world, "long", "running"));
    assert_eq!(world.say(&["runs", "pause", "long"]), "asked long to pause\n");
    wait_until("the pause", || phase_is(&world, "long", "paused"));
    world.say(&["runs", "checkpoint", "long"]);
    wait_until("the checkpoint", || {
        // The best evaluation leaves checkpoints too: this one is of the step that the run stands at.
        world.state("long").is_some_and(|state| state["checkpoint_step"] == state["step"])
    });
    let state = world.state("long").unwrap();
    assert_eq!(state["phase"], "paused");
    let refused = world.dojo(&["runs", "delete", "long"]);
    assert_eq!(refused.status.code(), Some(1));
    world.say(&["runs", "resume", "long"]);
    wait_until("further steps", || {
        world.state("long").is_some_and(|now| now["step"].as_u64() > state["step"].as_u64())
    });
    world.say(&["runs", "stop", "long"]);
    wait_until("the end", || phase_is(&world, "long", "stopped"));
    let state = world.state("long").unwrap();
    assert_eq!(state["checkpoint_step"], state["step"]);
    world.say(&["runs", "delete", "long"]);
    assert!(!world.run("long").exists());
}

#[test]
fn a_killed_run_is_listed_as_crashed_and_resumes_in_the_background() {
    let world = World::new();
    world.write_recipe("train.max_steps = 100000\nsave.save_steps = 5\n");
    let mut child = world.start(&["train", "recipe.toml", "--name", "doomed"]);
    wait_until("a checkpoint", || {
        world.state("doomed").is_some_and(|state| state["checkpoint_step"].is_u64())
    });
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(world.say(&["runs"]).contains("crashed"));
    let listed: serde_json::Value = serde_json::from_str(&world.say(&["runs", "--json"])).unwrap();
    assert_eq!(listed["runs"][0]["standing"], "crashed");
    assert_eq!(world.dojo(&["runs", "stop", "doomed"]).status.code(), Some(1));
    world.say(&["runs", "resume", "doomed"]);
    wait_until("the resumed run", || phase_is(&world, "doomed", "running"));
    world.say(&["runs", "stop", "doomed"]);
    wait_until("the end", || phase_is(&world, "doomed", "stopped"));
}

#[test]
fn a_queued_run_begins_when_the_one_before_it_ends() {
    let world = World::new();
    world.write_recipe("train.max_steps = 100000\nsave.save_steps = 0\n");
    world.say(&["train", "recipe.toml", "--detach", "--name", "first"]);
    wait_until("the first run", || phase_is(&world, "first", "running"));
    let short = [
        "train",
        "recipe.toml",
        "--detach",
        "--name",
        "second",
        "--after",
        "first",
        "--set",
        "train.max_steps=3",
    ];
    world.say(&short);
    wait_until("the second run's process", || {
        world.state("second").is_some_and(|state| state["process"] != 0)
    });
    assert!(phase_is(&world, "second", "queued"));
    world.say(&["runs", "stop", "first"]);
    wait_until("the second run's end", || phase_is(&world, "second", "done"));
    assert!(phase_is(&world, "first", "stopped"));
}

#[test]
fn only_one_process_trains_in_a_run() {
    let world = World::new();
    world.write_recipe("train.max_steps = 100000\nsave.save_steps = 1\n");
    let mut child = world.start(&["train", "recipe.toml", "--name", "taken"]);
    wait_until("the run to come up", || phase_is(&world, "taken", "running"));
    let second = world.dojo(&["train", "--resume", "taken"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(String::from_utf8(second.stderr).unwrap().contains("another process is training in"));
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(phase_is(&world, "taken", "stopped"));
}
