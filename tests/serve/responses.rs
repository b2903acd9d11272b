//! The Responses API.

use serde_json::{Value, json};

use super::{Server, json_of, serve, serve_model};
use crate::support::tiny::{Tiny, tools_template};

const PATH: &str = "/v1/responses";

async fn respond(server: &Server, body: &Value) -> Value {
    let response = server.post(PATH, body).await;
    let status = response.status();
    let answer = json_of(response).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

/// The events of a stream, each with the name that it was sent under.
async fn events(server: &Server, body: &Value) -> Vec<Value> {
    let text = server.post(PATH, body).await.text().await.unwrap();
    let mut found = Vec::new();
    for block in text.split("\n\n").filter(|block| !block.trim().is_empty()) {
        let line = |start: &str| block.lines().find_map(|line| line.strip_prefix(start)).unwrap().to_owned();
        let value: Value = serde_json::from_str(&line("data: ")).unwrap();
        assert_eq!(value["type"], line("event: ").as_str());
        assert_eq!(value["sequence_number"], found.len());
        found.push(value);
    }
    found
}

fn text(response: &Value) -> String {
    let parts = response["output"].as_array().unwrap().iter().flat_map(|item| item["content"].as_array());
    parts.flatten().map(|part| part["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_text_is_answered_whole_and_streamed_alike() {
    let server = serve(None, 8).await;
    let mut body = json!({
        "input": "the other", "instructions": "Be brief.", "max_output_tokens": 12, "temperature": 0, "model": "tiny",
    });
    let whole = respond(&server, &body).await;
    assert_eq!((&whole["object"], &whole["model"]), (&json!("response"), &json!("tiny")));
    // The same conversation as a chat.
    let chat = json!({ "max_tokens": 12, "temperature": 0, "messages": [
        { "role": "system", "content": "Be brief." }, { "role": "user", "content": "the other" }] });
    let chat = server.chat(chat).await;
    assert_eq!(text(&whole), chat["choices"][0]["message"]["content"].as_str().unwrap());
    assert_eq!(whole["usage"]["input_tokens"], chat["usage"]["prompt_tokens"]);
    let ended = chat["choices"][0]["finish_reason"] == "stop";
    assert_eq!(whole["status"], if ended { "completed" } else { "incomplete" });
    body["stream"] = json!(true);
    let events = events(&server, &body).await;
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds[..2], ["response.created", "response.in_progress"]);
    let deltas: String = events.iter().filter_map(|event| event["delta"].as_str()).collect();
    assert_eq!(deltas, text(&whole));
    assert_eq!(events.last().unwrap()["response"]["output"][0]["content"], whole["output"][0]["content"]);
    server.end().await;
}

#[tokio::test]
async fn a_conversation_comes_as_items_and_an_answer_keeps_to_a_schema() {
    let server = serve(None, 8).await;
    let body = json!({
        "input": [
            { "role": "user", "content": [{ "type": "input_text", "text": "q" }] },
            { "type": "message", "id": "msg_1", "status": "completed", "role": "assistant",
              "content": [{ "type": "output_text", "text": "a", "annotations": [] }] },
            { "role": "user", "content": "again" },
        ],
        "text": { "format": { "type": "json_schema", "name": "x", "schema": { "enum": ["yes", "no"] } } },
        "store": true,
    });
    let answer = respond(&server, &body).await;
    let said: String = serde_json::from_str(&text(&answer)).unwrap();
    assert!(["yes", "no"].contains(&said.as_str()));
    let cases = [
        (json!({}), "input", "missing"),
        (json!({ "input": [] }), "input", "empty"),
        (
            json!({ "input": "x", "previous_response_id": "resp_1" }),
            "previous_response_id",
            "send the conversation",
        ),
        (json!({ "input": [{ "type": "item_reference" }] }), "input[0].type", "reads messages"),
        (json!({ "input": "x", "background": true }), "background", "can't be true"),
        (json!({ "input": "x", "text": { "format": { "type": "yaml" } } }), "text.format", "json_schema"),
        (json!({ "input": "x", "colour": 1 }), "colour", "doesn't know"),
        (json!({ "input": "in ".repeat(20_000) }), "input", "maximum context length"),
    ];
    for (body, field, words) in cases {
        let response = server.post(PATH, &body).await;
        assert_eq!(response.status(), 400);
        let error = json_of(response).await["error"].clone();
        assert_eq!(error["param"], field, "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    server.end().await;
}

#[tokio::test]
async fn a_function_is_called_and_its_answer_read_back() {
    let server = serve_model(Tiny { template: tools_template(), ..Tiny::new("llama") }, None, 8, None).await;
    let tool = json!({ "type": "function", "name": "look", "parameters": {
        "type": "object", "properties": { "at": { "enum": ["red"] } }, "required": ["at"],
        "additionalProperties": false } });
    let mut body =
        json!({ "input": "q", "tools": [tool], "tool_choice": { "type": "function", "name": "look" } });
    body["stop"] = json!(["red"]);
    assert_eq!(respond(&server, &body).await["output"][0]["status"], "incomplete");
    body["stop"] = Value::Null;
    let whole = respond(&server, &body).await;
    let call = &whole["output"][0];
    assert_eq!(call["status"], "completed");
    assert_eq!((&call["type"], &call["name"]), (&json!("function_call"), &json!("look")));
    let fits = |arguments: &Value| {
        let arguments: Value = serde_json::from_str(arguments.as_str().unwrap()).unwrap();
        assert_eq!(arguments, json!({ "at": "red" }));
    };
    fits(&call["arguments"]);
    body["stream"] = json!(true);
    let events = events(&server, &body).await;
    let done = events.iter().find(|event| event["type"] == "response.function_call_arguments.done").unwrap();
    fits(&done["arguments"]);
    let deltas = events.iter().filter(|event| event["type"] == "response.function_call_arguments.delta");
    let deltas: String = deltas.map(|event| event["delta"].as_str().unwrap()).collect();
    assert_eq!(done["arguments"], deltas);
    let history = json!([
        { "role": "user", "content": "q" },
        call,
        { "type": "function_call_output", "call_id": call["call_id"], "output": "seen" },
    ]);
    let body = json!({ "input": history, "tools": [tool], "max_output_tokens": 2 });
    assert!(
        respond(&server, &body).await["usage"]["input_tokens"].as_u64()
            > whole["usage"]["input_tokens"].as_u64()
    );
    server.end().await;
}

#[tokio::test]
async fn what_is_wrong_is_named_as_this_api_names_it() {
    let server = serve_model(Tiny { template: tools_template(), ..Tiny::new("llama") }, None, 8, None).await;
    let tool = |more: Value| {
        let mut tool = json!({ "type": "function", "name": "look" });
        tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "input": "q", "tools": [tool] })
    };
    let said = |role: &str| json!({ "role": role, "content": "q" });
    let call =
        |id: &str| json!({ "type": "function_call", "call_id": id, "name": "look", "arguments": "{}" });
    let result = |id: &str| json!({ "type": "function_call_output", "call_id": id, "output": "x" });
    let format = json!({ "format": { "type": "json_object" } });
    let cases = [
        (json!({ "input": "q", "tools": [{ "type": "function" }] }), "tools[0].name", "missing"),
        (tool(json!({ "name": "a b" })), "tools[0].name", "letters"),
        (tool(json!({ "strict": "yes" })), "tools[0].strict", "true or false"),
        (tool(json!({ "parameters": [] })), "tools[0].parameters", "an object"),
        (tool(json!({ "colour": 1 })), "tools[0].colour", "doesn't know"),
        (
            json!({ "input": "q", "tools": [tool(json!({}))["tools"][0]], "tool_choice": { "type": "function" } }),
            "tool_choice.name",
            "missing",
        ),
        (json!({ "input": [said("user"), call("a"), said("user")] }), "input[1]", "no result"),
        (
            json!({ "input": [said("user"), call("a"), call("b"), result("a"), said("user")] }),
            "input[2]",
            "no result",
        ),
        (json!({ "input": "q", "text": format, "guided_regex": "a" }), "text.format", "both"),
        (json!({ "input": "q", "store": "no" }), "store", "true or false"),
        (json!({ "input": "q", "max_tool_calls": [] }), "max_tool_calls", "a whole number"),
        (
            json!({ "input": "q", "stream_options": { "include_obfuscation": 1 } }),
            "stream_options.include_obfuscation",
            "true or false",
        ),
    ];
    for (body, field, words) in cases {
        let response = server.post(PATH, &body).await;
        assert_eq!(response.status(), 400, "{body}");
        let error = json_of(response).await["error"].clone();
        assert_eq!(error["param"], field, "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    server.end().await;
}
