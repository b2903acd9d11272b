//! Requests that must not end, stall or mislead the server.

use dojo_studio::engine::generate::Fault;
use serde_json::{Value, json};

use super::{json_of, question, serve};
use crate::engine::generate::constraints::ambiguous;

const CHAT: &str = "/v1/chat/completions";

/// A schema whose references lead through `count` definitions.
fn chain(count: usize) -> Value {
    let mut definitions = serde_json::Map::new();
    for number in 0..count {
        definitions.insert(format!("a{number}"), json!({ "$ref": format!("#/$defs/a{}", number + 1) }));
    }
    definitions.insert(format!("a{count}"), json!({ "type": "integer" }));
    json!({ "$ref": "#/$defs/a0", "$defs": definitions })
}

fn ladder(count: usize) -> String {
    use std::fmt::Write;
    let mut grammar = "start: r0\n".to_owned();
    for number in 0..count {
        writeln!(grammar, "r{number}: r{} | \"a{number}\"", number + 1).unwrap();
    }
    grammar + &format!("r{count}: \"end\"\n")
}

#[tokio::test]
async fn deep_chains_of_references_and_rules_leave_the_server_up() {
    let server = serve(None, 8).await;
    let bombs = [
        json!({ "guided_json": chain(700), "max_tokens": 2 }),
        json!({ "guided_grammar": ladder(730), "max_tokens": 2 }),
    ];
    for bomb in bombs {
        let response = server.post(CHAT, &question(bomb)).await;
        let status = response.status().as_u16();
        let body = json_of(response).await;
        assert!(status == 200 || status == 400, "{body}");
        if status == 400 {
            let message = body["error"]["message"].as_str().unwrap();
            assert!(message.lines().count() == 1 && message.len() < 500, "{message}");
        }
    }
    assert_eq!(server.get("/health").await.status(), 200);
    server.chat(question(json!({}))).await;
    server.end().await;
}

