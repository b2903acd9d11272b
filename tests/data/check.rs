use std::path::PathBuf;

use dojo_studio::data::check::{CheckSettings, Checker, ExactOnly, FindingKind, Report, check, clean};
use dojo_studio::data::encode::Encoder;
use dojo_studio::data::import::{ImportOptions, read_all};
use dojo_studio::domain::message::Message;
use dojo_studio::domain::recipe::OnMalformed;
use dojo_studio::domain::record::{Preference, Record, RecordId};
use proptest::prelude::*;

use super::world::{assistant, byte_tokenizer, chatml, record, system, user};

fn numbered(records: Vec<Record>) -> Vec<(RecordId, Record)> {
    (1..).map(RecordId).zip(records).collect()
}

fn report(records: Vec<Record>) -> Report {
    check(&numbered(records), CheckSettings::default())
}

/// What a check found: records with words.
fn found(report: &Report, wanted: FindingKind) -> Vec<(i64, &str)> {
    let of_check = report.findings.iter().filter(|finding| finding.check == wanted);
    of_check.map(|finding| (finding.record.0, finding.what.as_str())).collect()
}

fn told(turns: &[Message], wanted: FindingKind) -> Vec<String> {
    let report = report(vec![record(turns)]);
    found(&report, wanted).into_iter().map(|(_, what)| what.to_owned()).collect()
}

const STORY: &str = "The quick brown fox jumps over the lazy dog while the cat looks on from the warm window \
    and wonders whether any of this is worth the trouble on such a fine and quiet autumn morning";

fn in_split(split: &str, question: &str, answer: &str) -> Record {
    Record { split: Some(split.into()), ..record(&[user(question), assistant(answer)]) }
}

#[test]
fn exact_and_near_duplicates_name_the_earlier_record() {
    let report = report(vec![
        record(&[user("q"), assistant(STORY)]),
        record(&[user("other"), assistant("something else entirely, with words of its own")]),
        record(&[user("q"), assistant(STORY)]),
        record(&[user("q"), assistant(&format!("{STORY} indeed!"))]),
    ]);
    assert_eq!(found(&report, FindingKind::Duplicate), [(3, "the same as 1")]);
    let near = found(&report, FindingKind::NearDuplicate);
    assert!(matches!(near.as_slice(), [(4, what)] if what.ends_with("% the same as 1")), "{near:?}");
    assert_eq!((report.records, report.distinct_prompts), (4, 2));
}

#[test]
fn the_same_question_with_another_label_is_no_duplicate() {
    let labelled = |label: &str| Record { label: Some(label.into()), ..record(&[user("q")]) };
    assert_eq!(found(&report(vec![labelled("1"), labelled("0")]), FindingKind::Duplicate), []);
}

#[test]
fn a_held_out_prompt_that_is_trained_on_is_leakage() {
    let report = report(vec![
        in_split("eval", STORY, "a"),
        in_split("train", STORY, "b"),
        in_split("test", &format!("{STORY} again"), "c"),
        in_split("eval", "a question of its own", "d"),
    ]);
    assert_eq!(found(&report, FindingKind::Leakage), [(1, "its prompt is trained on, in 2")]);
    let near = found(&report, FindingKind::NearLeakage);
    assert!(matches!(near.as_slice(), [(3, what)] if what.contains("in 2")), "{near:?}");
}

#[test]
fn records_can_be_held_against_training_data_of_elsewhere() {
    let mut checker = Checker::new(CheckSettings::default());
    checker.compare_with(&[in_split("eval", STORY, "b"), in_split("train", "other", "c")]);
    checker
        .add(&numbered(vec![in_split("test", STORY, "a"), in_split("test", &format!("{STORY} again"), "a")]));
    let report = checker.finish();
    assert_eq!(report.records, 2);
    assert_eq!(found(&report, FindingKind::Leakage), [(1, "its prompt is trained on, in a.jsonl:3")]);
    assert_eq!(found(&report, FindingKind::NearLeakage).len(), 1);
}

#[test]
fn near_matches_can_be_left_out() {
    let records = numbered(vec![record(&[user(STORY)]), record(&[user(&format!("{STORY} again"))])]);
    let settings = CheckSettings { exact_only: ExactOnly::Yes, ..CheckSettings::default() };
    assert_eq!(found(&check(&records, settings), FindingKind::NearDuplicate), []);
}

#[test]
fn empty_and_missing_turns_are_found() {
    assert_eq!(told(&[user("q"), assistant(" \n")], FindingKind::Turns), ["turn 2 (assistant) is empty"]);
    assert_eq!(told(&[user("q")], FindingKind::Turns), ["nobody answers"]);
    assert_eq!(told(&[], FindingKind::Turns), ["it has neither a conversation nor text"]);
}

