//! `dojo rag eval --judge`: answers judged claim by claim, by a teacher on a local endpoint.

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::program::World;

/// Answers questions, and judges the claims of its answers.
fn said(request: &Request) -> ResponseTemplate {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let turns = body["messages"].as_array().unwrap();
    let asked: String = turns.iter().map(|turn| turn["content"].as_str().unwrap()).collect();
    let text = match asked.split("The claim of it that you check: ").nth(1) {
        Some(claim) if claim.contains("upstream") => r#"{"reasons": "[1] says so", "verdict": "supported"}"#,
        Some(claim) if claim.contains("coins") => r#"{"reasons": "none does", "verdict": "not stated"}"#,
        Some(_) => "It is hard to say.",
        None if asked.contains("Question: swimming salmon") => {
            "Salmon swim upstream to spawn [1]. Salmon carry heavy golden coins [7]."
        }
        None => "Granite often looks like polished marble floors.",
    };
    ResponseTemplate::new(200).set_body_json(json!({
        "model": "m",
        "choices": [{ "message": { "content": text }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 100, "completion_tokens": 10 },
    }))
}

fn world(url: &str) -> World {
    let world = World::new();
    let write = |name: &str, text: &str| {
        let path = world.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let teacher = |name: &str| format!("[teachers.{name}]\nbase_url = \"{url}/v1\"\nmodel = \"{name}\"\n");
    write("settings/settings.toml", &format!("{}{}", teacher("student"), teacher("judge")));
    let corpus = [("d1", "Salmon", "They swim upstream to spawn."), ("d2", "Granite", "A rock of quartz.")];
    let lines =
        corpus.map(|(id, title, text)| json!({ "_id": id, "title": title, "text": text }).to_string());
    write("beir/corpus.jsonl", &lines.join("\n"));
    let queries = [("q1", "swimming salmon"), ("q2", "granite"), ("q3", "zebras")];
    let lines = queries.map(|(id, text)| json!({ "_id": id, "text": text }).to_string());
    write("beir/queries.jsonl", &lines.join("\n"));
    write("beir/qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\nq2\td2\t1\nq3\td1\t1\n");
    world
}

const JUDGED: [&str; 10] =
    ["rag", "eval", "beir", "--modes", "bm25", "--judge", "judge", "--answers-by", "student", "--json"];

#[test]
fn answers_are_judged_claim_by_claim_and_nothing_is_asked_twice() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(MockServer::start());
    runtime.block_on(Mock::given(any()).respond_with(said).mount(&server));
    let asked = || runtime.block_on(server.received_requests()).unwrap().len();
    let world = world(&server.uri());

    let cut = world.dojo(&[JUDGED.as_slice(), &["--max-tokens", "1"]].concat());
    assert_eq!((cut.status.code(), asked()), (Some(1), 0));
    let found: Value = serde_json::from_slice(&cut.stdout).unwrap();
    assert_eq!((&found["groundedness"]["left"], &found["bm25"]["questions"]), (&json!(2), &json!(3)));
    assert!(String::from_utf8_lossy(&cut.stderr).contains("the budget is reached"));

    let found: Value = serde_json::from_str(&world.say(&JUDGED)).unwrap();
    let of = &found["groundedness"];
    let counts = |names: &[&str]| names.iter().map(|name| of[*name].as_u64().unwrap()).collect::<Vec<_>>();
    assert_eq!(counts(&["questions", "answered", "not_in_documents", "left"]), [3, 2, 1, 0], "{of}");
    assert_eq!(counts(&["claims", "supported", "contradicted", "not_stated"]), [3, 1, 0, 1], "{of}");
    assert_eq!(of["unjudged"], json!({ "no-object": 1 }));
    assert_eq!((&of["groundedness"], &of["wholly_supported"]), (&json!(0.5), &json!(0.0)));
    assert_eq!(counts(&["points_nowhere", "words_in_no_passage"]), [1, 2], "{of}");
    let first = &of["items"][1];
    assert_eq!(
        (&first["question"], &first["claims"][0]["verdict"]),
        (&json!("swimming salmon"), &json!("supported"))
    );
    assert_eq!(first["claims"][0]["reasons"], "[1] says so");
    // Two answers, three claims, and one of them once more.
    assert_eq!((asked(), counts(&["paid_for", "from_before"])), (6, vec![6, 0]));

    let told = world.say(&JUDGED[..9]);
    assert_eq!(asked(), 6, "what was answered is kept");
    for part in ["groundedness   0.500", "1 no-object (in no share)", "6 from before", "nDCG@10"] {
        assert!(told.contains(part), "{part} is missing:\n{told}");
    }
    let half = world.dojo(&["rag", "eval", "beir", "--modes", "bm25", "--judge", "judge"]);
    assert_eq!(half.status.code(), Some(2), "who answers must be named");
    let unknown = world.dojo(&[&JUDGED[..6], &["nobody", "--answers-by", "student"]].concat());
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("find teacher nobody"));
}
