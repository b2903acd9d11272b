//! Questions with options: an answer that is a letter or a place is learnt with the letters beside the question.

use dojo_studio::domain::record::Record;
use serde_json::{Value, json};

use super::beside::{record, refusal};
use super::forms::imported;
use super::world::{assistant, user};

const LETTERED: &str = "Which is it?\n\nA. red\nB. blue\nC. green";

fn with(options: &str, answer: &Value) -> Value {
    json!({"question": "Which is it?", options: ["red", "blue", "green"], "answer": answer})
}

fn said(records: &[Record]) -> Vec<(&str, &str)> {
    records.iter().map(|one| (one.messages[0].content.as_str(), one.messages[1].content.as_str())).collect()
}

#[test]
fn options_get_the_letters_that_the_answer_is_one_of() {
    for column in ["options", "choices"] {
        for answer in ["B", "(B)", "B. blue"] {
            let read = record(&with(column, &json!(answer)));
            assert_eq!(read.messages, [user(LETTERED), assistant(answer)], "{column} {answer}");
        }
    }
    let small = record(&with("options", &json!("b")));
    assert_eq!(small.messages[0], user("Which is it?\n\na. red\nb. blue\nc. green"));
    let own = record(&with("options", &json!("blue")));
    assert_eq!(own.messages, [user("Which is it?\n\nred\nblue\ngreen"), assistant("blue")]);
    let lettered = json!({"question": "q", "options": ["A)1", "B)2"], "answer": "B"});
    assert_eq!(record(&lettered).messages, [user("q\n\nA)1\nB)2"), assistant("B")]);
}

#[test]
fn an_answer_that_is_a_place_becomes_its_letter() {
    let rows = |places: &[u64]| places.iter().map(|place| with("choices", &json!(place))).collect::<Vec<_>>();
    let (records, bad) = imported(&rows(&[0, 2, 1]));
    assert_eq!(bad, []);
    assert_eq!(said(&records), [(LETTERED, "A"), (LETTERED, "C"), (LETTERED, "B")]);
    let (records, bad) = imported(&rows(&[1, 3, 2]));
    assert_eq!(bad, []);
    assert_eq!(said(&records), [(LETTERED, "A"), (LETTERED, "C"), (LETTERED, "B")]);
    let (records, bad) = imported(&rows(&[0, 1, 4]));
    assert_eq!((records.len(), bad.len()), (2, 1));
    assert!(bad[0].1.starts_with("column \"answer\" is 4, and there are 3 options"), "{bad:?}");
    let unclear = refusal(&with("choices", &json!(1)));
    assert!(
        unclear.starts_with("column \"answer\" is 1, and whether the first of the 3 options is 0 or 1"),
        "{unclear}"
    );
    // Options that are numbers may be the answer themselves.
    let number = json!({"question": "q", "options": [3, 7, 1], "answer": 7});
    assert_eq!(record(&number).messages, [user("q\n\n3\n7\n1"), assistant("7")]);
}

#[test]
fn options_in_columns_are_shown_beside_an_answer_that_is_one_of_them() {
    for names in [["A", "B"], ["Option A", "Option B"], ["option_a", "option_b"], ["choice1", "choice2"]] {
        let row = json!({"question": "q", names[0]: "red", names[1]: "blue", "answer": "blue"});
        assert_eq!(record(&row).messages, [user("q\n\nred\nblue"), assistant("blue")], "{names:?}");
    }
    let small = json!({"question": "q", "a": "red", "b": "blue", "answer": "b"});
    assert_eq!(record(&small).messages, [user("q\n\na. red\nb. blue"), assistant("b")]);
}