#[test]
fn turns_out_of_order_are_found() {
    assert_eq!(
        told(&[user("a"), user("b"), assistant("c")], FindingKind::Order),
        ["turn 2 is the user's, as the one before"]
    );
    assert_eq!(
        told(&[assistant("a"), user("b"), assistant("c")], FindingKind::Order),
        ["the assistant speaks first"]
    );
    assert_eq!(
        told(&[user("a"), system("s"), assistant("c")], FindingKind::Order),
        ["turn 2 is the system's, which speaks first or not at all"]
    );
    assert_eq!(
        told(&[user("a"), assistant("b"), user("c")], FindingKind::Order),
        ["the last turn is the user's, and is not answered"]
    );
    assert_eq!(
        told(&[system("s"), user("a"), assistant("b"), user("c"), assistant("d")], FindingKind::Order),
        [""; 0]
    );
}

#[test]
fn a_pair_of_equal_answers_is_found() {
    let mut pair = record(&[user("q")]);
    pair.preference = Some(Preference { chosen: vec![assistant("a")], rejected: vec![assistant("a")] });
    assert_eq!(
        found(&report(vec![pair]), FindingKind::Pair),
        [(1, "the chosen and the rejected answer are the same")]
    );
}

#[test]
fn odd_characters_are_found_and_the_safe_ones_cleaned() {
    let turns = [user("a\u{FFFD}b\u{8}"), assistant("ok\u{202E}\ttab\n")];
    assert_eq!(
        told(&turns, FindingKind::Characters),
        ["characters: 1 that could not be decoded, 1 of control, 1 that are invisible (the first is U+FFFD)"]
    );
    let mut cleaned = record(&turns);
    assert!(clean(&mut cleaned));
    assert_eq!(cleaned.messages, [user("a\u{FFFD}b"), assistant("ok\ttab\n")]);
    assert!(!clean(&mut cleaned));
}

#[test]
fn secrets_are_found_and_never_repeated() {
    let key = format!("AKIA{}", "Z".repeat(16));
    let cases = [
        (format!("my key is {key}"), "what looks like an AWS access key"),
        (format!("ghp_{}", "a1".repeat(20)), "what looks like a GitHub token"),
        (format!("hf_{}", "aB".repeat(17)), "what looks like a Hugging Face token"),
        ("-----BEGIN RSA PRIVATE KEY-----".to_owned(), "what looks like a private key"),
        ("password = \"hunter2hunter2\"".to_owned(), "what looks like a password"),
        ("write to jane.doe@corp.co.uk".to_owned(), "what looks like an address at corp.co.uk"),
        ("card 4111 1111 1111 1111".to_owned(), "what looks like a payment card"),
        ("call +44 20 7946 0958".to_owned(), "what looks like a telephone number"),
    ];
    for (text, expected) in cases {
        assert_eq!(told(&[user(&text), assistant("ok")], FindingKind::Secret), [expected], "{text}");
    }
    let harmless = "user@example.com, 4111 1111 1111 1112, 3.14159265358979, 2024-01-02, 10.0.0.0/16, a@b";
    assert_eq!(told(&[user(harmless), assistant("ok")], FindingKind::Secret), [""; 0]);
}

#[test]
fn lengths_far_off_the_others_are_found() {
    let mut records: Vec<Record> =
        (0..40).map(|row| record(&[user(&"q".repeat(100 + row)), assistant("a")])).collect();
    records.push(record(&[user(&"q".repeat(5000)), assistant("a")]));
    records.push(record(&[user("q"), assistant("a")]));
    let report = report(records);
    assert_eq!(
        found(&report, FindingKind::Length),
        [
            (41, "5001 characters, where the median is 120"),
            (42, "only 2 characters, where the median is 120")
        ]
    );
    assert_eq!(report.lengths.longest, 5001);
}

#[test]
fn what_would_be_cut_is_found_by_the_models_own_tokens() {
    let (tokenizer, template) = (byte_tokenizer(), chatml());
    let encoder = Encoder::new(&tokenizer, Some(&template), None, 100).expect("an encoder");
    let settings = CheckSettings { encoder: Some(encoder), ..CheckSettings::default() };
    let records = numbered(vec![
        record(&[user("q"), assistant("a")]),
        record(&[user("q"), assistant(&"a".repeat(200))]),
        record(&[user(&"q".repeat(200)), assistant("a")]),
    ]);
    let report = check(&records, settings);
    let cut = found(&report, FindingKind::Truncation);
    assert_eq!(cut[0].0, 2);
    assert!(cut[0].1.ends_with("tokens are cut to 100"), "{cut:?}");
    assert!(cut[1].1.starts_with("can't be trained on: a.jsonl:3: nothing is left to train on"), "{cut:?}");
}

