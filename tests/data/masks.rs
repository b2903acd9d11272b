//! Columns that say which turns or tokens of a row are learnt.

use dojo_studio::domain::record::Record;
use serde_json::{Value, json};

use super::beside::{record, refusal};

fn chat() -> Value {
    let turn = |role: &str, text: &str| json!({"role": role, "content": text});
    json!({"messages": [turn("user", "q"), turn("assistant", "a"), turn("user", "r"), turn("assistant", "b")]})
}

fn with(row: &Value, column: &str, value: Value) -> Value {
    let mut row = row.clone();
    row[column] = value;
    row
}

fn learnt(record: &Record) -> Vec<bool> {
    record.messages.iter().map(dojo_studio::domain::message::Message::is_learnt).collect()
}

const LAST: [bool; 4] = [true, false, true, true];

#[test]
fn a_weight_for_each_turn_is_each_turns_weight() {
    for column in ["weights", "turn_weights", "loss_weights", "weight", "Weights"] {
        for weights in [json!([1, 0, 1, 1]), json!("[1, 0, 1, 1]"), json!([1.0, 0.0, null, 1])] {
            assert_eq!(learnt(&record(&with(&chat(), column, weights))), LAST, "{column}");
        }
        assert_eq!(learnt(&record(&with(&chat(), column, json!([0, 0, 0, 1])))), LAST);
        assert_eq!(learnt(&record(&with(&chat(), column, json!([1, 1, 1, 1])))), [true; 4]);
    }
    for column in ["loss_mask", "train_mask", "train_on_turn", "learn", "train"] {
        assert_eq!(
            learnt(&record(&with(&chat(), column, json!([false, false, false, true])))),
            LAST,
            "{column}"
        );
        let asks = refusal(&with(&chat(), column, json!([1, 1, 1, 1])));
        assert!(asks.contains("asks to learn what the user says in turn 1"), "{asks}");
    }
    let system = with(&with(&chat(), "system", json!("s")), "weights", json!([0, 0, 0, 1]));
    assert_eq!(learnt(&record(&system)), [true, true, false, true, true]);
}

#[test]
fn weights_that_no_turn_can_have_refuse_the_row_by_name() {
    let otherwise = "; give the column another name if it is about something else";
    for (weights, reason) in [
        (json!([0, 1]), "has 2 weights, and there are 4 turns"),
        (
            json!([0, 0.5, 0, 1]),
            "has the weight 0.5 for turn 2; a turn is learnt (1, true) or not (0, false)",
        ),
    ] {
        assert_eq!(
            refusal(&with(&chat(), "weights", weights)),
            format!("column \"weights\" {reason}{otherwise}")
        );
    }
    let pair = json!({"prompt": "q", "chosen": "a", "rejected": "b", "weights": [0, 1]});
    assert!(refusal(&pair).contains("the row is no conversation whose turns could have them"));
    let mut told = chat();
    told["messages"][1]["weight"] = json!(0);
    let told = refusal(&with(&told, "weights", json!([0, 1, 0, 1])));
    assert!(told.contains("says that turn 2 is learnt, and the turn itself that it isn't"), "{told}");
}

#[test]
fn a_row_that_is_not_to_be_learnt_has_no_answer_that_is() {
    for column in ["learn", "is_train", "loss_mask", "train_on_turn", "supervise", "train", "sample_weight"] {
        for no in [json!(false), json!(0), json!("False")] {
            let weights = learnt(&record(&with(&chat(), column, no)));
            assert_eq!(weights, [true, false, true, false], "{column}");
        }
        assert_eq!(learnt(&record(&with(&chat(), column, json!(1)))), [true; 4]);
    }
}

#[test]
fn masks_of_tokens_and_of_unclear_meaning_refuse_the_row_by_name() {
    for column in ["mask", "masks", "completion_mask", "assistant_masks", "assistant_mask", "response_mask"] {
        for mask in [json!([0, 0, 0, 1]), json!([[0, 1]]), json!(1), json!("[0, 1]")] {
            let told = refusal(&with(&chat(), column, mask));
            assert!(told.starts_with(&format!("column {column:?} masks what is learnt")), "{told}");
        }
        // A word is about something else.
        assert_eq!(learnt(&record(&with(&chat(), column, json!("FFP2")))), [true; 4]);
    }
    let labels = refusal(&with(&chat(), "labels", json!([-100, -100, 7])));
    assert!(labels.starts_with("column \"labels\" says which tokens are learnt (-100 are not)"), "{labels}");
    assert_eq!(learnt(&record(&with(&chat(), "labels", json!([1, 2])))), [true; 4]);
}

#[test]
fn settings_of_other_trainers_are_what_happens_or_refuse_the_row() {
    for (column, usual) in [("train_on_inputs", false), ("mask_history", false), ("mask_prompt", true)] {
        assert_eq!(learnt(&record(&with(&chat(), column, json!(usual)))), [true; 4]);
        let told = refusal(&with(&chat(), column, json!(!usual)));
        assert!(told.starts_with(&format!("column {column:?} is {}, and", !usual)), "{told}");
    }
}
