//! Keys that stay secret, and answers that are paid for once.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dojo_studio::teacher::budget::Budget;
use dojo_studio::teacher::cache::AnswerCache;
use dojo_studio::teacher::request::{Request, TeacherAnswer};
use dojo_studio::teacher::{ApiKey, AskError, Speaker};
use serde_json::json;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::client::{asked, fine, of, server};
use super::world::{KEY, World, answer, request, settings, world_with};

/// Asks them all at once.
async fn all(world: &World, questions: &[Request]) -> Vec<Result<TeacherAnswer, AskError>> {
    futures::future::join_all(questions.iter().map(|question| world.teacher.ask(question))).await
}

#[tokio::test]
async fn an_answer_that_repeats_the_key_or_a_part_of_it_is_kept_without() {
    let part = &KEY[4..20];
    let server =
        server(vec![ResponseTemplate::new(200).set_body_json(answer(&format!("{KEY}, or {part}…")))]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let cache = Arc::new(AnswerCache::open(folder.path()).expect("a cache"));
    let world = world_with(settings(&format!("{}/v1", server.uri())), Budget::default(), cache);
    assert_eq!(world.teacher.ask(&request("a")).await.expect("an answer").text, "***, or ***…");
    drop(world);
    for file in std::fs::read_dir(folder.path()).expect("files") {
        let path = file.expect("a file").path();
        let bytes = if path.is_file() { std::fs::read(&path).expect("bytes") } else { Vec::new() };
        let found = bytes.windows(8).any(|run| KEY.as_bytes().windows(8).any(|part| part == run));
        assert!(!found, "{}", path.display());
    }
}

#[tokio::test]
async fn a_key_in_the_address_or_in_an_error_is_not_shown() {
    let said = "token Bearer abcdef975313 and AIzaSyA1357924680abcdef of https://me:pa55word@host/v1?api_key=hidden77";
    let body = json!({"error": {"message": said}});
    let server = server(vec![
        ResponseTemplate::new(418).set_body_json(&body),
        ResponseTemplate::new(404).set_body_json(json!({})),
    ])
    .await;
    let address = server.uri().replace("http://", "http://me:pa55word@");
    let cache = Arc::new(AnswerCache::in_memory().expect("a cache"));
    let world = world_with(settings(&format!("{address}/v1")), Budget::default(), cache);
    for told in
        ["Bearer *** and *** of https://***@host/v1?api_key=***", "knows no model m1 at http://***@127.0.0.1"]
    {
        let error = world.teacher.ask(&request("a")).await.expect_err("refused").to_string();
        assert!(error.contains(told), "{error}");
        assert!(!["abcdef", "AIza", "pa55", "hidden"].iter().any(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn a_key_in_the_place_of_a_variables_name_is_refused_and_not_shown() {
    for key in ["sk-proj-abcd1234efgh", "q7Zk2Lm9Xv4Rt8Wb3Np6Hs1Jd5Gf0YaB", "a b", "1X", ""] {
        let mut settings = settings("http://127.0.0.1:9/v1");
        settings.key_env = Some(key.to_owned());
        let error = ApiKey::of("t", &settings).expect_err("no name").to_string();
        assert!(error.contains("key_env of teacher t"), "{error}");
        assert!(key.len() < 4 || !error.contains(key), "{error}");
    }
    for name in ["MISTRAL_API_KEY", "my_key", "AZURE_OPENAI_KEY_2", "Key", "HF_TOKEN_2024"] {
        let mut settings = settings("http://127.0.0.1:9/v1");
        settings.key_env = Some(name.to_owned());
        let error = ApiKey::of("t", &settings).expect_err("not set").to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[tokio::test]
async fn a_redirect_to_another_host_is_not_followed() {
    let other = server(vec![fine()]).await;
    let to = other.uri().replace("127.0.0.1", "localhost");
    let moved =
        ResponseTemplate::new(308).insert_header("location", format!("{to}/v1/chat/completions").as_str());
    let first = server(vec![moved]).await;
    let error = of(&first).teacher.ask(&request("a")).await.expect_err("refused");
    assert!(
        error.stops_job() && error.to_string().contains("redirects to another host (http://localhost"),
        "{error}"
    );
    assert_eq!(asked(&other).await, 0);
}

#[tokio::test]
async fn an_endpoint_that_redirects_to_itself_again_and_again_is_named_as_that() {
    let round = ResponseTemplate::new(307).insert_header("location", "/v1/chat/completions");
    let server = server(vec![round]).await;
    let error = of(&server).teacher.ask(&request("a")).await.expect_err("refused");
    assert!(error.stops_job() && error.to_string().contains("it redirects again and again"), "{error}");
}

#[tokio::test]
async fn an_answer_that_thought_until_its_tokens_were_used_up_is_paid_for_once() {
    let mut thinking = answer("");
    thinking["choices"][0]["message"] =
        json!({"role": "assistant", "content": null, "reasoning_content": "hm"});
    thinking["choices"][0]["finish_reason"] = json!("length");
    let server = server(vec![ResponseTemplate::new(200).set_body_json(thinking)]).await;
    let world = of(&server);
    for _ in 0..2 {
        let error = world.teacher.ask(&request("a")).await.expect_err("no text");
        assert!(!error.stops_job() && error.to_string().contains("no text in 20 tokens"), "{error}");
    }
    assert_eq!(asked(&server).await, 1);
    let account = world.teacher.account();
    assert_eq!((account.spent.tokens(), account.answers), (30, 1));
}

#[tokio::test]
async fn an_impossible_count_of_tokens_is_no_count() {
    let mut many = answer("fine");
    many["usage"] = json!({"prompt_tokens": 9_223_372_036_854_775_808_u64, "completion_tokens": 20});
    let server = server(vec![ResponseTemplate::new(200).set_body_json(many)]).await;
    let world = of(&server);
    let found = world.teacher.ask(&request("a")).await.expect("an answer");
    assert_eq!((found.prompt_tokens, found.answer_tokens), (request("a").prompt_tokens(), 20));
}

#[tokio::test]
async fn two_jobs_on_one_session_pay_for_a_question_once() {
    let server = server(vec![fine().set_delay(Duration::from_millis(50))]).await;
    let folder = tempfile::tempdir().expect("a folder");
    let job = || {
        let cache = Arc::new(AnswerCache::open(folder.path()).expect("a cache"));
        world_with(settings(&format!("{}/v1", server.uri())), Budget::default(), cache)
    };
    let (first, second) = (job(), job());
    let questions: Vec<Request> = (0..4).map(|number| request(&number.to_string())).collect();
    let (one, two) = tokio::join!(all(&first, &questions), all(&second, &questions));
    assert!(one.iter().chain(&two).all(|answer| answer.as_ref().is_ok_and(|answer| answer.text == "fine")));
    assert_eq!(asked(&server).await, 4);
    assert_eq!(first.teacher.account().answers + second.teacher.account().answers, 4);
}

/// What was said of keys that take long.
static TOLD: Mutex<Vec<String>> = Mutex::new(Vec::new());

#[test]
fn a_command_that_says_no_key_in_time_is_told_of_and_ended() {
    let mut settings = settings("http://127.0.0.1:9/v1");
    settings.key_env = None;
    settings.key_command = ["sleep", "600"].map(str::to_owned).to_vec();
    dojo_studio::teacher::tell_of_waits(|said| TOLD.lock().expect("told").push(said.to_owned()));
    let error =
        ApiKey::of_within("slow", &settings, Duration::from_millis(20)).expect_err("no key").to_string();
    let told = TOLD.lock().expect("told").join("\n");
    assert!(told.contains("the key of teacher slow is waited for, up to 1 s: what key_command"), "{told}");
    assert!(error.contains("it didn't end within 1 s") && error.contains("check key_command"), "{error}");
}

#[test]
fn settings_show_no_key_that_was_put_in_the_wrong_place() {
    let mut settings = settings("https://api.example.org/v1");
    settings.key_env = Some(KEY.to_owned());
    settings.key_command = vec!["say".to_owned(), KEY.to_owned()];
    let said = format!("{settings:?}");
    assert!(!said.contains(&KEY[..12]) && said.contains("api.example.org"), "{said}");
    settings.key_env = Some("EXAMPLE_API_KEY".to_owned());
    assert!(format!("{settings:?}").contains("EXAMPLE_API_KEY"));
}

#[tokio::test]
async fn an_answer_without_text_that_was_billed_is_asked_for_once_and_counted() {
    let call = json!({"id": "1", "type": "function", "function": {"name": "x", "arguments": "{}"}});
    let message = |message: serde_json::Value, finish: &str| {
        let mut body = answer("");
        body["choices"][0] = json!({"index": 0, "message": message, "finish_reason": finish});
        body
    };
    let mut no_choice = answer("");
    no_choice["choices"] = json!([]);
    let mut no_choices = answer("");
    no_choices.as_object_mut().expect("an object").remove("choices");
    let bodies = [
        message(json!({"role": "assistant", "content": ""}), "stop"),
        message(json!({"role": "assistant", "content": " \n"}), "stop"),
        message(json!({"role": "assistant", "content": null, "tool_calls": [call]}), "tool_calls"),
        message(json!({"role": "assistant", "content": []}), "stop"),
        message(json!({"role": "assistant"}), "stop"),
        no_choice,
        no_choices,
    ];
    for body in bodies {
        let server = server(vec![ResponseTemplate::new(200).set_body_json(&body)]).await;
        let world = of(&server);
        for _ in 0..2 {
            let error = world.teacher.ask(&request("a")).await.expect_err("no text");
            assert!(!error.stops_job() && error.to_string().contains("no text in 20 tokens"), "{error}");
        }
        assert_eq!(asked(&server).await, 1, "{body}");
        let account = world.teacher.account();
        assert_eq!((account.spent.tokens(), account.answers), (30, 1), "{body}");
    }
}

#[tokio::test]
async fn an_answer_in_parts_is_the_text_of_its_parts() {
    let parts = json!([
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": "Be"},
        {"type": "text", "text": "cause."},
    ]);
    let mut body = answer("");
    body["choices"][0]["message"]["content"] = parts;
    let server = server(vec![ResponseTemplate::new(200).set_body_json(body)]).await;
    assert_eq!(of(&server).teacher.ask(&request("a")).await.expect("an answer").text, "Because.");
}

#[test]
fn an_error_repeats_nothing_of_the_command_that_says_a_key() {
    let mut settings = settings("http://127.0.0.1:9/v1");
    settings.key_env = None;
    for key in ["qwertyuiopasdfghjklzxcvbnmqwerty", "0123456789abcdef0123456789abcdef"] {
        for command in [vec![key], vec!["sh", "-c", "exit 1", key]] {
            settings.key_command = command.into_iter().map(str::to_owned).collect();
            let error = ApiKey::of("t", &settings).expect_err("no key").to_string();
            assert!(error.contains("key_command") && !error.contains(&key[..8]), "{error}");
            assert!(!format!("{settings:?}").contains(&key[..8]));
        }
    }
}

#[test]
fn a_command_that_leaves_something_running_has_said_its_key_when_it_ends() {
    let mut settings = settings("http://127.0.0.1:9/v1");
    settings.key_env = None;
    settings.key_command = ["sh", "-c", "sleep 60 & echo sk-$$-of-the-agent"].map(str::to_owned).to_vec();
    let key = ApiKey::of_within("t", &settings, Duration::from_secs(20)).expect("the key of what ended");
    assert!(key.is_some());
}

/// What is told of an answer with these words, by an endpoint at such a place.
async fn told(words: &str, place: impl Fn(&str) -> String) -> String {
    let server = MockServer::start().await;
    let reply = ResponseTemplate::new(200).set_body_json(answer(words));
    Mock::given(method("POST")).respond_with(reply).mount(&server).await;
    let cache = Arc::new(AnswerCache::in_memory().expect("a cache"));
    let world = world_with(settings(&place(&server.uri())), Budget::default(), cache);
    world.teacher.ask(&request("a")).await.expect("an answer").text
}

#[tokio::test]
async fn a_key_within_the_address_that_an_endpoint_repeats_is_hidden() {
    let sent = "Basic bWU6cGE1NXdvcmQtbG9uZy0wMTI=";
    let said = format!("{sent}; pa55word-long-012; hidden-query-77; sk-in-the-path-0123; on 2024-02-15");
    let place = |server: &str| {
        let server = server.replace("http://", "http://me:pa55word-long%2D012@");
        format!("{server}/sk-in-the-path-0123/v1?api_key=hidden-query-77&version=2024-02-15-preview")
    };
    assert_eq!(told(&said, place).await, "Basic ***; ***; ***; ***; on 2024-02-15");
}

#[tokio::test]
async fn a_key_that_an_endpoint_spells_otherwise_is_hidden() {
    let backwards: String = KEY.chars().rev().collect();
    let hex: String = KEY.bytes().map(|byte| format!("{byte:02x}")).collect();
    let encoded = ["", "a", "ab", "abc", "user:"].map(|before| STANDARD.encode(format!("{before}{KEY}")));
    let said = format!("{backwards} {hex} {} {}", hex.to_uppercase(), encoded.join(" "));
    let told = told(&said, |server| format!("{server}/v1")).await;
    for spelling in [&backwards, &hex, &hex.to_uppercase()].into_iter().chain(&encoded) {
        let shown = spelling.as_bytes().windows(10).filter_map(|run| std::str::from_utf8(run).ok());
        let shown: Vec<&str> = shown.filter(|run| told.contains(run)).collect();
        assert!(shown.is_empty(), "{shown:?} of {spelling} in {told}");
    }
}
