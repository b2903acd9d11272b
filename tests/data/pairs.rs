//! Preference pairs: which turns both answers share, and what stands beside them.

use dojo_studio::data::mapping::learn_chosen;
use serde_json::{Value, json};

use super::beside::{record, refusal};
use super::world::{assistant, system, user};

fn turn(role: &str, text: &str) -> Value {
    json!({"role": role, "content": text})
}

#[test]
fn the_chosen_conversation_beside_a_pair_is_not_its_prompt() {
    let (asked, good, bad) = (turn("user", "hi"), turn("assistant", "yes"), turn("assistant", "no"));
    let pair = json!({"chosen": [asked, good], "rejected": [asked, bad], "messages": [asked, good]});
    let mut prompted = pair.clone();
    prompted["prompt"] = json!("hi");
    let texts = json!({"prompt": "hi", "chosen": "yes", "rejected": "no", "messages": [asked, good]});
    for row in [&pair, &prompted, &texts] {
        let read = record(row);
        assert_eq!(read.messages, [user("hi")], "{row}");
        let read = read.preference.expect("a pair");
        assert_eq!((read.chosen, read.rejected), (vec![assistant("yes")], vec![assistant("no")]));
        let mut other = row.clone();
        other["messages"] = json!([asked, turn("assistant", "another")]);
        assert_eq!(
            refusal(&other),
            "column \"messages\" ends with another answer than the chosen one; --map messages= leaves the column out"
        );
    }
    let asked_in_turns = json!({"messages": [turn("system", "s"), asked], "chosen": "yes", "rejected": "no"});
    assert_eq!(record(&asked_in_turns).messages, [system("s"), user("hi")]);
    prompted["prompt"] = json!("another");
    assert!(
        refusal(&prompted)
            .starts_with("column \"prompt\" says something that the conversation beside it doesn't")
    );
    prompted["messages"] = json!(null);
    assert!(refusal(&prompted).contains("begins with another question than the prompt's"));
}

#[test]
fn a_prompt_that_is_the_last_question_has_the_turns_before_it() {
    let before = [turn("system", "s"), turn("user", "hi"), turn("assistant", "a"), turn("user", "ho")];
    let chosen = [&before[..], &[turn("assistant", "yes")]].concat();
    let rejected = [&before[..], &[turn("assistant", "no")]].concat();
    let read = record(&json!({"prompt": "ho", "chosen": chosen, "rejected": rejected}));
    assert_eq!(read.messages, [system("s"), user("hi"), assistant("a"), user("ho")]);
    let pair = read.preference.expect("a pair");
    assert_eq!((pair.chosen, pair.rejected), (vec![assistant("yes")], vec![assistant("no")]));
}

#[test]
fn shared_turns_that_end_with_an_answer_refuse_the_pair() {
    let before = [turn("user", "hi"), turn("assistant", "a")];
    let with = |text: &str| [&before[..], &[turn("user", text), turn("assistant", "b")]].concat();
    let told = refusal(&json!({"chosen": with("x"), "rejected": with("y")}));
    assert!(told.starts_with("the turns that both answers share end with the assistant's"), "{told}");
}

#[test]
fn an_input_beside_a_pair_is_what_is_asked() {
    let read = record(&json!({"input": "q", "chosen": "yes", "rejected": "no"}));
    assert_eq!((read.messages, read.preference.is_some()), (vec![user("q")], true));
}

#[test]
fn the_chosen_answers_are_learnt_where_that_is_said() {
    let (asked, good, bad) = (turn("user", "q"), turn("assistant", "yes"), turn("assistant", "no"));
    for row in [
        json!({"prompt": "q", "chosen": "yes", "rejected": "no"}),
        json!({"prompt": [asked], "chosen": [good], "rejected": [bad]}),
        json!({"chosen": [asked, good], "rejected": [asked, bad]}),
        json!({"prompt": "q", "chosen": [asked, good], "rejected": [asked, bad]}),
        json!({"chosen": "Human: q\n\nAssistant: yes", "rejected": "Human: q\n\nAssistant: no"}),
    ] {
        let map = learn_chosen(row.as_object().expect("a row"));
        let read = super::noticed::read("a.jsonl", row.to_string().as_bytes(), &[&map]);
        assert_eq!(read.malformed, [], "{map}");
        assert_eq!(read.records[0].messages, [user("q"), assistant("yes")], "{map}");
        assert_eq!(read.records[0].preference, None);
    }
}
