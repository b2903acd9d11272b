//! A teacher's client against an endpoint that misbehaves in every way that was thought of.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dojo_studio::domain::teacher::Money;
use dojo_studio::teacher::budget::{Budget, Spending};
use dojo_studio::teacher::cache::AnswerCache;
use dojo_studio::teacher::request::Request;
use dojo_studio::teacher::{AskError, Speaker};
use serde_json::json;
use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::world::{KEY, World, answer, raw_server, request, response, settings, world, world_with};

pub(super) async fn server(replies: Vec<ResponseTemplate>) -> MockServer {
    let server = MockServer::start().await;
    let last = replies.len() - 1;
    for (index, reply) in replies.into_iter().enumerate() {
        let mock = Mock::given(method("POST")).and(path("/v1/chat/completions")).respond_with(reply);
        if index == last { mock.mount(&server).await } else { mock.up_to_n_times(1).mount(&server).await }
    }
    server
}

pub(super) fn fine() -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(answer("fine"))
}

pub(super) fn of(server: &MockServer) -> World {
    world(&format!("{}/v1", server.uri()))
}

pub(super) async fn asked(server: &MockServer) -> usize {
    server.received_requests().await.expect("recorded requests").len()
}

#[tokio::test]
async fn an_answer_is_given_with_its_tokens_and_its_cost() {
    let server = MockServer::start().await;
    Mock::given(header("authorization", format!("Bearer {KEY}").as_str()))
        .and(body_partial_json(
            json!({"model": "m1", "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]}),
        ))
        .respond_with(fine())
        .mount(&server)
        .await;
    let world = of(&server);
    let found = world.teacher.ask(&request("hello")).await.expect("an answer");
    assert_eq!((found.text.as_str(), found.cost), ("fine", Money(50)));
    let account = world.teacher.account();
    assert_eq!(account.spent, Spending { money: Money(50), prompt_tokens: 10, answer_tokens: 20 });
    assert_eq!((account.answers, account.from_cache), (1, 0));
}

#[tokio::test]
async fn a_refused_key_stops_the_job_and_is_never_shown() {
    let body = json!({"error": {"message": format!("Incorrect API key provided: {KEY}")}});
    for status in [401, 403] {
        let server = server(vec![ResponseTemplate::new(status).set_body_json(&body)]).await;
        let world = of(&server);
        let error = world.teacher.ask(&request("a")).await.expect_err("refused");
        assert!(error.stops_job());
        assert!(error.to_string().contains("DOJO_TEST_KEY"), "{error}");
        assert!(!format!("{error} {error:?}").contains(KEY));
        assert_eq!(asked(&server).await, 1);
    }
}

#[tokio::test]
async fn a_key_that_an_endpoint_repeats_is_hidden() {
    let body = json!({"error": {"message": format!("bad request with {KEY}")}});
    let server = server(vec![ResponseTemplate::new(418).set_body_json(&body)]).await;
    let error = of(&server).teacher.ask(&request("a")).await.expect_err("refused");
    assert_eq!(error.to_string(), "teacher t refused the request (HTTP 418: bad request with ***)");
    assert!(!error.stops_job());
}

#[tokio::test]
async fn no_credit_stops_the_job_whether_it_comes_as_402_or_429() {
    let quota = json!({"error": {"message": "quota exceeded", "code": "insufficient_quota"}});
    for reply in [ResponseTemplate::new(402), ResponseTemplate::new(429).set_body_json(quota)] {
        let server = server(vec![reply]).await;
        let error = of(&server).teacher.ask(&request("a")).await.expect_err("no credit");
        assert!(matches!(error, AskError::NoCredit { .. }) && error.stops_job(), "{error}");
        assert_eq!(asked(&server).await, 1);
    }
}

#[tokio::test]
async fn an_unknown_model_stops_the_job() {
    let server = server(vec![ResponseTemplate::new(404)]).await;
    let error = of(&server).teacher.ask(&request("a")).await.expect_err("not found");
    assert!(matches!(error, AskError::NotFound { .. }) && error.stops_job());
}

#[tokio::test]
async fn retry_after_is_obeyed_in_seconds_and_as_a_date() {
    // The test clock starts at 2001-09-09 01:46:40 UTC.
    for after in ["7", "Sun, 09 Sep 2001 01:46:47 GMT"] {
        let server =
            server(vec![ResponseTemplate::new(429).insert_header("retry-after", after), fine()]).await;
        let world = of(&server);
        world.teacher.ask(&request("a")).await.expect("an answer in the end");
        let waited = dojo_studio::teacher::clock::Clock::now(&*world.clock);
        assert!((Duration::from_secs(7)..Duration::from_secs(9)).contains(&waited), "{waited:?}");
        assert_eq!(asked(&server).await, 2);
    }
}

#[tokio::test]
async fn a_very_long_retry_after_ends_the_job_with_words() {
    let server = server(vec![ResponseTemplate::new(429).insert_header("retry-after", "86400")]).await;
    let error = of(&server).teacher.ask(&request("a")).await.expect_err("too long");
    assert!(error.stops_job() && error.to_string().contains("86400 s"), "{error}");
}

#[tokio::test]
async fn without_retry_after_each_wait_is_longer_and_no_loop_is_hot() {
    let server = server(vec![ResponseTemplate::new(429)]).await;
    let world = of(&server);
    let error = world.teacher.ask(&request("a")).await.expect_err("never answered");
    assert!(matches!(error, AskError::RateLimited { .. }), "{error}");
    assert_eq!(asked(&server).await, 20);
    let waited = dojo_studio::teacher::clock::Clock::now(&*world.clock);
    assert!(waited > Duration::from_mins(5), "{waited:?}");
}

#[tokio::test]
async fn trouble_that_passes_is_overcome_and_counted() {
    let html = ResponseTemplate::new(200).set_body_raw("<html>Bad gateway</html>", "text/html");
    let mut unbilled = answer("  ");
    unbilled.as_object_mut().expect("an object").remove("usage");
    let cases = [
        (ResponseTemplate::new(500), "broken-answer"),
        (ResponseTemplate::new(503), "broken-answer"),
        (html, "web-page"),
        (ResponseTemplate::new(200), "broken-answer"),
        (ResponseTemplate::new(204), "broken-answer"),
        (ResponseTemplate::new(200).set_body_string("{\"choices\": [{\"mess"), "broken-answer"),
        (
            ResponseTemplate::new(200).set_body_json(json!({"error": {"message": "overloaded"}})),
            "broken-answer",
        ),
        (ResponseTemplate::new(200).set_body_json(json!({"choices": []})), "no-choice"),
        (ResponseTemplate::new(200).set_body_json(unbilled), "no-choice"),
        (ResponseTemplate::new(429), "rate-limited"),
        (fine().set_delay(Duration::from_secs(5)), "time-out"),
    ];
    for (reply, name) in cases {
        let server = server(vec![reply, fine()]).await;
        let world = of(&server);
        let found = world.teacher.ask(&request("a")).await.expect("an answer in the end");
        assert_eq!(found.text, "fine");
        assert_eq!(world.teacher.account().troubles.into_iter().collect::<Vec<_>>(), [(name, 1)]);
        assert_eq!(asked(&server).await, 2);
    }
}

#[tokio::test]
async fn an_address_that_only_ever_gives_a_web_page_ends_the_job_soon_and_in_words() {
    let page = ResponseTemplate::new(200).set_body_raw("<!doctype html><title>Sign in</title>", "text/html");
    let server = server(vec![page]).await;
    let world = of(&server);
    let error = world.teacher.ask(&request("a")).await.expect_err("no answer");
    assert!(matches!(error, AskError::Unreachable { .. }) && error.stops_job(), "{error}");
    assert!(error.to_string().contains("a web page instead of an answer; is base_url right?"), "{error}");
    assert_eq!(asked(&server).await, 3);
}

#[tokio::test]
async fn the_last_trouble_is_told_as_it_came() {
    let busy =
        ResponseTemplate::new(503).set_body_json(json!({"error": {"message": "the model is loading"}}));
    let server = server(vec![busy, fine()]).await;
    let world = of(&server);
    world.teacher.ask(&request("a")).await.expect("an answer in the end");
    let told = world.teacher.account().last_trouble;
    assert_eq!(told.as_deref(), Some("HTTP 503: the model is loading"));
}

#[tokio::test]
async fn half_a_body_and_a_lost_connection_are_overcome() {
    let whole = response(&answer("fine").to_string());
    let half = whole[..whole.len() - 20].to_vec();
    let (url, served) = raw_server(vec![half, Vec::new(), Vec::new(), whole]).await;
    let world = world(&url);
    assert_eq!(world.teacher.ask(&request("a")).await.expect("an answer in the end").text, "fine");
    assert!(served.load(Ordering::SeqCst) >= 4);
}

#[tokio::test]
async fn an_endpoint_that_comes_back_after_a_long_absence_is_asked_again() {
    let mut replies = vec![Vec::new(); 8];
    replies.push(response(&answer("back").to_string()));
    let (url, served) = raw_server(replies).await;
    let world = world(&url);
    assert_eq!(world.teacher.ask(&request("a")).await.expect("an answer in the end").text, "back");
    let waited = dojo_studio::teacher::clock::Clock::now(&*world.clock);
    assert!(waited > Duration::from_mins(1), "the breaker rested: {waited:?}");
    assert!(served.load(Ordering::SeqCst) <= 18, "tried rarely");
}

#[tokio::test]
async fn an_endpoint_that_stays_away_is_given_up_after_some_minutes() {
    let (url, served) = raw_server(vec![Vec::new()]).await;
    let world = world(&url);
    let error = world.teacher.ask(&request("a")).await.expect_err("unreachable");
    assert!(matches!(error, AskError::Unreachable { .. }) && error.stops_job(), "{error}");
    let waited = dojo_studio::teacher::clock::Clock::now(&*world.clock);
    assert!(waited > Duration::from_mins(4), "{waited:?}");
    assert!(served.load(Ordering::SeqCst) <= 24);
}

#[tokio::test]
async fn one_request_that_always_breaks_is_set_aside_and_the_job_goes_on() {
    let server = MockServer::start().await;
    Mock::given(body_partial_json(json!({"messages": [{"content": "poison"}]})))
        .respond_with(ResponseTemplate::new(500))
        .mount(&server)
        .await;
    Mock::given(method("POST")).respond_with(fine()).mount(&server).await;
    let world = of(&server);
    let error = world.teacher.ask(&request("poison")).await.expect_err("never answered");
    assert!(matches!(error, AskError::Unusable { .. }) && !error.stops_job(), "{error}");
    assert_eq!(world.teacher.ask(&request("other")).await.expect("an answer").text, "fine");
}

#[tokio::test]
async fn an_answer_of_another_model_is_kept_and_counted() {
    let mut other = answer("fine");
    other["model"] = json!("m2-turbo");
    let server = server(vec![ResponseTemplate::new(200).set_body_json(other)]).await;
    let world = of(&server);
    assert_eq!(world.teacher.ask(&request("a")).await.expect("an answer").model, "m2-turbo");
    assert_eq!(world.teacher.account().other_models.get("m2-turbo"), Some(&1));
}

#[tokio::test]
async fn a_filtered_answer_is_set_aside_and_not_paid_for_again() {
    let mut filtered = answer("");
    filtered["choices"][0]["finish_reason"] = json!("content_filter");
    let server = server(vec![ResponseTemplate::new(200).set_body_json(filtered)]).await;
    let world = of(&server);
    for _ in 0..3 {
        let error = world.teacher.ask(&request("a")).await.expect_err("filtered");
        assert!(matches!(error, AskError::Filtered { .. }) && !error.stops_job());
    }
    assert_eq!(asked(&server).await, 1);
}

#[tokio::test]
async fn an_endpoint_without_schemas_is_asked_without_one_from_then_on() {
    let server = MockServer::start().await;
    Mock::given(body_partial_json(json!({"response_format": {"type": "json_schema"}})))
        .respond_with(ResponseTemplate::new(400))
        .mount(&server)
        .await;
    Mock::given(method("POST")).respond_with(fine()).mount(&server).await;
    let world = of(&server);
    let with_schema =
        |text: &str| Request { schema: Some(("x", json!({"type": "object"}))), ..request(text) };
    world.teacher.ask(&with_schema("a")).await.expect("an answer");
    world.teacher.ask(&with_schema("b")).await.expect("an answer");
    assert_eq!(asked(&server).await, 3);
}

#[tokio::test]
async fn the_budget_stops_before_it_is_passed() {
    let server = server(vec![fine()]).await;
    // A request reserves about 105 tokens and costs 30.
    let budget = Budget { tokens: Some(150), money: None };
    let cache = Arc::new(AnswerCache::in_memory().expect("a cache"));
    let world = world_with(settings(&format!("{}/v1", server.uri())), budget, cache);
    world.teacher.ask(&request("a")).await.expect("fits");
    world.teacher.ask(&request("b")).await.expect("fits");
    let error = world.teacher.ask(&request("c")).await.expect_err("doesn't fit");
    assert!(matches!(error, AskError::BudgetReached(_)) && error.stops_job());
    assert!(error.to_string().contains("60 tokens spent"), "{error}");
    assert_eq!(asked(&server).await, 2);
    // What is there already costs nothing.
    world.teacher.ask(&request("a")).await.expect("from the cache");
}

#[tokio::test]
async fn requests_under_way_together_wait_for_their_share_of_the_budget() {
    let server = server(vec![fine()]).await;
    let budget = Budget { tokens: Some(200), money: None };
    let cache = Arc::new(AnswerCache::in_memory().expect("a cache"));
    let world = world_with(settings(&format!("{}/v1", server.uri())), budget, cache);
    let requests = [request("a"), request("b"), request("c")];
    let answers = futures::future::join_all(requests.iter().map(|request| world.teacher.ask(request))).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    assert_eq!(world.teacher.account().spent.tokens(), 90);
}

#[tokio::test]
async fn equal_questions_at_once_are_paid_for_once() {
    let server = server(vec![fine().set_delay(Duration::from_millis(20))]).await;
    let world = of(&server);
    let question = request("a");
    let answers = futures::future::join_all((0..8).map(|_| world.teacher.ask(&question))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|answer| answer.text == "fine")));
    assert_eq!(asked(&server).await, 1);
    assert_eq!((world.teacher.account().answers, world.teacher.account().from_cache), (1, 7));
}

