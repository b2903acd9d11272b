//! What somebody thought of a row, in words, leaves it out.

use serde_json::{Value, json};

use super::noticed::read;

/// How many records are left of a row with these columns and one without, and what is told.
fn left(whole: &Value, more: &Value) -> (usize, usize, String) {
    let mut row = whole.clone();
    for (name, value) in more.as_object().unwrap() {
        row[name] = value.clone();
    }
    let rows = [row, whole.clone()].map(|row| row.to_string()).join("\n");
    let batch = read("a.jsonl", rows.as_bytes(), &[]);
    (batch.records.len(), batch.malformed.len(), batch.notes.join(" "))
}

#[test]
fn an_answer_that_was_found_wrong_is_left_out_and_counted() {
    for whole in [
        json!({"prompt": "q", "completion": "a"}),
        json!({"instruction": "q", "output": "a"}),
        json!({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}),
    ] {
        for (column, wrong, right) in [
            ("verdict", json!("wrong"), json!("right")),
            ("verdict", json!("Incorrect"), json!("correct")),
            ("thumbs", json!("down"), json!("up")),
            ("thumbs", json!(-1), json!(1)),
            ("feedback", json!("thumbs down"), json!("thumbs up")),
            ("rating", json!("bad"), json!("good")),
            ("vote", json!("downvote"), json!("upvote")),
            ("is_correct", json!(false), json!(true)),
            ("is_correct", json!("False"), json!("True")),
            ("correct", json!(false), json!(true)),
            ("is_wrong", json!(true), json!(false)),
            ("judgement", json!("fail"), json!("pass")),
            ("metadata", json!({"verdict": "wrong"}), json!({"verdict": "right"})),
            ("judge", json!({"verdict": "wrong"}), json!({"verdict": "right"})),
            ("isCorrect", json!(false), json!(true)),
            ("Is Correct?", json!("no"), json!("yes")),
            ("is-correct", json!(0), json!(1)),
            ("verdict", json!(0), json!(1)),
            ("Final Verdict", json!("wrong"), json!("right")),
            ("toDelete", json!(1), json!(0)),
        ] {
            let (records, bad, notes) = left(&whole, &json!({column: wrong}));
            assert_eq!((records, bad), (1, 0), "{column} {wrong}: {notes}");
            assert!(notes.starts_with("1 row is left out, by what it says: "), "{notes}");
            assert_eq!(left(&whole, &json!({column: right})), (2, 0, String::new()), "{column} {right}");
        }
    }
}

#[test]
fn a_number_inside_of_metadata_judges_no_answer_and_is_told() {
    let whole = json!({"prompt": "q", "completion": "a"});
    for (column, number) in [
        ("metadata", json!({"correct": 0})),
        ("meta", json!({"is_correct": 0, "level": 2})),
        ("attributes", json!({"verdict": 0})),
        ("extra_info", json!({"vote": -1})),
    ] {
        let (records, bad, notes) = left(&whole, &json!({column: number}));
        assert_eq!((records, bad), (2, 0), "{number}: {notes}");
        assert!(
            notes.contains(&format!("in {column:?} in 1 of 2 rows, which are learnt all the same")),
            "{notes}"
        );
    }
    // What is said in words counts, and so does the row's own column.
    let (records, _, notes) = left(&whole, &json!({"metadata": {"correct": false}}));
    assert_eq!(records, 1, "{notes}");
    assert!(notes.contains("\"metadata\" says \"correct\" is false (1); --map unused=metadata"), "{notes}");
    assert_eq!(left(&whole, &json!({"correct": 0, "metadata": {"correct": 1}})).0, 1);
    let rows = [json!({"prompt": "q", "completion": "a", "metadata": {"correct": false}}), whole];
    let batch = read("a.jsonl", rows.map(|row| row.to_string()).join("\n").as_bytes(), &["unused=metadata"]);
    assert_eq!(batch.records.len(), 2, "{:?}", batch.notes);
}

