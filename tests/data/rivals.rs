//! Columns that say something else than those that are read are refused by name, and those that repeat it are not.

use serde_json::{Value, json};

use super::beside::{record, refusal};
use super::world::{assistant, system, user};

fn with(row: &Value, column: &str, value: Value) -> Value {
    let mut row = row.clone();
    row[column] = value;
    row
}

fn chat() -> Value {
    json!({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes"}]})
}

#[test]
fn columns_beside_a_conversation_are_kept_or_refused() {
    for (column, part) in [
        ("prompt", "prompt"),
        ("instruction", "prompt"),
        ("Question", "prompt"),
        ("input", "input"),
        ("context", "input"),
        ("completion", "completion"),
        ("response", "completion"),
    ] {
        let told = refusal(&with(&chat(), column, json!("Speak French")));
        let start = format!("column {column:?} says something that the conversation beside it doesn't");
        assert!(told.starts_with(&start) && told.ends_with(&format!("--map {part}=")), "{told}");
        for there in
            [json!("hi"), json!(" yes\n"), json!([{"role": "user", "content": "hi"}]), json!(""), json!(7)]
        {
            assert_eq!(record(&with(&chat(), column, there)).messages, [user("hi"), assistant("yes")]);
        }
    }
    for column in ["solution", "answer", "source", "reference_answer"] {
        assert_eq!(record(&with(&chat(), column, json!("42"))).messages.len(), 2);
    }
    let spoken = record(&with(&chat(), "system_message", json!("French")));
    assert_eq!(spoken.messages, [system("French"), user("hi"), assistant("yes")]);
    let earlier = record(&with(&chat(), "history", json!([["a", "b"]])));
    assert_eq!(earlier.messages, [user("a"), assistant("b"), user("hi"), assistant("yes")]);
    assert_eq!(record(&with(&chat(), "history", json!([["hi", "yes"]]))).messages.len(), 2);
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {}}}]);
    for column in ["available_tools", "tool_definitions"] {
        assert_eq!(json!(record(&with(&chat(), column, tools.clone())).tools), tools);
    }
}

#[test]
fn a_second_conversation_is_the_same_or_refuses_the_row() {
    let other = |said: &str| json!([{"from": "human", "value": "hi"}, {"from": "gpt", "value": said}]);
    assert_eq!(record(&with(&chat(), "conversations", other("yes"))).messages.len(), 2);
    assert_eq!(
        refusal(&with(&chat(), "conversations", other("no"))),
        "columns \"messages\" and \"conversations\" may both be the messages and say different things; say which is it \
         with --map messages=messages"
    );
}

#[test]
fn two_columns_for_one_part_agree_or_refuse_the_row() {
    let row = |first: &str, second: &str, said: &str| {
        let mut row = json!({"instruction": "I", "output": "yes"});
        if first == "prompt" || first == "question" {
            row = json!({"answer": "yes"});
        }
        with(&with(&row, first, json!("one")), second, json!(said))
    };
    for (first, second, part) in [
        ("instruction", "question", "prompt"),
        ("prompt", "question", "prompt"),
        ("input", "context", "input"),
        ("system", "system_prompt", "system"),
    ] {
        let told = refusal(&row(first, second, "two"));
        let start =
            format!("columns {first:?} and {second:?} may both be the {part} and say different things");
        assert!(told.starts_with(&start) && told.ends_with(&format!("--map {part}={first}")), "{told}");
        record(&row(first, second, "one"));
        record(&row(first, second, ""));
    }
    let answers = json!({"question": "hi", "answer": "yes", "response": "different"});
    assert!(refusal(&answers).starts_with("columns \"response\" and \"answer\" may both be the completion"));
    let solved = json!({"question": "hi", "solution": "long", "answer": "42"});
    assert_eq!(record(&solved).messages, [user("hi"), assistant("long")]);
}

#[test]
fn a_text_that_is_learnt_as_it_stands_has_no_system_prompt_or_thought_beside_it() {
    for (column, part) in [("system", "system"), ("reasoning", "thought"), ("cot", "thought")] {
        let told = refusal(&json!({"text": "whole", column: "other"}));
        let start = format!("column {column:?} has no place in a text that is learnt as it stands");
        assert!(told.starts_with(&start) && told.ends_with(&format!("--map {part}=")), "{told}");
        assert_eq!(record(&json!({"text": "whole", column: "whole"})).text.as_deref(), Some("whole"));
    }
}

#[test]
fn texts_in_a_conversation_are_spoken_by_turns() {
    let said = [user("hi"), assistant("yes"), user("ho"), assistant("no")];
    for turns in [2, 4] {
        let texts: Vec<&str> = said.iter().take(turns).map(|turn| turn.content.as_str()).collect();
        let row = json!({"conversations": texts, "source": "stackexchange"});
        assert_eq!(record(&row).messages, said[..turns]);
    }
    let translated = json!({"source": "hi", "target": "hallo"});
    assert_eq!(record(&translated).messages, [user("hi"), assistant("hallo")]);
    let unread = refusal(&json!({"chat": "USER: hi", "source": "stackexchange"}));
    assert!(unread.starts_with("column \"chat\" holds a text, which is no messages"), "{unread}");
}

#[test]
fn weights_and_masks_of_turns_count_under_any_name() {
    let row = |key: &str, value: Value| json!({"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yes", key: value}]});
    assert!(!record(&row("Weight", json!(0))).messages[1].is_learnt());
    assert_eq!(record(&row("Thinking", json!("So."))).messages[1].thought(), Some("So."));
    for key in ["masked", "is_masked", "ignore", "no_loss"] {
        assert!(!record(&row(key, json!(true))).messages[1].is_learnt(), "{key}");
    }
    for key in ["mask", "Train_Mask", "train_detail"] {
        let told = refusal(&row(key, json!([1, 0])));
        assert!(told.contains("can only be learnt as a whole or not at all"), "{told}");
    }
}
