//! Blueprints as programs: checked, planned, expanded, killed and gone on with, gated, refilled.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::blueprint::BREAD;
use crate::support::program::{World, wait_until};

/// An endpoint that writes a new example for each question, and counts how often each was asked.
#[derive(Clone, Default)]
struct Endpoint {
    asked: Arc<Mutex<BTreeMap<String, u64>>>,
    /// Whether all examples are the same.
    repeats: Arc<AtomicBool>,
}

impl Endpoint {
    fn start(&self) -> String {
        let own = self.clone();
        let (tell, told) = mpsc::sync_channel(1);
        std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
                tell.send(listener.local_addr().expect("an address")).expect("tell the address");
                let answer = async move |Json(body): Json<Value>| {
                    tokio::time::sleep(std::time::Duration::from_millis(5)).await;
                    Json(own.answer(&body))
                };
                let router = Router::new().route("/v1/chat/completions", post(answer));
                axum::serve(listener, router).await.expect("serve");
            });
        });
        format!("http://{}/v1", told.recv().expect("the endpoint's address"))
    }

    fn answer(&self, body: &Value) -> Value {
        let mut asked = self.asked.lock().expect("counts");
        *asked.entry(body["messages"].to_string()).or_default() += 1;
        let number: u64 = asked.values().sum();
        let number = if self.repeats.load(Ordering::SeqCst) { 0 } else { number };
        let properties = &body["response_format"]["json_schema"]["schema"]["properties"];
        let part = |key: &String| (key.clone(), json!(sentence(number, key)));
        let example: Map<String, Value> =
            properties.as_object().expect("properties").keys().map(part).collect();
        json!({
            "model": "m",
            "choices": [{"message": {"content": Value::Object(example).to_string()}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 50},
        })
    }

    fn all_asked(&self) -> u64 {
        self.asked.lock().expect("counts").values().sum()
    }
}

/// Some words of their own for each number.
fn sentence(number: u64, key: &str) -> String {
    let words = ["dough", "flour", "heat", "gas", "crumb", "salt", "time", "water", "steam", "crust"];
    let mut state = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ key.len() as u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        words[(state >> 33) as usize % words.len()]
    };
    let drawn: Vec<&str> = (0..16).map(|_| next()).collect();
    format!("The baker of {number} writes that {}", drawn.join(" and "))
}

/// A home with the teacher `t`, the blueprint `bread.toml` and the empty session `s`.
fn world(endpoint: &Endpoint) -> World {
    let world = World::new();
    let url = endpoint.start();
    std::fs::create_dir_all(world.path().join("settings")).expect("a settings folder");
    let settings = format!(
        "[teachers.t]\nbase_url = \"{url}\"\nmodel = \"m\"\nconcurrency = 4\nterms = \"ours to train on\"\n\
         price_per_million_output = 10.0\n"
    );
    std::fs::write(world.path().join("settings/settings.toml"), settings).expect("write settings");
    std::fs::write(world.path().join("bread.toml"), BREAD.replace("[5, 60]", "[5, 90]"))
        .expect("write a blueprint");
    world.say(&["new", "s"]);
    world
}

fn expand(world: &World, more: &[&str]) -> Value {
    let arguments = [&["expand", "bread.toml", "--teacher", "t", "--session", "s", "--json"], more].concat();
    let output = world.dojo(&arguments);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    serde_json::from_str(&said).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)))
}

fn kept(world: &World) -> u64 {
    let coverage: Value =
        serde_json::from_str(&world.say(&["blueprint", "coverage", "--session", "s", "--json"]))
            .expect("JSON");
    coverage["blueprints"][0]["total"]["kept"].as_u64().expect("a count")
}

#[test]
fn an_expansion_killed_in_the_middle_goes_on_and_pays_twice_for_nothing_that_was_kept() {
    let endpoint = Endpoint::default();
    let world = world(&endpoint);
    let database = world.path().join("data/sessions/s/answers.db");
    let answers = || {
        let open =
            rusqlite::Connection::open_with_flags(&database, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY);
        open.and_then(|db| db.query_row("SELECT count(*) FROM answers", [], |row| row.get::<_, i64>(0)))
            .unwrap_or(0)
    };
    let mut child =
        world.start(&["expand", "bread.toml", "--teacher", "t", "--session", "s", "--count", "120"]);
    wait_until("some answers", || answers() >= 30);
    child.kill().expect("kill -9");
    child.wait().expect("its end");
    let before = answers();
    assert!((30..120_i64).contains(&before), "killed too late: {before}");
    let said = expand(&world, &["--count", "120"]);
    assert_eq!((said["there"].as_u64(), said["left"].as_u64()), (Some(120), Some(0)), "{said}");
    // At most what was on the wire when it was killed can have been answered unseen.
    let asked = endpoint.all_asked();
    assert!((120..=124).contains(&asked), "{asked} questions were paid for");
    assert_eq!((kept(&world), answers()), (120, 120_i64));
    let again = expand(&world, &["--count", "120"]);
    assert_eq!((again["questions"].as_u64(), endpoint.all_asked()), (Some(0), asked), "{again}");
}

