//! Refusals speak of the request, in words of our own: none shows what a library calls things.

use serde_json::{Value, json};

use super::{json_of, question, serve};

const CHAT: &str = "/v1/chat/completions";

/// What only people who know the libraries understand.
const INNER: [&str; 14] = [
    "EOF",
    "f64",
    "Some(",
    "::",
    "struct",
    "lexer",
    "expected ident",
    "Unimplemented",
    "Unsatisfiable",
    "retriever",
    "recursion limit",
    "token \"string",
    "regex parse",
    "≺",
];

#[tokio::test]
async fn constraints_are_refused_in_plain_words() {
    let server = serve(None, 8).await;
    let schemas = [
        (json!({ "type": "strin" }), "there is no type of the name strin"),
        (json!({ "minimum": "a" }), "minimum must be a number, and is \"a\""),
        (json!({ "required": "a" }), "required must be a list, and is \"a\""),
        (json!({ "required": [5] }), "an item of required must be a text, and is 5"),
        (json!({ "minItems": -1, "type": "array" }), "minItems must be a whole number from 0, and is -1"),
        (json!({ "enum": [] }), "no text fits it: anyOf is empty"),
        (json!({ "not": { "type": "string" } }), "can't keep to its [\"not\"]"),
        (json!({ "type": "string", "format": "nope" }), "no format of the name nope"),
        (json!({ "$ref": "#/$defs/x" }), "its $ref leads to /$defs/x, where nothing is"),
        (json!({ "$ref": "http://example.org/x" }), "it refers to \"http://example.org/x\""),
        (
            json!({ "oneOf": [{ "type": "string" }, { "type": "string", "maxLength": 3 }] }),
            "oneOf is known only if",
        ),
        (json!({ "x-guidance": { "foo": 1 } }), "x-guidance holds a setting"),
        (json!({ "x-guidance": 5 }), "x-guidance must hold settings"),
        (json!({ "minimum": 1e308, "type": "integer" }), "its bounds of numbers are too large"),
        (json!({ "$id": "http://a b" }), "is no address"),
        (json!({ "pattern": "(" }), "unclosed group"),
        (json!({ "type": "string", "nullable": true }), "can't keep to its [\"nullable\"]"),
        (json!({ "properties": { "a": { "type": "integer", "divisibleBy": 2 } } }), "[\"divisibleBy\"]"),
        (json!({ "items": { "type": "string", "min_length": 3 }, "type": "array" }), "is minLength meant?"),
        (json!({ "anyOf": [{ "type": "number", "maximun": 3 }] }), "is maximum meant?"),
    ];
    let grammars = [
        ("", "no rule that is called start"),
        ("x", "line 1, column 2: ':' is missing there"),
        ("start: x", "line 1, column 8: nothing has the name \"x\""),
        ("start: \"a", "line 1, column 10: a sign stands there that belongs nowhere"),
        ("start: \"a\"{3,1}", "a range ends before its beginning"),
        ("start: %json {\"type\":5}", "a JSON schema in it can't be used: type must be a string"),
        ("start: %json {", "what follows %json isn't valid JSON"),
        ("start: <foo>", "\"<foo>\" is no special token of this model"),
        ("%import common.FOO\nstart: FOO", "there is no common.FOO to import"),
        ("start: \"a\" \"b\"\nstart: \"c\"", "there are two rules of the name \"start\""),
        ("start: A\nA: A \"x\"", "the token \"A\" refers to itself"),
        ("start: %regex {\"foo\":1}", "%regex holds a setting that isn't known"),
        ("start: a::b", "an expression stands there that belongs nowhere"),
        ("start: /\\b/", "can't stand within an expression"),
        ("start[temperature=0.5]: \"a\"", "doesn't obey the setting temperature"),
        ("start: x\nx[max_tokens=3, temperature = 2]: /a+/", "doesn't obey the setting temperature"),
    ];
    let schemas = schemas.into_iter().map(|(schema, words)| ("guided_json", schema, words));
    let grammars = grammars.into_iter().map(|(text, words)| ("guided_grammar", json!(text), words));
    for (field, value, words) in schemas.chain(grammars) {
        let response = server.post(CHAT, &question(json!({ field: value }))).await;
        let status = response.status().as_u16();
        let error = json_of(response).await["error"].clone();
        let message = error["message"].as_str().unwrap_or_default();
        assert!(status == 400 && message.contains(words), "{value}: {message}");
        assert_eq!(error["param"], field);
        for inner in INNER {
            assert!(!message.contains(inner), "{value}: {message}");
        }
    }
    server.end().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_with_the_place() {
    let server = serve(None, 8).await;
    let cases = [
        ("", "the request has no body: send a JSON object"),
        ("{", "the request isn't valid JSON: it ends at line 1, column 1 before it is whole"),
        ("{\"a\": 1,\n}", "the request isn't valid JSON: look at line 2, column 1"),
        ("{\"a\" 1}", "the request isn't valid JSON: look at line 1, column 6"),
        ("nope", "the request isn't valid JSON: look at line 1, column 2"),
        ("{\"temperature\": 1e999}", "holds a number that is too large at line 1, column 21"),
        ("{\"a\": \"\\ud800\"}", "the request isn't valid JSON: look at line 1, column 14"),
    ];
    let deep = "[".repeat(200);
    for (body, words) in
        cases.into_iter().chain([(deep.as_str(), "is nested too deeply at line 1, column 128")])
    {
        let request = server.client.post(format!("{}{CHAT}", server.url)).body(body.to_owned());
        let response = request.header("content-type", "application/json").send().await.unwrap();
        assert_eq!(response.status(), 400, "{body}");
        let message: Value = json_of(response).await["error"]["message"].take();
        assert!(message.as_str().unwrap().contains(words), "{body}: {message}");
    }
    server.end().await;
}

#[tokio::test]
async fn what_only_describes_a_schema_passes() {
    let server = serve(None, 8).await;
    let schema = json!({
        "type": "object", "title": "A", "description": "d", "x-order": 1, "deprecated": false, "example": {"a": "b"},
        "properties": { "a": { "enum": ["b"], "nullable": false, "options": { "hidden": true } },
                        "divisibleBy": { "enum": ["c"] } },
        "required": ["a", "divisibleBy"], "additionalProperties": false,
    });
    let grammar = "start: \"[temperature=1]\" // [temperature=2]";
    for (field, value) in [("guided_json", schema), ("guided_grammar", json!(grammar))] {
        let response = server.post(CHAT, &question(json!({ field: value }))).await;
        assert_eq!(response.status(), 200, "{:?}", json_of(response).await);
    }
    server.end().await;
}
