//! The columns of public datasets, by the names that they really have.

use dojo_studio::data::encode::Encoder;
use dojo_studio::domain::message::Message;
use dojo_studio::domain::record::Record;
use serde_json::{Value, json};

use super::beside::{record, refusal};
use super::forms::imported;
use super::world::{assistant, byte_tokenizer, chatml, system, user};

fn pair(record: Record) -> (Vec<Message>, Vec<Message>) {
    let pair = record.preference.expect("a pair");
    (pair.chosen, pair.rejected)
}

/// Why a row that is a record can't be trained on.
fn unlearnable(row: &Value) -> String {
    let (tokenizer, template) = (byte_tokenizer(), chatml());
    let encoder = Encoder::new(&tokenizer, Some(&template), None, 512).expect("an encoder");
    format!("{:#}", encoder.encode(&record(row)).expect_err("refused"))
}

#[test]
fn questions_and_answers_are_known_by_the_names_that_datasets_have() {
    for row in [
        json!({"inputs": "q", "targets": "a", "language": "Yoruba", "annotation_type": "original-annotations"}),
        json!({"question": "q", "expected_answer": "4", "generated_solution": "a", "dataset": "gsm8k"}),
        json!({"problem": "q", "generated_solution": "a", "expected_answer": "4", "problem_source": "math"}),
        json!({"input": "q", "output": "a"}),
        json!({"input": [{"role": "user", "content": "q"}], "output": "a", "category": "math",
            "reasoning": "off", "generator": "a model", "system_prompt": ""}),
    ] {
        assert_eq!(record(&row).messages, [user("q"), assistant("a")], "{row}");
    }
    let told = json!({"input": [{"role": "user", "content": "q"}], "output": "a", "system_prompt": "s"});
    assert_eq!(record(&told).messages, [system("s"), user("q"), assistant("a")]);
    let whole = json!({"input": "x", "output": "y", "text": "all of it"});
    assert_eq!(record(&whole).text.as_deref(), Some("all of it"));
}

#[test]
fn whether_a_row_was_thought_about_is_no_thought() {
    for column in ["reasoning", "thinking"] {
        for said in ["on", "off", "On"] {
            let row = json!({"messages": [user("q"), assistant("a")], column: said});
            assert_eq!(record(&row).messages, [user("q"), assistant("a")]);
        }
    }
}

#[test]
fn a_pair_of_transcripts_is_read_as_turns() {
    let row = json!({
        "chosen": "\n\nHuman: a\n\nmore\n\nAssistant: b\n\nHuman: c\n\nAssistant: Good:\n\n1. one",
        "rejected": "\n\nHuman: a\n\nmore\n\nAssistant: b\n\nHuman: c\n\nAssistant: bad"});
    let read = record(&row);
    assert_eq!(read.messages, [user("a\n\nmore"), assistant("b"), user("c")]);
    assert_eq!(pair(read), (vec![assistant("Good:\n\n1. one")], vec![assistant("bad")]));
    let texts = json!({"prompt": "q", "chosen": "Human: x\n\nAssistant: y", "rejected": "no"});
    assert_eq!(pair(record(&texts)).0, [assistant("Human: x\n\nAssistant: y")]);
    for (chosen, rejected) in [
        ("Human: a\n\nAssistant: b", "plain"),
        ("Human: a", "Human: a\n\nAssistant: b"),
        ("Human:\n\nAssistant: b", "Human:\n\nAssistant: c"),
    ] {
        let told = refusal(&json!({"chosen": chosen, "rejected": rejected}));
        assert_eq!(told, "the chosen and the rejected answer share no prompt");
    }
}

#[test]
fn earlier_turns_may_be_json_in_a_text() {
    for history in [
        json!("[[\"a\", \"b\"]]"),
        json!([["a", "b"]]),
        json!("[{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\": \"b\"}]"),
    ] {
        let row = json!({"instruction": "c", "output": "d", "history": history});
        assert_eq!(record(&row).messages, [user("a"), assistant("b"), user("c"), assistant("d")], "{row}");
    }
    for nothing in ["[]", " ", "null"] {
        let row = json!({"instruction": "c", "output": "d", "history": nothing});
        assert_eq!(record(&row).messages, [user("c"), assistant("d")]);
    }
    for odd in ["a, b", "[[\"a\"]]", "\"\\\"a\\\"\""] {
        let told = refusal(&json!({"instruction": "c", "output": "d", "history": odd}));
        assert!(told.starts_with("column \"history\" holds a"), "{told}");
    }
}

#[test]
fn rows_without_an_answer_name_their_columns() {
    let told =
        unlearnable(&json!({"domain": "d", "context": [user("q")], "response1": "a", "response2": "b"}));
    assert!(
        told.contains(
            "no column is known by its name as a conversation, a question with its answer, or a text; the columns are \
             domain, context, response1, response2: say what they are with --map part=column"
        ),
        "{told}"
    );
    let told = unlearnable(&json!({"question": "q", "reply": "a"}));
    assert!(
        told.ends_with(
            "there is no assistant turn to train on; the columns are question, reply: if one holds the answer, say which \
             with --map completion=COLUMN (data.map in a recipe)"
        ),
        "{told}"
    );
    let told = unlearnable(&json!({"question": "q", "re\u{1b}ply": "a"}));
    assert!(told.contains("the columns are question, re\\u{1b}ply: if"), "{told}");
    let told = unlearnable(&json!({"messages": [user("q")]}));
    assert!(told.ends_with("there is no assistant turn to train on"), "{told}");
}

#[test]
fn rows_without_weight_say_so_when_nothing_is_left_to_learn() {
    for (column, value) in [("weight", json!(0)), ("train", json!(false))] {
        let told = unlearnable(&json!({"question": "q", "answer": "a", column: value}));
        assert!(told.ends_with(&format!("what the assistant says no weight ({column}: {value})")), "{told}");
        let turn = json!({"role": "assistant", "content": "a", column: value});
        let told = unlearnable(&json!({"messages": [user("q"), turn]}));
        assert!(told.ends_with(&format!("no weight ({column}: {value})")), "{told}");
    }
}

#[test]
fn a_list_of_words_is_no_conversation() {
    let (records, bad) =
        imported(&[json!({"id": 1, "items": ["word", "other"]}), json!({"id": 2, "items": ["x"]})]);
    assert_eq!(bad, []);
    assert!(records.iter().all(|record| record.messages.is_empty()));
    let chat = json!({"messages": [user("q"), assistant("a")], "items": ["word"]});
    assert_eq!(record(&chat).messages, [user("q"), assistant("a")]);
}
