//! Answers that aren't wanted are not learnt as good ones.

use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::domain::recipe::OnMalformed;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::beside::{record, refusal};
use super::world::{assistant, user, write};

fn turns() -> Value {
    json!([{"role": "user", "content": "q"}, {"role": "assistant", "content": "bad"}])
}

/// A row of each form that KTO's data have.
fn rows(column: &str, value: &Value) -> Vec<Value> {
    vec![
        json!({"prompt": "q", "completion": "bad", column: value}),
        json!({"prompt": [turns()[0]], "completion": [turns()[1]], column: value}),
        json!({"messages": turns(), column: value}),
        json!({"conversations": turns(), column: value}),
    ]
}

#[test]
fn an_answer_that_is_not_wanted_refuses_its_row() {
    for column in ["label", "kto_tag", "desirable", "Label"] {
        for row in rows(column, &json!(false)) {
            let told = refusal(&row);
            let begin = format!(
                "column {column:?} is false: the answer isn't wanted, as in KTO's data, and it would"
            );
            assert!(told.starts_with(&begin), "{told}");
        }
        for row in rows(column, &json!(true)) {
            assert_eq!(record(&row).messages, [user("q"), assistant("bad")]);
        }
    }
    let rejected = refusal(&rows("is_rejected", &json!(true))[0]);
    assert!(rejected.starts_with("column \"is_rejected\" is true: the answer isn't wanted"), "{rejected}");
    assert!(refusal(&rows("kto_tag", &json!(0))[0]).contains("the answer isn't wanted"));
}

#[test]
fn a_label_in_numbers_or_words_beside_prompt_and_completion_judges_too() {
    let row = |label: Value| json!({"prompt": "q", "completion": "a", "label": label});
    for label in [
        json!(0),
        json!(-1),
        json!("-1"),
        json!("-1.0"),
        json!("0"),
        json!("undesirable"),
        json!("Bad"),
        json!("no"),
        json!("False"),
    ] {
        assert!(refusal(&row(label.clone())).contains("the answer isn't wanted"), "{label}");
    }
    for label in [json!(1), json!("desirable"), json!("good"), json!("neutral"), json!(7)] {
        assert_eq!(record(&row(label)).messages, [user("q"), assistant("a")]);
    }
    // Beside other classes, nothing is one.
    let (records, bad) = super::forms::imported(&[row(json!(0)), row(json!(2))]);
    assert_eq!((records.len(), bad.len()), (2, 0));
    // But one odd word among judgements makes them no classes.
    let rows: Vec<Value> = [json!(true), json!(false), json!("unsure")].map(row).into();
    let (records, bad) = super::forms::imported(&rows);
    assert_eq!((records.len(), bad.len()), (2, 1));
    let mut table: Vec<Value> =
        (0..20).map(|at| row(json!(if at % 2 == 0 { "True" } else { "False" }))).collect();
    table.push(row(json!("unsure")));
    let (records, bad) = super::forms::imported(&table);
    assert_eq!((records.len(), bad.len()), (11, 10));
    for class in [
        json!({"instruction": "q", "output": "a", "label": false}),
        json!({"question": "q", "output": "a", "label": false}),
        json!({"question": "q", "answer": "a", "label": false}),
    ] {
        assert_eq!(record(&class).label.as_deref(), Some("false"));
    }
}

#[test]
fn a_class_is_no_judgement_of_an_answer() {
    for class in [json!("false"), json!(0), json!("neutral"), json!("no")] {
        assert!(record(&json!({"question": "q", "answer": "a", "label": class})).label.is_some());
    }
    let same = json!({"prompt": "Is 1 > 2?", "completion": "False.", "label": false});
    assert_eq!(record(&same).messages[1], assistant("False."));
    let pair = json!({"premise": "p", "hypothesis": "h", "label": false});
    assert_eq!(record(&pair).label.as_deref(), Some("false"));
    assert_eq!(record(&json!({"text": "t", "label": false})).label.as_deref(), Some("false"));
    assert_eq!(record(&json!({"prompt": "q", "label": false})).label.as_deref(), Some("false"));
}

#[test]
fn a_table_has_the_judgement_as_a_text_and_a_person_may_call_it_a_class() {
    let folder = TempDir::new().expect("a folder");
    let path = write(&folder, "kto.csv", b"prompt,completion,label\nq,good,True\nr,bad,False\n");
    let read = |map: &[&str]| {
        let options = ImportOptions {
            map: map.iter().map(|told| (*told).to_owned()).collect(),
            ..ImportOptions::default()
        };
        let batch = read_all(&path, &options, OnMalformed::Skip).expect("read");
        (batch.records.len(), batch.malformed.len())
    };
    assert_eq!(read(&[]), (1, 1));
    assert_eq!(read(&["label="]), (2, 0));
    assert_eq!(read(&["label=label"]), (2, 0));
}

#[test]
fn labels_that_go_with_one_completion_each_are_classes() {
    let row = |said: &str, label: i64| json!({"prompt": "q", "completion": said, "label": label});
    let rows = [row("no", 0), row("yes", 1), row("no", 0), row("perhaps", -1), row("yes", 1)];
    let (records, bad) = super::forms::imported(&rows);
    assert_eq!((records.len(), bad.len()), (5, 0), "{bad:?}");
    // Answers that are judged differ.
    let (records, bad) = super::forms::imported(&[row("this", 0), row("that", 1), row("a third", 0)]);
    assert_eq!((records.len(), bad.len()), (1, 2));
}
