//! The calls of tools, in every form that data has them in.

use dojo_studio::domain::record::Record;
use serde_json::{Value, json};

use super::beside::{record, refusal};

fn row(turn: &Value) -> Value {
    json!({"messages": [{"role": "user", "content": "q"}, turn]})
}

fn calling(calls: &Value) -> Value {
    row(&json!({"role": "assistant", "content": "", "tool_calls": calls}))
}

fn called(record: &Record) -> Vec<(&Value, &Value)> {
    let calls = record.messages[1].tool_calls().iter();
    calls
        .map(|call| call.get("function").unwrap_or(call))
        .map(|function| (&function["name"], &function["arguments"]))
        .collect()
}

#[test]
fn arguments_are_read_under_either_name_and_none_are_an_empty_object() {
    for (function, arguments) in [
        (json!({"name": "f", "parameters": {"a": 1}}), json!({"a": 1})),
        (json!({"name": "f", "arguments": {"a": 1}, "parameters": null}), json!({"a": 1})),
        (json!({"name": "f", "arguments": "{\"a\": 1}"}), json!("{\"a\": 1}")),
        (json!({"name": "f", "arguments": ""}), json!({})),
        (json!({"name": "f", "arguments": null}), json!({})),
        (json!({"name": "f"}), json!({})),
    ] {
        for calls in [json!([function]), json!([{"type": "function", "function": function}])] {
            assert_eq!(called(&record(&calling(&calls))), [(&json!("f"), &arguments)], "{calls}");
        }
        let spoken = json!({"conversations": [{"from": "human", "value": "q"},
            {"from": "function_call", "value": function.to_string()}]});
        assert_eq!(called(&record(&spoken)), [(&json!("f"), &arguments)], "{spoken}");
    }
}

#[test]
fn arguments_that_say_two_things_or_nothing_readable_refuse_the_row() {
    for (function, reason) in [
        (json!({"name": "f", "arguments": "{\"a\": "}), "calls \"f\" with \"arguments\" that are no JSON"),
        (
            json!({"name": "f", "arguments": {"a": 1}, "parameters": {"a": 2}}),
            "calls \"f\" with different \"arguments\" and \"parameters\"; keep one",
        ),
        (json!({"name": "f", "args": {"a": 1}}), "calls \"f\" without \"arguments\" and has \"args\""),
    ] {
        let told = refusal(&calling(&json!([function])));
        assert!(told.contains(reason), "{told}");
    }
}

#[test]
fn calls_in_the_newer_and_in_the_older_form_are_the_same_or_refuse_the_row() {
    let newer = r#""tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": {"a": 1}}}]"#;
    let turn = |first: &str, second: &str| {
        let turn = format!(r#"{{"role": "assistant", "content": "", {first}, {second}}}"#);
        row(&serde_json::from_str(&turn).expect("a turn"))
    };
    let older = |name: &str| format!(r#""function_call": {{"name": "{name}", "arguments": "{{\"a\":1}}"}}"#);
    for (first, second) in [(newer.to_owned(), older("g")), (older("g"), newer.to_owned())] {
        assert!(refusal(&turn(&first, &second)).contains("has different calls"));
    }
    for (first, second) in [(newer.to_owned(), older("f")), (older("f"), newer.to_owned())] {
        assert_eq!(record(&turn(&first, &second)).messages[1].tool_calls()[0]["id"], "c");
    }
    let empty = r#""function_call": {"name": "", "arguments": ""}"#;
    assert_eq!(called(&record(&turn(newer, empty))).len(), 1);
}

#[test]
fn a_turn_that_is_a_list_of_calls_makes_them_at_once() {
    let value = json!([{"name": "f", "arguments": {"a": 1}}, {"name": "g", "parameters": {}}]).to_string();
    let record = record(&json!({"conversations": [{"from": "human", "value": "q"},
        {"from": "function_call", "value": value}]}));
    assert_eq!(called(&record), [(&json!("f"), &json!({"a": 1})), (&json!("g"), &json!({}))]);
}

#[test]
fn one_call_needs_no_list() {
    let call = json!({"type": "function", "function": {"name": "f", "arguments": {"a": 1}}});
    for calls in [call.clone(), json!(call.to_string())] {
        assert_eq!(called(&record(&calling(&calls))), [(&json!("f"), &json!({"a": 1}))], "{calls}");
    }
}

#[test]
fn a_call_with_a_weight_a_mask_or_a_thought_of_its_own_refuses_the_row() {
    let whole = "and a turn can only be learnt as a whole or not at all; give the turn the weight 1 or 0";
    let thought = "and only a turn can have a thought; write it as the turn's \"reasoning_content\"";
    for (key, value, reason) in [
        ("weight", json!(0), whole),
        ("train", json!(false), whole),
        ("Weight", json!(0.5), whole),
        ("loss_mask", json!(0), whole),
        ("thought", json!("so"), thought),
        ("reasoning_content", json!("so"), thought),
        ("image", json!("x.png"), "and only text can be read"),
    ] {
        let function = json!({"name": "f", "arguments": {"a": 1}});
        let mut inner = function.clone();
        inner[key] = value.clone();
        let beside = json!([{"type": "function", "function": function, key: value}]);
        let inside = json!([{"type": "function", "function": inner}]);
        let older = row(&json!({"role": "assistant", "content": "", "function_call": inner}));
        let rows = [calling(&beside), calling(&inside), calling(&json!([inner])), older];
        for told in rows.iter().map(refusal) {
            assert!(told.ends_with(&format!("has a call with {key:?}, {reason}")), "{told}");
        }
    }
    for (key, value) in
        [("weight", json!(1)), ("train", json!(true)), ("thought", json!("")), ("loss_mask", json!(null))]
    {
        let call =
            json!([{"type": "function", "function": {"name": "f", "arguments": {"a": 1}}, key: value}]);
        assert_eq!(called(&record(&calling(&call))).len(), 1, "{key}");
    }
}
