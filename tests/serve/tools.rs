//! Tools: asked for, called, answered.

use serde_json::{Value, json};

use super::{Server, json_of, question, serve, serve_model, streamed};
use crate::support::tiny::{Tiny, tools_template};

const CHAT: &str = "/v1/chat/completions";

async fn serve_tools() -> Server {
    serve_model(Tiny { template: tools_template(), ..Tiny::new("llama") }, None, 8, None).await
}

fn tools() -> Value {
    let tool = |name: &str, values: Value| {
        json!({
            "type": "function",
            "function": {
                "name": name,
                "parameters": {
                    "type": "object",
                    "properties": { "value": { "enum": values } },
                    "required": ["value"],
                    "additionalProperties": false,
                },
            },
        })
    };
    json!([tool("get_colour", json!(["red", "green"])), tool("get-number", json!([1, 2]))])
}

fn asked(more: Value) -> Value {
    let mut body = question(json!({ "tools": tools(), "max_tokens": 400, "temperature": 1.0 }));
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// Names of the calls of a turn; their arguments must fit the schemas.
fn called(message: &Value) -> Vec<String> {
    let calls = message["tool_calls"].as_array().cloned().unwrap_or_default();
    let name = |call: &Value| {
        assert_eq!(call["type"], "function");
        assert_eq!(call["id"].as_str().unwrap().len(), 9);
        let arguments: Value = serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
        let name = call["function"]["name"].as_str().unwrap();
        let allowed = if name == "get_colour" { json!(["red", "green"]) } else { json!([1, 2]) };
        assert!(allowed.as_array().unwrap().contains(&arguments["value"]), "{call}");
        name.to_owned()
    };
    calls.iter().map(name).collect()
}

#[tokio::test]
async fn a_call_that_is_asked_for_is_made_and_fits_its_schema() {
    let server = serve_tools().await;
    let one = json!({ "type": "function", "function": { "name": "get-number" } });
    for seed in 0..6 {
        let answer = server.chat(asked(json!({ "tool_choice": one, "seed": seed }))).await;
        let choice = &answer["choices"][0];
        assert_eq!(called(&choice["message"]), ["get-number"], "{choice}");
        assert_eq!(choice["finish_reason"], "tool_calls");
        assert!(choice["message"]["content"].is_null());
        let more = json!({ "tool_choice": "required", "seed": seed, "parallel_tool_calls": false });
        let answer = server.chat(asked(more)).await;
        assert_eq!(called(&answer["choices"][0]["message"]).len(), 1, "{answer}");
    }
    // Streamed, the same comes in pieces.
    let body = asked(json!({ "tool_choice": one, "seed": 1, "stream": true, "logprobs": true }));
    let chunks = streamed(server.post(CHAT, &body).await).await;
    let deltas = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].as_array());
    let deltas: Vec<Value> = deltas.flatten().cloned().collect();
    let arguments: String =
        deltas.iter().filter_map(|delta| delta["function"]["arguments"].as_str()).collect();
    let message = json!({ "tool_calls": [{
        "id": deltas[0]["id"],
        "type": deltas[0]["type"],
        "function": { "name": deltas[0]["function"]["name"], "arguments": arguments },
    }] });
    assert_eq!(called(&message), ["get-number"]);
    assert!(deltas.iter().all(|delta| delta["index"] == 0));
    assert!(deltas.len() > 3, "the arguments came at once");
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
    let text: String =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, "");
    server.end().await;
}

#[tokio::test]
async fn whatever_a_model_writes_by_itself_is_text_or_a_call_that_fits() {
    let server = serve_tools().await;
    for seed in 0..12 {
        let answer = server.chat(asked(json!({ "seed": seed, "max_tokens": 60 }))).await;
        let message = &answer["choices"][0]["message"];
        called(message);
        assert!(message["content"].is_string() || message["tool_calls"].is_array(), "{answer}");
        let format =
            json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": { "enum": [1, 2] } } });
        let more = json!({ "seed": seed, "max_tokens": 200, "response_format": format });
        let answer = server.chat(asked(more)).await;
        let message = &answer["choices"][0]["message"];
        if answer["choices"][0]["finish_reason"] == "length" {
            continue;
        }
        let content = message["content"].as_str();
        match content {
            None => assert!(!called(message).is_empty(), "{answer}"),
            Some(said) => assert!(["1", "2"].contains(&said), "{answer}"),
        }
    }
    server.end().await;
}

