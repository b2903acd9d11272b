//! `dojo merge` and `dojo export` as a person runs them, on a tiny model's run.

use std::path::Path;

use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::program::World;

/// A world with a run that is done.
fn trained() -> World {
    let world = World::new();
    world.write_recipe("train.max_steps = 3\nlora.trained_tokens = [\"<think>\"]\n");
    world.say(&["train", "recipe.toml", "--name", "first"]);
    world
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn reports(said: &str) -> Vec<Value> {
    said.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_run_is_exported_merged_and_answers_the_same_in_every_form() {
    let world = trained();
    let adapter = world.run("first").join("adapter");
    let described = [
        "README.md",
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ];
    assert_eq!(names(&adapter), described);
    let report = reports(&world.say(&["export", "first", "--to", "gguf:f32", "--into", "out", "--json"]));
    assert_eq!(report[0]["format"], "gguf:f32");
    assert!(report[0]["check"].as_array().unwrap().iter().all(|row| row["verdict"] != "broken"));
    assert_eq!(
        names(&world.path().join("out")),
        ["Modelfile", "README.md", "dojo-export.json", "model-first-F32.gguf"]
    );
    let card = std::fs::read_to_string(world.path().join("out/README.md")).unwrap();
    for expected in ["trained on `", "| loss |", "learning_rate = 0.001", "| prompts as tokens | "] {
        assert!(card.contains(expected), "{expected}: {card}");
    }
    assert!(!card.contains(&world.path().display().to_string()), "{card}");
    let said = world.say(&["merge", "first", "--into", "merged", "--dtype", "f32"]);
    assert!(said.contains("| prompts as tokens | "), "{said}");
    let answer = |model: &str, more: &[&str]| {
        let asked = [
            &["generate", "count from 3", "--model", model, "--precision", "full", "--max-new-tokens", "12"],
            more,
        ]
        .concat();
        world.say(&asked)
    };
    let expected = answer("model", &["--adapter", &adapter.display().to_string()]);
    assert_eq!(answer("out/model-first-F32.gguf", &[]), expected);
    assert_eq!(answer("merged", &[]), expected);
}

#[test]
fn a_base_that_isnt_the_one_of_the_run_is_refused_unless_it_is_named() {
    let world = trained();
    let other = crate::support::tiny::Tiny { seed: 9, ..crate::support::tiny::Tiny::new("llama") };
    other.write_folder(&world.path().join("model"));
    let refused = world.dojo(&["merge", "first", "--into", "merged"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(
        said.contains("the base isn't the one that first was trained on: its weights have changed"),
        "{said}"
    );
    assert!(!world.path().join("merged").exists());
    let meant = world.dojo(&["merge", "first", "--into", "merged", "--base", "model"]);
    assert!(meant.status.success(), "{}", String::from_utf8_lossy(&meant.stderr));
}

#[cfg(unix)]
#[test]
fn a_disk_that_is_full_in_the_middle_leaves_nothing() {
    let world = trained();
    let program = env!("CARGO_BIN_EXE_dojo");
    for arguments in ["merge first --into merged --dtype f32", "export first --to gguf:f32 --into out"] {
        let script = format!("trap '' XFSZ; ulimit -f 40; exec {program} {arguments}");
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &script]).env("DOJO_HOME", world.path()).current_dir(world.path());
        let outcome = command.output().unwrap();
        let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
        assert!(!outcome.status.success());
        assert!(said.contains("a file has reached the size that it may have"), "{said}");
    }
    let left = names(world.path());
    assert!(!left.iter().any(|name| name.contains("merged") || name.contains("out")), "{left:?}");
}

#[test]
fn a_name_that_is_nothing_is_said_in_one_sentence() {
    let world = World::new();
    let refused = world.dojo(&["export", "nothing-of-this-name", "--to", "gguf"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.starts_with("dojo: there is no model \"nothing-of-this-name\""), "{said}");
    let refused = world.dojo(&["export", "model", "--to", "onnx"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("ONNX isn't written yet"));
    let refused = world.dojo(&["export", "model", "--to", "gguf", "--dry-run"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("give --push hf:owner/name"));
}

/// A hub that takes commits of small files.
async fn hub() -> MockServer {
    let server = MockServer::start().await;
    let answer = |body: Value| ResponseTemplate::new(200).set_body_json(body);
    Mock::given(method("POST"))
        .and(path("/api/repos/create"))
        .respond_with(answer(json!({"url": "https://hub/me/tiny"})))
        .mount(&server)
        .await;
    let modes = |request: &wiremock::Request| {
        let asked: Value = serde_json::from_slice(&request.body).unwrap();
        let files = asked["files"].as_array().unwrap().iter();
        let files: Vec<Value> = files
            .map(|file| json!({"path": file["path"], "uploadMode": "regular", "shouldIgnore": false}))
            .collect();
        ResponseTemplate::new(200).set_body_json(json!({"files": files}))
    };
    Mock::given(method("POST"))
        .and(path("/api/models/me/tiny/preupload/main"))
        .respond_with(modes)
        .mount(&server)
        .await;
    let commit = json!({"commitUrl": "https://hub/me/tiny/commit/1", "commitOid": "1", "success": true});
    Mock::given(method("POST"))
        .and(path("/api/models/me/tiny/commit/main"))
        .respond_with(answer(commit))
        .mount(&server)
        .await;
    server
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_pushed_as_one_commit_and_shown_before() {
    let world = World::new();
    let server = hub().await;
    let run = |more: &[&str], token: Option<&str>| {
        let arguments = [
            &["export", "model", "--to", "gguf:f32", "--replace", "--into", "out", "--push", "hf:me/tiny"],
            more,
        ]
        .concat();
        let mut command = world.command(&arguments);
        command.env("HF_ENDPOINT", server.uri()).env_remove("HF_TOKEN").env_remove("HF_HUB_OFFLINE");
        if let Some(token) = token {
            command.env("HF_TOKEN", token);
        }
        let outcome = command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (outcome.status.success(), text(outcome.stdout), text(outcome.stderr))
    };
    let (success, said, errors) = run(&["--dry-run", "--json"], None);
    assert!(success, "{errors}");
    let shown = &reports(&said)[1];
    assert_eq!(shown["would_push_to"], "me/tiny");
    let files =
        shown["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap().to_owned());
    let files: Vec<String> = files.collect();
    assert_eq!(files, ["Modelfile", "README.md", "dojo-export.json", "model-F32.gguf"]);
    assert!(server.received_requests().await.unwrap().is_empty());
    let (success, said, errors) = run(&[], None);
    assert!(!success && errors.contains("pushing needs a token that may write: set HF_TOKEN"), "{errors}");
    // It is said before anything is made.
    assert_eq!(said, "");
    let (success, said, errors) = run(&[], Some("hf_of_nobody"));
    assert!(success, "{errors}");
    assert!(said.ends_with("pushed to https://hub/me/tiny/commit/1\n"), "{said}");
    assert!(!said.contains("hf_of_nobody") && !errors.contains("hf_of_nobody"));
    let requests = server.received_requests().await.unwrap();
    let made: Value = serde_json::from_slice(&requests[0].body).unwrap();
    assert_eq!(
        (&made["name"], &made["organization"], &made["private"]),
        (&json!("tiny"), &json!("me"), &json!(true))
    );
    let commit = requests.iter().find(|request| request.url.path().contains("/commit/")).unwrap();
    let lines: Vec<Value> = String::from_utf8(commit.body.clone())
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let pushed: Vec<&str> = lines[1..].iter().map(|line| line["value"]["path"].as_str().unwrap()).collect();
    assert_eq!(pushed, files);
    let refusing = MockServer::start().await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(403)).mount(&refusing).await;
    let mut command = world.command(&["merge", "model", "--into", "again", "--push", "hf:me/tiny"]);
    let outcome =
        command.env("HF_ENDPOINT", refusing.uri()).env("HF_TOKEN", "hf_of_nobody").output().unwrap();
    let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
    assert!(
        said.contains("push to me/tiny: the hub refuses it: HF_TOKEN must be one that may write to me/tiny"),
        "{said}"
    );
}
