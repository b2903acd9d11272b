//! An endpoint that embeds: what it gives is checked, put in order and made to have length 1; what it refuses is said in
//! one sentence.

use std::sync::Arc;
use std::time::Duration;

use dojo_studio::domain::embedder::EmbedderSettings;
use dojo_studio::domain::teacher::Money;
use dojo_studio::teacher::budget::Spending;
use dojo_studio::teacher::clock::Clock;
use dojo_studio::teacher::embed::{EmbeddingEndpoint, estimated_tokens, fitting};
use dojo_studio::teacher::{ApiKey, AskError};
use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, header, method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::world::{KEY, TestClock};

fn settings(server: &MockServer, more: &str) -> EmbedderSettings {
    let text = format!(
        "base_url = \"{}/v1\"\nmodel = \"m1\"\nkey_env = \"DOJO_TEST_KEY\"\nprice_per_million_input = 1.0\n{more}",
        server.uri()
    );
    toml::from_str(&text).expect("settings of an embedder")
}

fn endpoint(settings: EmbedderSettings) -> (EmbeddingEndpoint, Arc<TestClock>) {
    let clock = Arc::new(TestClock::default());
    let shared: Arc<dyn Clock> = clock.clone();
    (EmbeddingEndpoint::new("e", settings, Some(ApiKey::new(KEY)), shared).expect("an endpoint"), clock)
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn asked_for(request: &Request) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

async fn gives(reply: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST")).and(path("/v1/embeddings")).respond_with(reply).mount(&server).await;
    server
}

fn vectors(entries: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({ "data": entries, "usage": { "prompt_tokens": 10 } }))
}

async fn refusal(entries: Value, dimensions: Option<usize>) -> String {
    let server = gives(vectors(entries)).await;
    let (endpoint, _) = endpoint(settings(&server, ""));
    let error = endpoint.embed(&texts(&["a", "b"]), dimensions).await.expect_err("refused");
    assert_eq!(server.received_requests().await.unwrap().len(), 1, "it is not asked for again: {error}");
    error.to_string()
}

#[tokio::test]
async fn vectors_come_in_the_order_of_their_texts_and_with_length_one() {
    let server = MockServer::start().await;
    let packed = "AAAAAAAAgD8="; // 0.0 and 1.0
    Mock::given(header("authorization", format!("Bearer {KEY}").as_str()))
        .and(body_partial_json(json!({ "model": "m1", "input": ["a", "b"], "dimensions": 2 })))
        .respond_with(vectors(json!([
            { "index": 1, "embedding": [3.0, 4.0] }, { "index": 0, "embedding": packed },
        ])))
        .mount(&server)
        .await;
    let (endpoint, _) = endpoint(settings(&server, "dimensions = 2"));
    let found = endpoint.embed(&texts(&["a", "b"]), Some(2)).await.expect("vectors");
    assert_eq!(found, [[0.0, 1.0], [0.6, 0.8]]);
    let spent = Spending { money: Money(10), prompt_tokens: 10, answer_tokens: 0 };
    assert_eq!(endpoint.spent(), spent);
}

#[tokio::test]
async fn what_is_no_embedding_of_these_texts_is_refused_in_one_sentence() {
    let one = json!({ "index": 0, "embedding": [1.0, 0.0] });
    let with = |second: Value| json!([one, second]);
    for (entries, dimensions, words) in [
        (json!([one]), None, "1 vectors for 2 texts"),
        (with(json!({ "index": 1, "embedding": [1.0] })), None, "a vector has 1 dimensions, and not 2"),
        (
            with(json!({ "index": 1, "embedding": [1.0, 0.0] })),
            Some(3),
            "a vector has 2 dimensions, and not 3",
        ),
        (with(json!({ "index": 1, "embedding": [null, 0.0] })), None, "holds what is no number"),
        (with(json!({ "index": 1, "embedding": [0.0, 0.0] })), None, "is all zeros"),
        (with(json!({ "index": 0, "embedding": [1.0, 0.0] })), None, "index 0 twice"),
        (with(json!({ "index": 7, "embedding": [1.0, 0.0] })), None, "index 7"),
        (with(json!({ "index": 1, "embedding": "?" })), None, "neither numbers nor base64"),
    ] {
        let said = refusal(entries, dimensions).await;
        assert!(said.contains("gave no usable answer") && said.contains(words), "{said}");
    }
}