#[tokio::test]
async fn calls_and_their_answers_are_read_back() {
    let server = serve_tools().await;
    let history = json!([
        { "role": "user", "content": "Which colour?" },
        {
            "role": "assistant",
            "content": null,
            "refusal": null,
            "annotations": [],
            "tool_calls": [{
                "id": "call_1",
                "type": "function",
                "function": { "name": "get_colour", "arguments": "{\"value\": \"red\"}" },
            }],
        },
        { "role": "tool", "tool_call_id": "call_1", "content": [{ "type": "text", "text": "crimson" }] },
    ]);
    let usage = async |history: &Value| {
        let answer = server.chat(asked(json!({ "messages": history, "max_tokens": 1 }))).await;
        answer["usage"]["prompt_tokens"].as_u64().unwrap()
    };
    let mut shorter = history.clone();
    shorter[2]["content"] = json!("crimso");
    assert!(usage(&history).await > usage(&shorter).await);
    let mut shorter = history.clone();
    shorter[1]["tool_calls"][0]["function"]["arguments"] = json!("{\"value\": \"re\"}");
    assert!(usage(&history).await > usage(&shorter).await);
    // Without being shown, tools change nothing.
    let none = server.chat(asked(json!({ "tool_choice": "none", "max_tokens": 4 }))).await;
    let plain = server.chat(question(json!({ "max_tokens": 4 }))).await;
    assert_eq!(none["usage"]["prompt_tokens"], plain["usage"]["prompt_tokens"]);
    server.end().await;
}

