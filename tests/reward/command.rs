//! A program as a reward: good ones, bad ones, and functions written for TRL.

use std::path::{Path, PathBuf};
use std::time::Instant;

use dojo_studio::domain::record::Record;
use dojo_studio::domain::reward::{Attempt, CompletionScorer, ScoreDetail};
use dojo_studio::reward::RewardSet;
use dojo_studio::reward::helpers::{Helpers, Programs};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::world::{number, reason, row, score, task, try_set};

/// A folder with files, in which a program runs.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("write a file");
    }
    folder
}

/// Where a program runs that touches no file.
fn anywhere() -> PathBuf {
    std::env::temp_dir()
}

fn command(folder: &Path, row: Value) -> RewardSet {
    let programs = Programs::Trusted { folder: folder.to_owned() };
    let mut row = row;
    row["reward"] = json!("command");
    try_set(&task("math"), json!({"mine": row}), &Helpers { programs, ..Helpers::default() }).expect("a set")
}

/// A shell that answers every line with the same.
fn always(answer: &str) -> RewardSet {
    let script = format!("while read line; do printf '%s\\n' '{answer}'; done");
    command(&anywhere(), json!({"run": ["sh", "-c", script]}))
}

fn question() -> Record {
    row(json!({"question": "1 + 1?", "answer": "#### 2", "points": 3}))
}

fn all(set: &RewardSet, completions: &[&str]) -> Vec<Result<f64, String>> {
    let record = question();
    let attempts: Vec<Attempt<'_>> =
        completions.iter().map(|completion| Attempt { record: &record, completion }).collect();
    let outcome = |total: dojo_studio::domain::reward::RewardTotal| {
        let outcome = &total.parts[0].outcome;
        outcome.value().ok_or_else(|| outcome.reason().unwrap_or_default().to_owned())
    };
    set.score(&attempts, ScoreDetail::Numbers).into_iter().map(outcome).collect()
}

fn has_python() -> bool {
    let there = std::process::Command::new("python3").arg("--version").output().is_ok();
    if !there {
        println!("left out: python3 is not here");
    }
    there
}

#[test]
fn a_program_is_asked_with_trls_signature_and_kept_running() {
    // It writes what it is asked into a file, and answers with its count of questions.
    let script = "n=0; while read -r line; do n=$((n+1)); printf '%s\\n' \"$line\" >> asked; printf '{\"id\": %s, \"rewards\": [%s, null]}\\n' $n $n; done";
    let folder = folder(&[]);
    let set = command(folder.path(), json!({"run": ["sh", "-c", script]}));
    assert_eq!(all(&set, &["#### 2", "no"]), [Ok(1.0), Err("the command says nothing of it".into())]);
    assert_eq!(all(&set, &["a", "b"])[0], Ok(2.0));
    let asked = std::fs::read_to_string(folder.path().join("asked")).expect("what was asked");
    let first: Value = serde_json::from_str(asked.lines().next().expect("a line")).expect("JSON");
    assert_eq!(first["completions"], json!(["#### 2", "no"]));
    assert_eq!(
        first["columns"],
        json!({"question": ["1 + 1?", "1 + 1?"], "answer": ["#### 2", "#### 2"], "points": [3, 3]})
    );
    assert!(first["prompts"][1].as_str().expect("a text").starts_with("1 + 1?\n\nWork it out"));
}

