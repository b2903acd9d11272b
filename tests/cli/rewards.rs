//! `dojo train` with `method = "grpo"`, on a tiny model.

use dojo_studio::domain::rollout::RolledGroup;
use dojo_studio::domain::run::MetricLine;

use crate::support::bigram::timeless;
use crate::support::program::World;

const SHORT: &str = "method = \"grpo\"\ntrain.max_steps = 4\nsave.save_steps = 1\nsample.sample_steps = 0\n\
                     grpo.prompts_per_step = 2\ngrpo.num_generations = 4\ngrpo.max_completion_length = 10\n\
                     grpo.temperature = 0.8\n";

/// Completions of few characters are worth more.
fn world(more: &str) -> World {
    let world = World::new();
    let rewards =
        "rewards = { short = { reward = \"length\", unit = \"characters\", most = 4, fade = 12 } }\n";
    world.write_recipe(&format!("{SHORT}{rewards}{more}"));
    world
}

fn steps(world: &World, run: &str) -> Vec<MetricLine> {
    let lines = timeless(&world.run(run).join("metrics.jsonl"));
    lines.into_iter().filter(|line| line.contains_key("loss")).collect()
}

#[test]
fn a_run_on_rewards_samples_with_the_weights_that_train_and_a_resumed_run_ends_as_a_whole_one() {
    let world = world("grpo.num_iterations = 2\ngrpo.beta = 0.1\n");
    world.say(&["train", "recipe.toml", "--name", "whole"]);
    let whole = steps(&world, "whole");
    assert_eq!(whole.len(), 4);
    let gap = whole[0]["sampling/sampling_logp_difference/max"].as_f64().unwrap();
    assert!(gap < 1e-3, "sampler and trainer differ by {gap}");
    assert!(whole.iter().all(|line| line["loss"].is_number() && line["kl"].is_number()), "{whole:?}");
    assert!(whole[0].contains_key("rewards/short/mean") && !whole[1].contains_key("reward"), "{whole:?}");

    let groups = std::fs::read_to_string(world.run("whole").join("completions/step-3.jsonl")).unwrap();
    let groups: Vec<RolledGroup> = groups.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(groups.iter().map(|group| group.completions.len()).collect::<Vec<_>>(), [4, 4]);
    assert!(groups[0].prompt.starts_with("count from "), "{groups:?}");

    // Broken off in the middle of an iteration, with everything after its checkpoint taken away, as a kill leaves it.
    world.say(&["train", "recipe.toml", "--name", "broken", "--set", "save.save_total_limit=9"]);
    for step in [4, 2] {
        std::fs::remove_dir_all(world.run("broken").join(format!("checkpoints/step-{step}"))).unwrap();
    }
    assert!(world.run("broken").join("checkpoints/step-3/rollout.json").exists());
    world.say(&["train", "--resume", "broken"]);
    assert_eq!(steps(&world, "broken"), whole);
}

#[test]
fn a_run_on_rewards_is_measured_before_it_begins() {
    let told = world("").say(&["train", "recipe.toml", "--dry-run"]);
    assert!(told.contains("rollouts  2 prompts x 4 completions a step, at most 10 tokens each"), "{told}");
    assert!(
        told.contains("largest batch") && told.contains("the run begins with an adapter that changes"),
        "{told}"
    );
}

#[test]
fn what_a_run_on_rewards_can_not_use_is_one_clear_sentence() {
    let refused = |world: &World, arguments: &[&str]| {
        let output = world.dojo(&[&["train", "recipe.toml"], arguments].concat());
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let one = world("");
    let told = refused(&one, &["--set", "rewards={ lenght = 1.0 }"]);
    assert!(told.contains("there is no reward \"lenght\"; the nearest is length"), "{told}");
    let told = refused(&one, &["--set", "rewards={ mine = { reward = \"command\", run = [\"true\"] } }"]);
    assert!(told.contains("put it into a task's file, whose commands `dojo trust` shows"), "{told}");
    let told = refused(&one, &["--set", "grpo.max_completion_length=90"]);
    assert!(told.contains("leaves no room for a completion of 90 within 96"), "{told}");
    let told = refused(&one, &["--set", "grpo.task=nothing"]);
    assert!(told.contains("read grpo.task: there is no task \"nothing\""), "{told}");
    one.write_recipe(SHORT);
    let told = refused(&one, &[]);
    assert!(told.contains("the task chat names no rewards: write a table [rewards] in the recipe"), "{told}");
}

/// A command that nobody trusted says nothing; alone it is no reward, beside another the run goes on without it.
#[test]
fn a_command_of_a_task_that_nobody_trusted_is_not_run() {
    let world = world("grpo.task = \"own/mine.toml\"\n");
    let task = "[answer]\nform = \"text\"\n[score.rewards]\nmine = { reward = \"command\", run = [\"touch\", \"ran\"] }\n";
    std::fs::create_dir_all(world.path().join("own")).unwrap();
    std::fs::write(world.path().join("own/mine.toml"), task).unwrap();
    let output = world.dojo(&["train", "recipe.toml", "--set", "rewards={ mine = 1.0 }"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success()
            && told.contains("no reward can say anything")
            && told.contains("dojo trust"),
        "{told}"
    );
    world.say(&["train", "recipe.toml", "--name", "on", "--set", "rewards={ mine = 1.0, length = 1.0 }"]);
    assert_eq!(steps(&world, "on").len(), 4);
    let log = std::fs::read_to_string(world.run("on").join("log")).unwrap();
    assert!(log.contains("the reward mine does not apply"), "{log}");
    assert!(!world.path().join("own/ran").exists() && !world.path().join("ran").exists());
}
