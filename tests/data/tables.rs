//! Files whose rows are written column by column, below paragraphs, or as Python prints them.

use dojo_studio::domain::record::Record;
use serde_json::json;

use super::beside::{record, refusal};
use super::rows::read;
use super::world::{assistant, system, user};

const ROWS: &str =
    r#"[{"prompt":"q","completion":"a","score":1.10},{"prompt":"r","completion":"b","score":2}]"#;

fn said(records: &[Record]) -> Vec<(&str, &str)> {
    records
        .iter()
        .map(|record| (record.messages[0].content.as_str(), record.messages[1].content.as_str()))
        .collect()
}

#[test]
fn a_table_in_any_of_the_forms_of_pandas_and_datasets_is_its_rows() {
    let rows = read("a.json", ROWS.as_bytes()).records;
    for table in [
        r#"{"prompt":{"0":"q","1":"r"},"completion":{"0":"a","1":"b"},"score":{"0":1.10,"1":2}}"#,
        r#"{"columns":["prompt","completion","score"],"index":[0,1],"data":[["q","a",1.10],["r","b",2]]}"#,
        r#"{"0":{"prompt":"q","completion":"a","score":1.10},"1":{"prompt":"r","completion":"b","score":2}}"#,
        r#"{"prompt":["q","r"],"completion":["a","b"],"score":[1.10,2]}"#,
    ] {
        for file in [table.to_owned(), table.replace(',', ",\n"), format!("{table}\n")] {
            let batch = read("a.json", file.as_bytes());
            assert_eq!(batch.malformed, []);
            assert_eq!(said(&batch.records), [("q", "a"), ("r", "b")], "{file}");
            let kept = |records: &[Record]| {
                records.iter().map(|one| (one.fields.clone(), one.numbers.clone())).collect::<Vec<_>>()
            };
            assert_eq!(kept(&batch.records), kept(&rows), "{file}");
        }
    }
}

#[test]
fn one_conversation_is_no_table() {
    let turns = r#"[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]"#;
    for row in [
        format!(r#"{{"messages":{turns}}}"#),
        r#"{"prompt":[{"role":"user","content":"q"}],"completion":[{"role":"assistant","content":"a"}]}"#
            .to_owned(),
        r#"{"messages":["q","a"],"tags":["x","y"]}"#.to_owned(),
        r#"{"messages":{"role":["user","assistant"],"content":["q","a"]}}"#.to_owned(),
    ] {
        assert_eq!(said(&read("a.json", row.as_bytes()).records), [("q", "a")], "{row}");
    }
    let several = format!(r#"{{"messages":[{turns},{turns}],"id":[1,2]}}"#);
    assert_eq!(said(&read("a.json", several.as_bytes()).records), [("q", "a"), ("q", "a")]);
}

#[test]
fn each_question_below_a_paragraph_is_a_row_with_what_it_is_about() {
    let qa = |question: &str, answers: serde_json::Value| json!({"id": question, "question": question, "answers": answers});
    let answer = json!([{"text": "a", "answer_start": 0}]);
    let squad = json!({"version": "v2.0", "data": [{"title": "T", "paragraphs": [
        {"context": "c", "qas": [qa("q", answer.clone()), qa("r", json!([]))]},
        {"context": "d", "qas": [qa("s", answer)]},
    ]}]});
    for file in [squad.to_string(), serde_json::to_string_pretty(&squad).expect("text")] {
        let batch = read("squad.json", file.as_bytes());
        assert_eq!(said(&batch.records), [("q\n\nc", "a"), ("s\n\nd", "a")]);
        assert_eq!(batch.records[0].fields["title"], "T");
        let reasons: Vec<&str> = batch.malformed.iter().map(|bad| bad.reason.as_str()).collect();
        assert_eq!(reasons, ["column \"answers\" holds no answer"]);
    }
}

#[test]
fn turns_as_python_prints_them_are_read() {
    let table = "messages,tools\n\"[{'role': 'user', 'content': \"\"it's\\n\\u00e9\"\"}, {'role': 'assistant', 'content': 'a', \
                 'weight': None, 'train': True}]\",\"[{'type': 'function', 'function': {'name': 'w', 'strict': True}}]\"\n";
    let batch = read("a.csv", table.as_bytes());
    assert_eq!(batch.malformed, []);
    assert_eq!(said(&batch.records), [("it's\n\u{e9}", "a")]);
    assert_eq!(
        json!(batch.records[0].tools),
        json!([{"type": "function", "function": {"name": "w", "strict": true}}])
    );
    let printed = |turns: &str| json!({"messages": turns});
    let numpy = printed("[{'content': 'q', 'role': 'user'}\n {'content': 'a', 'role': 'assistant'}]");
    assert_eq!(record(&numpy).messages, [user("q"), assistant("a")]);
    for odd in ["[{'role': 'user', 'content': nan}]", "[{'role': 'user', 'content': 'q'} ...]"] {
        let told = refusal(&printed(odd));
        assert!(
            told.contains("holds turns as Python prints them, with something that isn't plain"),
            "{told}"
        );
    }
    let answer = json!({"prompt": "q", "completion": "['a', 'b']"});
    assert_eq!(record(&answer).messages[1], assistant("['a', 'b']"));
}

#[test]
fn the_turns_of_gemini_are_turns() {
    let part = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let row = json!({"systemInstruction": {"parts": [{"text": "s"}]}, "contents": [part("user", "q"), part("model", "a")]});
    assert_eq!(record(&row).messages, [system("s"), user("q"), assistant("a")]);
    let call = json!({"contents": [part("user", "q"), {"role": "model", "parts": [{"functionCall": {"name": "f"}}]}]});
    assert!(refusal(&call).contains("has a part of its content with \"functionCall\""));
    let document = json!({"prompt": "q", "completion": "a", "contents": "a document"});
    assert_eq!(record(&document).messages, [user("q"), assistant("a")]);
    assert!(record(&json!({"title": "t", "contents": "a document"})).messages.is_empty());
}

#[test]
fn rows_of_a_filtered_table_come_in_the_order_of_their_numbers() {
    for table in [
        r#"{"prompt":{"0":"q","10":"s","2":"r"},"completion":{"0":"a","10":"c","2":"b"}}"#,
        r#"{"0":{"prompt":"q","completion":"a"},"10":{"prompt":"s","completion":"c"},"2":{"prompt":"r","completion":"b"}}"#,
        r#"{"prompt":{"0":"q","2":"r","10":"s"},"completion":{"10":"c","2":"b","0":"a"}}"#,
    ] {
        for file in [table.to_owned(), table.replace(',', ",\n")] {
            let batch = read("a.json", file.as_bytes());
            assert_eq!(batch.malformed, []);
            assert_eq!(said(&batch.records), [("q", "a"), ("r", "b"), ("s", "c")], "{file}");
        }
    }
    let one = r#"{"17":{"prompt":"q","completion":"a"}}"#;
    assert_eq!(said(&read("a.json", one.as_bytes()).records), [("q", "a")]);
}
