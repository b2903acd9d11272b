//! Contents in parts, and thoughts that are turns of their own.

use dojo_studio::domain::message::Message;
use serde_json::{Value, json};

use super::beside::record;
use super::forms::imported;

/// The turns of a row, or why there are none.
fn read(turns: &Value) -> Result<Vec<Message>, String> {
    let (mut records, mut bad) = imported(&[json!({"messages": turns})]);
    match records.pop() {
        Some(record) => Ok(record.messages),
        None => Err(bad.remove(0).1),
    }
}

#[test]
fn a_part_that_says_more_than_its_text_is_kept_or_refuses_the_row() {
    let answer = |part: Value| json!([{"role": "assistant", "content": [part]}]);
    for (part, key) in [
        (json!({"type": "text", "text": "a", "thinking": "so"}), "thinking"),
        (json!({"text": "a", "thought": true}), "thought"),
        (json!({"type": "output_text", "text": "a", "weight": 0}), "weight"),
        (json!({"type": "thinking", "thinking": "so", "text": "a"}), "text"),
        (json!({"type": "thinking", "thinking": "so", "train": false}), "train"),
        (json!({"type": "reasoning", "text": "so", "summary": ["s"]}), "summary"),
    ] {
        let told = read(&answer(part)).expect_err("refused");
        assert!(
            told.contains(&format!("has a part of its content with {key:?}, which can't be used")),
            "{told}"
        );
    }
    let odd = json!({"type": "thinking", "thinking": [{"type": "image"}]});
    assert!(read(&answer(odd)).expect_err("refused").contains("has a part of its thought that is no text"));
    for quiet in [
        json!({"type": "text", "text": "a", "thinking": null, "image_url": ""}),
        json!({"text": "a", "cache_control": {"type": "x"}}),
    ] {
        assert_eq!(read(&answer(quiet)).expect("turns")[0].extra.len(), 0);
    }
    let note = |text: &str| json!({"type": "text", "text": text, "citations": [text], "annotations": "n"});
    let turns = read(&json!([{"role": "assistant", "content": [note("a"), note("b")], "citations": ["c"]}]));
    let turn = turns.expect("turns").remove(0);
    assert_eq!(turn.content, "ab");
    assert_eq!(
        (&turn.extra["citations"], &turn.extra["annotations"]),
        (&json!(["c", "a", "b"]), &json!(["n", "n"]))
    );
}

#[test]
fn a_thought_that_is_a_turn_of_its_own_is_the_next_answers() {
    let user = json!({"role": "user", "content": "q"});
    let answer = json!({"role": "assistant", "content": "a"});
    for who in ["thought", "thinking", "reasoning", "Thought"] {
        let thought = json!({"role": who, "content": "so"});
        let turns = read(&json!([user, thought, answer])).expect("turns");
        let said: Vec<_> = turns.iter().map(|turn| (turn.content.as_str(), turn.thought())).collect();
        assert_eq!(said, [("q", None), ("a", Some("so"))]);
        for odd in [json!([thought, user, answer]), json!([user, answer, thought])] {
            let told = read(&odd).expect_err("refused");
            assert!(told.contains("is a thought, and no answer follows it"), "{told}");
        }
        let mut thinks = answer.clone();
        thinks["reasoning"] = json!("no");
        let told = read(&json!([user, thought, thinks])).expect_err("refused");
        assert!(told.ends_with("have different thoughts"), "{told}");
        let told =
            read(&json!([user, {"role": who, "content": "so", "weight": 0}, answer])).expect_err("refused");
        assert!(told.contains("is a thought with \"weight\"; write both into the answer's turn"), "{told}");
    }
    let pairs = record(&json!({"conversations": [["human", "q"], ["thought", "so"], ["gpt", "a"]]}));
    assert_eq!((pairs.messages.len(), pairs.messages[1].thought()), (2, Some("so")));
}

#[test]
fn two_thoughts_in_a_row_are_named_as_what_they_are() {
    let turn = |role: &str, text: &str| json!({"role": role, "content": text});
    let row = json!({"messages": [turn("user", "q"), turn("thought", "t"), turn("reasoning", "u"), turn("assistant", "a")]});
    assert_eq!(
        super::beside::refusal(&row),
        "turn 2 of column \"messages\" and the next one are both thoughts, and an answer has one; write them as one turn"
    );
}

#[test]
fn a_content_of_several_texts_is_refused_and_one_text_alone_is_itself() {
    let asked = |content: Value| {
        read(&json!([{"role": "user", "content": content}, {"role": "assistant", "content": "a"}]))
    };
    let told = asked(json!(["What", "is it?"])).expect_err("refused");
    assert!(told.contains("has a list of 2 texts as its content; join them into one"), "{told}");
    assert_eq!(asked(json!(["What is it?"])).expect("read")[0].content, "What is it?");
    let parts = json!([{"type": "text", "text": "What "}, {"type": "text", "text": "is it?"}]);
    assert_eq!(asked(parts).expect("read")[0].content, "What is it?");
}
