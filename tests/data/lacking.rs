//! Words for a missing value are told of in every part that is learnt or read.

use serde_json::{Value, json};

use super::noticed::notes;

#[test]
fn a_word_for_a_missing_value_is_told_of_by_its_part() {
    let talk = |earlier: &str| {
        json!({"messages": [
            {"role": "user", "content": "q"}, {"role": "assistant", "content": earlier},
            {"role": "user", "content": "r"}, {"role": "assistant", "content": "b"},
        ]})
    };
    let cases: [(Value, &str); 11] = [
        (talk("nan"), "an earlier answer is \"nan\" in 1 of 1 rows, which is learnt as it stands;"),
        (talk("<think>t</think>nan"), "an earlier answer is \"nan\""),
        (talk("<answer></answer>"), "an earlier answer is \"<answer></answer>\""),
        (json!({"prompt": "q", "completion": "<think>t</think>nan"}), "the answer is \"nan\""),
        (
            json!({"prompt": "q", "completion": "<answer>None</answer>"}),
            "the answer is \"<answer>None</answer>\"",
        ),
        (
            json!({"instruction": "Do 0", "input": "nan", "output": "o"}),
            "what the question is about is \"nan\" in 1 of 1 rows, which is read as it stands;",
        ),
        (json!({"question": "q", "context": "N/A", "answer": "a"}), "what the question is about is \"N/A\""),
        (json!({"prompt": "None", "completion": "a"}), "the question is \"None\""),
        (json!({"system": "nan", "prompt": "q", "completion": "a"}), "the system prompt is \"nan\""),
        (json!({"prompt": "q", "completion": "a", "thought": "nan"}), "the thought is \"nan\""),
        (json!({"prompt": "q", "chosen": "a", "rejected": "nan"}), "the rejected answer is \"nan\""),
    ];
    for (row, told) in cases {
        let notes = notes(std::slice::from_ref(&row), &[]);
        assert_eq!(notes.len(), 1, "{row}: {notes:?}");
        assert!(notes[0].starts_with(told), "{row}: {notes:?}");
    }
    let plain =
        json!({"instruction": "What is nan", "input": "a nan b", "output": "<b>Bold</b>", "system": "s"});
    assert_eq!(notes(&[plain], &[]), [""; 0]);
}
