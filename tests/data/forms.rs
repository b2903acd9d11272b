//! Files whose rows are of several forms, or have a part late, or are odd.

use dojo_studio::data::import::{Import, ImportOptions};
use dojo_studio::domain::record::Record;
use serde_json::json;
use tempfile::TempDir;

use super::world::{assistant, system, user, write};

/// The conversations of a file of rows, and the malformed lines with their reasons.
pub(super) fn imported(rows: &[serde_json::Value]) -> (Vec<Record>, Vec<(u64, String)>) {
    let folder = TempDir::new().expect("a folder");
    let lines: Vec<String> = rows.iter().map(ToString::to_string).collect();
    let path = write(&folder, "a.jsonl", lines.join("\n").as_bytes());
    let mut import = Import::open(&path, &ImportOptions::default()).expect("open");
    let (mut records, mut bad) = (Vec::new(), Vec::new());
    while let Some(batch) = import.next_batch().expect("read") {
        records.extend(batch.records);
        bad.extend(batch.malformed.into_iter().map(|bad| (bad.line, bad.reason)));
    }
    (records, bad)
}

#[test]
fn a_part_that_the_first_rows_lack_is_taken_where_a_row_has_it() {
    let row = |input: &str| json!({"instruction": "Translate.", "input": input, "output": "o"});
    let bare = || json!({"instruction": "Translate.", "output": "o"});
    for first in [row(""), bare()] {
        let mut rows = vec![first; 120];
        rows.push(json!({"instruction": "Translate.", "input": "Red.", "output": "o", "system": "s",
            "label": "l", "split": "test", "tags": ["t"]}));
        let (records, bad) = imported(&rows);
        assert_eq!(bad, []);
        assert_eq!(records[0].messages, [user("Translate."), assistant("o")]);
        let last = &records[120];
        assert_eq!(last.messages, [system("s"), user("Translate.\n\nRed."), assistant("o")]);
        assert_eq!((last.label.as_deref(), last.split.as_deref()), (Some("l"), Some("test")));
        assert_eq!(last.tags.iter().collect::<Vec<_>>(), ["t"]);
    }
    let mut rows = vec![json!({"prompt": "q", "completion": ""}); 120];
    rows.push(json!({"prompt": "q", "completion": "a"}));
    assert_eq!(imported(&rows).0[120].messages, [user("q"), assistant("a")]);
}

#[test]
fn an_odd_row_is_named_and_the_others_are_read() {
    let chat = json!({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]});
    let odd = [
        (json!({"messages": []}), "column \"messages\" holds no turns"),
        (json!({"messages": "none"}), "column \"messages\" holds text, not turns"),
        (json!({"messages": [{"content": "q"}]}), "turn 1 of column \"messages\" has no role"),
    ];
    for (row, reason) in odd {
        for place in [0, 50] {
            let mut rows = vec![chat.clone(); 50];
            rows.insert(place, row.clone());
            let (records, bad) = imported(&rows);
            assert_eq!((records.len(), bad), (50, vec![(place as u64 + 1, reason.to_owned())]));
        }
        let mut rows = vec![row; 150];
        rows.push(chat.clone());
        let (records, bad) = imported(&rows);
        assert_eq!((records.len(), bad.len()), (1, 150));
    }
    let mut rows = vec![json!({"prompt": "q", "completion": "a"}); 20];
    rows.insert(0, json!({"prompt": {"a": 1}, "completion": "x"}));
    rows.push(json!({"prompt": "q", "completion": "a", "system": ["s"]}));
    let told = |part: &str, kind: &str| {
        format!("column {part:?} holds {kind}, which is no {part}; --map {part}= leaves the column out")
    };
    assert_eq!(imported(&rows).1, [(1, told("prompt", "an object")), (22, told("system", "a list"))]);
}

#[test]
fn rows_of_several_forms_in_one_file_are_each_read_by_their_own_columns() {
    let (records, bad) = imported(&[
        json!({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "source": "x"}),
        json!({"messages": null, "prompt": "p", "completion": "c", "source": "x"}),
        json!({"text": "t", "source": "x"}),
        json!({"messages": null, "source": "x", "answer": "y"}),
    ]);
    let prompts: Vec<&str> = records.iter().map(Record::prompt).collect();
    assert_eq!(prompts, ["q", "p", "t"]);
    assert_eq!(bad, [(4, "column \"messages\" is null".to_owned())]);
}

