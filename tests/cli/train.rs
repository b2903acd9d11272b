//! `dojo train` as a person runs it, on a tiny model.

use std::path::Path;
use std::process::Command;

use dojo_studio::domain::run::{Phase, RunFolder, RunState};
use serde_json::json;

use crate::support::bigram::timeless;
use crate::support::program::{World, wait_until};

const LONG: &str = "train.max_steps = 120\neval.eval_steps = 20\nsave.save_steps = 7\nsample.sample_steps = 40\n\
                    sample.max_new_tokens = 4\nlora.lora_dropout = 0.1\n";

fn bytes(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[test]
fn a_run_killed_at_twenty_random_moments_and_resumed_ends_as_one_that_was_not() {
    let world = World::new();
    world.write_recipe(LONG);
    world.say(&["train", "recipe.toml", "--name", "whole"]);
    let total = bytes(&world.run("whole").join("metrics.jsonl"));
    let metrics = world.run("killed").join("metrics.jsonl");
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut killed_alive = 0;
    for kill in 0..20 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Rising, so that every part of the run is hit; the resumed run starts again from its last checkpoint. On a
        // busy machine one of the last may have ended before it is killed.
        let target = total * kill / 22 + (random >> 40) % (total / 22);
        let arguments: &[&str] = match kill {
            0 => &["train", "recipe.toml", "--name", "killed"],
            _ => &["train", "--resume", "killed"],
        };
        let mut child = world.start(arguments);
        wait_until("the run to come that far", || {
            bytes(&metrics) >= target || child.try_wait().unwrap().is_some()
        });
        killed_alive += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(killed_alive >= 15, "only {killed_alive} of 20 were alive when they were killed");
    world.say(&["train", "--resume", "killed"]);
    assert_eq!(timeless(&metrics), timeless(&world.run("whole").join("metrics.jsonl")));
    for file in ["samples.jsonl", "adapter/adapter_model.safetensors"] {
        let read = |run: &str| std::fs::read(world.run(run).join(file)).unwrap();
        assert!(read("killed") == read("whole"), "{file} differs");
    }
    let best = |run: &str| world.state(run).unwrap()["best_eval_loss"].as_f64().unwrap();
    assert_eq!(best("killed"), best("whole"));
}

#[test]
fn a_run_leaves_everything_in_its_folder_and_reports_it_as_json() {
    let world = World::new();
    world.write_recipe(
        "train.max_steps = 4\nsave.save_steps = 2\nsample.sample_steps = 2\nsample.max_new_tokens = 3\n",
    );
    let said: serde_json::Value =
        serde_json::from_str(&world.say(&["train", "recipe.toml", "--json"])).unwrap();
    assert_eq!((said["run"].as_str(), said["phase"].as_str()), (Some("sft-0001"), Some("done")));
    assert_eq!((said["step"].as_u64(), said["total_steps"].as_u64()), (Some(4), Some(4)));
    for file in ["recipe.toml", "state.json", "metrics.jsonl", "samples.jsonl", "log"] {
        assert!(bytes(&world.run("sft-0001").join(file)) > 0, "{file}");
    }
    for folder in ["adapter", "checkpoints/step-4"] {
        assert!(bytes(&world.run("sft-0001").join(folder).join("adapter_config.json")) > 0, "{folder}");
    }
    let state = world.state("sft-0001").unwrap();
    assert_eq!((state["phase"].as_str(), state["checkpoint_step"].as_u64()), (Some("done"), Some(4)));
}

#[test]
fn the_resolved_recipe_is_printed_and_starts_the_same_run() {
    let world = World::new();
    let printed = world.say(&["train", "recipe.toml", "--set", "train.seed=7", "--print"]);
    assert!(printed.contains("seed = 7") && printed.contains("lr_scheduler_type = \"cosine\""), "{printed}");
    std::fs::create_dir(world.path().join("elsewhere")).unwrap();
    std::fs::write(world.path().join("elsewhere/printed.toml"), &printed).unwrap();
    assert_eq!(world.say(&["train", "elsewhere/printed.toml", "--print"]), printed);
}

#[test]
fn a_dry_run_says_what_it_takes_and_leaves_no_run() {
    let world = World::new();
    let said = world.say(&["train", "recipe.toml", "--dry-run", "--json"]);
    let figures: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!((figures["examples"].as_u64(), figures["eval_examples"].as_u64()), (Some(14), Some(2)));
    assert_eq!((figures["steps_per_epoch"].as_u64(), figures["total_steps"].as_u64()), (Some(4), Some(12)));
    for positive in ["tokens", "trained_tokens", "memory_needed_bytes", "disk_needed_bytes"] {
        assert!(figures[positive].as_u64() > Some(0), "{positive}: {said}");
    }
    assert!(figures["tokens_per_second"].as_f64() > Some(0.0), "{said}");
    assert!(!world.run("").exists());
    assert!(world.say(&["train", "recipe.toml", "--dry-run"]).contains("steps     12 (4 an epoch)"));
}

#[test]
fn what_a_split_holds_out_is_not_trained_on_and_is_counted() {
    let world = World::new();
    let row = |prompt: &str| json!({"prompt": prompt, "completion": "yes"});
    let file = json!({"train": [row("a"), row("b")], "test": [row("c")], "validation": [row("d")]});
    std::fs::write(world.path().join("splits.json"), file.to_string()).unwrap();
    let (train, test) = (row("a").to_string(), row("c").to_string());
    std::fs::create_dir_all(world.path().join("folder")).unwrap();
    std::fs::write(world.path().join("folder/train.jsonl"), train).unwrap();
    std::fs::write(world.path().join("folder/test.jsonl"), test).unwrap();
    let dry = |sets: &[&str]| {
        let sets: Vec<&str> = sets.iter().flat_map(|set| ["--set", set]).collect();
        let all =
            [&["train", "recipe.toml", "--dry-run", "--json", "--set", "data.split=0"], sets.as_slice()];
        let said = world.dojo(&all.concat());
        let figures: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap_or_default();
        let told = figures["warnings"].as_array().cloned().unwrap_or_default();
        let told = told.iter().filter_map(|one| one.as_str()).find(|one| one.contains("of the split"));
        let folder = format!("{}/", world.path().display());
        let told = told.map(|one| one.replace(&folder, ""));
        let counts = ["examples", "eval_examples"].map(|name| figures[name].as_u64());
        (counts, told.unwrap_or_default(), String::from_utf8_lossy(&said.stderr).replace(&folder, ""))
    };
    let (counts, told, _) = dry(&["data.train=splits.json"]);
    assert_eq!(counts, [Some(2), Some(0)]);
    assert_eq!(
        told,
        "2 of 4 examples of splits.json are of the split \"test\", \"validation\", and left out of training; \
         data.map = [\"split=\"] takes them as all others"
    );
    assert_eq!(dry(&["data.train=splits.json", "data.map=[\"split=\"]"]).0, [Some(4), Some(0)]);
    assert_eq!(dry(&["data.train=splits.json", "data.eval=splits.json"]).0, [Some(2), Some(2)]);
    let (counts, told, _) = dry(&["data.train=folder"]);
    assert_eq!(counts, [Some(1), Some(0)]);
    assert!(told.starts_with("1 of 2 examples of folder is of the split \"test\", and left out"), "{told}");
    assert_eq!(dry(&["data.train=folder/test.jsonl"]).0, [Some(1), Some(0)]);
    std::fs::write(world.path().join("held.jsonl"), r#"{"prompt":"a","completion":"b","split":"test"}"#)
        .unwrap();
    let (_, _, why) = dry(&["data.train=held.jsonl"]);
    assert!(
        why.contains("every example of held.jsonl is of the split \"test\", which is not for training"),
        "{why}"
    );
}

#[test]
fn bad_recipes_are_one_sentence_and_exit_code_1_and_bad_usage_is_2() {
    let world = World::new();
    let said = |arguments: &[&str]| {
        let output = world.dojo(arguments);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    world.write_recipe("train.learning_rte = 1\n");
    let line = "dojo: recipe recipe.toml, line 7: unknown key `train.learning_rte`; the nearest known one is `train.learning_rate`\n";
    assert_eq!(said(&["train", "recipe.toml"]), (1, line.to_owned()));
    world.write_recipe("");
    assert_eq!(said(&["train", "recipe.toml", "--set", "lora.r=0"]).0, 1);
    assert_eq!(said(&["train", "missing.toml"]).0, 1);
    assert_eq!(said(&["train", "recipe.toml", "--set", "nonsense"]).0, 2);
    assert_eq!(said(&["train"]).0, 2);
    assert!(!world.run("").exists(), "a refused recipe leaves no run behind");
}

#[test]
fn a_run_that_cannot_begin_says_why_in_its_state() {
    let world = World::new();
    std::fs::write(world.path().join("train.jsonl"), "").unwrap();
    let output = world.dojo(&["train", "recipe.toml"]);
    assert_eq!(output.status.code(), Some(1));
    let state = world.state("sft-0001").unwrap();
    assert_eq!(state["phase"].as_str(), Some("failed"));
    let why = state["why"].as_str().unwrap();
    assert!(why.contains("train.jsonl"), "{why}");
    assert!(String::from_utf8(output.stderr).unwrap().contains(why));
}

#[test]
fn a_checkpoint_that_does_not_fit_the_disk_is_an_error_and_the_earlier_one_still_resumes() {
    let world = World::new();
    world.write_recipe("train.max_steps = 4\nsave.save_steps = 2\n");
    world.say(&["train", "recipe.toml", "--name", "full"]);
    let limit = bytes(&world.run("full").join("checkpoints/step-4/optimizer.safetensors")) / 2048;
    // No file may grow beyond this many KiB, which is how a full disk shows to one file.
    let program = env!("CARGO_BIN_EXE_dojo");
    let script = format!(
        "trap '' XFSZ; ulimit -f {limit}; exec {program} train --resume full --set train.max_steps=8"
    );
    let output = Command::new("bash")
        .args(["-c", &script])
        .env("DOJO_HOME", world.path())
        .current_dir(world.path())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("save the checkpoint of step 6 (the checkpoint of step 4 is intact"), "{said}");
    assert_eq!(world.state("full").unwrap()["phase"].as_str(), Some("failed"));
    world.say(&["train", "--resume", "full", "--set", "train.max_steps=8"]);
    assert_eq!(world.state("full").unwrap()["step"].as_u64(), Some(8));
}

#[test]
fn an_interrupt_saves_a_checkpoint_and_the_run_goes_on_from_there() {
    let world = World::new();
    world.write_recipe("train.max_steps = 100000\nsave.save_steps = 0\n");
    let mut child = world.start(&["train", "recipe.toml"]);
    let metrics = world.run("sft-0001").join("metrics.jsonl");
    wait_until("some steps", || bytes(&metrics) > 2000);
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let state = world.state("sft-0001").unwrap();
    assert_eq!(state["phase"].as_str(), Some("stopped"));
    let step = state["step"].as_u64().unwrap();
    assert_eq!(state["checkpoint_step"].as_u64(), Some(step));
    let steps = format!("train.max_steps={}", step + 2);
    world.say(&["train", "--resume", "sft-0001", "--set", &steps]);
    assert_eq!(world.state("sft-0001").unwrap()["step"].as_u64(), Some(step + 2));
}

#[test]
fn a_run_trains_on_what_a_filter_of_its_session_matches_and_knows_it_afterwards() {
    let world = World::new();
    world.make_session();
    world.data(&["tag", "bad", "id:1..4"]);
    let recipe = world.path().join("data/sessions/s/recipes/tiny.toml");
    let model = world.path().join("model");
    std::fs::create_dir_all(recipe.parent().unwrap()).unwrap();
    std::fs::write(
        &recipe,
        format!(
            "model.base = {model:?}\ndata.train = \"session:-tag:bad\"\ndata.split = 0.25\ndata.max_length = 96\n\
             lora.r = 4\ntrain.max_steps = 2\n"
        ),
    )
    .unwrap();
    world.say(&["train", &recipe.display().to_string(), "--name", "first"]);
    let told = || {
        serde_json::from_str::<serde_json::Value>(&world.say(&["runs", "data", "first", "--json"])).unwrap()
    };
    let figures = |told: &serde_json::Value| {
        ["train", "eval", "same", "changed", "gone"].map(|name| told[name].as_u64().unwrap())
    };
    assert_eq!(figures(&told()), [9, 3, 12, 0, 0]);
    let folder = RunFolder::new(world.path().join("data/sessions/s/runs/first"));
    let state = || serde_json::from_slice::<RunState>(&std::fs::read(folder.state()).unwrap()).unwrap();
    let before = state();
    let records = told()["records"].as_array().unwrap().clone();
    assert!(records.iter().all(|one| one["seen"]["id"].as_i64().unwrap() > 4), "{records:?}");
    world.data(&["label", "good", "id:5"]);
    world.data(&["delete", "id:6"]);
    assert_eq!(figures(&told()), [9, 3, 10, 1, 1]);
    let words = world.say(&["runs", "data", "first"]);
    assert!(words.contains("trained on 9, evaluated on 3") && words.contains("changed  record 5"), "{words}");
    let refused = world.dojo(&["train", "--resume", "first", "--set", "train.max_steps=3"]);
    let why = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && why.contains("the data is not what this run began with"), "{why}");
    // It is as it was, and says why it doesn't go on.
    let state = state();
    assert_eq!((state.phase, state.step, state.earlier), (Phase::Done, 2, None));
    assert_eq!(
        (state.best_eval_loss, state.checkpoint_step),
        (before.best_eval_loss, before.checkpoint_step)
    );
    assert!(state.why_not_continued().is_some_and(|why| why.contains("start a new run")), "{state:?}");
    assert!(std::fs::read_to_string(folder.recipe()).unwrap().contains("max_steps = 2"));
    world.data(&["undo"]);
    world.data(&["undo"]);
    world.say(&["train", "--resume", "first", "--set", "train.max_steps=3"]);
}

#[test]
fn records_that_a_person_rejected_stay_out_of_training_unless_they_are_asked_for() {
    let world = World::new();
    world.make_session();
    world.data(&["mark", "rejected", "id:1..3"]);
    let recipe = world.path().join("data/sessions/s/recipes/tiny.toml");
    std::fs::create_dir_all(recipe.parent().unwrap()).unwrap();
    let examples = |train: &str| {
        let model = world.path().join("model");
        let text =
            format!("model.base = {model:?}\ndata.train = {train:?}\nlora.r = 4\ntrain.max_steps = 2\n");
        std::fs::write(&recipe, text).unwrap();
        let said = world.say(&["train", &recipe.display().to_string(), "--dry-run", "--json"]);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let count = said["examples"].as_u64().unwrap() + said["eval_examples"].as_u64().unwrap();
        (count, said["warnings"].to_string())
    };
    let (count, warnings) = examples("session:");
    assert_eq!(count, 13);
    assert!(warnings.contains("3 rejected records of session: are left out"), "{warnings}");
    // Words are no verdict.
    let (count, warnings) = examples("session:-\"status:rejected\"");
    assert!(count == 13 && warnings.contains("3 rejected records"), "{count}: {warnings}");
    let (count, warnings) = examples("session:status:rejected OR status:new");
    assert!(count == 16 && !warnings.contains("rejected"), "{count}: {warnings}");
}

#[test]
fn preference_pairs_of_a_session_stay_out_of_supervised_training_unless_they_are_asked_for() {
    let world = World::new();
    world.make_session();
    let pair = json!({"prompt": "which?", "chosen": "this one", "rejected": "that one"});
    std::fs::write(world.path().join("pairs.jsonl"), format!("{pair}\n")).unwrap();
    world.data(&["import", "pairs.jsonl"]);
    let recipe = world.path().join("data/sessions/s/recipes/tiny.toml");
    std::fs::create_dir_all(recipe.parent().unwrap()).unwrap();
    let examples = |train: &str| {
        let model = world.path().join("model");
        let text = format!(
            "model.base = {model:?}\ndata.train = {train:?}\ndata.max_length = 96\nlora.r = 4\ntrain.max_steps = 2\n"
        );
        std::fs::write(&recipe, text).unwrap();
        let said = world.say(&["train", &recipe.display().to_string(), "--dry-run", "--json"]);
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        (
            said["examples"].as_u64().unwrap() + said["eval_examples"].as_u64().unwrap(),
            said["warnings"].to_string(),
        )
    };
    let (count, warnings) = examples("session:");
    assert!(warnings.contains("1 preference pair of session: is left out"), "{warnings}");
    assert_eq!(examples("session:-is:preference").0, count);
    let (chosen, warnings) = examples("session:is:preference OR chars>0");
    assert!(chosen == count + 1 && !warnings.contains("left out"), "{chosen} of {count}: {warnings}");
    let alone =
        world.dojo(&["train", &recipe.display().to_string(), "--set", "data.train=session:source:pairs"]);
    let why = String::from_utf8_lossy(&alone.stderr);
    assert!(why.contains("the only record of session:source:pairs is a preference pair"), "{why}");
}

#[test]
fn a_run_trains_on_what_a_review_approved_and_says_where_each_row_comes_from() {
    let world = World::new();
    world.say(&["new", "s"]);
    let review = |arguments: &[&str]| world.say(&[&["review", "--session", "s"], arguments].concat());
    let row = |number: usize, label: u8| {
        json!({
            "premise": format!("premise {number}"), "hypothesis": "h", "thought_process": format!("thought {number}"),
            "predicted_label": label, "true_label": 1, "model": "student",
        })
    };
    let mut thoughts: Vec<_> = (1..=6).map(|number| row(number, 1).to_string()).collect();
    thoughts.extend((7..=9).map(|number| row(number, 0).to_string()));
    let corrections: Vec<_> = (7..=9)
        .map(|number| {
            let mut row = row(number, 0);
            row["improved_label"] = 1.into();
            row["error_analysis"] = "e".into();
            row["improved_thought_process"] = format!("mended {number}").into();
            row["teacher"] = "tutor".into();
            row.to_string()
        })
        .collect();
    std::fs::write(world.path().join("thoughts.jsonl"), thoughts.join("\n")).unwrap();
    std::fs::write(world.path().join("corrections.jsonl"), corrections.join("\n")).unwrap();
    review(&["import", "--thoughts", "thoughts.jsonl", "--reflections", "corrections.jsonl"]);
    review(&["approve", "1"]);
    std::fs::write(world.path().join("mine.txt"), "mended by hand").unwrap();
    review(&["edit", "2", "mine.txt"]);
    let session = world.path().join("data/sessions/s");
    let (recipe, model) = (session.join("recipes/tiny.toml"), world.path().join("model"));
    std::fs::create_dir_all(recipe.parent().unwrap()).unwrap();
    std::fs::create_dir_all(session.join("prompts")).unwrap();
    // Short enough for the tiny model's context.
    std::fs::write(session.join("prompts/think.txt"), "=== user\n{{ question }}\n").unwrap();
    let text = format!(
        "model.base = {model:?}\ndata.train = \"set:reviewed -field.premise:'premise 1'\"\ndata.split = 0\n\
         data.max_length = 512\nlora.r = 4\ntrain.max_steps = 1\n"
    );
    std::fs::write(&recipe, text.replace('\'', "\\\"")).unwrap();
    let recipe = recipe.display().to_string();
    world.say(&["train", &recipe, "--name", "first"]);
    let told = || {
        serde_json::from_str::<serde_json::Value>(&world.say(&["runs", "data", "first", "--json"])).unwrap()
    };
    let figures = |told: &serde_json::Value| {
        ["train", "eval", "same", "changed", "gone"].map(|name| told[name].as_u64().unwrap())
    };
    assert_eq!(figures(&told()), [7, 0, 7, 0, 0], "five right thoughts and two accepted corrections");
    let chains: Vec<serde_json::Value> = told()["records"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["seen"]["provenance"].clone())
        .filter(|chain| chain["reflection"].is_i64())
        .collect();
    let of = |chain: &serde_json::Value| ["student", "teacher", "verdict"].map(|name| chain[name].clone());
    assert_eq!(of(&chains[0]), ["student", "tutor", "approved"].map(serde_json::Value::from));
    assert_eq!(of(&chains[1]), ["student", "tutor", "edited"].map(serde_json::Value::from));
    assert!(chains.iter().all(|chain| !chain["reviewer"].as_str().unwrap().is_empty()), "{chains:?}");
    let words = world.say(&["runs", "data", "first"]);
    assert!(words.contains("5 right thoughts, 2 accepted corrections"), "{words}");
    review(&["undo"]);
    assert_eq!(figures(&told()), [7, 0, 6, 0, 1]);
    std::fs::write(world.path().join("mine.txt"), "mended otherwise").unwrap();
    review(&["edit", "2", "mine.txt"]);
    assert_eq!(figures(&told()), [7, 0, 6, 1, 0]);
    let pairs = ["--set", "data.train=set:pairs", "--name", "pairs"];
    world.say(&[&["train", &recipe][..], &pairs].concat());
    let words = world.say(&["runs", "data", "pairs"]);
    assert!(words.contains("trained on 2, evaluated on 0"), "{words}");
    let trained = || {
        let said = world.say(&["train", &recipe, "--dry-run", "--json"]);
        serde_json::from_str::<serde_json::Value>(&said).unwrap()["trained_tokens"].as_u64().unwrap()
    };
    let without = trained();
    let examples = "=== user\na\n=== assistant\nb\n=== user\n{{ question }}\n";
    std::fs::write(session.join("prompts/think.txt"), examples).unwrap();
    assert_eq!(trained(), without, "a prompt's examples are read, not learnt");
    let refused = world.dojo(&["train", &recipe, "--set", "data.train=set:reviewed tag:missing"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(why.contains("matches \"set:reviewed tag:missing\""), "{why}");
}

#[test]
fn a_filter_without_a_session_says_what_to_set() {
    let world = World::new();
    world.write_recipe("");
    let output = world.dojo(&["train", "recipe.toml", "--set", "data.train=session:tag:x", "--print"]);
    let why = String::from_utf8_lossy(&output.stderr);
    assert!(why.contains("set data.session to a session's folder"), "{why}");
}

#[test]
fn a_second_interrupt_ends_the_program_at_once() {
    let world = World::new();
    let examples = std::fs::read_to_string(world.path().join("train.jsonl")).unwrap() + "\n";
    std::fs::write(world.path().join("train.jsonl"), examples.repeat(250)).unwrap();
    world.write_recipe(
        "train.max_steps = 1\ntrain.gradient_accumulation_steps = 1000\ndata.split = 0\nsample.sample_steps = 0\n",
    );
    // The first interrupt alone ends a run within its step: the second has to reach it in those few moments.
    let twice = (0..20).find_map(|attempt| {
        let name = format!("attempt-{attempt}");
        let mut child = world.start(&["train", "recipe.toml", "--name", &name]);
        wait_until("the step", || world.state(&name).is_some_and(|state| state["phase"] == "running"));
        let id = child.id().to_string();
        wait_until("the end", || {
            let _ = Command::new("kill").args(["-INT", &id]).stderr(std::process::Stdio::null()).status();
            child.try_wait().unwrap().is_some()
        });
        let state = world.state(&name).unwrap();
        assert_eq!(state["phase"], "stopped", "{state}");
        assert_eq!(state["step"], 0, "{state}");
        let code = child.wait().unwrap().code();
        (code != Some(0)).then_some((code, state))
    });
    let (code, state) = twice.expect("a second interrupt that came in time");
    assert_eq!(code, Some(130));
    assert!(state["why"].as_str().unwrap().contains("interrupted twice"), "{state}");
}

#[test]
fn a_run_over_the_files_own_blocks_learns_as_one_over_f32_does() {
    let world = World::new();
    let loss = |format: &str| {
        world.write_recipe(&format!("train.max_steps = 3\ncompute.base_format = \"{format}\"\n"));
        let said: serde_json::Value =
            serde_json::from_str(&world.say(&["train", "recipe.toml", "--name", format, "--json"])).unwrap();
        assert_eq!(said["phase"], "done");
        std::fs::read_to_string(world.run(format).join("metrics.jsonl")).unwrap()
    };
    let losses = |text: &str| -> Vec<f64> {
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.filter_map(|line| line["loss"].as_f64()).collect()
    };
    let (stored, whole) = (loss("stored"), loss("f32"));
    let (stored, whole) = (losses(&stored), losses(&whole));
    assert_eq!(stored.len(), 3);
    for (stored, whole) in stored.iter().zip(&whole) {
        assert!((stored - whole).abs() < 1e-4 * whole, "{stored} and {whole}");
    }
}

#[test]
fn a_device_is_asked_for_by_flag_and_refused_before_anything_is_made() {
    let world = World::new();
    world.write_recipe("train.max_steps = 2\n");
    let tell = |arguments: &[&str]| {
        let output = world.dojo(arguments);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, why) = tell(&["train", "recipe.toml", "--device", "gpu"]);
    assert!(code == 2 && why.contains("the nearest is cuda:0"), "{code} {why}");
    let (code, why) = tell(&["train", "recipe.toml", "--set", "compute.dtype=f16", "--device", "cpu"]);
    assert!(code == 1 && why.contains("compute.dtype is \"f16\""), "{code} {why}");
    if !cfg!(feature = "metal") {
        let (code, why) = tell(&["train", "recipe.toml", "--device", "metal"]);
        assert!(code == 1 && why.contains("--features metal"), "{code} {why}");
    }
    assert!(!world.run("").exists(), "a refused device leaves no run behind");
    let printed = world.say(&["train", "recipe.toml", "--device", "cuda:1", "--print"]);
    assert!(printed.contains("device = \"cuda:1\""), "{printed}");
    world.say(&["train", "recipe.toml", "--device", "cpu", "--name", "here"]);
    let recipe = std::fs::read_to_string(world.run("here").join("recipe.toml")).unwrap();
    assert!(recipe.contains("device = \"cpu\""), "{recipe}");
}

/// The system would end the process without a word.
#[test]
fn a_file_that_reaches_the_limit_on_its_size_is_told_in_a_sentence() {
    let world = World::new();
    world.make_session();
    let line =
        |n: usize| json!({"prompt": format!("{n} {}", "p".repeat(2_000)), "completion": "c"}).to_string();
    std::fs::write(world.path().join("big.jsonl"), (0..2_000).map(line).collect::<Vec<_>>().join("\n"))
        .unwrap();
    let program = env!("CARGO_BIN_EXE_dojo");
    let limited = format!("ulimit -f 2048; exec {program} data --session s import big.jsonl");
    let output = Command::new("sh")
        .args(["-c", &limited])
        .env("DOJO_HOME", world.path())
        .current_dir(world.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{:?} {said}", output.status);
    assert!(said.contains("ulimit -f"), "{said}");
}
