//! Every field of every endpoint, with values that it may not have and with the widest that it may.

use serde_json::{Value, json};

use dojo_studio::engine::embed::Embedder;
use dojo_studio::engine::model::ModelFiles;

use super::{json_of, question, serve, serve_with};
use crate::engine::embed::write_tiny_bert;

const CHAT: &str = "/v1/chat/completions";
const PLAIN: &str = "/v1/completions";
const EMBED: &str = "/v1/embeddings";
const RESPONSES: &str = "/v1/responses";

/// What all endpoints that generate read alike.
const SHARED: [&str; 20] = [
    "model",
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "n",
    "stream",
    "stream_options",
    "stop",
    "seed",
    "logit_bias",
    "user",
    "metadata",
    "store",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "ignore_eos",
    "guided_json",
    "guided_choice",
];

/// Each endpoint, a request to it that is right, and its fields; those that all read alike at one of them only.
fn endpoints() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let chat = [
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "logprobs",
        "top_logprobs",
        "response_format",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "modalities",
        "audio",
        "prediction",
        "reasoning_effort",
        "service_tier",
        "verbosity",
        "web_search_options",
        "functions",
        "function_call",
        "chat_template_kwargs",
        "guided_regex",
        "guided_grammar",
        "prompt_cache_key",
        "safety_identifier",
    ];
    let chat = SHARED.into_iter().chain(chat).collect();
    vec![
        (CHAT, question(json!({ "max_tokens": 1 })), chat),
        (
            PLAIN,
            json!({ "prompt": "the", "max_tokens": 1 }),
            vec!["model", "prompt", "max_tokens", "logprobs", "echo", "best_of", "suffix", "n", "stream"],
        ),
        (
            RESPONSES,
            json!({ "input": "the", "max_output_tokens": 1 }),
            vec![
                "model",
                "n",
                "stream",
                "input",
                "instructions",
                "max_output_tokens",
                "text",
                "tools",
                "tool_choice",
                "reasoning",
                "include",
                "truncation",
                "background",
                "previous_response_id",
                "conversation",
                "prompt",
                "top_logprobs",
                "parallel_tool_calls",
                "max_tool_calls",
            ],
        ),
        (
            EMBED,
            json!({ "input": "a b" }),
            vec!["model", "input", "encoding_format", "dimensions", "user", "truncate"],
        ),
    ]
}

/// As JSON: some are no numbers that a value here could hold.
fn values() -> Vec<String> {
    let mut values: Vec<String> = [
        "null",
        "true",
        "-1",
        "0",
        "1.5",
        "1e39",
        "-1e308",
        "1e400",
        "NaN",
        "18446744073709551615",
        "-9223372036854775808",
        "99999999999999999999999999",
        "1e-320",
        "\"\"",
        "\"x\"",
        "\"\\u0000\\u001b[31m\\ud83d\\ude00\"",
        "\"\\ud800\"",
        "[]",
        "[[]]",
        "[null]",
        "[{}]",
        "{}",
        "{\"a\":{}}",
        "{\"\":null}",
        "{\"type\":\"x\"}",
    ]
    .map(str::to_owned)
    .to_vec();
    values.push(format!("\"{}\"", "y".repeat(20_000)));
    values.push(format!("[{}0]", "0,".repeat(9000)));
    values.push(format!("{}{}", "[".repeat(500), "]".repeat(500)));
    values.push(format!("{{\"{}\":1}}", "k".repeat(20_000)));
    values
}

#[tokio::test]
async fn any_value_of_any_field_is_answered_or_refused_in_a_sentence() {
    let bert = tempfile::tempdir().unwrap();
    write_tiny_bert(bert.path());
    let files = dojo_studio::engine::model::ModelFiles::at(bert.path()).unwrap();
    let embedder = dojo_studio::engine::embed::Embedder::open(&files).unwrap();
    let server = serve_with(None, 8, Some(embedder)).await;
    for (path, usual, fields) in endpoints() {
        for field in fields {
            for value in values() {
                let mut body = usual.as_object().unwrap().clone();
                body.remove(field);
                let rest = Value::Object(body).to_string();
                let comma = if rest.len() > 2 { "," } else { "" };
                let text = format!("{{\"{field}\":{value}{comma}{}", &rest[1..]);
                let request = server.client.post(format!("{}{path}", server.url)).body(text);
                let response = request.header("content-type", "application/json").send().await.unwrap();
                let status = response.status().as_u16();
                let what = format!("{path} {field} {}", value.chars().take(60).collect::<String>());
                if status == 200 {
                    response.text().await.unwrap();
                    continue;
                }
                assert!([400, 404].contains(&status), "{what}: {status}");
                let error = json_of(response).await["error"].clone();
                let message = error["message"].as_str().unwrap();
                assert!(message.len() <= 1100 && message.lines().count() == 1, "{what}: {message}");
                assert!(!message.contains('\u{1b}') && !message.contains('\0'), "{what}: {message:?}");
            }
        }
    }
    server.chat(question(json!({}))).await;
    server.end().await;
}