#[test]
fn a_preview_keeps_nothing_and_the_whole_does_not_pay_for_it_again() {
    let endpoint = Endpoint::default();
    let world = world(&endpoint);
    let seen = expand(&world, &["--preview"]);
    assert_eq!(seen["previewed"].as_array().map(Vec::len), Some(5), "{seen}");
    assert_eq!((seen["there"].as_u64(), endpoint.all_asked()), (Some(0), 5));
    assert!(seen["estimated_dollars"].as_f64().is_some_and(|dollars| dollars > 0.0), "{seen}");
    let whole = expand(&world, &["--count", "20"]);
    assert_eq!((whole["kept"].as_u64(), whole["from_cache"].as_u64()), (Some(20), Some(5)), "{whole}");
    assert_eq!(endpoint.all_asked(), 20);
}

#[test]
fn kept_examples_are_records_to_review_that_say_where_they_are_from() {
    let endpoint = Endpoint::default();
    let world = world(&endpoint);
    expand(&world, &["--count", "16"]);
    let listed = world.data(&["list", "source:\"expand:bread\" status:new tag:principles", "--json"]);
    assert!(listed.contains("\"source\":\"expand:bread\""), "{listed}");
    let shown = world.data(&["show", "1", "--json"]);
    for words in
        ["\"terms\":\"ours to train on\"", "\"teacher\":\"t:m\"", "\"blueprint\":\"bread\"", "\"columns\":{"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    let rows = world.path().join("rows.jsonl");
    world.data(&["export", "rows.jsonl", "--form", "rows"]);
    let row: Value = std::fs::read_to_string(rows)
        .expect("the rows")
        .lines()
        .next()
        .map(|row| serde_json::from_str(row).expect("a row"))
        .expect("a first row");
    assert_eq!(
        (row["terms"].as_str(), row["messages"].as_array().map(Vec::len)),
        (Some("ours to train on"), Some(2))
    );
    // One expansion is one change, taken back as one and done again for nothing.
    world.data(&["undo"]);
    assert_eq!(kept(&world), 0);
    let again = expand(&world, &["--count", "16"]);
    assert_eq!((again["kept"].as_u64(), again["answers"].as_u64()), (Some(16), Some(0)), "{again}");
}

#[test]
fn the_next_stage_waits_until_a_person_has_decided_on_the_last() {
    let endpoint = Endpoint::default();
    let world = world(&endpoint);
    let first = expand(&world, &["--count", "20", "--gate", "8"]);
    assert_eq!((first["kept"].as_u64(), first["later"].as_u64()), (Some(8), Some(12)), "{first}");
    let waiting = expand(&world, &["--count", "20", "--gate", "8"]);
    assert_eq!((waiting["gate_waits_for"].as_u64(), endpoint.all_asked()), (Some(8), 8), "{waiting}");
    world.data(&["mark", "approved", "source:\"expand:bread\""]);
    let second = expand(&world, &["--count", "20", "--gate", "8"]);
    assert_eq!((second["kept"].as_u64(), second["there"].as_u64()), (Some(8), Some(16)), "{second}");
}

#[test]
fn repeats_are_kept_aside_with_their_reason_and_a_refill_asks_for_others() {
    let endpoint = Endpoint::default();
    endpoint.repeats.store(true, Ordering::SeqCst);
    let world = world(&endpoint);
    let said = expand(&world, &["--count", "16"]);
    let aside = said["set_aside"]["near-duplicate"].as_u64().expect("near-duplicates");
    // One of each form is there: the forms' texts differ.
    assert_eq!((said["kept"].as_u64(), aside), (Some(2), 14), "{said}");
    assert_eq!(said["unique_share"].as_f64(), Some(0.125), "{said}");
    let rejected = world.say(&["blueprint", "rejected", "bread", "--session", "s", "--limit", "3"]);
    assert!(rejected.contains("100% of its word triples are in record"), "{rejected}");
    assert!(rejected.ends_with("3 of 14 rejected examples shown\n"), "{rejected}");
    assert_eq!(expand(&world, &["--count", "16"])["questions"], 0, "what was rejected isn't asked for again");
    endpoint.repeats.store(false, Ordering::SeqCst);
    let refilled = expand(&world, &["--count", "16", "--refill"]);
    assert_eq!((refilled["kept"].as_u64(), refilled["there"].as_u64()), (Some(14), Some(16)), "{refilled}");
    let coverage = world.say(&["blueprint", "coverage", "bread", "--session", "s"]);
    assert!(
        coverage.contains("bread: 16 of 16 planned are there (53% of what was written passed the checks)"),
        "{coverage}"
    );
}

#[test]
fn a_blueprint_s_own_program_checks_examples_once_its_folder_is_trusted() {
    let endpoint = Endpoint::default();
    let world = world(&endpoint);
    let folder = world.path().join("own");
    std::fs::create_dir_all(&folder).expect("a folder");
    let more = "\n[rewards]\nmine = { reward = \"command\", run = [\"python3\", \"check.py\"] }\n";
    std::fs::write(folder.join("bread.toml"), BREAD.replace("[5, 60]", "[5, 90]") + more)
        .expect("write a blueprint");
    let check = "import json, sys\nfor line in sys.stdin:\n    asked = json.loads(line)\n    rewards = [float('salt' in text) for text in asked['completions']]\n    print(json.dumps({'id': asked['id'], 'rewards': rewards}), flush=True)\n";
    std::fs::write(folder.join("check.py"), check).expect("write a program");
    let arguments =
        ["expand", "own/bread.toml", "--teacher", "t", "--session", "s", "--count", "16", "--json"];
    let refused = world.dojo(&arguments);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!((refused.status.code(), endpoint.all_asked()), (Some(1), 0), "{said}");
    assert!(said.contains("runs only if you trust its folder"), "{said}");
    world.say(&["trust", "own", "--yes"]);
    let output = world.dojo(&arguments);
    let said: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    let (kept, aside) = (said["kept"].as_u64().expect("a count"), said["set_aside"]["reward"].as_u64());
    assert_eq!(kept + aside.expect("some without salt"), 16, "{said}");
    assert!(kept > 0, "{said}");
}

#[test]
fn a_budget_ends_an_expansion_and_counts_what_it_spent_before() {
    let endpoint = Endpoint::default();
    let world = world(&endpoint);
    let said = expand(&world, &["--count", "40", "--max-tokens", "4000"]);
    assert!(said["cut"].as_str().is_some_and(|cut| cut.starts_with("the budget is reached")), "{said}");
    // Questions on their way count as what they may cost: once they are answered, there may be room for a few more.
    for _ in 0..3 {
        let again = expand(&world, &["--count", "40", "--max-tokens", "4000"]);
        assert!(again["cut"].as_str().is_some_and(|cut| cut.starts_with("the budget is reached")), "{again}");
    }
    const AN_ANSWER: u64 = 150;
    assert!(endpoint.all_asked() * AN_ANSWER <= 4000, "{}", endpoint.all_asked());
}

#[test]
fn a_blueprint_is_begun_checked_and_planned_without_a_teacher() {
    let world = World::new();
    world.say(&["blueprint", "new", "mine", "--from", "devops"]);
    let checked = world.say(&["blueprint", "check", "mine.toml"]);
    assert!(
        checked.starts_with("mine (") && checked.contains("84 cells, with 3 columns; nothing is wrong"),
        "{checked}"
    );
    let planned = world.say(&["blueprint", "plan", "mine.toml"]);
    assert!(planned.contains("240 examples over 84 cells; about "), "{planned}");
    let json: Value =
        serde_json::from_str(&world.say(&["blueprint", "plan", "finance", "--seeds", "2", "--json"]))
            .expect("JSON");
    assert_eq!(
        (json["cells"].as_array().map(Vec::len), json["seeds"].as_array().map(Vec::len)),
        (Some(72), Some(2))
    );
    let twice = world.dojo(&["blueprint", "new", "mine"]);
    assert_eq!(twice.status.code(), Some(1));
    world.say(&["blueprint", "new", "own"]);
    world.say(&["blueprint", "check", "own.toml"]);
    std::fs::write(world.path().join("bad.toml"), "name = \"x\"\nnme = 1\n").expect("write a file");
    let bad = world.dojo(&["blueprint", "check", "bad.toml"]);
    let said = String::from_utf8_lossy(&bad.stderr).into_owned();
    assert!(said.contains("bad.toml, line 2: unknown key `nme`; the nearest known one is `name`"), "{said}");
    let unknown = world.dojo(&["blueprint", "plan", "devop"]);
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("those that ship: physics"), "{unknown:?}");
}
