//! Columns beside a conversation or an answer: taken in, or refused by name.

use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::Record;
use serde_json::{Value, json};

use super::forms::imported;
use super::world::{assistant, system, user};

/// The record of a file of one row.
pub(super) fn record(row: &Value) -> Record {
    let (mut records, bad) = imported(std::slice::from_ref(row));
    assert_eq!(bad, [], "{row}");
    records.remove(0)
}

/// Why a row is no record.
pub(super) fn refusal(row: &Value) -> String {
    let (records, mut bad) = imported(std::slice::from_ref(row));
    assert_eq!((records.len(), bad.len()), (0, 1), "{row}");
    bad.remove(0).1
}

/// A row with a column more.
fn with(row: &Value, column: &str, value: Value) -> Value {
    let mut row = row.clone();
    row[column] = value;
    row
}

fn turn(role: &str, text: &str) -> Value {
    json!({"role": role, "content": text})
}

fn weather() -> Value {
    json!([{"type": "function", "function": {"name": "weather", "parameters": {}}}])
}

/// A row of each form that has a conversation.
fn rows() -> [Value; 5] {
    let (asked, good, bad) = (turn("user", "hi"), turn("assistant", "yes"), turn("assistant", "no"));
    [
        json!({"messages": [asked, good]}),
        json!({"prompt": "hi", "completion": "yes"}),
        json!({"prompt": [asked], "completion": [good]}),
        json!({"prompt": [asked], "chosen": [good], "rejected": [bad]}),
        json!({"chosen": [asked, good], "rejected": [asked, bad]}),
    ]
}

#[test]
fn tools_are_read_beside_every_form() {
    for row in rows() {
        assert_eq!(json!(record(&with(&row, "tools", weather())).tools), weather());
        for nothing in [json!(null), json!([]), json!(""), json!("[]"), json!({}), json!("null")] {
            let row = with(
                &with(&row, "tools", nothing),
                "functions",
                json!([{"name": "weather", "parameters": {}}]),
            );
            assert_eq!(json!(record(&row).tools), weather(), "{row}");
        }
        let texts = json!([weather()[0].to_string()]);
        assert_eq!(json!(record(&with(&row, "Tools", texts)).tools), weather());
    }
}

#[test]
fn tools_of_another_form_refuse_the_row() {
    for row in rows() {
        for (tools, reason) in [
            (json!({"name": "weather"}), "column \"tools\" holds an object, not a list of tools"),
            (json!("weather(city)"), "column \"tools\" holds text, not tools"),
            (json!(["weather"]), "column \"tools\" holds text, not tools"),
            (json!([1]), "column \"tools\" holds a number, not a list of tools"),
            (json!(true), "column \"tools\" holds true or false, not a list of tools"),
        ] {
            let told = refusal(&with(&row, "tools", tools));
            assert_eq!(told, format!("{reason}; give the column another name if it is about something else"));
        }
        let two =
            with(&with(&row, "tools", weather()), "functions", json!([{"name": "f", "parameters": {}}]));
        assert_eq!(
            refusal(&two),
            "columns \"tools\" and \"functions\" hold different tools; keep one of them"
        );
    }
}

#[test]
fn a_system_column_speaks_first_in_every_form() {
    for row in rows() {
        let record = record(&with(&row, "system", json!("s")));
        assert_eq!(record.messages[..2], [system("s"), user("hi")], "{row}");
        let pair = record.preference.map(|pair| (pair.chosen, pair.rejected));
        assert!(pair.is_none_or(|pair| pair == (vec![assistant("yes")], vec![assistant("no")])), "{row}");
    }
    let whole = json!({"prompt": "hi", "system": "s", "chosen": [turn("user", "hi"), turn("assistant", "yes")],
        "rejected": "no"});
    let pair = record(&whole).preference.expect("a pair");
    assert_eq!((pair.chosen, pair.rejected), (vec![assistant("yes")], vec![assistant("no")]));
}

#[test]
fn a_system_column_that_contradicts_the_system_turn_refuses_the_row() {
    let turns = [turn("system", "German."), turn("user", "hi")];
    let answered = [&turns[..], &[turn("assistant", "yes")]].concat();
    let other = [&turns[..], &[turn("assistant", "no")]].concat();
    for row in [
        json!({"messages": answered}),
        json!({"prompt": turns, "completion": "yes"}),
        json!({"prompt": turns, "chosen": "yes", "rejected": "no"}),
        json!({"chosen": answered, "rejected": other}),
    ] {
        let told = refusal(&with(&row, "system", json!("French.")));
        assert!(
            told.contains("column \"system\" says something else than the conversation's own system turn"),
            "{told}"
        );
        assert_eq!(
            record(&with(&row, "system", json!("German."))).messages[..2],
            [system("German."), user("hi")]
        );
    }
    let row = json!({"prompt": "hi", "chosen": answered, "rejected": other});
    assert_eq!(record(&row).messages, [system("German."), user("hi")]);
    let row = json!({"prompt": "hi", "chosen": answered, "rejected": "no"});
    assert_eq!(refusal(&row), "the chosen answer has a system turn that the prompt lacks");
}

#[test]
fn what_a_prompt_of_turns_is_about_stands_in_it_or_refuses_the_row() {
    let [_, _, completion, pair, implicit] = rows();
    for row in [completion, pair, implicit] {
        for column in ["input", "context"] {
            let told = refusal(&with(&row, column, json!("The bridge")));
            assert!(told.starts_with(&format!("column {column:?} says what the prompt is about")), "{told}");
            assert_eq!(record(&with(&row, column, json!("hi"))).messages[0], user("hi"));
        }
    }
}