#[test]
fn answers_that_begin_otherwise_than_the_model_is_asked_to_are_noted() {
    let source = super::world::CHATML.replace(
        "'<|im_start|>assistant\n' }}{% endif %}",
        "'<|im_start|>assistant\n<think>\n' }}{% endif %}",
    );
    let (tokenizer, template) = (byte_tokenizer(), super::world::template(&source, "<s>", "<|im_end|>"));
    let encoder = Encoder::new(&tokenizer, Some(&template), None, 512).expect("an encoder");
    let answers =
        ["a", "<think>\nhm\n</think>\nb", "c"].map(|answer| record(&[user("q"), assistant(answer)]));
    let settings = CheckSettings { encoder: Some(encoder), ..CheckSettings::default() };
    let notes = check(&numbered(answers.to_vec()), settings).notes.concat();
    assert!(notes.contains("asked with \"<think>\\n\""), "{notes}");
    assert!(notes.contains("in 2 of 3 examples"), "{notes}");
    assert!(notes.contains("record 1: turn 2 begins \"a\""), "{notes}");
}

#[test]
fn a_thought_without_an_answer_is_found() {
    let thought = |answer: &str| told(&[user("q"), assistant(answer)], FindingKind::Turns);
    assert_eq!(thought("<think>hm</think>"), ["turn 2 is a thought, and no answer is behind it"]);
    assert_eq!(thought("<think>hm</think>a"), [""; 0]);
}

#[test]
fn labels_out_of_balance_are_noted() {
    let labelled = |label: &str, row: usize| Record {
        label: Some(label.into()),
        ..record(&[user(&format!("{label}{row}")), assistant("a")])
    };
    let mut records: Vec<Record> = (0..9).map(|row| labelled("1", row)).collect();
    records.extend((0..2).map(|row| labelled("0", row)));
    records.push(record(&[user("none"), assistant("a")]));
    let report = report(records);
    assert_eq!(report.labels, [("1".to_owned(), 9), ("0".to_owned(), 2)]);
    assert_eq!(
        report.notes,
        ["labels are out of balance: 9 x \"1\", 2 x \"0\"", "1 of 12 records have no label"]
    );
}

/// A collected dataset as records, or nothing where it is not here.
fn shared(name: &str) -> Option<Vec<Record>> {
    let path = PathBuf::from("../shared/data").join(name);
    if !path.exists() {
        println!("left out: {} is not here", path.display());
        return None;
    }
    Some(read_all(&path, &ImportOptions::default(), OnMalformed::Fail).expect("read").records)
}

#[test]
fn the_reasoning_dataset_hides_repeats() {
    let Some(records) = shared("reasoning_syscd/reasoning_dataset.jsonl") else { return };
    let report = report(records);
    assert_eq!((report.records, report.distinct_prompts, report.counts["duplicate"]), (500, 229, 16));
}

#[test]
fn the_counterfactual_pairs_leak_into_the_explained_ones() {
    let (Some(cad), Some(esnli)) = (shared("nli_cad"), shared("nli_esnli")) else { return };
    let side = |records: Vec<Record>, split: &str| {
        records.into_iter().map(|record| Record { split: Some(split.into()), ..record }).collect::<Vec<_>>()
    };
    let settings = CheckSettings { exact_only: ExactOnly::Yes, ..CheckSettings::default() };
    let report = check(&numbered([side(esnli, "train"), side(cad, "test")].concat()), settings);
    // The 600 originals of its dev and test parts, at least, stand in the explained set with the same hypothesis.
    assert!(report.counts["leakage"] >= 500, "{:?}", report.counts);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_records_can_be_checked(texts in proptest::collection::vec("(?s).{0,60}", 0..12)) {
        let records: Vec<Record> = texts.iter().map(|text| record(&[user(text), assistant(text)])).collect();
        let report = report(records);
        prop_assert_eq!(report.records as usize, texts.len());
        let distinct: std::collections::HashSet<&String> = texts.iter().collect();
        prop_assert_eq!(*report.counts.get("duplicate").unwrap_or(&0) as usize, texts.len() - distinct.len());
    }
}

#[test]
fn nulls_in_tools_and_calls_are_named_but_not_those_of_schemas() {
    let tool = |city: serde_json::Value| serde_json::json!({"type": "function", "function": {"name": "f", "parameters": {"properties": {"city": city}}}});
    let call = |city: serde_json::Value| {
        let calls = serde_json::json!([{"function": {"name": "f", "arguments": {"city": city}}}]);
        Message { extra: [("tool_calls".to_owned(), calls)].into(), ..assistant("") }
    };
    let with = |tool, turn| Record { tools: vec![tool], ..record(&[user("q"), turn]) };
    let null = serde_json::Value::Null;
    let written = serde_json::json!({"type": "string", "default": null});
    let report = report(vec![
        with(tool(written.clone()), call("x".into())),
        with(tool(null.clone()), call("x".into())),
        with(tool(written), call(null)),
    ]);
    let told = found(&report, FindingKind::Null);
    let [(2, tool), (3, call)] = told.as_slice() else { panic!("two findings, not {told:?}") };
    assert!(tool.starts_with("tool \"f\" has null as its \"city\", as tables have them"), "{tool}");
    assert!(call.starts_with("a call of \"f\" has null as its \"city\", as tables have them"), "{call}");
}
