//! Requests with much in them: many prompts, many choices, long texts. They are answered whole, and others beside them.

use std::collections::BTreeMap;

use dojo_studio::engine::device::ComputeDevice;
use dojo_studio::engine::generate::{Limits, Precision, Prompter, load};
use dojo_studio::serve::{Clients, Served, Settings, bind};
use serde_json::{Value, json};

use super::{CONTEXT, Server, answering, json_of, question, serve, settings, streamed};
use crate::support::tiny::Tiny;

const CHAT: &str = "/v1/chat/completions";
const PLAIN: &str = "/v1/completions";

/// No end of an answer but its length.
fn endless(more: Value) -> Value {
    let mut body = question(json!({ "logit_bias": { "2": -100, "0": -100 }, "temperature": 1 }));
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// A server whose model has so long a context, and a cache of one such context.
fn serve_small(context: usize, body: usize) -> Server {
    let place = tempfile::tempdir().unwrap();
    let model = Tiny { tied: false, context, ..Tiny::new("llama") }.open_folder(place.path());
    let limits = Limits { threads: 1, cache_bytes: 0, ..Limits::default() };
    let served = Served {
        name: "tiny".into(),
        prompter: Prompter::new(&model).unwrap(),
        generator: load(&model, Precision::Full, &ComputeDevice::Cpu, limits).unwrap(),
        adapters: BTreeMap::new(),
        embedder: None,
    };
    let settings = Settings { body, ..settings(None, 64, Clients::default()) };
    answering(bind(served, settings).unwrap(), place)
}

fn texts(answer: &Value) -> Vec<String> {
    let text = |choice: &Value| {
        let text = choice["text"].as_str().or(choice["message"]["content"].as_str());
        text.unwrap().to_owned()
    };
    answer["choices"].as_array().unwrap().iter().map(text).collect()
}

#[tokio::test]
async fn more_choices_than_are_computed_together_are_what_each_would_be_alone() {
    let server = serve(None, 8).await;
    let many = server.chat(question(json!({ "n": 40, "temperature": 1.5, "max_tokens": 6 }))).await;
    let all = texts(&many);
    assert_eq!(all.len(), 40);
    for place in [0, 15, 16, 39] {
        let alone = question(json!({ "temperature": 1.5, "max_tokens": 6, "seed": 7 + place }));
        assert_eq!(texts(&server.chat(alone).await), [all[place as usize].clone()], "choice {place}");
    }
    // The prompt counts once.
    let alone = server.chat(question(json!({ "max_tokens": 6 }))).await;
    assert_eq!(many["usage"]["prompt_tokens"], alone["usage"]["prompt_tokens"]);
    server.end().await;
}

#[tokio::test]
async fn a_list_of_more_prompts_than_the_queue_has_places_is_answered() {
    let server = serve(None, 2).await;
    let prompts: Vec<String> = (0..70).map(|number| format!("the {number}")).collect();
    let body = json!({ "prompt": prompts, "max_tokens": 2, "temperature": 0, "echo": true, "logprobs": 1 });
    let answer = json_of(server.post(PLAIN, &body).await).await;
    let all = texts(&answer);
    assert_eq!(all.len(), 70);
    for (text, prompt) in all.iter().zip(&prompts) {
        assert!(text.starts_with(prompt), "{text}");
    }
    let scored = |choice: &Value| choice["logprobs"]["tokens"].as_array().unwrap().len() > 4;
    assert!(answer["choices"].as_array().unwrap().iter().all(scored));
    // Streamed, all pieces are of one answer.
    let body = json!({ "prompt": prompts, "max_tokens": 1, "stream": true });
    let chunks = streamed(server.post(PLAIN, &body).await).await;
    assert!(chunks.iter().all(|chunk| chunk["id"] == chunks[0]["id"]));
    let ended = chunks.iter().filter(|chunk| !chunk["choices"][0]["finish_reason"].is_null()).count();
    assert_eq!(ended, 70);
    server.end().await;
}

#[tokio::test]
async fn what_is_wrong_with_the_last_of_many_prompts_is_said_at_once() {
    let server = serve(None, 8).await;
    let mut prompts = vec![json!([5, 6]); 40];
    prompts.push(json!([4_000_000]));
    let (status, message) = server.refusal(PLAIN, json!({ "prompt": prompts })).await;
    assert!(status == 400 && message.contains("can't be computed"), "{status}: {message}");
    let (status, message) = server.refusal(PLAIN, json!({ "prompt": ["the", ""] })).await;
    assert!(status == 400 && message.contains("empty"), "{status}: {message}");
    let (status, message) = server.refusal(PLAIN, json!({ "prompt": vec!["the"; 40], "n": 64 })).await;
    assert!(status == 400 && message.contains("more than 2048 answers"), "{status}: {message}");
    server.end().await;
}

#[tokio::test]
async fn choices_that_the_cache_cannot_hold_together_come_one_after_the_other() {
    let server = serve_small(256, 64 << 10);
    let answer = server.chat(endless(json!({ "n": 5, "max_tokens": 150 }))).await;
    for choice in answer["choices"].as_array().unwrap() {
        assert_eq!(choice["finish_reason"], "length");
    }
    assert_eq!(answer["usage"]["completion_tokens"], 5 * 150);
    server.end().await;
}

#[tokio::test]
async fn a_short_question_never_waits_for_long_answers() {
    let server = serve(None, 64).await;
    let long = endless(json!({ "n": 64, "max_tokens": CONTEXT - 1000, "stream": true }));
    let mut streams = Vec::new();
    for _ in 0..6 {
        streams.push(server.post(CHAT, &long).await);
    }
    // As many as may run do.
    while server.metric("dojo_running").await < 48.0 {}
    for _ in 0..70 {
        server.chat(question(json!({ "max_tokens": 1 }))).await;
    }
    assert_eq!(server.busy.answering(), 6);
    drop(streams);
    while server.metric("dojo_running").await > 0.0 {}
    server.end().await;
}

#[tokio::test]
async fn a_long_text_is_read_while_others_are_answered() {
    let server = serve_small(512, 8 << 20);
    let long = json!({ "messages": [{ "role": "user", "content": "the other ".repeat(300_000) }] });
    let order = std::sync::Mutex::new(Vec::new());
    let reads = async {
        let (status, message) = server.refusal(CHAT, long).await;
        assert!(status == 400 && message.contains("maximum context length is 512"), "{status}: {message}");
        order.lock().unwrap().push("long");
    };
    let asks = async {
        while server.busy.answering() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(server.get("/health").await.status(), 200);
        server.chat(question(json!({ "max_tokens": 1 }))).await;
        order.lock().unwrap().push("short");
    };
    tokio::join!(reads, asks);
    assert_eq!(*order.lock().unwrap(), ["short", "long"]);
    server.end().await;
}

#[test]
fn the_key_of_a_server_is_in_no_message_about_its_settings() {
    let said = format!("{:?}", settings(Some("sk-very-secret-1234"), 64, Clients::default()));
    assert!(!said.contains("secret") && said.contains("api_key: Some"), "{said}");
}