#[tokio::test]
async fn requests_hold_so_many_texts_and_so_many_tokens() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(|request: &Request| {
            let entries = asked_for(request);
            let entry = |index: usize| json!({ "index": index, "embedding": [1.0, 0.0] });
            vectors((0..entries.len()).map(entry).collect())
        })
        .mount(&server)
        .await;
    let (endpoint, _) = endpoint(settings(&server, "texts_per_request = 3\ntokens_per_request = 8"));
    let all = texts(&["a", "b", "c", "d", "one two three four five", "six seven eight nine"]);
    assert_eq!(endpoint.embed(&all, None).await.expect("vectors").len(), 6);
    let sizes: Vec<usize> =
        server.received_requests().await.unwrap().iter().map(|request| asked_for(request).len()).collect();
    assert_eq!(sizes, [3, 2, 1]);
}

#[tokio::test]
async fn a_busy_endpoint_is_asked_again_when_it_says_and_a_refused_key_ends_it() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "5");
    Mock::given(method("POST")).respond_with(busy).up_to_n_times(2).mount(&server).await;
    let fine = vectors(json!([{ "index": 0, "embedding": [1.0, 0.0] }]));
    Mock::given(method("POST")).respond_with(fine).mount(&server).await;
    let (found, clock) = endpoint(settings(&server, ""));
    assert_eq!(found.embed(&texts(&["a"]), None).await.expect("a vector"), [[1.0, 0.0]]);
    assert_eq!(clock.now(), Duration::from_secs(10));

    let said = json!({ "error": { "message": format!("Incorrect API key provided: {KEY}") } });
    let server = gives(ResponseTemplate::new(401).set_body_json(said)).await;
    let (refused, _) = endpoint(settings(&server, ""));
    let error = refused.embed(&texts(&["a"]), None).await.expect_err("refused");
    assert!(matches!(error, AskError::KeyRefused { status: 401, .. }) && error.stops_job(), "{error}");
    assert!(!error.to_string().contains(KEY), "{error}");
}

#[tokio::test]
async fn a_text_that_is_too_long_is_cut_until_it_fits_and_the_others_stay_whole() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(|request: &Request| {
            let entries = asked_for(request);
            if entries.iter().any(|text| text.len() > 100) {
                let why = "This model's maximum context length is 8192 tokens, however you requested more";
                return ResponseTemplate::new(400).set_body_json(json!({ "error": { "message": why } }));
            }
            let entry =
                |(index, text): (usize, &String)| json!({ "index": index, "embedding": [text.len(), 0] });
            vectors(entries.iter().enumerate().map(entry).collect())
        })
        .mount(&server)
        .await;
    let (endpoint, _) = endpoint(settings(&server, ""));
    let all = [("word ").repeat(60), "short".to_owned()];
    assert_eq!(endpoint.embed(&all, None).await.expect("vectors"), [[1.0, 0.0], [1.0, 0.0]]);
    let requests = server.received_requests().await.unwrap();
    let last: Vec<usize> = requests.iter().map(|request| asked_for(request)[0].len()).collect();
    assert_eq!(last, [300, 300, 225, 168, 126, 93, 5]);
}

#[tokio::test]
async fn an_endpoint_that_knows_no_packing_is_asked_for_numbers() {
    let server = MockServer::start().await;
    let why = json!({ "error": { "message": "unknown field encoding_format" } });
    Mock::given(body_partial_json(json!({ "encoding_format": "base64" })))
        .respond_with(ResponseTemplate::new(400).set_body_json(why))
        .mount(&server)
        .await;
    let fine = vectors(json!([{ "embedding": [1.0, 0.0] }]));
    Mock::given(method("POST")).respond_with(fine).mount(&server).await;
    let (endpoint, _) = endpoint(settings(&server, ""));
    for _ in 0..2 {
        assert_eq!(endpoint.embed(&texts(&["a"]), None).await.expect("a vector"), [[1.0, 0.0]]);
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 3, "it is learnt once");
}

#[test]
fn tokens_are_estimated_high_and_texts_are_cut_by_them() {
    for (text, tokens) in [("", 0), ("a", 1), ("retrieval", 3), ("in 2025, too", 5), ("Рыба", 4), ("魚", 2)]
    {
        assert_eq!(estimated_tokens(text), tokens, "{text}");
    }
    let long = "retrieval ".repeat(1000);
    let cut = fitting(&long, 300);
    assert!(
        long.starts_with(cut) && (200..=300).contains(&estimated_tokens(cut)),
        "{}",
        estimated_tokens(cut)
    );
    assert_eq!(fitting("short", 300), "short");
}