#[tokio::test]
async fn what_is_wrong_with_tools_is_said() {
    let server = serve_tools().await;
    let named = |name: &str| json!({ "type": "function", "function": { "name": name } });
    let cases = [
        (json!({ "tools": [{ "type": "web_search" }] }), "tools[0].type", "functions only"),
        (json!({ "tools": [{ "type": "function" }] }), "tools[0].function", "missing"),
        (json!({ "tools": [named("a b")] }), "tools[0].function.name", "letters"),
        (json!({ "tools": [named("x")], "tool_choice": named("y") }), "tool_choice", "isn't among"),
        (
            json!({ "tools": [named("x"), named("y"), named("x")] }),
            "tools[2].function.name",
            "another of the tools",
        ),
        (json!({ "tools": null, "user": 5 }), "user", "a text"),
        (json!({ "tools": null, "metadata": "run 7" }), "metadata", "an object"),
        (json!({ "tools": [named("x")], "tool_choice": "maybe" }), "tool_choice", "\"auto\""),
        (json!({ "tools": null, "tool_choice": "required" }), "tool_choice", "no tools"),
        (json!({ "tools": null, "functions": [{ "name": "x" }] }), "functions", "older form"),
        (json!({ "guided_regex": "a" }), "tools", "both"),
        (
            json!({ "messages": [{ "role": "user", "content": "x", "tool_calls": [named("x")] }] }),
            "messages[0].tool_calls",
            "only the assistant",
        ),
    ];
    for (more, field, words) in cases {
        let response = server.post(CHAT, &asked(more)).await;
        assert_eq!(response.status(), 400);
        let error = json_of(response).await["error"].clone();
        assert_eq!(error["param"], field, "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    server.end().await;
    // A template that shows no tools can't be asked with any.
    let server = serve(None, 8).await;
    let (status, message) = server.refusal(CHAT, asked(json!({}))).await;
    assert!(status == 400 && message.contains("doesn't show the tools"), "{message}");
    server.end().await;
}

fn call(id: &str, value: &str) -> Value {
    let arguments = json!({ "value": value }).to_string();
    json!({ "id": id, "type": "function", "function": { "name": "get_colour", "arguments": arguments } })
}

fn result(id: &str, said: &str) -> Value {
    json!({ "role": "tool", "tool_call_id": id, "content": said })
}

fn history(turns: &[Value]) -> Value {
    let mut all = vec![
        json!({ "role": "user", "content": "Which colours?" }),
        json!({ "role": "assistant", "content": null, "tool_calls": [call("a", "red"), call("b", "green")] }),
    ];
    all.extend(turns.iter().cloned());
    Value::Array(all)
}

#[tokio::test]
async fn a_result_is_read_as_that_of_its_call_in_whatever_order_results_come() {
    let server = serve_tools().await;
    let likely = async |turns: &[Value]| {
        let more = json!({
            "messages": history(turns), "tool_choice": "none", "logprobs": true, "max_tokens": 1, "temperature": 0,
        });
        let answer = server.chat(asked(more)).await;
        answer["choices"][0]["logprobs"]["content"][0]["logprob"].as_f64().unwrap()
    };
    let ordered = likely(&[result("a", "crimson"), result("b", "emerald")]).await;
    let turned = likely(&[result("b", "emerald"), result("a", "crimson")]).await;
    let swapped = likely(&[result("a", "emerald"), result("b", "crimson")]).await;
    assert!((ordered - turned).abs() < 1e-5, "{ordered} {turned}");
    assert!((ordered - swapped).abs() > 1e-5, "{ordered} {swapped}");
    server.end().await;
}

#[tokio::test]
async fn a_result_without_a_call_and_a_call_without_a_result_are_refused() {
    let server = serve_tools().await;
    let a = || result("a", "crimson");
    let user = || json!({ "role": "user", "content": "so?" });
    let unnamed = json!({ "role": "tool", "content": "crimson" });
    let cases = [
        (history(&[a(), result("z", "emerald")]), "messages[3].tool_call_id", "no call of that id"),
        (history(&[a(), unnamed]), "messages[3].tool_call_id", "missing"),
        (history(&[a(), a()]), "messages[3].tool_call_id", "already"),
        (json!([user(), a()]), "messages[1].tool_call_id", "no call of that id"),
        (history(&[a(), user()]), "messages[1].tool_calls", "no result"),
        (history(&[user()]), "messages[1].tool_calls", "no result"),
        (history(&[a()]), "messages[1].tool_calls", "no result"),
    ];
    for (messages, field, words) in cases {
        let response = server.post(CHAT, &asked(json!({ "messages": messages }))).await;
        assert_eq!(response.status(), 400);
        let error = json_of(response).await["error"].clone();
        assert_eq!(error["param"], field, "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    // The same holds in the newer form.
    let item = json!({ "type": "function_call_output", "call_id": "z", "output": "crimson" });
    let body = json!({ "input": [user(), item], "max_output_tokens": 2 });
    let error = json_of(server.post("/v1/responses", &body).await).await["error"].clone();
    assert_eq!(error["param"], "input[1].call_id", "{error}");
    // The older form names no calls.
    let older = json!([
        user(),
        { "role": "assistant", "content": null, "function_call": { "name": "get_colour", "arguments": "{}" } },
        { "role": "function", "name": "get_colour", "content": "crimson" },
    ]);
    server.chat(asked(json!({ "messages": older, "max_tokens": 1 }))).await;
    server.end().await;
}

#[tokio::test]
async fn only_the_allowed_tools_are_called_though_all_are_shown() {
    let server = serve_tools().await;
    let allowed = |mode: &str| {
        json!({ "type": "allowed_tools", "allowed_tools": {
            "mode": mode, "tools": [{ "type": "function", "function": { "name": "get-number" } }] } })
    };
    let all = server.chat(asked(json!({ "max_tokens": 1 }))).await["usage"]["prompt_tokens"].clone();
    let one = |mode: &str, seed: u64| {
        asked(
            json!({ "tool_choice": allowed(mode), "seed": seed, "parallel_tool_calls": false, "max_tokens": 100 }),
        )
    };
    for seed in 0..4 {
        let answer = server.chat(one("required", seed)).await;
        assert_eq!(called(&answer["choices"][0]["message"]), ["get-number"], "{answer}");
        assert_eq!(answer["usage"]["prompt_tokens"], all);
        let answer = server.chat(one("auto", seed)).await;
        let names = called(&answer["choices"][0]["message"]);
        assert!(names.iter().all(|name| name == "get-number"), "{answer}");
    }
    // The same in the form of the Responses API.
    let tool = json!({ "type": "function", "name": "look", "parameters": {
        "type": "object", "properties": {}, "additionalProperties": false } });
    let other = json!({ "type": "function", "name": "hear", "parameters": { "type": "object" } });
    let only = json!({ "type": "allowed_tools", "mode": "required",
        "tools": [{ "type": "function", "name": "look" }] });
    let body = json!({ "input": "q", "tools": [other, tool], "tool_choice": only, "temperature": 0,
        "parallel_tool_calls": false });
    let answer = json_of(server.post("/v1/responses", &body).await).await;
    assert_eq!(answer["output"][0]["name"], "look", "{answer}");
    let of = |own: Value| json!({ "type": "allowed_tools", "allowed_tools": own });
    let cases = [
        (json!({ "type": "allowed_tools" }), "tool_choice.allowed_tools", "missing"),
        (of(json!({ "tools": [] })), "tool_choice.allowed_tools.mode", "missing"),
        (of(json!({ "mode": "auto" })), "tool_choice.allowed_tools.tools", "missing"),
        (of(json!({ "mode": "auto", "tools": [] })), "tool_choice.allowed_tools.tools", "is empty"),
        (of(json!({ "mode": "maybe", "tools": [] })), "tool_choice.allowed_tools.mode", "\"required\""),
        (
            of(json!({ "mode": "auto", "tools": [{ "type": "function", "function": { "name": "z" } }] })),
            "tool_choice.allowed_tools.tools[0]",
            "isn't among the tools",
        ),
        (json!({ "type": "custom", "custom": { "name": "z" } }), "tool_choice.type", "allowed_tools"),
        (json!({ "type": "function", "function": {} }), "tool_choice.function.name", "missing"),
    ];
    for (choice, field, words) in cases {
        let response = server.post(CHAT, &asked(json!({ "tool_choice": choice }))).await;
        assert_eq!(response.status(), 400);
        let error = json_of(response).await["error"].clone();
        assert_eq!(error["param"], field, "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_call_that_a_stop_text_cuts_is_no_end_with_calls() {
    let server = serve_tools().await;
    let one = json!({ "type": "function", "function": { "name": "get_colour" } });
    let more =
        |stream: bool| asked(json!({ "tool_choice": one, "stop": ["red", "green"], "stream": stream }));
    let answer = server.chat(more(false)).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "stop", "{answer}");
    let chunks = streamed(server.post(CHAT, &more(true)).await).await;
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "stop");
    server.end().await;
}
