//! What of answers, judgements and columns is read, refused or told.

use serde_json::{Value, json};

use super::noticed::{LONG, idle, notes, read};

#[test]
fn a_short_answer_of_a_pair_beside_another_answer_is_named() {
    for (column, value, told) in [
        ("chosen", json!("4"), r#""chosen" ("4")"#),
        ("chosen", json!(4), r#""chosen" ("4")"#),
        ("chosen", json!("Paris."), r#""chosen" ("Paris.")"#),
        ("preferred", json!("f(x)"), r#""preferred" ("f(x)")"#),
        ("rejected", json!("Rome."), r#""rejected" ("Rome.")"#),
        (
            "chosen",
            json!("https://example.org/a/very/long/address/of/it"),
            r#""chosen" ("https://example.org/a/very/long/address/ ...")"#,
        ),
    ] {
        let mut row = json!({"prompt": "q", "completion": "a"});
        row[column] = value;
        assert_eq!(idle(std::slice::from_ref(&row), &[]), told, "{row}");
        // Late, and behind many that are understood.
        let understood = |at: usize| json!({"prompt": at.to_string(), "completion": "a", column: (["", "yes", "good"])[at % 3]});
        let mut rows: Vec<Value> = (0..3_000).map(understood).collect();
        if column != "rejected" {
            rows.push(row);
            assert_eq!(idle(&rows, &[]), told);
        }
    }
    // What is understood isn't named.
    for value in [json!("yes"), json!(true), json!(1), json!("\u{2713}")] {
        assert_eq!(idle(&[json!({"prompt": "q", "completion": "a", "accepted": value})], &[]), "", "{value}");
    }
}

#[test]
fn all_columns_without_a_part_are_counted() {
    let many = |count: usize| {
        let mut row = json!({"prompt": "q", "completion": "a", "status": "accepted"});
        (0..count).for_each(|at| row[format!("c{at:04}")] = json!(at));
        row
    };
    assert!(idle(&[many(1_000)], &[]).ends_with(r#""c0023" and 976 more"#));
    let rows: Vec<Value> = (0..700)
        .map(|at| json!({"prompt": at.to_string(), "completion": "a", format!("c{at:04}"): LONG}))
        .collect();
    assert!(notes(&rows, &[])[0].contains("(in 1 of 700 rows) and 692 more"), "{:?}", notes(&rows, &[]));
}

#[test]
fn an_answer_that_is_a_thought_alone_is_kept_and_counted() {
    let told = |answers: &[&str]| {
        let rows = answers
            .iter()
            .enumerate()
            .map(|(at, answer)| json!({"prompt": at.to_string(), "completion": answer}));
        let lines: Vec<String> = rows.map(|row| row.to_string()).collect();
        read("a.jsonl", lines.join("\n").as_bytes(), &[])
    };
    let batch = told(&[
        "a",
        "<think>b</think>",
        "<thinking>\nc\n</thinking>\n\n",
        "d</think>",
        "<think>e</think>f",
        "The mark </think> ends it.",
    ]);
    assert_eq!((batch.records.len(), batch.malformed.len()), (6, 0));
    assert_eq!(
        batch.notes,
        [
            "the answer is a thought with nothing behind it in 3 of 6 rows (the first is DIR/a.jsonl:2), so a model would \
             learn to end after the thought; if the answer is missing, take these rows out"
        ]
    );
    // Marks alone are an empty answer.
    let batch = told(&["a", "<think>\n\n</think>\n"]);
    assert_eq!(batch.malformed[0].reason, "column \"completion\" is empty");
}

#[test]
fn a_thought_that_nothing_ends_is_refused() {
    let turns =
        |answer: &str| json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": answer}]);
    for (row, place) in [
        (json!({"prompt": "r", "completion": "<think>I wonder"}), "column \"completion\""),
        (json!({"prompt": "r", "completion": "\n[THINK]I wonder"}), "column \"completion\""),
        (json!({"prompt": "r", "completion": "<think>a</think>b\n<think>c"}), "column \"completion\""),
        (json!({"messages": turns("<reasoning>I wonder")}), "turn 2 (the assistant's)"),
        (json!({"prompt": "r", "chosen": "<think>I wonder", "rejected": "b"}), "column \"chosen\""),
    ] {
        let mut fine = row.clone();
        for column in ["completion", "chosen"].iter().filter(|column| row.get(**column).is_some()) {
            fine[*column] = json!("<think>a</think>b");
        }
        if row.get("messages").is_some() {
            fine["messages"] = turns("The mark <think> begins it.");
        }
        let batch =
            read("a.jsonl", [fine, row.clone()].map(|row| row.to_string()).join("\n").as_bytes(), &[]);
        let reason = &batch.malformed[0].reason;
        assert!(reason.starts_with(&format!("{place} begins a thought with ")), "{reason}");
        assert_eq!((batch.records.len(), batch.malformed[0].line), (1, 2));
    }
    // A worse answer may be cut off.
    let pair = json!({"prompt": "q", "chosen": "a", "rejected": "<think>b"});
    assert_eq!(read("a.jsonl", pair.to_string().as_bytes(), &[]).records.len(), 1);
}

#[test]
fn marks_and_blanks_of_somebody_who_went_through_the_table_are_read() {
    let kept = |column: &str, cells: &[&str]| {
        let rows = cells
            .iter()
            .enumerate()
            .map(|(at, cell)| json!({"prompt": "q", "completion": at.to_string(), column: cell}));
        let lines: Vec<String> = rows.map(|row| row.to_string()).collect();
        let batch = read("a.jsonl", lines.join("\n").as_bytes(), &[]);
        let kept: String = batch.records.iter().filter_map(|record| record.answer()).collect();
        (kept, batch.idle.unwrap_or_default())
    };
    for (column, cells, left) in [
        ("include", ["\u{2713}", "\u{2717}", "\u{2714}\u{fe0f}"], "02"),
        ("include", ["\u{2705}", "\u{2718}", "\u{274c}"], "0"),
        ("keep", ["\u{2611}", "\u{2610}", "\u{1f44d}\u{1f3fd}"], "02"),
        ("approved", ["x", "yes", "y"], "12"),
        ("include", ["yes", "", "yes"], "02"),
        ("include", ["no", "", "no"], "1"),
        ("use", ["ok", "", "x"], "02"),
        ("exclude", ["\u{2713}", "\u{2717}", ""], "12"),
        ("exclude", ["\u{2717}", "", ""], "12"),
        ("skip", ["*", "", ""], "12"),
        ("is_valid", ["\u{1f5f8}", "\u{1f5f4}", "\u{1f44e}"], "0"),
    ] {
        let (records, told) = kept(column, &cells);
        assert_eq!((records.as_str(), told.as_str()), (left, ""), "{column} {cells:?}");
    }
    // Beside each other a full circle is a yes, and an empty one a no.
    for (column, cells, left) in [
        ("keep", ["\u{25cf}", "\u{25cb}", "\u{25cf}"], "02"),
        ("keep", ["\u{25cb}", "\u{25cb}", "\u{25cf}"], "2"),
        ("approved", ["\u{26ab}", "\u{26aa}\u{fe0f}", "\u{25cb}"], "0"),
        ("exclude", ["\u{25cf}", "\u{25cb}", "\u{25cb}"], "12"),
        ("keep", ["\u{25a0}", "\u{25a1}", "\u{25a1}"], "0"),
        ("skip", ["\u{2b1b}", "\u{2b1c}\u{fe0f}", "\u{2b1c}"], "12"),
        ("keep", ["\u{2705}", "\u{2b1c}", "\u{2705}"], "02"),
        ("is_correct", ["\u{25cf}", "\u{25cb}", "\u{25cf}"], "02"),
        ("include", ["\u{25cb}", "\u{d7}", "\u{25cb}"], "02"),
        ("use", ["\u{25cf}", "", "\u{25cf}"], "02"),
    ] {
        let (records, told) = kept(column, &cells);
        assert_eq!((records.as_str(), told.as_str()), (left, ""), "{column} {cells:?}");
    }
    // What is neither is kept, and told.
    let blank = "no part in what is learnt: \"keep\" (\"\")".to_owned();
    assert_eq!(kept("keep", &["\u{2713}", "x", ""]), ("02".to_owned(), blank));
    assert_eq!(
        kept("include", &["yes", "maybe", "no", ""]),
        ("013".to_owned(), "no part in what is learnt: \"include\" (\"\", \"maybe\")".to_owned())
    );
}
