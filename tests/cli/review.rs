//! The review loop as programs: a job that is killed, a model of the program's own, decisions from the shell.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::leads;
use crate::support::program::{World, wait_until};
use crate::teacher::world::is_whole;

/// What a question is about: its premise.
type Asked = Arc<Mutex<BTreeMap<String, u64>>>;

/// An endpoint that takes 30 ms for an answer and counts, for every premise, the answers that it gave in full.
fn endpoint() -> (String, Asked) {
    let asked = Asked::default();
    let count = Arc::clone(&asked);
    let (tell, told) = std::sync::mpsc::sync_channel(1 << 16);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
            tell.send(listener.local_addr().expect("an address")).expect("tell the address");
            loop {
                let (mut stream, _) = listener.accept().await.expect("a connection");
                let count = Arc::clone(&count);
                tokio::spawn(async move {
                    let mut received = Vec::new();
                    let premise = loop {
                        let mut part = [0; 4096];
                        let Ok(length @ 1..) = stream.read(&mut part).await else { return };
                        received.extend_from_slice(&part[..length]);
                        let text = String::from_utf8_lossy(&received);
                        if let Some(end) = text.rfind("premise ").filter(|_| is_whole(&received)) {
                            break text[end..].split('\\').next().unwrap_or_default().to_owned();
                        }
                    };
                    tokio::time::sleep(std::time::Duration::from_millis(30)).await;
                    let thought =
                        r#"{"thought_process": "step 1: a step 2: b step 3: c", "predicted_label": 1}"#;
                    let body = json!({
                        "model": "m", "choices": [{"message": {"content": thought}, "finish_reason": "stop"}],
                        "usage": {"prompt_tokens": 50, "completion_tokens": 50},
                    })
                    .to_string();
                    *count.lock().expect("counts").entry(premise).or_default() += 1;
                    let head = format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                        body.len()
                    );
                    let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
                });
            }
        });
    });
    (format!("http://{}/v1", told.recv().expect("the endpoint's address")), asked)
}

/// A home with a session `s` of so many labelled pairs, and a teacher `t` behind the endpoint.
pub(super) fn world(url: &str, pairs: usize) -> World {
    let world = World::new();
    std::fs::create_dir_all(world.path().join("settings")).expect("a settings folder");
    let settings = format!("[teachers.t]\nbase_url = \"{url}\"\nmodel = \"m\"\nconcurrency = 4\n");
    std::fs::write(world.path().join("settings/settings.toml"), settings).expect("write settings");
    let rows: Vec<String> = (1..=pairs)
        .map(|number| {
            json!({"premise": format!("premise {number}"), "hypothesis": "h", "label": number % 2})
                .to_string()
        })
        .collect();
    std::fs::write(world.path().join("pairs.jsonl"), rows.join("\n")).expect("write pairs");
    let session = world.path().join("data/sessions/s");
    std::fs::create_dir_all(&session).expect("a session's folder");
    std::fs::write(session.join("session.toml"), "title = \"s\"\n").expect("write session.toml");
    world.say(&["data", "--session", "s", "import", "pairs.jsonl"]);
    world
}

fn answers_kept(world: &World) -> i64 {
    let file = world.path().join("data/sessions/s/answers.db");
    let open =
        |path: &Path| rusqlite::Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
    let count = open(&file).and_then(|db| db.query_row("SELECT count(*) FROM answers", [], |row| row.get(0)));
    count.unwrap_or(0)
}

#[test]
fn a_job_killed_in_the_middle_goes_on_and_pays_twice_for_nothing_that_was_kept() {
    let (url, asked) = endpoint();
    let world = world(&url, 120);
    let mut child = world.start(&["think", "--session", "s", "--student", "t"]);
    wait_until("some answers", || answers_kept(&world) >= 30);
    child.kill().expect("kill -9");
    child.wait().expect("its end");
    let kept = answers_kept(&world);
    assert!((30..120).contains(&kept), "killed too late: {kept}");
    let said: Value =
        serde_json::from_str(&world.say(&["think", "--session", "s", "--student", "t", "--json"]))
            .expect("JSON");
    let asked = asked.lock().expect("counts");
    let twice: u64 = asked.values().filter(|count| **count > 1).count() as u64;
    assert_eq!(asked.len(), 120);
    // At most what was on the wire when it was killed, four together, can have been answered unseen.
    assert!(twice <= 4, "{twice} were asked twice");
    assert_eq!(asked.values().sum::<u64>(), 120 + twice);
    assert_eq!(said["answers"].as_i64().expect("a count"), 120 - kept, "what was kept is not paid for again");
    assert_eq!(answers_kept(&world), 120);
    let stats: Value =
        serde_json::from_str(&world.say(&["review", "--session", "s", "stats", "--json"])).expect("JSON");
    assert_eq!((stats["thoughts"].as_u64(), stats["right"].as_u64()), (Some(120), Some(60)));
}

#[test]
fn a_job_that_a_full_disk_ends_says_what_is_kept_and_goes_on_from_there() {
    let (url, asked) = endpoint();
    let world = world(&url, 120);
    let database = world.path().join("data/sessions/s/session.db");
    let limit = std::fs::metadata(database).expect("the session's database").len() / 1024 + 160;
    // No file may grow beyond this many KiB, which is how a full disk shows to one file.
    let program = env!("CARGO_BIN_EXE_dojo");
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec {program} think --session s --student t");
    let output = std::process::Command::new("bash")
        .args(["-c", &script])
        .env("DOJO_HOME", world.path())
        .current_dir(world.path())
        .output()
        .expect("run think");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("run this again to go on from there"), "{said}");
    assert!(said.contains("ulimit -f") && !said.contains("Error code"), "{said}");
    let kept = answers_kept(&world);
    assert!((1..120).contains(&kept), "{kept} answers were kept: {said}");
    let value: Value =
        serde_json::from_str(&world.say(&["think", "--session", "s", "--student", "t", "--json"]))
            .expect("JSON");
    assert_eq!(value["left"], 0, "{value}");
    assert_eq!(asked.lock().expect("counts").len(), 120);
    assert_eq!(answers_kept(&world), 120);
}

