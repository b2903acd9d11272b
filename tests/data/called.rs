//! Calls and results of tools, in the forms that datasets of calls have them in.

use dojo_studio::domain::message::{Message, Role};
use serde_json::{Value, json};

use super::beside::{record, refusal};
use super::world::user;

fn row(answers: &Value) -> Value {
    let tool = json!({"name": "weather", "description": "d", "parameters": {"city": {"type": "str"}}});
    json!({"id": 1, "query": "q", "answers": answers, "tools": json!([tool]).to_string()})
}

#[test]
fn an_answer_that_is_a_list_of_calls_becomes_calls_beside_tools() {
    let calls = json!([{"name": "weather", "arguments": {"city": "Paris"}},
        {"name": "weather", "arguments": {"city": "Rome"}}]);
    for answers in [json!(calls.to_string()), calls] {
        let read = record(&row(&answers));
        assert_eq!(read.messages[0], user("q"));
        let told: Vec<String> =
            read.messages[1].tool_calls().iter().map(dojo_studio::domain::message::call_text).collect();
        assert_eq!(told, ["weather({\"city\":\"Paris\"})", "weather({\"city\":\"Rome\"})"]);
        assert!(read.messages[1].is_null());
    }
    let one = json!({"name": "weather", "arguments": {}}).to_string();
    assert_eq!(record(&row(&json!(one))).messages[1].tool_calls().len(), 1);
}

#[test]
fn calls_of_nothing_that_is_there_are_refused_and_texts_stay_texts() {
    let other = json!([{"name": "time", "arguments": {}}]).to_string();
    assert_eq!(
        refusal(&row(&json!(other))),
        "column \"answers\" calls \"time\", which is none of the tools beside it (weather)"
    );
    assert_eq!(refusal(&row(&json!("[]"))), "column \"answers\" is a list of calls, and there is none in it");
    assert_eq!(record(&row(&json!("It rains."))).messages[1].content, "It rains.");
    let alone = json!({"query": "q", "answers": other});
    assert_eq!(record(&alone).messages[1].content, other);
}

#[test]
fn the_tags_around_a_tools_result_are_the_templates() {
    let chat = |said: &str| {
        record(&json!({"conversations": [{"from": "human", "value": "q"},
            {"from": "gpt", "value": "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>"},
            {"from": "tool", "value": said}, {"from": "gpt", "value": "a"}]}))
        .messages
    };
    let tool = |text: &str| Message::new(Role::Tool, text);
    assert_eq!(chat("<tool_response>\n{\"x\": 1}\n</tool_response>\n")[2], tool("{\"x\": 1}"));
    let two = chat("<tool_response>\n1\n</tool_response>\n<tool_response>\n2\n</tool_response>");
    assert_eq!(two[2..4], [tool("1"), tool("2")]);
    for plain in ["{\"x\": 1}", "see <tool_response>1</tool_response>", "<tool_response>1"] {
        assert_eq!(chat(plain)[2], tool(plain));
    }
}
