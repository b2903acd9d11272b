//! What is said to the chat template beside the conversation, and what of it is refused.

use serde_json::{Value, json};

use super::{Server, json_of, question, serve, serve_model};
use crate::support::tiny::{Tiny, chat_template};

const CHAT: &str = "/v1/chat/completions";
const RESPONSES: &str = "/v1/responses";

/// A model whose template refuses every question, and says with what of these settings.
async fn telling(names: &[&str]) -> Server {
    use std::fmt::Write;
    let mut template = String::new();
    for name in names {
        write!(
            template,
            "{{% if {name} is defined %}}{{{{ raise_exception('{name} ' ~ {name}) }}}}{{% endif %}}"
        )
        .unwrap();
    }
    let template: &'static str = Box::leak((template + chat_template()).into_boxed_str());
    serve_model(Tiny { template, ..Tiny::new("llama") }, None, 8, None).await
}

#[tokio::test]
async fn how_much_is_to_be_thought_reaches_the_template_by_the_name_that_it_reads() {
    let words = ["none", "minimal", "low", "medium", "high", "xhigh"];
    let reads_words = telling(&["reasoning_effort", "enable_thinking"]).await;
    let reads_yes_or_no = telling(&["enable_thinking"]).await;
    for word in words {
        for (path, body) in [
            (CHAT, question(json!({ "reasoning_effort": word }))),
            (RESPONSES, json!({ "input": "the", "reasoning": { "effort": word } })),
        ] {
            let (status, message) = reads_words.refusal(path, body.clone()).await;
            assert!(status == 400 && message.contains(&format!("reasoning_effort {word}")), "{message}");
            let (status, message) = reads_yes_or_no.refusal(path, body).await;
            let told = format!("enable_thinking {}", if word == "none" { "False" } else { "True" });
            assert!(status == 400 && message.contains(&told), "{message}");
        }
    }
    // What the template is told by its own name holds.
    let both = json!({ "reasoning_effort": "low", "chat_template_kwargs": { "reasoning_effort": "much" } });
    assert!(reads_words.refusal(CHAT, question(both)).await.1.contains("reasoning_effort much"));
    reads_words.end().await;
    reads_yes_or_no.end().await;
}

#[tokio::test]
async fn an_effort_that_the_template_has_no_use_for_is_said_in_the_answer() {
    let server = serve(None, 8).await;
    let plain = server.post(CHAT, &question(json!({}))).await;
    assert!(!plain.headers().contains_key("x-dojo-unused"));
    for stream in [false, true] {
        let body = question(json!({ "reasoning_effort": "low", "stream": stream }));
        let answer = server.post(CHAT, &body).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-dojo-unused"]),
            (200, &"reasoning_effort".parse().unwrap())
        );
        let body = json!({ "input": "the", "reasoning": { "effort": "low" }, "stream": stream, "max_output_tokens": 2 });
        let answer = server.post(RESPONSES, &body).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["x-dojo-unused"]),
            (200, &"reasoning.effort".parse().unwrap())
        );
    }
    for (path, field, body) in [
        (CHAT, "reasoning_effort", question(json!({ "reasoning_effort": "much" }))),
        (RESPONSES, "reasoning.effort", json!({ "input": "the", "reasoning": { "effort": "much" } })),
    ] {
        let response = server.post(path, &body).await;
        assert_eq!(response.status(), 400);
        let error = json_of(response).await["error"].clone();
        let words = "Invalid value: 'much'. Supported values are: 'none', 'minimal', 'low', 'medium', 'high', and \
                     'xhigh'.";
        assert_eq!((&error["message"], &error["param"]), (&json!(words), &json!(field)));
    }
    server.end().await;
}

#[tokio::test]
async fn settings_that_the_server_says_itself_or_that_nobody_reads_are_refused_by_name() {
    let server = serve(None, 8).await;
    let names = [
        "messages",
        "tools",
        "add_generation_prompt",
        "bos_token",
        "eos_token",
        "pad_token",
        "raise_exception",
        "colour",
    ];
    for name in names {
        for value in [json!([]), json!(true), json!(null), json!("x")] {
            let is_nothing = [json!([]), json!(null)].contains(&value);
            let body = question(json!({ "chat_template_kwargs": { name: value } }));
            let response = server.post(CHAT, &body).await;
            if name == "colour" && is_nothing {
                assert_eq!(response.status(), 200);
                continue;
            }
            assert_eq!(response.status(), 400, "{name}");
            let error = json_of(response).await["error"].clone();
            let place = format!("chat_template_kwargs.{name}");
            assert_eq!(error["param"], Value::from(place.as_str()));
            let message = error["message"].as_str().unwrap();
            assert!(message.starts_with(&place) && !message.contains("--map"), "{message}");
        }
    }
    server.end().await;
}

#[tokio::test]
async fn the_widest_values_of_openai_are_taken() {
    let server = serve(None, 8).await;
    let greedy = server.chat(question(json!({ "temperature": 0 }))).await;
    for more in [json!({ "top_p": 0 }), json!({ "top_p": 0, "temperature": 2, "seed": 3 })] {
        // Nothing but the likeliest token is left.
        let answer = server.chat(question(more)).await;
        assert_eq!(answer["choices"][0]["message"], greedy["choices"][0]["message"]);
    }
    let many = server.chat(question(json!({ "n": 128, "max_tokens": 1 }))).await;
    assert_eq!(many["choices"].as_array().unwrap().len(), 128);
    for more in [json!({ "top_p": -0.1 }), json!({ "top_p": 1.1 })] {
        let (status, message) = server.refusal(CHAT, question(more)).await;
        assert!(status == 400 && message.ends_with("and must be from 0 to 1"), "{message}");
    }
    server.end().await;
}