#[test]
fn turns_are_found_in_every_form_that_datasets_have_them_in() {
    let turns = r#"[{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]"#;
    for row in [
        json!({ "messages": turns }),
        json!({ "messages": format!("\n  {turns}") }),
        json!({"messages": {"role": ["user", "assistant"], "content": ["q", "a"]}}),
        json!({"conversations": {"from": ["human", "gpt"], "value": ["q", "a"]}}),
        json!({"conversations": [{"role": "human", "value": "q"}, {"role": "gpt", "value": "a"}]}),
        json!({"conversations": [{"from": "user", "content": "q"}, {"from": "assistant", "content": "a"}]}),
        json!({"dialog": [{"speaker": "user", "text": "q"}, {"speaker": "bot", "text": "a"}]}),
        json!({"conversation": [{"input": "q", "output": "a"}]}),
        json!({"conversation": [{"human": "q", "assistant": "a"}]}),
        json!({"messages": [["user", "q"], ["assistant", "a"]]}),
        json!({"items": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"}]}),
        json!({"messages": [r#"{"role": "user", "content": "q"}"#, r#"{"role": "assistant", "content": "a"}"#]}),
        json!({"prompt": turns.replace(", {\"role\": \"assistant\", \"content\": \"a\"}", ""), "completion": "a"}),
    ] {
        let (records, bad) = imported(std::slice::from_ref(&row));
        assert_eq!(bad, [], "{row}");
        assert_eq!(records[0].messages, [user("q"), assistant("a")], "{row}");
    }
    let (records, bad) = imported(&[
        json!({"conversations": ["q", 1]}),
        json!({"conversations": {"from": ["human"], "value": []}}),
        json!({"messages": "[{'role': 'user', 'content': nan}]"}),
    ]);
    assert_eq!((records.len(), bad.len()), (0, 3), "{bad:?}");
}

#[test]
fn texts_alone_are_user_and_assistant_by_turns_or_refuse_the_row() {
    let (records, bad) = imported(&[
        json!({"messages": ["q", "a", "r", "b"]}),
        json!({"messages": "[\"q\", \"a\"]"}),
        json!({"messages": ["q"]}),
    ]);
    assert_eq!(bad, []);
    let turns: Vec<_> = records.iter().map(|record| record.messages.clone()).collect();
    let (q, a) = (user("q"), assistant("a"));
    let four = vec![q.clone(), a.clone(), user("r"), assistant("b")];
    assert_eq!(turns, [four, vec![q.clone(), a], vec![q]]);
    let (records, bad) = imported(&[
        json!({"messages": ["You are a helpful pirate.", "q", "a"]}),
        json!({"messages": " [\"q\", \"a\", \"end\"]"}),
    ]);
    assert_eq!(records.len(), 0);
    let reason = "column \"messages\" holds 3 texts that don't say who speaks; user and assistant by turns would be an \
                  even number: write each turn as {\"role\": ..., \"content\": ...}";
    assert_eq!(bad, [(1, reason.to_owned()), (2, reason.to_owned())]);
}

#[test]
fn the_first_answer_of_a_span_is_the_answer() {
    let row = |answers: serde_json::Value| json!({"context": "c", "question": "q", "answers": answers});
    let (records, bad) = imported(&[
        row(json!({"text": ["a", "b"], "answer_start": [1, 2]})),
        row(json!([{"text": "a", "answer_start": 1}])),
        row(json!({"text": [], "answer_start": []})),
    ]);
    assert_eq!(records.len(), 2);
    records.iter().for_each(|record| assert_eq!(record.messages, [user("q\n\nc"), assistant("a")]));
    assert_eq!(bad, [(3, "column \"answers\" holds no answer".to_owned())]);
}

#[test]
fn what_a_pair_of_question_and_answer_has_beside_them_is_the_answers() {
    let (records, bad) = imported(&[json!({"conversation": [
        {"user": "hi", "assistant": "yes", "weight": 0},
        {"user": "ho", "assistant": "no", "reasoning": "hmm", "system_prompt": ""},
        {"instruction": "Translate.", "input": "Red", "output": "Rot", "input_text": "x"},
    ]})]);
    assert_eq!(bad, []);
    let turns = &records[0].messages;
    let said: Vec<&str> = turns.iter().map(|turn| turn.content.as_str()).collect();
    assert_eq!(said, ["hi", "yes", "ho", "no", "Translate.\n\nRed", "Rot"]);
    let extras: Vec<_> =
        turns.iter().map(|turn| serde_json::to_value(&turn.extra).expect("written")).collect();
    let none = json!({});
    let expected = [
        &none,
        &json!({"weight": 0}),
        &none,
        &json!({"reasoning": "hmm"}),
        &none,
        &json!({"input_text": "x"}),
    ];
    assert_eq!(extras.iter().collect::<Vec<_>>(), expected);
    let odd = [
        json!({"user": "a", "human": "b", "assistant": "c"}),
        json!({"user": "a", "assistant": "b", "answer": "c"}),
        json!({"user": "a", "assistant": "b", "content": "c"}),
        json!({"user": "a", "assistant": "b", "weight": 0.5}),
        json!({"user": "a", "assistant": "b", "images": ["x"]}),
        json!({"user": "a", "assistant": null}),
    ];
    for pair in odd {
        let (records, bad) = imported(&[json!({ "conversation": [pair] })]);
        assert_eq!((records.len(), bad.len()), (0, 1), "{bad:?}");
    }
}

#[test]
fn a_prompt_or_an_answer_of_pairs_is_turns() {
    for row in [
        json!({"prompt": [["user", "q"]], "completion": [["assistant", "a"]]}),
        json!({"prompt": "[[\"user\", \"q\"]]", "completion": "a"}),
        json!({"prompt": [{"author": "user", "text": "q"}], "completion": [{"author": "assistant", "text": "a"}]}),
    ] {
        let (records, bad) = imported(std::slice::from_ref(&row));
        assert_eq!(bad, [], "{row}");
        assert_eq!(
            (&records[0].messages[..], records[0].prompt_turns),
            (&[user("q"), assistant("a")][..], 1),
            "{row}"
        );
    }
    let (records, bad) = imported(&[
        json!({"prompt": [{"user": "q", "assistant": "a"}, ["user", "r"]], "completion": "b"}),
        json!({"prompt": [["user", "q"], ["assistant", "a"], ["user", "r"]], "completion": "b"}),
    ]);
    assert_eq!(bad, []);
    let turns = [user("q"), assistant("a"), user("r"), assistant("b")];
    assert!(records.len() == 2 && records.iter().all(|record| record.messages == turns));
    let quotes = r#"[{"author": "Ada", "text": "t"}]"#;
    assert_eq!(imported(&[json!({"prompt": "q", "completion": quotes})]).0[0].answer(), Some(quotes));
}

#[test]
fn no_answer_or_several_refuse_the_row() {
    let none = [json!([]), json!([null]), json!([""]), json!([[]])];
    let several = [json!(["a", "b"]), json!([1, 2]), json!([{"a": 1}, {"b": 2}]), json!([["x", "y"]])];
    let names = ["answer", "answers", "completion", "response", "responses", "output", "solution", "target"];
    for name in names {
        for (value, start) in none
            .iter()
            .map(|value| (value, "holds no answer"))
            .chain(several.iter().map(|value| (value, "holds")))
        {
            let rows = [json!({"question": "hi", name: value}), json!({"question": "ho", name: "yes"})];
            let (records, bad) = imported(&rows);
            assert_eq!((records.len(), bad.len()), (1, 1), "{rows:?} {bad:?}");
            assert!(bad[0].1.starts_with(&format!("column {name:?} {start}")), "{bad:?}");
        }
    }
    assert_eq!(imported(&[json!({"question": "hi", "answer": ["yes"]})]).0[0].answer(), Some("yes"));
    for prompt in [json!([]), json!([["a", "b"]]), json!(["a", "b"])] {
        let row = json!({"prompt": prompt, "completion": "c"});
        let (records, bad) = imported(&[json!({"prompt": "p", "completion": "c"}), row]);
        assert_eq!((records.len(), bad.len()), (1, 1), "{prompt} {bad:?}");
    }
}

#[test]
fn a_column_of_a_few_rows_does_not_decide_for_all() {
    let plain = json!({"question": "q", "answer": "a"});
    let turns = json!([{"role": "user", "content": "u"}, {"role": "assistant", "content": "s"}]);
    for odd in
        [json!({"question": "q", "answer": "a", "solution": "s"}), json!({"messages": turns, "answer": "zz"})]
    {
        for first in [true, false] {
            let mut rows = vec![plain.clone(); 60];
            rows.insert(if first { 0 } else { 60 }, odd.clone());
            let (records, bad) = imported(&rows);
            assert_eq!((records.len(), bad.len()), (61, 0), "{odd} {first}: {bad:?}");
        }
    }
}
