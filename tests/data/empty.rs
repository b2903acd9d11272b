//! Answers that say nothing are no records: a model would learn to end at once.

use dojo_studio::data::encode::Encoder;
use serde_json::{Value, json};

use super::beside::{record, refusal};
use super::forms::imported;
use super::world::{assistant, byte_tokenizer, chatml, record as of, user};

fn turns(answer: &str) -> Value {
    json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": answer}])
}

/// The row with something in each of its blank columns.
fn whole(row: &Value) -> Value {
    let mut row = row.clone();
    for value in row.as_object_mut().unwrap().values_mut() {
        if value.as_str().is_some_and(|text| text.trim().is_empty()) {
            *value = json!("more");
        }
    }
    row
}

#[test]
fn an_empty_answer_is_refused_with_its_column() {
    for blank in ["", " ", "\n\t "] {
        for (row, column) in [
            (json!({"prompt": "q", "completion": blank}), "completion"),
            (json!({"instruction": "q", "input": "x", "output": blank}), "output"),
            (json!({"question": "q", "answer": blank, "reasoning": "because"}), "answer"),
            (json!({"prompt": "q", "chosen": blank, "rejected": "no"}), "chosen"),
            (json!({"text": blank, "id": 7}), "text"),
        ] {
            let (records, bad) = imported(&[row.clone(), whole(&row)]);
            assert_eq!(bad, [(1, format!("column {column:?} is empty"))], "{row}");
            assert_eq!(records.len(), 1);
        }
    }
}

#[test]
fn an_empty_turn_of_the_assistant_is_refused_with_its_number() {
    let told = "turn 2 (the assistant's) is empty, so a model would learn to end at once";
    let mut more = turns(" ").as_array().unwrap().clone();
    more.extend(turns("a").as_array().unwrap().clone());
    let thought = json!([{"role": "user", "content": "q"},
        {"role": "assistant", "content": "", "reasoning_content": "because"}]);
    for row in [
        json!({"messages": turns("")}),
        json!({"messages": more}),
        json!({"messages": thought}),
        json!({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "\n"}]}),
        json!({"prompt": [{"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": ""}]}),
    ] {
        assert_eq!(refusal(&row), told, "{row}");
    }
}

#[test]
fn what_is_not_learnt_and_what_calls_a_tool_may_have_no_text() {
    let call = json!({"type": "function", "function": {"name": "f", "arguments": {}}});
    let called =
        json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "tool_calls": [call]}]);
    assert_eq!(record(&json!({"messages": called})).messages.len(), 2);
    let unlearnt = json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "", "weight": 0},
        {"role": "user", "content": "r"}, {"role": "assistant", "content": "a"}]);
    assert_eq!(record(&json!({"messages": unlearnt})).messages.len(), 4);
    let asked = json!({"prompt": turns(""), "completion": "a"});
    assert_eq!(record(&asked).messages.len(), 3);
    let rejected = json!({"prompt": "q", "chosen": "a", "rejected": ""});
    let (records, bad) = imported(&[json!({"prompt": "q", "chosen": "a", "rejected": "b"}), rejected]);
    assert_eq!((records.len(), bad.len()), (2, 0));
}

#[test]
fn an_empty_answer_of_a_session_is_not_trained_on() {
    let (tokenizer, template) = (byte_tokenizer(), chatml());
    let encoder = Encoder::new(&tokenizer, Some(&template), None, 512).expect("an encoder");
    let told = format!("{:#}", encoder.encode(&of(&[user("q"), assistant(" ")])).expect_err("refused"));
    assert!(
        told.contains("turn 2 (the assistant's) is empty, so a model would learn to end at once"),
        "{told}"
    );
}
