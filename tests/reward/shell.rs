//! `dojo reward`.

use serde_json::{Value, json};

use super::query_expansion::golden;
use crate::support::program::World;

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_golden_file_agrees_in_every_row() {
    let Some(golden) = golden() else { return };
    let world = World::new();
    std::fs::write(world.path().join("golden.jsonl"), golden).unwrap();
    let said = world.say(&["reward", "check", "golden.jsonl"]);
    assert!(said.starts_with("1506 of 1506 rows agree\ncompared, with how many rows expect it: score (1506), percentage (1506), rating (1506), format (1506), diversity (1506), hyde (1506), quality (1506), entity (1506), think_bonus (1506)"), "{said}");
}

#[test]
fn a_row_that_differs_is_shown_and_the_exit_code_says_so() {
    let world = World::new();
    let right = json!({"query": "fix wifi", "expansion": "lex: fix wifi router", "format": 20});
    let wrong =
        json!({"query": "fix wifi", "expansion": "lex: fix wifi router", "format": 30, "rating": "Poor"});
    std::fs::write(world.path().join("rows.jsonl"), format!("{right}\n{wrong}\n")).unwrap();
    let output = world.dojo(&["reward", "check", "rows.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        text(&output.stdout),
        "1 of 2 rows agree\ncompared, with how many rows expect it: format (2), rating (1)\n\
         line 2: format is 20.0, expected 30\nline 2: rating is \"Acceptable\", expected \"Poor\"\n"
    );
}

#[test]
fn a_completion_is_scored_with_each_component_and_each_deduction() {
    let world = World::new();
    let record = r#"{"query": "fix wifi"}"#;
    let arguments =
        ["reward", "try", "query-expansion", "--record", record, "--completion", "lex: fix wifi router"];
    insta::assert_snapshot!(world.say(&arguments));
    let json: Value = serde_json::from_str(&world.say(&[&arguments[..], &["--json"]].concat())).unwrap();
    assert_eq!(json["total"]["parts"][0]["components"][2], json!({"name": "format", "value": 20.0}));
    assert_eq!(json["completion"], "lex: fix wifi router");
}

#[test]
fn an_audit_prints_its_table_and_fails_if_the_reward_can_be_cheated() {
    let world = World::new();
    let said = world.say(&["reward", "audit", "math"]);
    assert!(said.ends_with("nothing on this panel cheats the reward\n"), "{said}");
    assert!(said.contains("reference answer"), "{said}");
    let task = "[fields]\nquestion = [\"question\"]\n[prompt]\nuser = \"{{ question }}\"\nanswer = \"{{ fields.answer }}\"\n\
                [answer]\nform = \"text\"\n[score.rewards]\nlength = { least = 1, most = 100000 }\n";
    std::fs::write(world.path().join("long.toml"), task).unwrap();
    let rows: Vec<String> = (0..4)
        .map(|n| json!({"question": format!("{n} + 1?"), "answer": format!("It is {}.", n + 1)}).to_string())
        .collect();
    std::fs::write(world.path().join("sums.jsonl"), rows.join("\n")).unwrap();
    let output = world.dojo(&["reward", "audit", "long.toml", "sums.jsonl"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    assert!(
        told.contains("echo of the prompt cheats the reward: it scores 1.00, reference answers 1.00"),
        "{told}"
    );
    let json: Value = serde_json::from_str(&text(
        &world.dojo(&["reward", "audit", "long.toml", "sums.jsonl", "--json"]).stdout,
    ))
    .unwrap();
    assert_eq!(json["rows"][2]["verdict"], "cheats");
}

#[test]
fn a_dataset_is_scored_and_two_versions_compared() {
    let world = World::new();
    let task = |most: u64| {
        format!(
            "[answer]\nform = \"text\"\n[score.rewards]\nlength = {{ least = 1, most = {most}, fade = 4 }}\n"
        )
    };
    std::fs::write(world.path().join("old.toml"), task(2)).unwrap();
    std::fs::write(world.path().join("new.toml"), task(3)).unwrap();
    let rows =
        (1..=4).map(|n| json!({"prompt": "p", "completion": "w".repeat(n).replace('w', "w ")}).to_string());
    std::fs::write(world.path().join("rows.jsonl"), rows.collect::<Vec<_>>().join("\n")).unwrap();
    insta::assert_snapshot!(world.say(&[
        "reward",
        "score",
        "old.toml",
        "rows.jsonl",
        "--against",
        "new.toml",
        "--show",
        "1"
    ]));
    let json: Value = serde_json::from_str(&world.say(&[
        "reward",
        "score",
        "old.toml",
        "rows.jsonl",
        "--against",
        "new.toml",
        "--json",
    ]))
    .unwrap();
    assert_eq!(
        (&json["scores"]["records"], &json["against"]["comparison"]["higher"]),
        (&json!(4), &json!(2))
    );
}

#[test]
fn a_command_runs_only_after_its_folder_is_trusted_and_asks_again_when_it_changes() {
    let world = World::new();
    let write = |name: &str, text: &str| std::fs::write(world.path().join(name), text).unwrap();
    let task = "[answer]\nform = \"text\"\n[score.rewards]\nmine = { reward = \"command\", run = [\"sh\", \"mine.sh\"] }\n";
    let script = "touch ran\nwhile read -r line; do echo '{\"rewards\": [0.5]}'; done\n";
    std::fs::create_dir(world.path().join("from-elsewhere")).unwrap();
    write("from-elsewhere/mine.toml", task);
    write("from-elsewhere/mine.sh", script);
    let record = r#"{"prompt": "p", "completion": "c"}"#;
    let score = || world.say(&["reward", "try", "from-elsewhere/mine.toml", "--record", record]);
    let refused = score();
    assert!(refused.contains("mine: does not apply: its command runs only if you trust its folder: `dojo trust from-elsewhere` shows what would run, and asks"), "{refused}");
    assert!(!world.path().join("from-elsewhere/ran").exists(), "it ran");

    let asked = world.dojo(&["trust", "from-elsewhere"]);
    assert_eq!(asked.status.code(), Some(1));
    assert!(text(&asked.stdout).contains("mine.toml, reward mine: sh mine.sh"), "{}", text(&asked.stdout));
    assert_eq!(text(&asked.stderr), "dojo: nobody is here to ask: read what it would run, then add --yes\n");
    world.say(&["trust", "from-elsewhere", "--yes"]);
    assert!(score().starts_with("total 0.5000\n"), "{}", score());
    assert!(world.path().join("from-elsewhere/ran").exists(), "it did not run");

    write("from-elsewhere/helper.sh", "echo hello\n");
    let changed = score();
    assert!(
        changed.contains("its command, or code beside it, has changed since you trusted its folder"),
        "{changed}"
    );
    let shown = text(&world.dojo(&["trust", "from-elsewhere"]).stdout);
    assert!(shown.starts_with("what was trusted here has changed\n"), "{shown}");
    world.say(&["trust", "from-elsewhere", "--yes"]);
    assert!(score().starts_with("total 0.5000\n"));
    assert!(world.say(&["trust", "from-elsewhere", "--remove"]).ends_with("is trusted no longer\n"));
    assert!(score().contains("its command runs only if you trust its folder"));
}

#[test]
fn a_session_s_tasks_are_of_its_folder() {
    let world = World::new();
    world.say(&["new", "s"]);
    let session = world.path().join("data/sessions/s");
    std::fs::create_dir_all(session.join("tasks")).unwrap();
    let task = "[answer]\nform = \"text\"\n[score.rewards]\nmine = { reward = \"command\", run = [\"sh\", \"-c\", \"read l; echo '{\\\"rewards\\\": [1]}'\"] }\n";
    std::fs::write(session.join("tasks/own.toml"), task).unwrap();
    let folder = session.to_str().unwrap();
    let shown = world.say(&["trust", folder, "--yes"]);
    assert!(shown.contains("tasks/own.toml, reward mine: sh -c"), "{shown}");
    let record = r#"{"prompt": "p", "completion": "c"}"#;
    let said = world.say(&["reward", "try", "own", "--session", folder, "--record", record]);
    assert!(said.starts_with("total 1.0000\n"), "{said}");
}

#[test]
fn bad_input_gets_one_sentence() {
    let world = World::new();
    let complaint = |arguments: &[&str]| {
        let output = world.dojo(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        text(&output.stderr)
    };
    assert_eq!(
        complaint(&["reward", "try", "chat", "--record", r#"{"prompt": "p"}"#, "--completion", "x"]),
        "dojo: read the rewards of the task chat: the task chat names no rewards: add [score.rewards] with a line such as \
         `length = 1.0`\n"
    );
    assert_eq!(
        complaint(&["reward", "audit", "nothing"]),
        "dojo: there is no task \"nothing\"; there are chat, math, nli-cot, paraphrase, query-expansion\n"
    );
    std::fs::write(world.path().join("bad.jsonl"), "{\"query\": \"a\"\n").unwrap();
    let said = complaint(&["reward", "check", "bad.jsonl"]);
    assert!(said.starts_with("dojo: bad.jsonl:1: the line is no JSON object"), "{said}");
    std::fs::write(world.path().join("none.jsonl"), "{\"query\": \"a\", \"completion\": \"lex: a\"}\n")
        .unwrap();
    assert_eq!(
        complaint(&["reward", "check", "none.jsonl"]),
        "dojo: none.jsonl: no row expects a score: give each a column \"score\", and columns named as the components\n"
    );
    let said = complaint(&["reward", "try", "math", "--record", "train.jsonl:99"]);
    assert_eq!(said, "dojo: train.jsonl has 16 records, and no number 99\n");
}
