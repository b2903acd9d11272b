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
fn a_weight_for_each_answer_is_each_answers_weight() {
    for column in ["weights", "loss_mask", "train"] {
        assert_eq!(learnt(&record(&with(&chat(), column, json!([0, 1])))), LAST, "{column}");
        assert_eq!(learnt(&record(&with(&chat(), column, json!([true, true])))), [true; 4], "{column}");
    }
}

#[test]
fn a_column_that_leaves_all_answers_out_is_named_by_its_own_name() {
    for column in ["train", "loss_weight"] {
        let turn = record(&with(&chat(), column, json!(false))).messages.remove(1);
        assert_eq!(turn.no_weight(), Some((column, &json!(false))));
    }
}

#[test]
fn weights_that_no_turn_can_have_refuse_the_row_by_name() {
    let otherwise =
        "; if it is about something else, --map unused=weights (data.map in a recipe) leaves the column out";
    for (weights, reason) in [
        (json!([0, 1, 1]), "has 3 weights, and there are 4 turns"),
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
    for column in
        ["learn", "compute_loss", "loss_mask", "train_on_turn", "supervise", "train", "sample_weight"]
    {
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

#[test]
fn a_word_says_which_turns_are_learnt_or_refuses_the_row() {
    for column in ["train", "train_on_turn", "loss_mask", "learn"] {
        for (word, expected) in [
            ("assistant", [true; 4]),
            ("last", [true, false, true, true]),
            ("none", [true, false, true, false]),
            ("false", [true, false, true, false]),
            ("yes", [true; 4]),
            ("ICE 5", [true; 4]),
        ] {
            assert_eq!(learnt(&record(&with(&chat(), column, json!(word)))), expected, "{column} {word}");
        }
        for word in ["all", "user", "prompt"] {
            let told = refusal(&with(&chat(), column, json!(word)));
            assert!(told.starts_with(&format!("column {column:?} is {word:?}, and")), "{told}");
        }
    }
    for (column, word) in
        [("mask", "assistant"), ("masks", "last"), ("mask", "true"), ("completion_mask", "0")]
    {
        let told = refusal(&with(&chat(), column, json!(word)));
        assert!(told.starts_with(&format!("column {column:?} masks what is learnt")), "{told}");
    }
    assert_eq!(learnt(&record(&with(&chat(), "mask", json!("none")))), [true; 4]);
    for column in ["train_on_last_only", "train_on_everything", "train_only_last_turn", "loss_on_prompt"] {
        let told = refusal(&with(&chat(), column, json!(true)));
        assert!(told.starts_with(&format!("column {column:?}")), "{told}");
        assert_eq!(learnt(&record(&with(&chat(), column, json!(false)))), [true; 4]);
    }
}

#[test]
fn what_says_that_nothing_is_masked_is_obeyed() {
    for column in ["masked", "is_masked", "ignore", "no_loss"] {
        for no in [json!(false), json!(0), json!("False")] {
            assert_eq!(learnt(&record(&with(&chat(), column, no))), [true; 4], "{column}");
        }
    }
    assert_eq!(learnt(&record(&with(&chat(), "no_loss", json!(true)))), [true, false, true, false]);
}

#[test]
fn a_number_that_is_no_weight_says_how_to_leave_its_column_out() {
    let people = with(&chat(), "weight", json!(70));
    assert_eq!(
        refusal(&people),
        "column \"weight\" holds 70, and a row is learnt (1, true) or not (0, false); if it is about something else, --map \
         unused=weight (data.map in a recipe) leaves the column out"
    );
    // Trains have numbers.
    assert_eq!(learnt(&record(&with(&chat(), "train", json!(1134)))), [true; 4]);
    assert!(refusal(&with(&chat(), "train", json!(0.5))).contains("unused=train"));
}

#[test]
fn a_turn_that_says_that_it_is_not_learnt_is_not() {
    let second = |key: &str, value: Value| {
        let mut row = chat();
        row["messages"][1][key] = value;
        row
    };
    for key in ["compute_loss", "calculate_loss", "train_on_turn", "learn", "Supervise", "loss_mask"] {
        assert_eq!(learnt(&record(&second(key, json!(false)))), LAST, "{key}");
        assert_eq!(learnt(&record(&second(key, json!(1)))), [true; 4], "{key}");
    }
    for key in ["no_loss", "masked", "ignore"] {
        assert_eq!(learnt(&record(&second(key, json!(true)))), [true, false, true, true], "{key}");
        assert_eq!(learnt(&record(&second(key, json!(false)))), [true; 4], "{key}");
    }
    for (key, value) in [("mask", json!(true)), ("loss_mask", json!([0, 1])), ("loss_of_turn", json!(false))]
    {
        let told = refusal(&second(key, value));
        assert!(told.contains(&format!("has {key:?}, and a turn can only be learnt as a whole")), "{told}");
    }
    let mut user = chat();
    user["messages"][0]["compute_loss"] = json!(true);
    assert!(refusal(&user).contains("asks with \"compute_loss\" to learn what the user says"));
    let mut both = second("compute_loss", json!(false));
    both["messages"][1]["weight"] = json!(1);
    assert!(refusal(&both).contains("is to be learnt by one of \"compute_loss\" and \"weight\""));
}

#[test]
fn a_yes_or_no_for_each_turn_under_an_unknown_name_refuses_the_row_by_name() {
    for column in ["msg_weights", "message_mask", "masked_turns", "in_loss", "is_target", "use_for_loss"] {
        for told in [json!([0, 0, 0, 1]), json!([false, false, false, true]), json!("[0, 0, 0, 1]")] {
            let why = refusal(&with(&chat(), column, told));
            assert!(why.contains(column) && why.contains("each of the 4 turns"), "{why}");
        }
        // What isn't one for each turn is about something else.
        assert_eq!(learnt(&record(&with(&chat(), column, json!([1, 0])))), [true; 4]);
        assert_eq!(learnt(&record(&with(&chat(), column, json!([0.2, 0.7, 0.1, 3.0])))), [true; 4]);
    }
    assert_eq!(learnt(&record(&with(&chat(), "toxic", json!([false, true, false, false])))), [true; 4]);
}

#[test]
fn a_turn_that_says_that_it_is_left_out_refuses_its_row() {
    for (key, value) in [("exclude", json!(true)), ("skip", json!(1)), ("use_for_training", json!(false))] {
        let mut row = chat();
        row["messages"][1][key] = value.clone();
        let why = refusal(&row);
        assert!(why.contains(key) && why.contains("as a whole or not at all"), "{why}");
        let opposite = json!(value != json!(true) && value != json!(1));
        row["messages"][1][key] = opposite;
        assert_eq!(learnt(&record(&row)), [true; 4], "{key}");
    }
}
