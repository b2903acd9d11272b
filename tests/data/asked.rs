//! What a row asks is asked once, and a question that asks nothing is told of.

use serde_json::{Value, json};

use super::noticed::read;
use super::world::{assistant, user};

#[test]
fn an_input_without_an_instruction_is_asked_once() {
    let asks = [user("Is water wet?"), assistant("Yes.")];
    let normal = |prompt: &str, completion: &str| json!({prompt: "Do x", "input": "y", completion: "z"});
    for (row, prompt, completion) in [
        (json!({"instruction": "", "input": "Is water wet?", "output": "Yes."}), "instruction", "output"),
        (json!({"instruction": null, "input": "Is water wet?", "output": "Yes."}), "instruction", "output"),
        (json!({"instruction": " \n", "input": "Is water wet?", "output": "Yes."}), "instruction", "output"),
        (json!({"input": "Is water wet?", "output": "Yes."}), "prompt", "completion"),
        (json!({"input": "Is water wet?", "output": "Yes."}), "question", "answer"),
    ] {
        for rows in [vec![row.clone(), normal(prompt, completion)], vec![normal(prompt, completion), row]] {
            let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
            let batch = read("a.jsonl", lines.join("\n").as_bytes(), &[]);
            assert_eq!(batch.records.len(), 2, "{rows:?}: {:?}", batch.malformed);
            assert!(
                batch.records.iter().any(|record| record.messages == asks),
                "{rows:?}: {:?}",
                batch.records
            );
        }
    }
    let table = b"instruction,input,output\n,Is water wet?,Yes.\nDo x,y,z\n";
    assert!(read("a.csv", table, &[]).records.iter().any(|record| record.messages == asks));
    let row = json!({"instruction": "Ask.", "input": "Is water wet?", "output": "Yes."}).to_string();
    assert_eq!(read("a.jsonl", row.as_bytes(), &["prompt=input"]).records[0].messages, asks);
}

#[test]
fn an_empty_question_is_told_of() {
    let rows = [
        json!({"instruction": "Do x", "input": "", "output": "z"}),
        json!({"instruction": "", "input": "", "output": "O"}),
    ];
    let batch = read("a.jsonl", rows.map(|row| row.to_string()).join("\n").as_bytes(), &[]);
    assert_eq!(
        batch.notes,
        [
            "the question is empty in 1 of 2 rows (the first is DIR/a.jsonl:2), so their answers would be learnt for no \
             question; if the question is missing, take these rows out"
        ]
    );
}
