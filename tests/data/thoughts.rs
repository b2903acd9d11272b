//! A thought is learnt once, between one pair of marks.

use dojo_studio::data::import::ImportBatch;
use serde_json::{Value, json};

use super::noticed::read;

/// A row, with one behind it that is no mistake.
fn of(row: &Value) -> ImportBatch {
    let plain = if row.get("messages").is_some() {
        turns(json!({"role": "assistant", "content": "plain"}))
    } else {
        json!({"prompt": "r", "completion": "plain"})
    };
    read("a.jsonl", format!("{row}\n{plain}").as_bytes(), &[])
}

fn turns(answer: Value) -> Value {
    json!({"messages": [{"role": "user", "content": "q"}, answer]})
}

#[test]
fn marks_around_a_thought_are_taken_off() {
    for thought in
        ["<think>\nI count.\n</think>", "<thinking>I count.</thinking>\n", "I count.\n</think>", "I count."]
    {
        for row in [
            turns(json!({"role": "assistant", "content": "4", "reasoning_content": thought})),
            turns(json!({"role": "assistant", "content": "4", "thinking": thought, "reasoning": "I count."})),
            json!({"prompt": "q", "completion": "4", "thought": thought}),
            json!({"prompt": "q", "completion": "4", "reasoning_content": thought}),
        ] {
            let batch = of(&row);
            assert_eq!(batch.records.len(), 2, "{row}: {:?}", batch.malformed);
            assert_eq!(batch.records[0].messages[1].thought(), Some("I count."), "{row}");
        }
    }
}

#[test]
fn thoughts_in_both_places_are_one_or_refused() {
    let answers =
        ["<think>\nI count.\n</think>\n\n4", "Well.\n<think>I count.</think>\n4", "I count.\n</think>\n4"];
    for content in answers {
        let row = |thought: &str| {
            [
                turns(json!({"role": "assistant", "content": content, "reasoning_content": thought})),
                json!({"prompt": "q", "completion": content, "thinking": thought}),
            ]
        };
        for row in row("<think>I count.</think>") {
            let batch = of(&row);
            assert_eq!(batch.records.len(), 2, "{row}: {:?}", batch.malformed);
            let answer = &batch.records[0].messages[1];
            assert_eq!((answer.content.as_str(), answer.thought()), (content, None), "{row}");
        }
        for row in row("I guess.") {
            let batch = of(&row);
            assert_eq!(batch.records.len(), 1, "{row}");
            assert!(batch.malformed[0].reason.contains("another one"), "{}", batch.malformed[0].reason);
        }
    }
    let several =
        json!({"role": "assistant", "content": "4", "thinking": "<think>a</think><think>b</think>"});
    assert!(of(&turns(several)).malformed[0].reason.contains("several thoughts"));
}