#[test]
fn a_pair_of_sentences_in_the_file_keeps_no_other_row_from_being_judged() {
    let rows = [
        json!({"question": "q", "answer": "a", "verdict": "wrong"}),
        json!({"question": "r", "answer": "b", "verdict": "right"}),
        json!({"premise": "a b", "hypothesis": "b", "label": "neutral", "verdict": "wrong"}),
    ];
    let text = rows.map(|row| row.to_string()).join("\n");
    let batch = read("a.jsonl", text.as_bytes(), &[]);
    assert_eq!((batch.records.len(), batch.malformed.len()), (2, 0), "{:?}", batch.notes);
}

#[test]
fn a_turn_that_was_found_wrong_is_refused() {
    for (key, value) in [("verdict", json!("wrong")), ("is_correct", json!(false)), ("isWrong", json!(true))]
    {
        let answer = json!({"role": "assistant", "content": "a", key: value});
        let row = |answer| json!({"messages": [{"role": "user", "content": "q"}, answer]});
        let plain = json!({"role": "assistant", "content": "a"});
        let text = [row(answer), row(plain)].map(|row| row.to_string()).join("\n");
        let batch = read("a.jsonl", text.as_bytes(), &[]);
        assert_eq!((batch.records.len(), batch.malformed.len()), (1, 1), "{key}");
        assert!(batch.malformed[0].reason.contains(key), "{}", batch.malformed[0].reason);
    }
}

#[test]
fn a_verdict_that_is_the_answer_or_a_class_leaves_nothing_out() {
    let same = json!({"prompt": "Is it right?", "completion": "Wrong.", "verdict": "wrong"});
    assert_eq!(left(&same, &json!({})), (2, 0, String::new()));
    let pair = json!({"premise": "a b", "hypothesis": "b", "label": "neutral"});
    assert_eq!(left(&pair, &json!({"correct": false})).0, 2);
    let text = json!({"text": "The film was long and dull."});
    assert_eq!(left(&text, &json!({"rating": "bad"})).0, 2);
}

#[test]
fn decisions_of_prodigy_are_obeyed_beside_texts_and_beside_answers() {
    for whole in [
        json!({"text": "A text of some words.", "_task_hash": 1}),
        json!({"text": "A text of some words."}),
        json!({"prompt": "q", "response": "a", "_task_hash": 1}),
        json!({"prompt": "q", "completion": "a"}),
    ] {
        for decision in ["reject", "ignore"] {
            let (records, bad, notes) = left(&whole, &json!({"answer": decision}));
            assert_eq!((records, bad), (1, 0), "{whole} {notes}");
            assert!(notes.contains(&format!("\"answer\" is {decision} (1)")), "{notes}");
        }
        let (records, bad, notes) = left(&whole, &json!({"answer": "accept"}));
        assert_eq!((records, bad, notes), (2, 0, String::new()), "{whole}");
    }
    // Without anything else that may be one, it is the answer.
    let class = json!({"question": "May he enter?", "answer": "reject"});
    assert_eq!(left(&class, &json!({})), (2, 0, String::new()));
}

#[test]
fn what_every_annotator_discarded_is_left_out() {
    let whole = json!({"prompt": "q", "completion": "a"});
    for discarded in [
        json!({"responses": [{"user_id": "u", "status": "discarded", "values": {}}]}),
        json!({"responses": [{"status": "discarded"}, {"status": "draft"}]}),
        json!({"quality.responses.status": ["discarded"]}),
        json!({"annotations": [{"was_cancelled": true, "result": []}]}),
        json!({"was_cancelled": true}),
    ] {
        let (records, bad, notes) = left(&whole, &discarded);
        assert_eq!((records, bad), (1, 0), "{discarded} {notes}");
    }
    for kept in [
        json!({"responses": [{"status": "submitted"}, {"status": "discarded"}]}),
        json!({"responses": [{"status": "draft"}]}),
        json!({"annotations": [{"was_cancelled": false}]}),
        json!({"responses": []}),
    ] {
        assert_eq!(left(&whole, &kept).0, 2, "{kept}");
    }
}
