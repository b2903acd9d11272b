use std::path::Path;

use dojo_studio::data::hub::DatasetName;
use proptest::prelude::*;

#[test]
fn a_datasets_name_may_say_its_config_and_split() {
    let parse = |text: &str| DatasetName::parse(text).expect("a name");
    let name = parse("hf:openai/gsm8k:main:train");
    assert_eq!((name.owner.as_str(), name.name.as_str()), ("openai", "gsm8k"));
    assert_eq!((name.config.as_deref(), name.split.as_deref()), (Some("main"), Some("train")));
    assert_eq!(parse("hf:a/b").config, None);
    assert_eq!((parse("hf:a/b::test").config, parse("hf:a/b::test").split), (None, Some("test".to_owned())));
    assert!(DatasetName::is_one(Path::new("hf:a/b")));
    assert!(!DatasetName::is_one(Path::new("a/b.jsonl")));
}

#[test]
fn what_is_no_name_of_a_dataset_is_refused() {
    for text in ["hf:squad", "hf:/x", "hf:a/", "hf:a/b:c:d:e", "hf:a/..", "hf:a/../b", "hf:a/b:../c"] {
        let error = DatasetName::parse(text).expect_err("refused").to_string();
        assert!(
            error.ends_with("write hf:owner/name, hf:owner/name:config or hf:owner/name:config:split"),
            "{error}"
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "(hf:)?[a-z/:. ]{0,20}") {
        let _ = DatasetName::parse(&text);
    }
}

pub(crate) mod from_a_hub {
    use std::process::Command;
    use std::time::Duration;

    use serde_json::{Value, json};
    use wiremock::matchers::{method, path, path_regex};
    use wiremock::{Mock, MockServer, Request, ResponseTemplate};

    const COMMIT: &str = "0123456789012345678901234567890123456789";

    /// What the dataset's repository holds.
    const FILES: [(&str, &str); 4] = [
        ("README.md", "not wanted"),
        (
            "main/train-00000.jsonl",
            "{\"question\":\"1+1?\",\"answer\":\"2\"}\n{\"question\":\"1+2?\",\"answer\":\"3\"}\n",
        ),
        ("main/test-00000.jsonl", "{\"question\":\"2+2?\",\"answer\":\"4\"}\n"),
        ("socratic/train-00000.jsonl", "{\"question\":\"why?\",\"answer\":\"because\"}\n"),
    ];

    /// A hub that has one dataset, `own/sums`, and takes this long for each of its files.
    pub(crate) async fn hub(slow: Duration) -> MockServer {
        let server = MockServer::start().await;
        let answer = |body: Value| ResponseTemplate::new(200).set_body_json(body);
        let tree =
            FILES.map(|(name, text)| json!({"type": "file", "path": name, "oid": "0", "size": text.len()}));
        Mock::given(method("GET"))
            .and(path(format!("/api/datasets/own/sums/tree/{COMMIT}")))
            .respond_with(answer(json!(tree)))
            .mount(&server)
            .await;
        Mock::given(method("GET"))
            .and(path_regex("^/api/datasets/own/sums(/revision/main)?$"))
            .respond_with(answer(json!({"id": "own/sums", "sha": COMMIT})))
            .mount(&server)
            .await;
        let serve = move |request: &Request| {
            let asked = request.url.path().split_once(COMMIT).map(|(_, name)| name.trim_start_matches('/'));
            let found = FILES.iter().enumerate().find(|(_, (name, _))| Some(*name) == asked);
            found.map_or(ResponseTemplate::new(404), |(number, (_, text))| {
                // As the hub does: a name for the content, by which it is kept, and the commit.
                ResponseTemplate::new(200)
                    .set_body_string(*text)
                    .set_delay(slow)
                    .insert_header("etag", format!("\"{number:040x}\""))
                    .insert_header("x-repo-commit", COMMIT)
            })
        };
        Mock::given(path_regex(format!("^/datasets/own/sums/resolve/{COMMIT}/")))
            .respond_with(serve)
            .mount(&server)
            .await;
        server
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_dataset_of_the_hub_comes_in_by_config_and_split_and_then_offline() {
        let home = tempfile::tempdir().expect("a home");
        let server = hub(Duration::ZERO).await;
        let dojo = |arguments: &[&str]| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_dojo"));
            command
                .env("DOJO_HOME", home.path())
                .env("HF_HOME", home.path().join("hf"))
                .env_remove("HF_TOKEN");
            command.env("HF_ENDPOINT", server.uri()).env_remove("HF_HUB_OFFLINE").args(arguments);
            command
        };
        let said = |command: &mut Command| {
            let output = command.output().expect("run dojo");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            serde_json::from_slice::<Value>(&output.stdout).expect("JSON")
        };
        assert!(dojo(&["new", "s"]).status().expect("run dojo").success());
        let data = |more: &[&str]| dojo(&[&["data", "--session", "s", "--json"], more].concat());
        let counts = |said: &Value| [said["added"].as_u64(), said["repeated"].as_u64()];
        assert_eq!(counts(&said(&mut data(&["import", "hf:own/sums:main:train"]))), [Some(2), Some(0)]);
        let listed = said(&mut data(&["list"]));
        assert_eq!(listed["records"][0]["provenance"]["source"], "hf:own/sums/main/train-00000.jsonl");
        assert_eq!(listed["records"][1]["messages"][1]["content"], "3");
        assert_eq!(counts(&said(&mut data(&["import", "hf:own/sums:main"]))), [Some(1), Some(2)]);
        let offline = |name: &str| {
            data(&["import", name]).env("HF_HUB_OFFLINE", "1").env_remove("HF_ENDPOINT").output()
        };
        assert!(offline("hf:own/sums:main:test").expect("run dojo").status.success());
        let refused = offline("hf:own/others").expect("run dojo");
        let why = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && why.contains("is not in the hub's cache"), "{why}");
        let missing = data(&["import", "hf:own/nothing"]).output().expect("run dojo");
        let why = String::from_utf8_lossy(&missing.stderr).into_owned();
        assert!(why.contains("the hub has no dataset own/nothing"), "{why}");
    }
}
