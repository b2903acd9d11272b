//! Labels beside answers.

use serde_json::{Value, json};

use super::noticed::notes;

fn row(output: &str, label: Value) -> Value {
    json!({"instruction": "Say what it is.", "input": output, "output": output, "label": label})
}

#[test]
fn an_answer_that_is_another_rows_label_is_told_of() {
    let mut rows = vec![row("positive", json!("positive")), row("negative", json!("negative"))];
    assert_eq!(notes(&rows, &[]), [""; 0]);
    rows.push(row("Negative.", json!("positive")));
    let told = notes(&rows, &[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with(
            "the answer isn't the row's own label in 1 of 3 rows with a label (the first is DIR"
        ),
        "{told:?}"
    );
    assert!(told[0].contains("answer \"negative\", label \"positive\""), "{told:?}");
    let alone = [row("pos", json!("neg"))];
    assert!(notes(&alone, &[])[0].starts_with("the answer isn't the row's own label in 1 of 1 rows"));
    let again = [row("pos", json!("neg")), row("pos", json!("neg"))];
    assert!(notes(&again, &[])[0].starts_with("the answer isn't the row's own label in 2 of 2 rows"));
    let judged = [row("In Paris", json!("incorrect")), row("In Paris", json!("incorrect"))];
    assert!(notes(&judged, &[])[0].starts_with("the label is \"incorrect\" in 2 of 2 rows with a label"));
    let swapped = [row("a", json!("b")), row("b", json!("a"))];
    assert!(notes(&swapped, &[])[0].starts_with("the answer isn't the row's own label in 2 of 2 rows"));
}

#[test]
fn a_label_that_may_judge_the_answer_is_told_of() {
    for label in [json!(false), json!(0), json!("incorrect"), json!("bad")] {
        let rows = [row("In Paris", label.clone()), row("In Rome", json!(true)), row("In Oslo", label)];
        let told = notes(&rows, &[]);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("the label is \""), "{told:?}");
        assert!(told[0].contains("in 2 of 3 rows with a label"), "{told:?}");
    }
}

#[test]
fn a_label_that_is_a_class_is_not() {
    // Of several classes, and one word for each.
    let rows = [row("Paris", json!(0)), row("Rome", json!(2)), row("Oslo", json!(1))];
    assert_eq!(notes(&rows, &[]), [""; 0]);
    let rows = [row("spam", json!(1)), row("ham", json!(0)), row("spam", json!(1)), row("ham", json!(0))];
    assert_eq!(notes(&rows, &[]), [""; 0]);
}