#[tokio::test]
async fn what_two_fields_say_of_the_same_is_not_dropped() {
    let server = serve(None, 8).await;
    let cases = [
        (json!({ "max_tokens": 3, "max_completion_tokens": 4 }), Some("differ")),
        (json!({ "max_tokens": 3, "max_completion_tokens": 3 }), None),
        (json!({ "max_tokens": null, "max_completion_tokens": 0 }), Some("max_completion_tokens is 0")),
        (json!({ "top_k": -1 }), None),
        (json!({ "top_k": -5 }), Some("top_k is -5")),
        (json!({ "top_logprobs": 0 }), None),
        (json!({ "top_logprobs": 2 }), Some("only if logprobs is true")),
        (json!({ "seed": u64::MAX }), None),
        (json!({ "seed": -9.223_372_036_854_776e18 }), None),
        (json!({ "seed": 1.5 }), Some("seed must be a whole number")),
        (json!({ "temperature": 1e39 }), Some("temperature is inf")),
    ];
    for (more, words) in cases {
        let body = question(more.clone());
        match words {
            None => assert_eq!(server.post(CHAT, &body).await.status(), 200, "{more}"),
            Some(words) => {
                let (status, message) = server.refusal(CHAT, body).await;
                assert!(status == 400 && message.contains(words), "{more}: {status}: {message}");
            }
        }
    }
    // The same seed is the same draw, however it is written.
    let drawn = async |seed: Value| {
        let answer = server.chat(question(json!({ "seed": seed, "temperature": 2 }))).await;
        answer["choices"][0]["message"]["content"].clone()
    };
    assert_eq!(drawn(json!(u64::MAX)).await, drawn(json!(-1)).await);
    server.end().await;
}

#[tokio::test]
async fn a_response_repeats_what_it_was_asked_with() {
    let server = serve(None, 8).await;
    let asked = json!({
        "input": "the",
        "max_output_tokens": 1,
        "temperature": 0.5,
        "top_p": 0.25,
        "metadata": { "run": "7" },
        "instructions": "in",
    });
    let answer = json_of(server.post(RESPONSES, &asked).await).await;
    for field in ["max_output_tokens", "temperature", "top_p", "metadata", "instructions"] {
        assert_eq!(answer[field], asked[field], "{field}");
    }
    assert_eq!(answer["tool_choice"], "auto");
    // An answer that was cut off is no whole one.
    assert_eq!(
        (&answer["status"], &answer["output"][0]["status"]),
        (&json!("incomplete"), &json!("incomplete"))
    );
    server.end().await;
}

#[tokio::test]
async fn a_name_that_is_no_text_is_answered_as_an_unknown_one() {
    let server = serve(None, 8).await;
    for path in ["/v1/models/%ff", "/v1/models/..%2f..%2fetc", "/v1/models/%00"] {
        let response = server.get(path).await;
        assert_eq!(response.status(), 404);
        assert_eq!(json_of(response).await["error"]["code"], "model_not_found", "{path}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_field_that_is_there_twice_is_refused_wherever_it_is() {
    let server = serve(None, 8).await;
    let messages = r#""messages":[{"role":"user","content":"x"}],"max_tokens":1"#;
    let cases = [
        (CHAT, format!(r#"{{{messages},"temperature":0,"temperature":1}}"#), "temperature"),
        (CHAT, format!(r#"{{{messages},"seed":null,"seed":1}}"#), "seed"),
        (CHAT, format!(r#"{{"model":"tiny","model":"tiny",{messages}}}"#), "model"),
        (CHAT, r#"{"messages":[{"role":"user","content":"x","content":"y"}]}"#.into(), "messages[0].content"),
        (CHAT, format!(r#"{{{messages},"metadata":{{"a":{{"b":1,"b":1}}}}}}"#), "metadata.a.b"),
        (PLAIN, r#"{"prompt":"a","prompt":"b"}"#.into(), "prompt"),
        (RESPONSES, r#"{"input":[{"role":"user","content":"a"}],"input":"b"}"#.into(), "input"),
        // However it is written.
        (PLAIN, r#"{"prompt":"a","p\u0072ompt":"b"}"#.into(), "prompt"),
    ];
    for (path, body, field) in cases {
        let request = server.client.post(format!("{}{path}", server.url)).body(body);
        let response = request.header("content-type", "application/json").send().await.unwrap();
        assert_eq!(response.status(), 400, "{field}");
        let error = json_of(response).await["error"].clone();
        assert_eq!((&error["param"], &error["code"]), (&json!(field), &json!("duplicate_parameter")));
        assert_eq!(error["message"], format!("{field} is given twice: leave one out"));
    }
    // The same name in two objects is two fields.
    let both = json!([{ "role": "user", "content": "x" }, { "role": "assistant", "content": "x" }]);
    server.chat(json!({ "messages": both, "max_tokens": 1 })).await;
    server.end().await;
}

#[tokio::test]
async fn the_token_for_unknown_words_is_one_of_the_models_own() {
    let bert = tempfile::tempdir().unwrap();
    write_tiny_bert(bert.path());
    let path = bert.path().join("tokenizer.json");
    let mut tokenizer: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let special = |id: u32, content: &str| {
        json!({ "id": id, "content": content, "single_word": false, "lstrip": false, "rstrip": false,
                "normalized": false, "special": true })
    };
    tokenizer["added_tokens"] = json!([special(1, "[UNK]"), special(2, "[CLS]"), special(3, "[SEP]")]);
    std::fs::write(&path, tokenizer.to_string()).unwrap();
    let embedder = Embedder::open(&ModelFiles::at(bert.path()).unwrap()).unwrap();
    let expected = embedder.embed(&["[UNK]"]).unwrap();
    let server = serve_with(None, 8, Some(embedder)).await;
    let name = bert.path().file_name().unwrap().to_str().unwrap();
    let asked = |ids: Value| json!({ "model": name, "input": ids });
    let answer = json_of(server.post(EMBED, &asked(json!([[1]]))).await).await;
    assert_eq!(answer["usage"]["prompt_tokens"], expected.tokens, "{answer}");
    // Those that begin and end a text would be there twice.
    assert_eq!(server.post(EMBED, &asked(json!([[2, 1, 3]]))).await.status(), 400);
    server.end().await;
}
