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
         completions: the column \"expansion\"\nrecords: query from \"query\"\n\
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
        "dojo: there is no task \"nothing\"; there are chat, math, nli-cot, paraphrase, query-expansion, query-expansion-guarded\n"
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

/// The wrong thoughts of the sample have wrong labels of their own, and are not scored with the true one.
#[test]
fn a_wrong_thought_is_scored_by_its_own_label() {
    let world = World::new();
    let thoughts = concat!(env!("CARGO_MANIFEST_DIR"), "/sessions/nli-reflection/thoughts.jsonl");
    let said = world.say(&["reward", "score", "nli-cot", thoughts]);
    assert!(
        said.starts_with(
            "completions: JSON of the columns thought_process, predicted_label, as the task's answer has them\n\
             records: hypothesis from \"hypothesis\", premise from \"premise\", label from \"true_label\"\n\
             65 of 65 records scored"
        ),
        "{said}"
    );
    // 28 of 65 are wrong.
    assert!(said.contains("\nlabel: mean 0.5692, weight 1, applies to 65\n"), "{said}");
    let truth = world.say(&["reward", "score", "nli-cot", thoughts, "--reference-answers"]);
    assert!(truth.starts_with("completions: the records' own answers\n"), "{truth}");
    assert!(truth.contains("\nlabel: mean 1.0000"), "{truth}");
}

#[test]
fn the_truth_is_no_completion_unless_it_is_asked_for() {
    let world = World::new();
    let write = |name: &str, rows: &[Value]| {
        let rows: Vec<String> = rows.iter().map(Value::to_string).collect();
        std::fs::write(world.path().join(name), rows.join("\n")).unwrap();
    };
    let complaint = |arguments: &[&str]| {
        let output = world.dojo(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        text(&output.stderr)
    };
    write("sums.jsonl", &[json!({"question": "1 + 1?", "answer": "#### 2"})]);
    assert_eq!(
        complaint(&["reward", "score", "math", "sums.jsonl"]),
        "dojo: read sums.jsonl: none of the columns answer, question is known to hold completions: name it with \
         --map completion=COLUMN, or score the records' own answers with --reference-answers\n"
    );
    // A label beside a thought is the truth, whatever the task's answer calls it.
    write(
        "truth.jsonl",
        &[
            json!({"premise": "p", "hypothesis": "h", "thought_process": "step 1: a step 2: b step 3: c", "label": 1}),
        ],
    );
    assert!(
        complaint(&["reward", "score", "nli-cot", "truth.jsonl"]).contains("is known to hold completions")
    );
    assert_eq!(
        complaint(&["reward", "score", "math", "sums.jsonl", "--map", "completion=anwser"]),
        "dojo: read sums.jsonl: no row has a column \"anwser\" for the part \"completion\"; there are answer, question\n"
    );
    assert_eq!(
        complaint(&["reward", "score", "math", "sums.jsonl", "--map", "answer"]),
        "dojo: read sums.jsonl: \"answer\" is no mapping; write part=column, such as completion=answer_of_model\n"
    );
    assert!(
        world
            .say(&["reward", "score", "math", "sums.jsonl", "--reference-answers"])
            .contains("answer: mean 1.0000")
    );
}

#[test]
fn columns_are_the_completion_and_the_reference_by_name_or_by_a_person_s_word() {
    let world = World::new();
    let row = |columns: Value| std::fs::write(world.path().join("rows.jsonl"), columns.to_string()).unwrap();
    let score = |more: &[&str]| world.say(&[&["reward", "score", "math", "rows.jsonl"][..], more].concat());
    row(json!({"question": "1 + 1?", "answer": "#### 2", "completion": "it is #### 3"}));
    let said = score(&[]);
    assert!(
        said.starts_with(
            "completions: the column \"completion\"\nrecords: question from \"question\", solution from \"answer\"\n"
        ),
        "{said}"
    );
    assert!(said.contains("\nanswer: mean 0.0000, weight 1, applies to 1\n"), "{said}");
    // What is compared with is not the completion itself.
    row(json!({"prompt": "1 + 1?", "reference": "#### 2", "generation": "it is #### 3"}));
    let said = score(&[]);
    assert!(said.contains("question from \"prompt\", solution from \"reference\""), "{said}");
    assert!(said.contains("\nanswer: mean 0.0000, weight 1, applies to 1\n"), "{said}");
    row(json!({"q": "1 + 1?", "gold": "#### 2", "model_said": "it is #### 2"}));
    let mapped = ["--map", "question=q", "--map", "reference=gold", "--map", "completion=model_said"];
    let said = score(&mapped);
    assert!(
        said.starts_with(
            "completions: the column \"model_said\"\nrecords: question from \"q\", solution from \"gold\"\n"
        ),
        "{said}"
    );
    assert!(said.contains("\nanswer: mean 1.0000, weight 1, applies to 1\n"), "{said}");
    let tried = world.say(&[&["reward", "try", "math", "--record", "rows.jsonl"][..], &mapped].concat());
    assert!(tried.contains("completions: the column \"model_said\""), "{tried}");
    // A completion that a person types leaves the record all of its columns.
    row(json!({"prompt": "1 + 1?", "completion": "#### 2"}));
    let tried =
        world.say(&["reward", "try", "math", "--record", "rows.jsonl", "--completion", "it is #### 2"]);
    assert!(tried.contains("answer: 1.0000"), "{tried}");
}

#[test]
fn what_does_not_apply_is_shown_in_an_audit_and_counts_for_nothing() {
    let world = World::new();
    let output = world.dojo(&["reward", "audit", "paraphrase"]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stdout);
    assert!(!told.contains("CHEATS") && told.contains("not judged"), "{told}");
    assert!(told.contains("n/a: the reward does not apply, and does not count\n"), "{told}");
    assert!(
        told.contains(
            "not judged, since a part of the reward does not apply here: logical-equivalence: it needs a judge of \
             entailment: name one with --judge; similarity: it needs a model for embeddings: name one with --embedder\n"
        ),
        "{told}"
    );
}

#[test]
fn a_wrong_table_of_rewards_names_its_key() {
    let world = World::new();
    let complaint = |rewards: &str| {
        let task = format!("[answer]\nform = \"text\"\n[score.rewards]\n{rewards}\n");
        std::fs::write(world.path().join("wrong.toml"), task).unwrap();
        let output = world.dojo(&["reward", "try", "wrong.toml", "--record", r#"{"completion": "c"}"#]);
        assert_eq!(output.status.code(), Some(1), "{rewards}");
        text(&output.stderr).trim_start_matches("dojo: ").to_owned()
    };
    insta::assert_snapshot!(
        [
            "lenght = 1.0",
            "short = { reward = \"lenght\" }",
            "length = { most = -1 }",
            "length = { mots = 1 }",
            "length = \"long\"",
            "length = { weight = \"much\" }",
            "length = { least = 5, most = 2 }",
            "Length = 1.0",
            "mine = { reward = \"command\" }",
        ]
        .map(complaint)
        .concat()
    );
}
