//! `dojo eval` as a person runs it: tiny models and an endpoint of the test on a few pairs.

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::support::program::World;

/// A task of two labels, whose answer is the label alone.
const TASK: &str = r#"
about = "Is it true?"
[fields]
claim = ["claim"]
[prompt]
user = "Is it true? {{ claim }}"
answer = "{{ label }}"
[answer]
form = "pattern"
pattern = '^(?<label>yes|no)$'
fallbacks = ['\b(?<label>yes|no)\b']
[labels.names]
"yes" = ["true"]
"no" = ["false"]
[score]
metrics = ["accuracy", "f1", "confusion"]
"#;

fn world() -> World {
    let world = World::new();
    write(&world, "truth.toml", TASK);
    let row = |n: u64| {
        json!({"claim": format!("{n} is even"), "label": if n.is_multiple_of(2) { "true" } else { "false" }, "kind": n % 3})
            .to_string()
    };
    write(&world, "claims.jsonl", &(0..12).map(row).collect::<Vec<_>>().join("\n"));
    world
}

fn write(world: &World, name: &str, text: &str) {
    let path = world.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// An endpoint that says "yes" of even numbers, and of odd ones up to `fooled` too.
async fn endpoint(fooled: u64) -> MockServer {
    let server = MockServer::start().await;
    let answer = move |request: &Request| {
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let asked = body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
        let number: u64 =
            asked.split(|c: char| !c.is_ascii_digit()).find_map(|part| part.parse().ok()).unwrap();
        let said = if number.is_multiple_of(2) || number <= fooled { "yes" } else { "no" };
        ResponseTemplate::new(200).set_body_json(json!({
            "model": "m",
            "choices": [{"message": {"role": "assistant", "content": said}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 9, "completion_tokens": 1}
        }))
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn teachers(world: &World, servers: &[(&str, &MockServer)]) {
    let settings: String = servers
        .iter()
        .map(|(name, server)| {
            format!("[teachers.{name}]\nbase_url = \"{}/v1\"\nmodel = \"m\"\n", server.uri())
        })
        .collect();
    write(world, "settings/settings.toml", &settings);
}

fn report(world: &World, arguments: &[&str]) -> Value {
    let said = world
        .say(&[&["eval", "--json", "--task", "truth.toml", "--data", "claims.jsonl"], arguments].concat());
    serde_json::from_str::<Value>(&said).unwrap()["report"].take()
}

fn figure<'r>(report: &'r Value, part: usize, result: usize, metric: &str) -> &'r Value {
    let figures = report["parts"][part]["results"][result]["figures"].as_array().unwrap();
    figures.iter().find(|figure| figure["metric"] == metric).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_endpoints_are_compared_on_the_same_items_and_the_difference_is_told() {
    let (world, good, bad) = (world(), endpoint(0).await, endpoint(20).await);
    teachers(&world, &[("good", &good), ("bad", &bad)]);
    let report = report(&world, &["--model", "bad", "--model", "good"]);
    assert_eq!(figure(&report, 0, 0, "accuracy")["value"], 0.5);
    assert_eq!(figure(&report, 0, 1, "accuracy")["value"], 1.0);
    assert_eq!(figure(&report, 0, 0, "unparsable")["value"], 0.0);
    // "yes" to all: F1 of yes is 2/3, of no 0.
    let f1 = figure(&report, 0, 0, "f1")["value"].as_f64().unwrap();
    assert!((f1 - 1.0 / 3.0).abs() < 1e-12, "{f1}");
    let confusion = &report["parts"][0]["results"][0]["confusion"];
    assert_eq!(confusion, &json!({"labels": ["no", "yes"], "counts": [[0, 6, 0], [0, 6, 0]]}));
    let comparison = &report["parts"][0]["comparisons"][0];
    assert_eq!((&comparison["only_first"], &comparison["only_second"]), (&json!(0), &json!(6)));
    assert_eq!(
        comparison["told"],
        "good against bad: the difference in accuracy, +50.0 points, is unlikely to be chance (p = 0.031; 12 items; 0 \
         only bad has right, 6 only good)"
    );
    // Asked again, nothing is paid for twice.
    let before = good.received_requests().await.unwrap().len();
    world.say(&["eval", "--resume", "eval-0001"]);
    assert_eq!(good.received_requests().await.unwrap().len(), before);
    let shown = world.say(&["eval", "show", "eval-0001", "--items", "2"]);
    assert!(shown.contains("claims.jsonl:2  true label no") && shown.contains("✗ bad [yes]: yes"), "{shown}");
    let listed = world.say(&["eval", "list"]);
    assert!(listed.contains("eval-0001") && listed.contains("good: accuracy 100.0%"), "{listed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_model_that_fails_is_told_in_a_sentence_and_the_others_go_on() {
    let (world, good) = (world(), endpoint(0).await);
    teachers(&world, &[("good", &good)]);
    let output = world.dojo(&[
        "eval",
        "--model",
        "nowhere",
        "--model",
        "good",
        "--task",
        "truth.toml",
        "--data",
        "claims.jsonl",
        "--offline",
    ]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("100.0%"), "{said}");
    assert!(said.lines().any(|line| line.starts_with("nowhere: ")), "{said}");
}

#[test]
fn a_model_of_this_machine_answers_alike_again_and_its_answers_are_kept() {
    let world = world();
    let wanted = [
        "--model",
        "model",
        "--max-new-tokens",
        "4",
        "--metric",
        "length",
        "--metric",
        "perplexity",
        "--metric",
        "choice-accuracy",
        "--metric",
        "choice-likelihood",
        "--metric",
        "unparsable",
        "--metric",
        "reward:length",
    ];
    let first = report(&world, &wanted);
    let result = &first["parts"][0]["results"][0];
    assert_eq!((&result["answered"], &result["computed"]), (&json!(12), &json!(12)), "{result}");
    assert!(figure(&first, 0, 0, "perplexity")["value"].as_f64().unwrap() > 1.0);
    assert!(figure(&first, 0, 0, "choice-likelihood")["value"].as_f64().unwrap() < 0.0);
    assert_eq!(figure(&first, 0, 0, "choice-accuracy")["items"], 12);
    assert_eq!(first["models"][0]["version"].as_str().unwrap().len(), 16);
    let second = report(&world, &wanted);
    assert_eq!(second["parts"][0]["results"][0]["computed"], 0, "kept answers are taken");
    assert_eq!(second["parts"][0]["results"][0]["figures"], result["figures"]);
    // Another adapter is another model: its answers are its own.
    world.write_recipe("train.max_steps = 2\nsave.save_steps = 1\n");
    world.say(&["train", "recipe.toml", "--name", "first"]);
    let steps = report(
        &world,
        &["--model", "first", "--model", "first@2", "--metric", "length", "--max-new-tokens", "4"],
    );
    assert_eq!(steps["parts"][0]["results"][0]["computed"], 12);
    assert_eq!(steps["models"][1]["failed"], Value::Null, "{steps}");
}

#[test]
fn filters_and_prompts_make_tables_of_their_own() {
    let world = world();
    write(&world, "terse.txt", "=== user\nIs 2 even?\n=== assistant\nyes\n=== user\n{{ claim }}?\n");
    let report = report(
        &world,
        &[
            "--model",
            "model",
            "--max-new-tokens",
            "2",
            "--metric",
            "length",
            "--filter",
            "label:true",
            "--filter",
            "label:false \"7 is\"",
            "--prompt",
            "own",
            "--prompt",
            "terse.txt",
        ],
    );
    let parts = report["parts"].as_array().unwrap();
    let told: Vec<(&str, &str, u64)> = parts
        .iter()
        .map(|part| {
            let text = |name: &str| part[name].as_str().unwrap();
            (text("filter"), text("prompt"), part["items"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("label:true", "own", 6),
            ("label:true", "terse.txt", 6),
            ("label:false \"7 is\"", "own", 1),
            ("label:false \"7 is\"", "terse.txt", 1)
        ]
    );
    assert_ne!(parts[0]["prompt_version"], parts[1]["prompt_version"]);
}

#[test]
fn a_limit_draws_by_the_seed_and_says_so() {
    let world = world();
    let drawn = |seed: &str| {
        let more = [
            "--model",
            "model",
            "--metric",
            "length",
            "--max-new-tokens",
            "1",
            "--limit",
            "5",
            "--seed",
            seed,
        ];
        report(&world, &more)
    };
    let (one, again, other) = (drawn("1"), drawn("1"), drawn("2"));
    assert_eq!(one["parts"][0]["items"], 5);
    assert_eq!(one["parts"][0]["data_version"], again["parts"][0]["data_version"]);
    assert_ne!(one["parts"][0]["data_version"], other["parts"][0]["data_version"]);
    let wanted = json!(format!("5 of 12 records of {} are drawn by the seed 1", short(&world)));
    assert!(one["notes"].as_array().unwrap().contains(&wanted), "{}", one["notes"]);
}

/// A file of the world as reports name it.
fn short(world: &World) -> String {
    format!("{}/claims.jsonl", world.path().canonicalize().unwrap().file_name().unwrap().display())
}

#[test]
fn wrong_orders_end_in_one_sentence_and_leave_no_folder() {
    let world = world();
    let cases: &[(&[&str], &str)] = &[
        (&["--task", "truth.toml", "--data", "claims.jsonl"], "name a model by --model"),
        (&["--model", "model", "--data", "claims.jsonl"], "name a task by --task"),
        (&["--model", "model", "--task", "truth.toml"], "name the records by --data"),
        (&["--model", "model", "--task", "nope", "--data", "claims.jsonl"], "there is no task \"nope\""),
        (&["--model", "model", "--task", "truth.toml", "--data", "nowhere.jsonl"], "nowhere.jsonl"),
        (
            &["--model", "model", "--task", "truth.toml", "--data", "claims.jsonl", "--metric", "acuracy"],
            "there is no metric \"acuracy\"; the nearest is accuracy",
        ),
        (
            &[
                "--model",
                "model",
                "--task",
                "truth.toml",
                "--data",
                "claims.jsonl",
                "--filter",
                "label:maybe",
            ],
            "no record of",
        ),
        (
            &["--model", "model", "--task", "truth.toml", "--data", "set:reviewed"],
            "\"set:reviewed\" names records of a session: say which by --session",
        ),
        (
            &["--model", "model", "--task", "nli-cot", "--data", "claims.jsonl"],
            "no record becomes a prompt of the task nli-cot",
        ),
        (&["show", "eval-0009"], "there is no evaluation `eval-0009`; there are: none yet"),
    ];
    for (arguments, expected) in cases {
        let output = world.dojo(&[&["eval"], *arguments].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(expected) && said.lines().count() == 1, "{arguments:?}: {said}");
    }
    let left = std::fs::read_dir(world.path().join("data/evals")).map_or(0, Iterator::count);
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_one_file_that_fetches_nothing_and_shows_answers_as_text() {
    let world = world();
    let server = MockServer::start().await;
    let said = json!({
        "choices": [{"message": {"content": "<script>alert(1)</script> | no"}, "finish_reason": "stop"}]
    });
    Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_json(said)).mount(&server).await;
    let good = endpoint(0).await;
    teachers(&world, &[("strange", &server), ("good", &good)]);
    report(&world, &["--model", "strange", "--model", "good", "--name", "mine"]);
    world.say(&["eval", "report", "mine", "--html", "out.html", "--markdown", "out.md"]);
    let html = std::fs::read_to_string(world.path().join("out.html")).unwrap();
    assert!(html.contains("<svg") && html.contains("&lt;script&gt;alert(1)&lt;/script&gt; | no"), "{html}");
    assert!(
        !html.contains("<script")
            && !html.contains("src=")
            && !html.contains("href=")
            && !html.contains("url("),
        "{html}"
    );
    assert!(html.contains("class=\"interval\"") && html.contains("rect class=\"hit\""), "{html}");
    let markdown = std::fs::read_to_string(world.path().join("out.md")).unwrap();
    assert!(markdown.contains("| good | 100.0% [75.8, 100.0] |"), "{markdown}");
    assert!(markdown.contains("unlikely to be chance"), "{markdown}");
    for text in [&html, &markdown] {
        assert!(!text.contains(&world.path().display().to_string()), "no report says whose folder it was");
    }
}
