//! OpenAI's forms, field by field.

use serde_json::{Value, json};

use super::{Server, content, json_of, question, serve, streamed};

const CHAT: &str = "/v1/chat/completions";
const PLAIN: &str = "/v1/completions";

async fn plain(server: &Server, body: Value) -> Value {
    let response = server.post(PLAIN, &body).await;
    let status = response.status();
    let answer = json_of(response).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn error(server: &Server, path: &str, body: Value) -> Value {
    let response = server.post(path, &body).await;
    assert_eq!(response.status(), 400);
    json_of(response).await["error"].clone()
}

#[tokio::test]
async fn null_is_as_absent() {
    let server = serve(None, 8).await;
    let fields = [
        "stream",
        "logprobs",
        "top_logprobs",
        "stream_options",
        "n",
        "stop",
        "seed",
        "temperature",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "logit_bias",
        "response_format",
        "max_completion_tokens",
        "user",
        "metadata",
        "store",
        "service_tier",
        "modalities",
        "reasoning_effort",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "functions",
        "audio",
        "prediction",
        "something_new",
    ];
    let expected = server.chat(question(json!({ "temperature": 0 }))).await;
    for field in fields {
        let mut body = question(json!({ "temperature": 0 }));
        body[field] = Value::Null;
        if field == "temperature" {
            server.chat(body).await;
            continue;
        }
        assert_eq!(server.chat(body).await["choices"], expected["choices"], "{field}");
    }
    for field in ["echo", "suffix", "best_of", "logprobs", "stream", "max_tokens", "n", "logit_bias"] {
        let mut body = json!({ "prompt": "the ", "max_tokens": 2 });
        body[field] = Value::Null;
        plain(&server, body).await;
    }
    let body = question(json!({ "stream": true, "stream_options": { "include_usage": null } }));
    assert_eq!(server.post(CHAT, &body).await.status(), 200);
    server.end().await;
}

#[tokio::test]
async fn what_is_wrong_is_named_with_its_field() {
    let server = serve(None, 8).await;
    let user = json!([{ "role": "user", "content": "x" }]);
    let chat = [
        (json!({}), "messages", "messages is missing"),
        (json!({ "messages": [] }), "messages", "messages is empty"),
        (json!({ "messages": {} }), "messages", "must be a list, and is an object"),
        (json!({ "messages": [5] }), "messages[0]", "must be an object, and is 5"),
        (json!({ "messages": [{ "role": "user" }] }), "messages[0].content", "is missing"),
        (
            json!({ "messages": [{ "role": "user", "content": 5 }] }),
            "messages[0].content",
            "a text or a list",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": [{ "type": "image_url", "image_url": {} }] }] }),
            "messages[0].content[0].type",
            "reads text only",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": "x", "colour": "red" }] }),
            "messages[0].colour",
            "doesn't know the field messages[0].colour",
        ),
        (json!({ "messages": user, "temperature": "hot" }), "temperature", "a number, and is \"hot\""),
        (json!({ "messages": user, "temperature": -1 }), "temperature", "from 0 to"),
        (json!({ "messages": user, "stream": "yes" }), "stream", "true or false"),
        (json!({ "messages": user, "n": 2.5 }), "n", "a whole number from 0"),
        (json!({ "messages": user, "n": 1000 }), "n", "from 1 to 128"),
        (json!({ "messages": user, "stop": [5] }), "stop", "a text or a list of texts"),
        (json!({ "messages": user, "max_tokens": -2 }), "max_tokens", "-1 for all that fits"),
        (json!({ "messages": user, "max_tokens": 0 }), "max_tokens", "at least 1"),
        (json!({ "messages": user, "top_logprobs": 2 }), "top_logprobs", "only if logprobs is true"),
        (json!({ "messages": user, "logprobs": true, "top_logprobs": 21 }), "top_logprobs", "20 at most"),
        (json!({ "messages": user, "logit_bias": { "999999": 1 } }), "logit_bias", "isn't a token id"),
        (json!({ "messages": user, "logit_bias": { "3": "x" } }), "logit_bias.3", "must be a number"),
        (json!({ "messages": user, "modalities": ["audio"] }), "modalities", "can't be"),
        (json!({ "messages": user, "web_search_options": {} }), "web_search_options", "doesn't know"),
        (json!({ "messages": user, "guided_regex": "a", "guided_choice": ["a"] }), "guided_choice", "both"),
        (json!({ "messages": user, "guided_regex": "(" }), "guided_regex", "regular expression"),
        (
            json!({ "messages": user, "response_format": { "type": "json_schema" } }),
            "response_format.json_schema",
            "missing",
        ),
        (json!({ "messages": user, "reasoning_effort": "much" }), "reasoning_effort", "Supported values are"),
    ];
    for (body, field, words) in chat {
        let error = error(&server, CHAT, body).await;
        assert_eq!(error["param"], field, "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
        assert_eq!(error["type"], "invalid_request_error");
    }
    let completions = [
        (json!({}), "prompt", "missing"),
        (json!({ "prompt": 5 }), "prompt", "a list of token ids"),
        (json!({ "prompt": [] }), "prompt", "0 prompts"),
        (json!({ "prompt": ["a", [5]] }), "prompt", "a list of token ids"),
        (json!({ "prompt": [999_999] }), "prompt", "999999"),
        (json!({ "prompt": "a", "suffix": "b" }), "suffix", "can't be"),
        (json!({ "prompt": "a", "best_of": 3 }), "best_of", "can't be 3"),
        (json!({ "prompt": "a", "logprobs": true }), "logprobs", "a whole number"),
    ];
    for (body, field, words) in completions {
        let error = error(&server, PLAIN, body).await;
        assert_eq!(error["param"], field, "{error}");
        assert!(error["message"].as_str().unwrap().contains(words), "{error}");
    }
    let request = server.client.post(format!("{}{CHAT}", server.url)).body("{\"messages\": [");
    let response = request.header("content-type", "application/json").send().await.unwrap();
    assert_eq!(response.status(), 400);
    server.end().await;
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_told_in_the_words_that_clients_know() {
    let server = serve(None, 8).await;
    let long = "in ".repeat(20_000);
    let chat = error(&server, CHAT, json!({ "messages": [{ "role": "user", "content": long }] })).await;
    assert_eq!((&chat["code"], &chat["param"]), (&json!("context_length_exceeded"), &json!("messages")));
    assert!(
        chat["message"].as_str().unwrap().starts_with("This model's maximum context length is 16384 tokens.")
    );
    let plain = error(&server, PLAIN, json!({ "prompt": long })).await;
    assert_eq!((&plain["code"], &plain["param"]), (&json!("context_length_exceeded"), &json!("prompt")));
    // As many as it takes.
    let body = json!({ "prompt": "in", "max_tokens": -1, "guided_choice": ["the other"] });
    let answer = json_of(server.post(PLAIN, &body).await).await;
    assert_eq!(answer["choices"][0]["text"], "the other");
    server.end().await;
}

#[tokio::test]
async fn several_prompts_are_answered_in_their_order_as_each_alone() {
    let server = serve(None, 16).await;
    let prompts = ["the other", "a", "in the end"];
    let ask = |prompt: Value| json!({ "prompt": prompt, "max_tokens": 6, "temperature": 0, "n": 2 });
    let together = plain(&server, ask(json!(prompts))).await;
    let choices = together["choices"].as_array().unwrap();
    assert_eq!(choices.len(), 6);
    let mut tokens = 0;
    for (number, prompt) in prompts.iter().enumerate() {
        let alone = plain(&server, ask(json!(prompt))).await;
        tokens += alone["usage"]["prompt_tokens"].as_u64().unwrap();
        for choice in 0..2 {
            let own = &choices[number * 2 + choice];
            assert_eq!(own["index"], number * 2 + choice);
            assert_eq!(own["text"], alone["choices"][choice]["text"]);
        }
    }
    assert_eq!(together["usage"]["prompt_tokens"], tokens);
    let mut body = ask(json!(prompts));
    body["stream"] = json!(true);
    let mut texts = vec![String::new(); 6];
    for chunk in streamed(server.post(PLAIN, &body).await).await {
        let choice = &chunk["choices"][0];
        texts[choice["index"].as_u64().unwrap() as usize].push_str(choice["text"].as_str().unwrap());
    }
    for (text, choice) in texts.iter().zip(choices) {
        assert_eq!(text, choice["text"].as_str().unwrap());
    }
    server.end().await;
}

/// Tokens, offsets and values of an answer's log-probabilities, which must be as many as each other.
fn scored(choice: &Value) -> (Vec<String>, Vec<u64>, Vec<Value>) {
    let own = &choice["logprobs"];
    let list = |key: &str| own[key].as_array().unwrap().clone();
    let tokens: Vec<String> = list("tokens").iter().map(|token| token.as_str().unwrap().to_owned()).collect();
    let offsets: Vec<u64> = list("text_offset").iter().map(|offset| offset.as_u64().unwrap()).collect();
    assert_eq!((tokens.len(), tokens.len()), (offsets.len(), list("token_logprobs").len()));
    assert_eq!(list("top_logprobs").len(), tokens.len());
    (tokens, offsets, list("token_logprobs"))
}

#[tokio::test]
async fn a_prompt_is_given_back_with_its_log_probabilities() {
    let server = serve(None, 16).await;
    let text = "the other";
    let ask = |more: Value| {
        let mut body = json!({ "prompt": text, "echo": true, "logprobs": 2, "temperature": 0 });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let alone = plain(&server, ask(json!({ "max_tokens": 0 }))).await;
    let choice = &alone["choices"][0];
    assert_eq!(choice["text"], text);
    assert_eq!(alone["usage"]["completion_tokens"], 0);
    let (tokens, offsets, values) = scored(choice);
    assert!(values[0].is_null() && values[1..].iter().all(|value| value.as_f64().unwrap() <= 0.0));
    assert!(choice["logprobs"]["top_logprobs"][0].is_null());
    assert!(choice["logprobs"]["top_logprobs"][1].as_object().unwrap().len() >= 2);
    // Each token stands where it is said to stand.
    for (token, offset) in tokens.iter().zip(&offsets).skip(1) {
        let rest: String = text.chars().skip(*offset as usize).collect();
        assert!(rest.starts_with(token.trim_start()) || rest.starts_with(token), "{token:?} {rest:?}");
    }
    // The same prompt as token ids, with tokens after it, twice, whole and streamed.
    let longer = plain(&server, ask(json!({ "max_tokens": 3, "n": 2 }))).await;
    for choice in longer["choices"].as_array().unwrap() {
        let (more, _, numbers) = scored(choice);
        assert_eq!(more[..tokens.len()], tokens);
        assert_eq!(numbers[..values.len()], values);
        assert_eq!(more.len(), tokens.len() + 3);
        assert!(choice["text"].as_str().unwrap().starts_with(text));
    }
    let body = ask(json!({ "max_tokens": 3, "stream": true }));
    let chunks = streamed(server.post(PLAIN, &body).await).await;
    let (mut streamed_text, mut streamed_tokens) = (String::new(), Vec::new());
    for chunk in &chunks {
        let choice = &chunk["choices"][0];
        streamed_text.push_str(choice["text"].as_str().unwrap());
        if !choice["logprobs"].is_null() {
            streamed_tokens.extend(scored(choice).0);
        }
    }
    assert_eq!(streamed_text, longer["choices"][0]["text"].as_str().unwrap());
    assert_eq!(streamed_tokens, scored(&longer["choices"][0]).0);
    server.end().await;
}

#[tokio::test]
async fn a_token_stands_where_its_bytes_do_though_they_are_no_character() {
    let server = serve(None, 8).await;
    let ask = async |prompt: Value| {
        let body = json!({ "prompt": prompt, "echo": true, "logprobs": 1, "max_tokens": 0 });
        plain(&server, body).await["choices"][0].clone()
    };
    // The ids of a text, and those without the first byte of its first character.
    let tokenizer = crate::support::tiny::tokenizer();
    let whole = tokenizer.encode("日 the other", false).unwrap().get_ids().to_vec();
    for ids in [&whole[..], &whole[1..]] {
        let choice = ask(json!(ids)).await;
        let (tokens, offsets, values) = scored(&choice);
        assert!(values[0].is_null());
        let text = choice["text"].as_str().unwrap();
        for (token, offset) in tokens.iter().zip(&offsets).filter(|(token, _)| !token.starts_with("bytes:")) {
            let rest: String = text.chars().skip(*offset as usize).collect();
            assert!(rest.starts_with(token), "{token:?} {offset} {text:?}");
        }
    }
    server.end().await;
}

#[tokio::test]
async fn the_bytes_of_tokens_are_the_answers_own() {
    let server = serve(None, 8).await;
    let text = "日本 😀";
    let body =
        question(json!({ "guided_choice": [text], "max_tokens": 60, "logprobs": true, "top_logprobs": 5 }));
    let answer = server.chat(body.clone()).await;
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["content"], text);
    let bytes = |entries: &[Value]| -> Vec<u8> {
        let lists = entries.iter().flat_map(|entry| entry["bytes"].as_array().unwrap().clone());
        lists.map(|byte| byte.as_u64().unwrap() as u8).collect()
    };
    let entries = choice["logprobs"]["content"].as_array().unwrap();
    assert_eq!(bytes(entries), text.as_bytes());
    assert!(entries.iter().all(|entry| entry["top_logprobs"].as_array().unwrap().len() == 5));
    let mut body = body;
    body["stream"] = json!(true);
    let chunks = streamed(server.post(CHAT, &body).await).await;
    assert_eq!(content(&chunks), text);
    let streamed: Vec<Value> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["logprobs"]["content"].as_array().cloned())
        .flatten()
        .collect();
    assert_eq!(bytes(&streamed), text.as_bytes());
    // Where several likely tokens aren't whole characters, each keeps a name of its own.
    let body = json!({ "prompt": "日", "guided_choice": [text], "max_tokens": 60, "logprobs": 5 });
    let plain = plain(&server, body).await;
    for (place, top) in plain["choices"][0]["logprobs"]["top_logprobs"].as_array().unwrap().iter().enumerate()
    {
        let top = top.as_object().unwrap();
        assert!(top.len() >= 5, "{top:?}");
        let name = plain["choices"][0]["logprobs"]["tokens"][place].as_str().unwrap();
        assert_eq!(top[name], plain["choices"][0]["logprobs"]["token_logprobs"][place]);
    }
    server.end().await;
}

#[tokio::test]
async fn a_packed_body_is_refused_in_a_sentence() {
    let server = serve(None, 8).await;
    let ask = async |encoding: &str| {
        let request =
            server.client.post(format!("{}{CHAT}", server.url)).body(question(json!({})).to_string());
        let request = request.header("content-type", "application/json").header("content-encoding", encoding);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), json_of(response).await)
    };
    for encoding in ["gzip", "br", "identity, gzip", "unheard-of"] {
        let (status, refused) = ask(encoding).await;
        assert_eq!((status, &refused["error"]["code"]), (415, &json!("unsupported_content_encoding")));
    }
    assert_eq!(ask("identity").await.0, 200);
    server.end().await;
}