#[tokio::test]
async fn answers_outlive_the_process_that_paid_for_them() {
    let server = server(vec![fine()]).await;
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..2 {
        let cache = Arc::new(AnswerCache::open(folder.path()).expect("a cache"));
        let world = world_with(settings(&format!("{}/v1", server.uri())), Budget::default(), cache);
        assert_eq!(world.teacher.ask(&request("a")).await.expect("an answer").text, "fine");
    }
    assert_eq!(asked(&server).await, 1);
    let bytes = std::fs::read(folder.path().join("answers.db")).expect("the file");
    assert!(!bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "the key is not in the file");
}

#[test]
fn a_key_comes_from_the_command_that_the_settings_name_and_is_never_shown() {
    let mut settings = settings("http://127.0.0.1:9/v1");
    settings.key_env = None;
    settings.key_command = ["sh", "-c", "echo sk-from-the-keyring"].map(str::to_owned).to_vec();
    let key = dojo_studio::teacher::ApiKey::of("t", &settings).expect("a key").expect("one");
    assert_eq!(format!("{key:?}"), "Key(***)");
    for command in [["sh", "-c", "exit 1"], ["sh", "-c", "echo two words"], ["no-such-program", "", ""]] {
        settings.key_command = command.map(str::to_owned).to_vec();
        let error = dojo_studio::teacher::ApiKey::of("t", &settings).expect_err("no key");
        assert!(error.stops_job() && !error.to_string().contains("two words\n"), "{error}");
        assert!(error.to_string().contains("key_command"), "{error}");
    }
    settings.key_command.clear();
    assert_eq!(dojo_studio::teacher::ApiKey::of("t", &settings), Ok(None));
}