#[test]
fn a_model_of_this_machine_thinks_in_the_form_that_was_asked_for() {
    let world = world("http://127.0.0.1:9/v1", 3);
    let model = world.path().join("model");
    let student = format!("local:{}", model.display());
    let plan = world.say(&["think", "--session", "s", "--student", &student, "--dry-run"]);
    assert!(plan.contains("3 questions by local:"), "{plan}");
    let said =
        world.dojo(&["think", "--session", "s", "--student", &student, "--answer-tokens", "64", "--json"]);
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let value: Value =
        serde_json::from_str(&text).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&said.stderr)));
    // A model of random weights may not come to an end; what it says is in the form up to where it is cut.
    let aside = value["set_aside"].as_object().map_or(0, serde_json::Map::len);
    let kept = value["kept"].as_u64().expect("a count");
    assert!(kept == 3 || aside > 0, "{value}");
    assert_eq!(value["left"], 0);
}

#[test]
fn decisions_from_the_shell_are_the_same_as_in_the_studio() {
    let world = World::new();
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions/nli-reflection");
    let session = world.path().join("data/sessions/nli");
    std::fs::create_dir_all(&session).expect("a session's folder");
    std::fs::write(session.join("session.toml"), "title = \"nli\"\n").expect("write session.toml");
    let file = |name: &str| shipped.join(name).display().to_string();
    let review = |arguments: &[&str]| world.say(&[&["review", "--session", "nli"], arguments].concat());
    review(&["import", "--thoughts", &file("thoughts.jsonl"), "--reflections", &file("reflections.jsonl")]);
    assert_eq!(review(&["show"]).lines().count(), 24);
    assert_eq!(review(&["approve", "1", "2"]).trim(), "2 approved");
    assert_eq!(review(&["reject", "3", "--because", "invents a fact"]).trim(), "1 rejected");
    assert_eq!(review(&["send-back", "4", "--comment", "shorter"]).trim(), "1 sent-back");
    std::fs::write(world.path().join("mine.txt"), "step 1: a step 2: b step 3: c\n").expect("write a text");
    assert_eq!(review(&["edit", "5", "mine.txt"]).trim(), "1 edited");
    let shown = review(&["show", "3"]);
    assert!(shown.contains("rejected by") && shown.contains("invents a fact"), "{shown}");
    let stats = review(&["stats"]);
    assert!(stats.contains("19 pending, 2 approved, 1 edited, 1 rejected, 1 sent back"), "{stats}");
    assert!(stats.contains("37 of 65 right"), "{stats}");
    let rows: Value =
        serde_json::from_str(&review(&["--json", "show", "--filter", "verdict:edited"])).expect("JSON");
    let record = rows[0]["record"].to_string();
    let chain = review(&["provenance", &record]);
    assert!(chain.contains("\"verdict\":\"edited\"") && chain.contains("step 1: a step 2: b"), "{chain}");
    assert_eq!(review(&["undo"]).trim(), "1 back to what they were");
    assert_eq!(review(&["approve", "--all"]).trim(), "20 approved");
}

#[test]
fn what_is_approved_and_exported_is_said_to_conclude_another_label() {
    let world = World::new();
    let session = world.path().join("data/sessions/s");
    std::fs::create_dir_all(&session).expect("a session's folder");
    std::fs::write(session.join("session.toml"), "title = \"s\"\n").expect("write session.toml");
    std::fs::write(world.path().join("r.jsonl"), leads::rows()).expect("write reflections");
    let review = |arguments: &[&str]| world.say(&[&["review", "--session", "s"], arguments].concat());
    review(&["import", "--reflections", "r.jsonl"]);
    assert_eq!(review(&["approve", "1"]).trim(), "1 approved");
    let told = "1 of them concludes another label than its own and would teach it: check:leads finds it";
    let all = review(&["approve", "--all"]);
    assert!(all.starts_with("3 approved\n") && all.contains(told), "{all}");
    assert!(review(&["export", "--pairs", "pairs.jsonl"]).contains(told));
    assert_eq!(review(&["show", "--filter", "check:leads"]).lines().count(), 1);
}

#[test]
fn answers_that_cant_be_asked_for_are_wrong_usage() {
    let world = World::new();
    for (option, value) in [
        ("--temperature", "nan"),
        ("--temperature", "-1"),
        ("--temperature", "1e9"),
        ("--answer-tokens", "0"),
    ] {
        let said = world.dojo(&["think", "--student", "t", &format!("{option}={value}")]);
        assert_eq!(said.status.code(), Some(2), "{option} {value}");
    }
}

#[test]
fn sums_that_cant_be_spent_are_wrong_usage() {
    let world = World::new();
    for sum in ["nan", "-1", "inf", "much"] {
        let said = world.dojo(&["think", "--student", "t", "--max-dollars", sum]);
        assert_eq!(said.status.code(), Some(2), "{sum}");
        assert!(String::from_utf8_lossy(&said.stderr).contains("dollars"), "{sum}");
    }
}