#[tokio::test]
async fn an_answer_that_can_not_be_finished_is_an_error_and_not_an_end() {
    let server = serve(None, 8).await;
    let asked = |stream: bool| {
        let mut body =
            question(json!({ "guided_grammar": ambiguous(), "max_tokens": 3000, "stream": stream }));
        // Token 2 would end it in time.
        body["logit_bias"] = json!({ "2": -100 });
        body
    };
    let (status, message) = server.refusal(CHAT, asked(false)).await;
    assert_eq!((status, message.as_str()), (400, Fault::Constraint.sentence()));
    // Nothing says that such a stream is whole.
    let text = server.post(CHAT, &asked(true)).await.text().await.unwrap();
    let chunks: Vec<Value> = text
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .map(|data| serde_json::from_str(data).unwrap())
        .collect();
    let error = &chunks.last().unwrap()["error"];
    assert_eq!(error["message"], Fault::Constraint.sentence());
    assert_eq!((&error["code"], &error["param"]), (&json!("constraint_failed"), &json!("guided_grammar")));
    assert!(chunks.iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
    server.chat(question(json!({}))).await;
    server.end().await;
}

#[tokio::test]
async fn a_constraint_serves_all_choices_and_is_refused_in_a_sentence() {
    let server = serve(None, 8).await;
    let names: Vec<String> = (0..40).map(|number| format!("choice {number}")).collect();
    let answer = server.chat(question(json!({ "guided_choice": names, "n": 64, "temperature": 1 }))).await;
    let choices = answer["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 64);
    for choice in choices {
        let text = choice["message"]["content"].as_str().unwrap();
        assert!(names.iter().any(|name| name.starts_with(text)), "{text}");
    }
    let mut deep = json!({});
    for _ in 0..110 {
        deep = json!({ "items": deep });
    }
    let cycle = json!({ "$defs": { "a": { "anyOf": [{ "$ref": "#/$defs/a" }] } }, "$ref": "#/$defs/a" });
    let cases = [
        (json!({ "guided_regex": "(" }), "the regular expression can't be used: unclosed group"),
        (json!({ "guided_json": { "$ref": "#" } }), "can't be used: no text fits it"),
        (json!({ "guided_json": cycle }), "can't be used: no text fits it"),
        (json!({ "guided_grammar": "start: a\na: a" }), "can't be used: no text fits it"),
        (json!({ "guided_grammar": "start: nothing" }), "the grammar can't be used"),
        (json!({ "guided_json": { "type": "no such type" } }), "the JSON schema can't be used"),
        (json!({ "guided_json": deep }), "nested too deeply"),
        (json!({ "guided_choice": vec!["x"; 10_001] }), "may hold 10000"),
        (json!({ "guided_grammar": format!("start: {}", "(".repeat(30_000)) }), "nested too deeply"),
        (json!({ "guided_choice": [""] }), "isn't empty"),
    ];
    for (more, words) in cases {
        let (status, message) = server.refusal(CHAT, question(more)).await;
        assert!(status == 400 && message.contains(words), "{status}: {message}");
        assert!(message.lines().count() == 1 && !message.contains("backtrace"), "{message}");
    }
    server.end().await;
}

#[tokio::test]
async fn what_a_constraint_asks_for_and_nobody_keeps_to_is_refused_by_name() {
    let server = serve(None, 8).await;
    let within = |schema: Value| json!({ "type": "object", "properties": { "a": { "anyOf": [schema] } } });
    let old = "http://json-schema.org/draft-04/schema#";
    let cases = [
        ("nullable", json!({ "type": "integer", "nullable": true })),
        ("divisibleBy", json!({ "type": "integer", "divisibleBy": 3 })),
        ("dependencies", json!({ "type": "object", "dependencies": { "a": ["b"] } })),
        ("then", json!({ "type": "string", "then": { "minLength": 2 } })),
        ("not", json!({ "not": { "type": "string" } })),
        ("uniqueItems", json!({ "type": "array", "uniqueItems": true })),
        ("contains", json!({ "type": "array", "contains": { "type": "integer" } })),
        ("unevaluatedProperties", json!({ "type": "object", "unevaluatedProperties": false })),
        ("maxlength", json!({ "type": "string", "maxlength": 3 })),
        ("required", json!({ "type": "integer", "required": true })),
        ("disallow", json!({ "disallow": "string" })),
    ];
    for (key, schema) in cases {
        for schema in [schema.clone(), within(schema)] {
            let body = question(json!({ "guided_json": schema }));
            let refused = json_of(server.post(CHAT, &body).await).await;
            let message = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{schema} is taken"));
            assert!(message.contains(&format!("can't keep to its [\"{key}\"]")), "{message}");
            assert_eq!(refused["error"]["param"], "guided_json");
        }
    }
    let referred = json!({ "$ref": "#/parts/a", "parts": { "a": { "type": "integer", "divisibleBy": 2 } } });
    let drafted = json!({ "$schema": old, "type": "string", "if": {} });
    for (schema, key) in [(referred, "divisibleBy"), (drafted, "if")] {
        let (status, message) = server.refusal(CHAT, question(json!({ "guided_json": schema }))).await;
        assert!(status == 400 && message.contains(key), "{message}");
    }
    for (grammar, name) in [
        ("start[temperature=0.5]: /[a-z]+/", "temperature"),
        ("start: a\na[stop=\"]\", capture]: /[a-z]+/", "capture"),
        ("start: %json {\"type\":\"integer\",\"nullable\":true}", "nullable"),
    ] {
        let (status, message) = server.refusal(CHAT, question(json!({ "guided_grammar": grammar }))).await;
        assert!(status == 400 && message.contains(name), "{message}");
    }
    server.end().await;
}

#[tokio::test]
async fn what_only_describes_a_schema_and_what_is_obeyed_of_a_rule_pass() {
    let server = serve(None, 8).await;
    let words = json!({
        "title": "Sure", "description": "d", "default": true, "examples": [true], "$comment": "c", "x-order": 1,
        "deprecated": false, "nullable": false, "$ref": "#/parts/a", "parts": { "a": { "type": "boolean" } },
    });
    // A property may be called as a key is.
    let named = json!({ "type": "object", "properties": { "not": { "const": 1 } }, "required": ["not"], "additionalProperties": false });
    let asked = [
        json!({ "guided_json": words }),
        json!({ "guided_json": named }),
        json!({ "guided_grammar": "start[max_tokens=2]: /[a-z \"temperature\"]+/" }),
    ];
    for more in asked {
        server.chat(question(more)).await;
    }
    server.end().await;
}

#[tokio::test]
async fn lists_in_a_request_have_bounds() {
    let server = serve(None, 8).await;
    let biases: serde_json::Map<String, Value> =
        (0..1025).map(|number| (number.to_string(), json!(1))).collect();
    let cases = [
        (json!({ "stop": vec!["x"; 65] }), "stop"),
        (json!({ "stop": "x".repeat(1025) }), "stop"),
        (json!({ "stop": [""] }), "stop"),
        (json!({ "logit_bias": biases }), "logit_bias"),
        (json!({ "logit_bias": { "1": 101 } }), "logit_bias"),
        (json!({ "n": 129 }), "n is 129"),
        (json!({ "logprobs": true, "top_logprobs": 21 }), "20 at most"),
    ];
    for (more, words) in cases {
        let (status, message) = server.refusal(CHAT, question(more)).await;
        assert!(status == 400 && message.contains(words), "{status}: {message}");
    }
    server.end().await;
}