#[test]
fn what_a_program_does_wrong_is_one_sentence_each() {
    let said = |set: &RewardSet| reason(set, &question(), "x");
    let run = |row: Value| said(&command(&anywhere(), row));
    assert_eq!(
        run(json!({"run": ["no-such-program-anywhere"]})),
        "`no-such-program-anywhere` can't be started: there is no program \"no-such-program-anywhere\""
    );
    assert_eq!(
        run(json!({"run": ["sh", "-c", "read line; echo it broke >&2; exit 3"]})),
        "`sh -c read line; echo it broke >&2; exit 3` ended with exit code 3 before it answered; it said last: it broke"
    );
    assert_eq!(
        run(json!({"run": ["sh", "-c", "kill -9 $$"]})),
        "`sh -c kill -9 $$` was ended by signal 9 before it answered"
    );
    let begun = Instant::now();
    assert_eq!(
        run(json!({"run": ["sh", "-c", "sleep 600 & wait"], "timeout_seconds": 0.2})),
        "`sh -c sleep 600 & wait` gave no answer within 0.2 s and was ended"
    );
    assert!(begun.elapsed().as_secs() < 60, "it was waited for");
    let tail = |answer: &str| {
        let said = said(&always(answer));
        said.rsplit_once("` ").expect("a sentence").1.to_owned()
    };
    assert_eq!(
        tail("hello"),
        "answered with something that can't be read (expected value at line 1 column 1): \"hello\""
    );
    assert_eq!(tail(r#"{"rewards": [1, 2]}"#), "gave 2 rewards for 1 completion");
    assert_eq!(tail(r#"{"rewards": []}"#), "gave 0 rewards for 1 completion");
    assert_eq!(tail(r#"{"rewards": [true]}"#), "gave true as a reward, which is no number");
    assert_eq!(tail(r#"{"id": 7, "rewards": [1]}"#), "answered question 7 instead of 1");
    assert_eq!(said(&always(r#"{"rewards": [NaN]}"#)), "the command gave NaN, which is no usable number");
    assert_eq!(
        said(&always(r#"{"rewards": [-Infinity]}"#)),
        "the command gave -Infinity, which is no usable number"
    );
}

#[test]
fn a_program_that_failed_is_started_anew_and_given_up_after_three_failures_in_a_row() {
    let script = "read line; if [ -e marked ]; then echo '{\"rewards\": [1]}'; read line; else touch marked; exit 1; fi";
    let folder = folder(&[]);
    let set = command(folder.path(), json!({"run": ["sh", "-c", script]}));
    assert!(
        all(&set, &["x"])[0]
            .as_ref()
            .is_err_and(|why| why.ends_with("ended with exit code 1 before it answered"))
    );
    assert_eq!(all(&set, &["x"]), [Ok(1.0)]);
    let troubles = set.troubles();
    assert_eq!((troubles.len(), troubles[0].2), (1, 1), "{troubles:?}");

    let missing = command(folder.path(), json!({"run": ["no-such-program-anywhere"]}));
    for _ in 0..3 {
        assert!(all(&missing, &["x"])[0].as_ref().is_err_and(|why| why.contains("there is no program")));
    }
    let given_up = "`no-such-program-anywhere` was given up after 3 failures in a row".to_owned();
    assert_eq!(all(&missing, &["x", "y"]), [Err(given_up.clone()), Err(given_up)]);
}

#[test]
fn a_program_that_reads_nothing_holds_nobody_up() {
    let set = command(&anywhere(), json!({"run": ["sh", "-c", "sleep 600"], "timeout_seconds": 0.2}));
    let long = "word ".repeat(100_000);
    assert_eq!(
        all(&set, &[&long]),
        [Err("`sh -c sleep 600` gave no answer within 0.2 s and was ended".into())]
    );
}

#[test]
fn a_folder_that_is_gone_is_named() {
    let gone = folder(&[]).path().to_owned();
    let set = command(&gone, json!({"run": ["sh", "-c", "true"]}));
    let told = format!("`sh -c true` can't be started: its folder {} is gone", gone.display());
    assert_eq!(all(&set, &["x"]), [Err(told)]);
}

#[test]
fn large_batches_are_asked_in_parts() {
    let script = "while read -r line; do echo '{\"rewards\": [1, 2]}'; done";
    let set = command(&anywhere(), json!({"run": ["sh", "-c", script], "batch": 2}));
    assert_eq!(all(&set, &["a", "b", "c", "d"]), [Ok(1.0), Ok(2.0), Ok(1.0), Ok(2.0)]);
}

const FUNCTIONS: &str = r#"
import math

def by_length(completions, **kwargs):
    print("this goes to standard error")
    return [float(len(completion)) for completion in completions]

def with_columns(prompts, completions, answer, log_extra, log_metric, **kwargs):
    log_extra("found", [completion[-1:] for completion in completions])
    log_metric("right", 0.5)
    return [1.0 if right.endswith(completion[-1:]) else None for completion, right in zip(completions, answer)]

def without_keywords(completions):
    return [math.nan if completion == "nan" else math.inf for completion in completions]

def of_messages(prompts, completions, **kwargs):
    assert prompts[0][-1]["role"] == "user"
    return [len(completion[0]["content"]) / 10 for completion in completions]

async def later(completions, **kwargs):
    return [0.25] * len(completions)

def broken(completions, **kwargs):
    raise ValueError("no such thing")
"#;

#[test]
fn functions_written_for_trl_run_as_they_are() {
    if !has_python() {
        return;
    }
    let folder = folder(&[("rewards.py", FUNCTIONS)]);
    let of = |function: &str, messages: bool| {
        command(folder.path(), json!({"trl": format!("rewards.py:{function}"), "messages": messages}))
    };
    assert_eq!(all(&of("by_length", false), &["a", "bcd"]), [Ok(1.0), Ok(3.0)]);
    let columns = of("with_columns", false);
    let scored = score(&columns, &question(), "#### 2");
    assert_eq!((scored.value, scored.component("found").expect("logged").to_string()), (1.0, "2".into()));
    assert_eq!(reason(&columns, &question(), "3"), "the command says nothing of it");
    assert_eq!(columns.metrics(), [("mine/right".to_owned(), 0.5)]);
    assert_eq!(
        all(&of("without_keywords", false), &["nan", "x"]),
        [
            Err("the command gave nan, which is no usable number".into()),
            Err("the command gave inf, which is no usable number".into())
        ]
    );
    assert_eq!(all(&of("of_messages", true), &["abcde"]), [Ok(0.5)]);
    assert_eq!(all(&of("later", false), &["a", "b"]), [Ok(0.25), Ok(0.25)]);
    let broken = reason(&of("broken", false), &question(), "x");
    assert_eq!(
        broken,
        "`rewards.py:broken` ended with exit code 1 before it answered; it said last: ValueError: no such thing"
    );
    let missing = reason(&of("nowhere", false), &question(), "x");
    assert!(
        missing
            .contains("it said last: AttributeError: module 'reward_functions' has no attribute 'nowhere'"),
        "{missing}"
    );
}

#[test]
fn a_command_that_nobody_has_allowed_does_not_run() {
    let table = json!({"mine": {"reward": "command", "run": ["touch", "ran"]}});
    let refused = |programs| {
        let set = try_set(&task("math"), table.clone(), &Helpers { programs, ..Helpers::default() })
            .expect("a set");
        reason(&set, &question(), "x")
    };
    assert_eq!(refused(Programs::Unasked), "nobody has allowed `touch ran` to run");
    assert_eq!(refused(Programs::Refused("ask first".into())), "ask first");
}

#[test]
fn numbers_and_words_that_a_program_logs_are_components() {
    let set = always(
        r#"{"rewards": [0.5], "log_extra": {"steps": [3], "why": ["short"], "none": [null]}, "log_metrics": {"m": 2}}"#,
    );
    let scored = score(&set, &question(), "x");
    assert_eq!(number(&scored, "steps"), 3.0);
    assert_eq!(scored.component("why").expect("logged").to_string(), "short");
    assert!(scored.component("none").is_none());
    assert_eq!(set.metrics(), [("mine/m".to_owned(), 2.0)]);
}