#[test]
fn an_answer_that_names_no_option_is_refused_where_the_others_do() {
    for odd in [json!("-1"), json!("?"), json!("E"), json!("violet"), json!(-1)] {
        let mut rows: Vec<Value> =
            ["A", "B", "C", "B", "A"].map(|answer| with("options", &json!(answer))).into();
        rows.push(with("options", &odd));
        let (records, bad) = imported(&rows);
        assert_eq!((records.len(), bad.len()), (5, 1), "{odd} {bad:?}");
        assert!(bad[0].1.contains("names none of the 3 options"), "{bad:?}");
    }
    let several = [with("options", &json!("AC")), with("options", &json!("B"))];
    assert_eq!(said(&imported(&several).0), [(LETTERED, "AC"), (LETTERED, "B")]);
    let table = [json!(0.0), json!(2.0), json!("1.0")].map(|place| with("options", &place));
    assert_eq!(said(&imported(&table).0), [(LETTERED, "A"), (LETTERED, "C"), (LETTERED, "B")]);
    // What is said of the options is no answer of that kind.
    let free = ["Red, for it is warm.", "Blue is calm."].map(|answer| with("options", &json!(answer)));
    assert_eq!(imported(&free).0.len(), 2);
}

#[test]
fn options_with_letters_of_their_own_keep_them() {
    for options in [
        json!({"A": "red", "B": "blue", "C": "green"}),
        json!({"text": ["red", "blue", "green"], "label": ["A", "B", "C"]}),
        json!([{"label": "A", "text": "red"}, {"label": "B", "text": "blue"}, {"label": "C", "text": "green"}]),
    ] {
        for key in ["answer", "answerKey", "answer_idx"] {
            let row = json!({"question": "Which is it?", "choices": options, key: "B"});
            assert_eq!(record(&row).messages, [user(LETTERED), assistant("B")], "{row}");
        }
    }
}

#[test]
fn options_in_columns_of_their_own_and_in_texts_of_a_table_get_letters_too() {
    for names in [["A", "B", "C"], ["option_a", "option_b", "option_c"], ["opa", "opb", "opc"]] {
        let [a, b, c] = names;
        let row = json!({"question": "Which is it?", a: "red", b: "blue", c: "green", "answer": "B"});
        assert_eq!(record(&row).messages, [user(LETTERED), assistant("B")], "{row}");
        let places =
            |place: u64| json!({"question": "Which is it?", a: "red", b: "blue", c: "green", "cop": place});
        let (records, bad) = imported(&[places(0), places(2)]);
        assert_eq!(bad, []);
        assert_eq!(said(&records), [(LETTERED, "A"), (LETTERED, "C")]);
    }
    for list in ["[\"red\", \"blue\", \"green\"]", "['red', 'blue', 'green']"] {
        let row = json!({"question": "Which is it?", "options": list, "answer": "B"});
        assert_eq!(record(&row).messages, [user(LETTERED), assistant("B")], "{row}");
    }
}

#[test]
fn the_reason_for_an_option_is_the_thought_and_not_the_answer() {
    for (row, answer) in [
        (
            json!({"question": "q", "options": ["A)1", "B)2"], "rationale": "One and one.", "correct": "B"}),
            "B",
        ),
        (
            json!({"Problem": "q", "options": "a ) 1 , b ) 2", "Rationale": "One and one.", "correct": "b"}),
            "b",
        ),
        (json!({"question": "q", "choices": ["1", "2"], "solution": "One and one.", "answer": "B"}), "B"),
        (json!({"question": "q", "choices": ["1", "2"], "rationale": "One and one.", "answer": "2"}), "2"),
    ] {
        let read = record(&row);
        assert_eq!(read.messages[1].content, answer, "{row}");
        assert_eq!(read.messages[1].thought(), Some("One and one."), "{row}");
    }
    let science = |place: u64, solution: &str| json!({"question": "q", "choices": ["x", "y"], "answer": place, "solution": solution, "hint": ""});
    let (records, bad) = imported(&[science(0, "It is x."), science(1, "")]);
    assert_eq!(bad, []);
    assert_eq!(said(&records), [("q\n\nA. x\nB. y", "A"), ("q\n\nA. x\nB. y", "B")]);
    assert_eq!(
        (records[0].messages[1].thought(), records[1].messages[1].thought()),
        (Some("It is x."), None)
    );
    // A solution that ends with the answer is learnt as before.
    let maths = json!({"problem": "q", "solution": "One and one is 2.", "answer": "2"});
    assert_eq!(record(&maths).messages[1], assistant("One and one is 2."));
}
