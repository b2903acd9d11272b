//! Marks of turns that are no control tokens where they stand are learnt as letters, and those of texts as tokens: told.

use dojo_studio::data::check::{CheckSettings, FindingKind, check};
use dojo_studio::data::encode::Encoder;
use dojo_studio::data::mask::warnings;
use dojo_studio::domain::record::{Record, RecordId};

use super::world::{assistant, byte_tokenizer, chatml, record, user};

fn text(text: &str) -> Record {
    Record { text: Some(text.into()), ..record(&[]) }
}

/// What training and what `dojo data check` say of a record.
fn told(record: &Record) -> (Vec<String>, Vec<String>) {
    let (tokenizer, template) = (byte_tokenizer(), chatml());
    let encoder = Encoder::new(&tokenizer, Some(&template), Some("</s>"), 512).expect("an encoder");
    let unlearnt = encoder.encode(record).expect("encode").unlearnt;
    let settings = CheckSettings { encoder: Some(encoder), ..CheckSettings::default() };
    let report = check(&[(RecordId(1), record.clone())], settings);
    let findings = report.findings.into_iter().filter(|finding| finding.check == FindingKind::ControlToken);
    (warnings([("a.jsonl:1", &unlearnt)]), findings.map(|finding| finding.what).collect())
}

#[test]
fn marks_of_other_models_are_told_in_turns_and_texts() {
    for mark in [
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "<bos>",
        "<|eot_id|>",
        "<|assistant|>",
        "<|endoftext|>",
        "<start_of_turn>",
        "<end_of_turn>",
        "<｜User｜>",
        "[TOOL_CALLS]",
    ] {
        let said = format!("It is {mark} here.");
        for one in
            [record(&[user(&said), assistant("Yes.")]), record(&[user("q"), assistant(&said)]), text(&said)]
        {
            let (learnt, found) = told(&one);
            assert_eq!(learnt.len(), 1, "{mark}: {learnt:?}");
            assert!(
                learnt[0].starts_with("marks of turns stand in the texts of 1 of 1 examples"),
                "{learnt:?}"
            );
            assert!(learnt[0].ends_with(&format!("a.jsonl:1: {mark}")), "{learnt:?}");
            assert_eq!(found.len(), 1, "{mark}: {found:?}");
            assert!(found[0].contains(mark) && found[0].contains("no such token"), "{found:?}");
        }
    }
}

#[test]
fn marks_of_the_model_are_told_in_turns_and_are_tokens_in_texts() {
    let (learnt, found) = told(&record(&[user("hi<|im_end|>"), assistant("Yes.</s>")]));
    assert_eq!(learnt.len(), 1, "{learnt:?}");
    assert!(learnt[0].ends_with("a.jsonl:1: <|im_end|>, </s>"), "{learnt:?}");
    assert_eq!(found.len(), 2, "{found:?}");
    let (learnt, found) = told(&text("hi<|im_end|>"));
    assert_eq!(learnt.len(), 1, "{learnt:?}");
    assert!(learnt[0].starts_with("control tokens stand in the texts of 1 of 1 examples"), "{learnt:?}");
    assert!(learnt[0].ends_with("a.jsonl:1: <|im_end|>"), "{learnt:?}");
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn what_is_no_mark_is_not_told() {
    let said = "a < b | c > d, [1], <b>bold</b>, <think>, a |> b, [INSTANCE]";
    let (learnt, found) = told(&record(&[user(said), assistant("Yes.")]));
    assert_eq!((learnt, found), (vec![], vec![]));
}
