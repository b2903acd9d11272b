//! What of a data file isn't learnt is told by every command that reads it.

use crate::support::program::World;

#[test]
fn a_column_that_nothing_uses_is_told_by_whatever_reads_the_file() {
    let world = World::new();
    world.make_session();
    let row = |question: &str| {
        format!(
            "{{\"article\":\"A cat sat on a mat.\",\"question\":{question:?},\"answer\":\"yes\",\"skip\":{}}}\n",
            question == "c"
        )
    };
    std::fs::write(world.path().join("race.jsonl"), ["a", "b", "c"].map(row).concat()).unwrap();
    let unused = "not used: \"article\" (in 2 of 2 rows); map it with --map part=column (data.map in a recipe) if it \
                  should be learnt";
    let skipped = "1 row is left out, by what it says: \"skip\" is true (1)";
    for command in [
        &["data", "--session", "s", "check", "--file", "race.jsonl"][..],
        &["data", "--session", "s", "import", "race.jsonl"],
        &["tokens", "race.jsonl", "--model", "model"],
        &["train", "recipe.toml", "--dry-run", "--set", "data.train=race.jsonl", "--set", "data.split=0"],
    ] {
        let output = world.dojo(command);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).replace('\n', " ");
        let plain = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(plain.contains(unused), "{command:?}: {plain}");
        assert!(plain.contains(skipped), "{command:?}: {plain}");
    }
}

#[test]
fn rows_of_a_held_out_split_are_told_by_whatever_reads_them() {
    let world = World::new();
    world.make_session();
    let row = |name: &str| format!("{{\"prompt\":\"a question of {name}\",\"completion\":\"yes\"}}\n");
    std::fs::create_dir(world.path().join("folder")).unwrap();
    for name in ["data", "test"] {
        std::fs::write(world.path().join(format!("folder/{name}.jsonl")), row(name)).unwrap();
    }
    for command in [
        &["data", "--session", "s", "check", "--file", "folder"][..],
        &["data", "--session", "s", "import", "folder"],
        &["tokens", "folder", "--model", "model"],
    ] {
        let output = world.dojo(command);
        let said = [output.stdout, output.stderr].concat();
        let plain = String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ");
        let told = "1 of 2 examples are of a split that is held out; training leaves them out";
        assert!(plain.contains(told), "{command:?}: {plain}");
    }
}

#[test]
fn preference_pairs_of_a_file_are_not_trained_on_and_that_is_told() {
    let world = World::new();
    world.make_session();
    let pair = "{\"prompt\":\"q\",\"chosen\":\"this\",\"rejected\":\"that\"}\n";
    let answer = "{\"prompt\":\"q\",\"completion\":\"a\"}\n";
    std::fs::write(world.path().join("pairs.jsonl"), pair.repeat(2)).unwrap();
    std::fs::write(world.path().join("mixed.jsonl"), [pair, answer].concat()).unwrap();
    let run = |file: &str, more: &[&str]| {
        let train = format!("data.train={file}");
        let fixed = ["train", "recipe.toml", "--dry-run", "--set", &train, "--set", "data.split=0"];
        let output = world.dojo(&[&fixed, more].concat());
        let said = [output.stdout, output.stderr].concat();
        let plain = String::from_utf8_lossy(&said).split_whitespace().collect::<Vec<_>>().join(" ");
        (output.status.success(), plain)
    };
    let how =
        "sft learns answers, not preferences; data.map = [\"completion=chosen\"] learns the chosen answers";
    let (went, said) = run("pairs.jsonl", &[]);
    assert!(!went && said.contains(&format!("pairs.jsonl are preference pairs, and {how}")), "{said}");
    let (went, said) = run("mixed.jsonl", &[]);
    assert!(went && said.contains(&format!("mixed.jsonl is left out: {how}")), "{said}");
    let (went, said) = run("pairs.jsonl", &["--set", "data.map=[\"completion=chosen\"]"]);
    assert!(went, "{said}");
    let output = world.dojo(&["tokens", "pairs.jsonl", "--model", "model"]);
    let said = String::from_utf8_lossy(&output.stdout).replace('\n', " ");
    assert!(said.contains("2 of 2 examples are preference pairs; training leaves them out"), "{said}");
}

#[test]
fn a_run_says_how_many_rows_it_leaves_out_and_why() {
    let world = World::new();
    world.write_recipe("train.max_steps = 1\n");
    let answer = "{\"prompt\":\"q\",\"completion\":\"a\"}\n";
    let rows = format!("{answer}not json\n{answer}{{\"prompt\":\"q\",\"completion\":null}}\n");
    std::fs::write(world.path().join("odd.jsonl"), rows).unwrap();
    let args =
        ["train", "recipe.toml", "--name", "odd", "--set", "data.train=odd.jsonl", "--set", "data.split=0"];
    let output = world.dojo(&args);
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{said}");
    let told = "warning: 2 of 4 rows can't be trained on and are left out; the first: ";
    assert!(said.contains(told) && said.contains("odd.jsonl:2: not JSON"), "{said}");
}
