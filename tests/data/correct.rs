//! A column `correct` judges the answer, or says which option is right; words of a label that mean nothing are named.

use serde_json::{Value, json};

use super::noticed::{idle, read};

fn kept(rows: &[Value]) -> usize {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let batch = read("a.jsonl", lines.join("\n").as_bytes(), &[]);
    assert_eq!(batch.malformed.len(), 0, "{:?}", batch.malformed);
    batch.records.len()
}

#[test]
fn correct_leaves_a_wrong_answer_out_however_it_is_written() {
    for name in ["correct", "Correct", "CORRECT", "correct?"] {
        for (no, yes) in [
            (json!("no"), json!("yes")),
            (json!(0), json!(1)),
            (json!("0"), json!("1")),
            (json!("FALSE"), json!("TRUE")),
            (json!("wrong"), json!("right")),
            (json!("\u{2717}"), json!("\u{2713}")),
            (json!("n"), json!("y")),
        ] {
            let row = |value: &Value| json!({"prompt": "q", "completion": "a", name: value});
            assert_eq!(kept(&[row(&yes), row(&no)]), 1, "{name} {no}");
            assert_eq!(idle(&[row(&yes), row(&no)], &[]), "", "{name} {no}");
        }
    }
    let table = b"prompt,completion,correct\nQ?,A.,yes\nR?,B.,no\n";
    assert_eq!(read("a.csv", table, &[]).records.len(), 1);
    let row = |value: &str| json!({"prompt": "q", "completion": "a", "correct": value});
    assert_eq!(idle(&[row("yes"), row("partly")], &[]), r#""correct" ("partly")"#);
}

#[test]
fn correct_may_say_which_option_is_right() {
    let row = |key: Value| json!({"question": "q", "answer": "Paris", "correct": key});
    for keys in [["A", "F"], ["2", "0"], ["N", "C"]] {
        assert_eq!(kept(&keys.map(|key| row(json!(key)))), 2, "{keys:?}");
    }
    assert_eq!(kept(&[row(json!(3)), row(json!(0))]), 2);
}

#[test]
fn words_of_a_label_that_judge_nothing_here_are_named() {
    for word in ["not good", "neg", "unhelpful", "unsafe", "ko", "bad answer", "hallucinated", "\u{1f534}"] {
        let row = |label: &str| json!({"prompt": "q", "completion": "a", "label": label});
        assert_eq!(idle(&[row("good"), row(word)], &[]), format!("\"label\" ({word:?})"));
    }
    let row = |label: &str| json!({"prompt": "q", "completion": "a", "label": label});
    let rows = [row("+1"), row("-1")].map(|row| row.to_string()).join("\n");
    let batch = read("a.jsonl", rows.as_bytes(), &[]);
    assert_eq!((batch.records.len(), batch.malformed.len()), (1, 1));
    // A class elsewhere is read, and shown.
    assert_eq!(idle(&[json!({"question": "q", "answer": "a", "label": "maths"})], &[]), "");
}