#[test]
fn earlier_turns_stand_before_a_prompt_of_turns() {
    let row = json!({"prompt": [turn("system", "s"), turn("user", "c")], "completion": "d", "history": [["a", "b"]]});
    let record = record(&row);
    assert_eq!(record.messages, [system("s"), user("a"), assistant("b"), user("c"), assistant("d")]);
    assert_eq!(record.prompt_turns, 4);
}

#[test]
fn a_thought_in_a_column_is_the_answers() {
    let thinking =
        Message { extra: [("reasoning_content".to_owned(), json!("Because."))].into(), ..assistant("yes") };
    let [messages, texts, turns, ..] = rows();
    let question = json!({"question": "hi", "answer": "yes"});
    for row in [messages, texts, turns, question] {
        for column in
            ["reasoning_content", "reasoning", "thinking", "thought", "cot", "Complex_CoT", "rationale"]
        {
            let record = record(&with(&row, column, json!("Because.")));
            assert_eq!(record.messages, [user("hi"), thinking.clone()], "{column} in {row}");
        }
    }
    let pair = json!({"premise": "p", "hypothesis": "h", "label": "1", "reasoning": "Because."});
    assert_eq!(record(&pair).messages[1].thought(), Some("Because."));
    let of_student = json!({"premise": "p", "hypothesis": "h", "label": "1", "thought_process": "Wrong."});
    assert_eq!(record(&of_student).messages[1], assistant("1"));
    let only = json!({"question": "hi", "rationale": "Because."});
    assert_eq!(record(&only).messages, [user("hi"), assistant("Because.")]);
    let inside = json!({"question": "hi", "reasoning": "So.", "answer": "<think>So.</think>yes"});
    assert_eq!(record(&inside).messages[1], assistant("<think>So.</think>yes"));
    let late = [
        vec![json!({"question": "q", "answer": "a"}); 120],
        vec![json!({"question": "hi", "answer": "yes", "thinking": "Because."})],
    ];
    assert_eq!(imported(&late.concat()).0[120].messages, [user("hi"), thinking]);
}

#[test]
fn a_thought_without_a_place_refuses_the_row() {
    let [messages, _, _, pair, implicit] = rows();
    let place = |why: &str| {
        format!("column \"reasoning\" holds a thought, {why}; --map thought= leaves the column out")
    };
    for row in [pair, implicit] {
        let told = refusal(&with(&row, "reasoning", json!("So.")));
        assert_eq!(told, place("and it can belong to either answer of the pair"));
    }
    let twice = [messages["messages"].as_array().expect("turns").as_slice(); 2].concat();
    let told = refusal(&json!({"messages": twice, "reasoning": "So."}));
    assert_eq!(told, place("and the conversation has several answers that it can belong to"));
    let own = json!({"messages": [turn("user", "hi"), {"role": "assistant", "content": "yes", "thinking": "No."}],
        "reasoning": "So."});
    assert_eq!(refusal(&own), place("and the answer has another one of its own"));
    let two = json!({"question": "hi", "answer": "yes", "reasoning": "So.", "rationale": "No."});
    assert!(refusal(&two).starts_with("columns \"reasoning\" and \"rationale\" hold different thoughts"));
    let list = json!({"question": "hi", "answer": "yes", "reasoning": ["So."]});
    assert!(refusal(&list).starts_with("column \"reasoning\" holds a list, which is no thought"));
}

#[test]
fn a_row_without_weight_has_answers_without_weight() {
    let [messages, texts, turns, pair, implicit] = rows();
    for (column, none, full) in [
        ("weight", json!(0), json!(1)),
        ("weight", json!("0.0"), json!("1")),
        ("train", json!(false), json!(true)),
        ("Train", json!("False"), json!("TRUE")),
        ("loss", json!(false), json!(true)),
        ("sample_weight", json!(0.0), json!(1.0)),
    ] {
        for row in [&messages, &texts, &turns] {
            let learnt = |value: &Value| record(&with(row, column, value.clone())).messages[1].is_learnt();
            assert_eq!((learnt(&none), learnt(&full)), (false, true), "{column} in {row}");
        }
        for row in [&pair, &implicit, &json!({"text": "t"})] {
            let told = refusal(&with(row, column, none.clone()));
            assert_eq!(told, format!("column {column:?} gives the row no weight, so it is left out"));
            record(&with(row, column, full.clone()));
        }
    }
    for (value, held) in
        [(json!(0.5), "0.5"), (json!(3), "3"), (json!("much"), "a text"), (json!(["1"]), "a list")]
    {
        let told = refusal(&with(&messages, "weight", value));
        assert!(
            told.starts_with(&format!("column \"weight\" holds {held}, and a row is learnt (1, true)")),
            "{told}"
        );
    }
    assert!(record(&with(&messages, "loss", json!(0.0))).messages[1].is_learnt());
}

#[test]
fn a_developer_is_no_system() {
    let row =
        json!({"messages": [turn("developer", "Be brief"), turn("user", "hi"), turn("assistant", "yes")]});
    let spoken = Message::new(Role::Developer, "Be brief");
    assert_eq!(record(&row).messages, [spoken.clone(), user("hi"), assistant("yes")]);
    let with_system = with(&row, "system", json!("s"));
    assert_eq!(record(&with_system).messages[..2], [system("s"), spoken]);
}
