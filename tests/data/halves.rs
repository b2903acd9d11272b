//! A file of two forms, half and half: each row is read as it would be among its own kind.

use dojo_studio::data::import::{ImportBatch, ImportOptions, read_all};
use dojo_studio::data::rows::Malformed;
use dojo_studio::domain::recipe::OnMalformed;
use dojo_studio::domain::record::Record;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

use super::world::write;

const ROWS: usize = 12;

type Form = (&'static str, fn(usize) -> Value);

fn turns(question: usize) -> Value {
    json!([{"role": "user", "content": format!("q{question}")}, {"role": "assistant", "content": format!("a{question}")}])
}

/// Rows of each form in which datasets have questions with their answers.
const FORMS: [Form; 15] = [
    ("question and answer", |n| json!({"question": format!("q{n}"), "answer": format!("a{n}")})),
    ("prompt and completion", |n| json!({"prompt": format!("q{n}"), "completion": format!("a{n}")})),
    ("alpaca", |n| json!({"instruction": format!("q{n}"), "input": "", "output": format!("a{n}")})),
    (
        "alpaca with an input",
        |n| json!({"instruction": format!("q{n}"), "input": format!("i{n}"), "output": format!("a{n}")}),
    ),
    (
        "context",
        |n| json!({"question": format!("q{n}"), "context": format!("c{n}"), "answer": format!("a{n}")}),
    ),
    (
        "options",
        |n| json!({"question": format!("q{n}"), "options": ["red", "blue"], "answer": (["A", "B"])[n % 2]}),
    ),
    (
        "choices in words",
        |n| json!({"question": format!("q{n}"), "choices": ["red", "blue"], "answer": (["red", "blue"])[n % 2]}),
    ),
    ("messages", |n| json!({"messages": turns(n)})),
    (
        "sharegpt",
        |n| json!({"conversations": [{"from": "human", "value": format!("q{n}")}, {"from": "gpt", "value": format!("a{n}")}]}),
    ),
    (
        "thought",
        |n| json!({"question": format!("q{n}"), "reasoning": format!("t{n}"), "answer": format!("a{n}")}),
    ),
    ("system", |n| json!({"system": "Be kind.", "prompt": format!("q{n}"), "response": format!("a{n}")})),
    ("query and response", |n| json!({"query": format!("q{n}"), "response": format!("a{n}")})),
    ("problem and solution", |n| json!({"problem": format!("q{n}"), "solution": format!("a{n}")})),
    ("pair", |n| json!({"prompt": format!("q{n}"), "chosen": format!("a{n}"), "rejected": format!("b{n}")})),
    ("text", |n| json!({"text": format!("A text of number {n} that stands for itself.")})),
];

/// Forms of rows that may be refused by name among rows of another form, and are never read as something else.
const MORE: [Form; 9] = [
    (
        "answer key",
        |n| json!({"question": format!("q{n}"), "choices": {"text": ["red", "blue"], "label": ["A", "B"]}, "answerKey": (["A", "B"])[n % 2]}),
    ),
    ("places", |n| json!({"question": format!("q{n}"), "choices": ["w", "x", "y", "z"], "answer": n % 4})),
    (
        "columns of options",
        |n| json!({"question": format!("q{n}"), "A": "red", "B": "blue", "answer": (["A", "B"])[n % 2]}),
    ),
    (
        "sentences",
        |n| json!({"premise": format!("p{n}"), "hypothesis": format!("h{n}"), "label": (["yes", "no", "maybe"])[n % 3]}),
    ),
    (
        "span",
        |n| json!({"context": format!("c a{n}"), "question": format!("q{n}"), "answers": {"text": [format!("a{n}")], "answer_start": [2]}}),
    ),
    (
        "history",
        |n| json!({"instruction": format!("q{n}"), "input": "", "output": format!("a{n}"), "history": [["h", "i"]]}),
    ),
    (
        "rationale",
        |n| json!({"question": format!("q{n}"), "options": ["A)red", "B)blue"], "rationale": format!("r{n}"), "correct": (["A", "B"])[n % 2]}),
    ),
    ("conversations of a pair", |n| {
        let with = |answer: &str| json!([{"role": "user", "content": format!("q{n}")}, {"role": "assistant", "content": format!("{answer}{n}")}]);
        json!({"chosen": with("a"), "rejected": with("b")})
    }),
    (
        "prompt of turns",
        |n| json!({"prompt": [{"role": "user", "content": format!("q{n}")}], "completion": [{"role": "assistant", "content": format!("a{n}")}]}),
    ),
];

fn import(rows: &[Value], name: &str, other: &str) -> ImportBatch {
    let folder = TempDir::new().expect("a folder");
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let path = write(&folder, "a.jsonl", lines.join("\n").as_bytes());
    read_all(&path, &ImportOptions::default(), OnMalformed::Skip).unwrap_or_else(|error| {
        let reason = format!("{name} + {other}: {error:#}");
        let malformed = vec![Malformed { source: String::new(), line: 0, reason, start: String::new() }];
        ImportBatch { malformed, ..ImportBatch::default() }
    })
}

/// The rows with all columns of each, as a table has them.
fn as_table(rows: &[Value], nothing: &Value) -> Vec<Value> {
    let mut all = Map::new();
    for (name, _) in rows.iter().filter_map(Value::as_object).flatten() {
        all.insert(name.clone(), nothing.clone());
    }
    let whole = |row: &Value| {
        let mut whole = all.clone();
        whole.extend(row.as_object().cloned().unwrap_or_default());
        Value::Object(whole)
    };
    rows.iter().map(whole).collect()
}

/// What is learnt of a record.
fn learnt(record: &Record) -> String {
    format!("{:?} {:?} {:?}", record.messages, record.preference, record.text)
}

/// The records of a form's rows alone.
fn alone((name, row): &Form) -> (Vec<Value>, Vec<String>) {
    let rows: Vec<Value> = (0..ROWS).map(row).collect();
    let batch = import(&rows, name, name);
    assert_eq!((batch.records.len(), batch.malformed.len()), (ROWS, 0), "{name}: {:?}", batch.malformed);
    let records = batch.records.iter().map(learnt).collect();
    (rows, records)
}

/// What goes wrong where rows of one form stand before those of another.
fn odd(first: &Form, second: &Form, may_refuse: bool) -> Vec<String> {
    let ((rows, records), (more, further)) = (alone(first), alone(second));
    let both = [rows.as_slice(), &more].concat();
    let wanted = [records, further].concat();
    let mut odd = Vec::new();
    for rows in [both.clone(), as_table(&both, &json!("")), as_table(&both, &Value::Null)] {
        let batch = import(&rows, first.0, second.0);
        let found: Vec<String> = batch.records.iter().map(learnt).collect();
        let mut rest = wanted.iter();
        let other = found.iter().find(|one| !rest.any(|other| other == *one));
        let bad = batch.malformed.first().map(|bad| &bad.reason);
        if other.is_some() || bad.is_some() && !may_refuse || found.len() + batch.malformed.len() < 2 * ROWS {
            let counts = (found.len(), batch.malformed.len());
            odd.push(format!("{} + {}: {counts:?} {bad:?}; {other:?}", first.0, second.0));
        }
    }
    odd
}

#[test]
fn rows_of_two_forms_are_read_as_among_their_own_kind() {
    let pairs = FORMS.iter().flat_map(|first| FORMS.iter().map(move |second| (first, second)));
    let odd: Vec<String> = pairs
        .filter(|(first, second)| first.0 != second.0)
        .flat_map(|(first, second)| odd(first, second, false))
        .collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}

#[test]
fn rows_of_rarer_forms_among_others_are_read_as_among_their_own_kind_or_refused() {
    let pairs = MORE.iter().flat_map(|first| {
        let with_form = FORMS.iter().flat_map(move |second| [(first, second), (second, first)]);
        with_form.chain(MORE.iter().map(move |second| (first, second)))
    });
    let both = pairs.filter(|(first, second)| first.0 != second.0);
    let odd: Vec<String> = both.flat_map(|(first, second)| odd(first, second, true)).collect();
    assert!(odd.is_empty(), "{}", odd.join("\n"));
}
