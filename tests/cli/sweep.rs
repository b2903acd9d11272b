//! `dojo sweep` as a person runs it, on a tiny model.

use dojo_studio::domain::sweep::{SweptKey, best, combinations, rounds};
use proptest::prelude::*;
use serde_json::Value;

use crate::support::program::World;

const SHORT: &str = "train.max_steps = 8\neval.eval_steps = 2\nsave.save_steps = 4\n";

fn rows(said: &str) -> Vec<Value> {
    let said: Value = serde_json::from_str(said).unwrap();
    said["runs"].as_array().unwrap().clone()
}

/// What is said where it can't be done.
fn refused(world: &World, arguments: &[&str]) -> String {
    let output = world.dojo(arguments);
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

fn loss(row: &Value) -> f64 {
    row["eval_loss"].as_f64().unwrap()
}

#[test]
fn every_combination_is_an_ordinary_run_and_the_table_has_the_best_first() {
    let world = World::new();
    world.write_recipe(SHORT);
    let said = world.say(&[
        "sweep",
        "recipe.toml",
        "--set",
        "lora.r=2,4",
        "--set",
        "train.learning_rate=1e-9,1e-2",
        "--json",
    ]);
    let rows = rows(&said);
    assert_eq!(rows.len(), 4);
    assert!(rows.windows(2).all(|two| loss(&two[0]) <= loss(&two[1])), "{said}");
    for row in &rows {
        assert_eq!((row["standing"].as_str(), row["step"].as_u64()), (Some("done"), Some(8)));
        let name = row["run"].as_str().unwrap();
        let recipe = std::fs::read_to_string(world.run(name).join("recipe.toml")).unwrap();
        let rank = row["set"]["lora.r"].as_str().unwrap();
        assert!(recipe.contains(&format!("r = {rank}")), "{recipe}");
        assert!(world.run(name).join("adapter").is_dir());
    }
    assert_eq!(
        rows[0]["set"]["train.learning_rate"], "1e-2",
        "what learns is better than what doesn't: {said}"
    );
    let shown = world.say(&["sweep", "--show", "sweep-0001"]);
    assert!(shown.contains("* ") && shown.contains("lora.r=2 train.learning_rate=1e-9"), "{shown}");
}

#[test]
fn halving_ends_the_worse_half_at_its_share_and_takes_the_rest_to_the_end() {
    let world = World::new();
    world.write_recipe(SHORT);
    let arguments =
        ["sweep", "recipe.toml", "--set", "train.learning_rate=1e-9,1e-8,3e-3,1e-2", "--halving", "--json"];
    let rows = rows(&world.say(&arguments));
    let of = |name: &str| rows.iter().find(|row| row["run"] == name).unwrap();
    for (name, standing, step) in [
        ("sweep-0001-01", "stopped", 4),
        ("sweep-0001-02", "stopped", 4),
        ("sweep-0001-03", "done", 8),
        ("sweep-0001-04", "done", 8),
    ] {
        assert_eq!(
            (of(name)["standing"].as_str(), of(name)["step"].as_u64()),
            (Some(standing), Some(step)),
            "{name}"
        );
    }
    assert_eq!(rows[0]["standing"], "done", "those that went on are above those that didn't");
}

#[test]
fn a_sweep_goes_on_with_what_is_not_trained_yet() {
    let world = World::new();
    world.write_recipe(SHORT);
    world.say(&["sweep", "recipe.toml", "--set", "lora.r=2,4", "--name", "ranks", "--json"]);
    let metrics = |name: &str| std::fs::read(world.run(name).join("metrics.jsonl")).unwrap();
    let before = metrics("ranks-01");
    std::fs::remove_dir_all(world.run("ranks-02")).unwrap();
    let again = rows(&world.say(&["sweep", "--resume", "ranks", "--json"]));
    assert!(again.iter().all(|row| row["standing"] == "done"), "{again:?}");
    assert_eq!(metrics("ranks-01"), before, "what is at its end is not trained again");
}

#[test]
fn what_can_not_be_swept_is_said_before_anything_is_trained() {
    let world = World::new();
    world.write_recipe(SHORT);
    for (arguments, told) in [
        (vec!["--set", "lora.r=8"], "two runs or more"),
        (vec!["--set", "lora.r=8,,16"], "empty value"),
        (vec!["--set", "lora.r=8,8"], "twice"),
        (vec!["--set", "lora.r=8,16", "--set", "lora.r=4"], "given twice"),
        (vec!["--set", "lora.rank=8,16"], "lora.rank"),
        (vec!["--set", "lora.r=8,many"], "lora.r"),
        (vec!["--set", "lora.r=8,16", "--set", "eval.eval_steps=0", "--halving"], "eval.eval_steps"),
        (vec!["--resume", "nothing"], "no sweep"),
    ] {
        let recipe = if arguments[0] == "--resume" { vec!["sweep"] } else { vec!["sweep", "recipe.toml"] };
        let said = refused(&world, &[recipe, arguments.clone()].concat());
        assert!(said.contains(told), "{arguments:?}: {said}");
    }
    assert!(!world.run("sweep-0001-01").exists());
}

#[test]
fn values_with_commas_of_their_own_stay_whole() {
    let key: SweptKey = "lora.target_modules=[\"q_proj\", \"v_proj\"],all-linear,\"a,b\"".parse().unwrap();
    assert_eq!(key.values, ["[\"q_proj\", \"v_proj\"]", "all-linear", "\"a,b\""]);
}

#[test]
fn each_round_keeps_the_better_half_and_the_last_two_go_to_the_end() {
    let shape = |runs| rounds(runs).iter().map(|round| (round.runs, round.share)).collect::<Vec<_>>();
    assert_eq!(shape(8), [(8, 0.25), (4, 0.5), (2, 1.0)]);
    assert_eq!(shape(5), [(5, 0.25), (3, 0.5), (2, 1.0)]);
    assert_eq!(shape(2), [(2, 0.5), (1, 1.0)]);
    assert_eq!(best(&[Some(2.0), None, Some(f64::NAN), Some(1.0)], 3)[..2], [3, 0]);
}

proptest! {
    #[test]
    fn any_keys_give_distinct_runs_or_a_sentence(texts in prop::collection::vec("[a-c.]{1,3}=[a-e,\\[\\]\"']{0,9}", 1..4)) {
        let keys: Result<Vec<SweptKey>, String> = texts.iter().map(|text| text.parse()).collect();
        let Ok(keys) = keys else { return Ok(()) };
        if let Ok(runs) = combinations("s", &keys) {
            let settings: std::collections::BTreeSet<String> = runs.iter().map(|run| run.settings()).collect();
            prop_assert_eq!(settings.len(), runs.len());
            prop_assert_eq!(runs.len(), keys.iter().map(|key| key.values.len()).product::<usize>());
        }
    }
}
