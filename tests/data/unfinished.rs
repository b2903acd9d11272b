//! Marks on a single turn: whether it is learnt, by whatever name, and that it is no whole answer.

use dojo_studio::data::mapping::Mapping;
use serde_json::{Value, json};

/// Which of the answers are learnt, where the second has one more key.
fn learnt(key: &str, value: &Value) -> Result<Vec<bool>, String> {
    let mut second = json!({"role": "assistant", "content": "Two."});
    second[key] = value.clone();
    let turns = json!([
        {"role": "user", "content": "q"}, {"role": "assistant", "content": "One."},
        {"role": "user", "content": "r"}, second,
    ]);
    let row = json!({"messages": turns});
    let mut mapping = Mapping::default();
    mapping.set("messages=messages").expect("a mapping");
    let record = mapping.apply(row.as_object().expect("an object"))?;
    Ok([1, 3].map(|turn: usize| record.messages[turn].is_learnt()).to_vec())
}

#[test]
fn a_mark_by_another_name_that_says_no_takes_its_turn_out_of_the_loss() {
    for (key, value) in [
        ("is_target", json!(false)),
        ("isTarget", json!(false)),
        ("supervised", json!(0)),
        ("requires_grad", json!(false)),
        ("trained", json!(false)),
        ("context_only", json!(true)),
        ("is_context", json!(true)),
        ("frozen", json!(true)),
        ("metadata", json!({"weight": 0})),
        ("metadata", json!({"train": false, "id": 7})),
        ("meta", json!({"is_target": false})),
        ("metadata", json!({"is_target": 0})),
        ("metadata", json!({"train": 0})),
        ("metadata", json!({"train": "no"})),
    ] {
        assert_eq!(learnt(key, &value), Ok(vec![true, false]), "{key} {value}");
    }
}

#[test]
fn a_mark_that_says_yes_or_is_about_something_else_changes_nothing() {
    for (key, value) in [
        ("is_target", json!(true)),
        ("context_only", json!(false)),
        ("metadata", json!({"weight": 1, "loss": 0.0, "train": true})),
        ("metadata", json!({"source": "forum", "score": 0})),
        ("metadata", json!({"loss": 0, "train": "corpus-7", "status": "ok"})),
        ("response_metadata", json!({"finish_reason": "stop", "model_name": "m"})),
        ("finish_reason", json!("stop")),
        ("finish_reason", json!("tool_calls")),
        ("end_turn", json!(true)),
        ("end_turn", json!(null)),
        ("channel", json!("final")),
        ("channel", json!("general")),
        ("recipient", json!("all")),
        ("prefix", json!(false)),
        ("additional_kwargs", json!({})),
        ("additional_kwargs", json!({"refusal": null, "tool_calls": []})),
    ] {
        assert_eq!(learnt(key, &value), Ok(vec![true, true]), "{key} {value}");
    }
}

#[test]
fn an_answer_that_is_not_whole_is_refused_by_the_key_that_says_so() {
    for (key, value) in [
        ("finish_reason", json!("length")),
        ("finishReason", json!("MAX_TOKENS")),
        ("stop_reason", json!("max_tokens")),
        ("finish_reason", json!("content_filter")),
        ("end_turn", json!(false)),
        ("prefix", json!(true)),
        ("partial", json!(true)),
        ("truncated", json!(true)),
        ("hidden", json!(true)),
        ("channel", json!("analysis")),
        ("channel", json!("commentary")),
        ("recipient", json!("python")),
    ] {
        let refused = learnt(key, &value).expect_err(key);
        assert!(refused.contains(&format!("{key:?} {value}")) && refused.contains("weight 0"), "{refused}");
        let mut taken_out = json!({"role": "assistant", "content": "Two.", "weight": 0});
        taken_out[key] = value;
        let row = json!({"messages": [{"role": "user", "content": "q"}, taken_out,
            {"role": "user", "content": "r"}, {"role": "assistant", "content": "Three."}]});
        let mut mapping = Mapping::default();
        mapping.set("messages=messages").expect("a mapping");
        assert!(mapping.apply(row.as_object().expect("an object")).is_ok(), "{key} in a turn without weight");
    }
}

#[test]
fn an_object_that_says_that_the_answer_was_cut_refuses_it_too() {
    for (key, value) in [
        ("response_metadata", json!({"finish_reason": "length"})),
        ("metadata", json!({"end_turn": false})),
        ("metadata", json!({"is_hidden": true})),
        ("metadata", json!({"finish_details": {"type": "max_tokens"}})),
        ("finish_details", json!({"type": "max_tokens"})),
        ("incomplete_details", json!({"reason": "max_output_tokens"})),
        ("status", json!("in_progress")),
    ] {
        let refused = learnt(key, &value).expect_err(key);
        assert!(refused.contains("as a whole answer"), "{refused}");
    }
}

#[test]
fn what_other_programs_keep_beside_a_turn_is_not_lost() {
    for held in [
        json!({"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}),
        json!({"function_call": {"name": "f", "arguments": "{}"}}),
        json!({"reasoning_content": "so"}),
        json!({"reasoning_details": [{"text": "so"}]}),
        json!({"audio": {"id": "a"}}),
    ] {
        let refused = learnt("additional_kwargs", &held).expect_err("refused");
        assert!(refused.contains("within \"additional_kwargs\""), "{refused}");
    }
    for value in [json!({"weight": 0.5}), json!({"mask": true})] {
        learnt("metadata", &value).expect_err("a half weight and an unclear mask");
    }
}
