use dojo_studio::data::check::{CheckSettings, check};
use dojo_studio::data::encode::Encoder;
use dojo_studio::data::mask::warnings;
use dojo_studio::domain::batch::PackedBatch;
use dojo_studio::domain::record::{Preference, Record, RecordId};

use super::world::{assistant, byte_tokenizer, chatml, record, trained_text, user};

#[test]
fn a_record_becomes_an_example_that_names_its_line() {
    let (tokenizer, template) = (byte_tokenizer(), chatml());
    let encoder = Encoder::new(&tokenizer, Some(&template), Some("<|im_end|>"), 512).expect("an encoder");
    let encoded = encoder.encode(&record(&[user("q"), assistant("a")])).expect("encode");
    assert_eq!(encoded.example.source, "a.jsonl:3");
    assert!(!encoded.is_truncated());
    assert_eq!(PackedBatch::pack([&encoded.example]).trained_tokens(), 2);
}

#[test]
fn an_example_is_cut_to_the_longest_length_and_counted() {
    let (tokenizer, template) = (byte_tokenizer(), chatml());
    let long = record(&[user("q"), assistant(&"a".repeat(100))]);
    let full = Encoder::new(&tokenizer, Some(&template), None, 512)
        .expect("an encoder")
        .encode(&long)
        .expect("encode");
    let encoder = Encoder::new(&tokenizer, Some(&template), None, 80).expect("an encoder");
    let cut = encoder.encode(&long).expect("encode");
    assert_eq!((cut.example.tokens.len(), cut.full_length), (80, full.full_length));
    let all = encoder.encode_each(&[long]).into_iter().collect::<Result<Vec<_>, _>>().expect("encode");
    assert_eq!(all.iter().filter(|one| one.is_truncated()).count(), 1);
}

#[test]
fn an_example_with_nothing_left_to_train_on_is_an_error_that_names_it() {
    let (tokenizer, template) = (byte_tokenizer(), chatml());
    let encoder = Encoder::new(&tokenizer, Some(&template), None, 40).expect("an encoder");
    let error =
        encoder.encode(&record(&[user(&"q".repeat(50)), assistant("a")])).expect_err("nothing is left");
    let text = format!("{error:#}");
    assert!(text.starts_with("a.jsonl:3: nothing is left to train on after cutting"), "{text}");
}

#[test]
fn plain_text_is_trained_on_from_its_second_token_to_the_end_token() {
    let tokenizer = byte_tokenizer();
    let encoder = Encoder::new(&tokenizer, None, Some("</s>"), 512).expect("an encoder");
    let text = Record { text: Some("abc".into()), ..Record::default() };
    let example = encoder.encode(&text).expect("encode").example;
    assert_eq!(trained_text(&tokenizer, &example.tokens, &example.trained), "bc</s>");
}

#[test]
fn a_question_and_its_answer_are_laid_end_to_end_without_a_template() {
    let tokenizer = byte_tokenizer();
    let encoder = Encoder::new(&tokenizer, None, Some("</s>"), 512).expect("an encoder");
    let example = encoder.encode(&record(&[user("1+1="), assistant("2")])).expect("encode").example;
    assert_eq!(tokenizer.decode(&example.tokens, false).expect("decode"), "1+1=2</s>");
    assert_eq!(trained_text(&tokenizer, &example.tokens, &example.trained), "2</s>");
}

#[test]
fn a_question_and_an_answer_that_nothing_parts_are_told_of() {
    let tokenizer = byte_tokenizer();
    let encoder = Encoder::new(&tokenizer, None, Some("</s>"), 512).expect("an encoder");
    let told = |question: &str, answer: &str| {
        let record = record(&[user(question), assistant(answer)]);
        let unlearnt = encoder.encode(&record).expect("encode").unlearnt;
        let settings = CheckSettings { encoder: Some(encoder.clone()), ..CheckSettings::default() };
        let notes = check(&[(RecordId(1), record)], settings).notes;
        (warnings([("a.jsonl:1", &unlearnt)]), notes)
    };
    let (learnt, noted) = told("What is it?", "Light.");
    assert_eq!((learnt.len(), noted.len()), (1, 1), "{learnt:?} {noted:?}");
    assert!(learnt[0].contains("nothing between them in 1 of 1 examples"), "{learnt:?}");
    assert!(learnt[0].ends_with("a.jsonl:1: \"What is it?Light.\""), "{learnt:?}");
    assert!(noted[0].ends_with("record 1: \"What is it?Light.\""), "{noted:?}");
    for (question, answer) in
        [("What is it? ", "Light."), ("What is it?\n", "Light."), ("What is it?", " Light.")]
    {
        assert_eq!(told(question, answer), (vec![], vec![]));
    }
}

#[test]
fn a_longer_conversation_needs_a_template() {
    let tokenizer = byte_tokenizer();
    let encoder = Encoder::new(&tokenizer, None, Some("</s>"), 512).expect("an encoder");
    let error = encoder
        .encode(&record(&[user("a"), assistant("b"), user("c"), assistant("d")]))
        .expect_err("no template");
    assert!(format!("{error:#}").starts_with("a.jsonl:3: the model has no chat template"), "{error:#}");
}

#[test]
fn what_the_assistant_says_in_a_prompt_is_context_only() {
    let (tokenizer, template) = (byte_tokenizer(), chatml());
    let encoder = Encoder::new(&tokenizer, Some(&template), None, 512).expect("an encoder");
    let mut shots = record(&[user("a"), assistant("b"), user("c"), assistant("d")]);
    let learnt = |record: &Record| {
        let example = encoder.encode(record).expect("encode").example;
        trained_text(&tokenizer, &example.tokens, &example.trained)
    };
    assert_eq!(learnt(&shots), "b<|im_end|>|d<|im_end|>");
    shots.prompt_turns = 3;
    assert_eq!(learnt(&shots), "d<|im_end|>");
}

#[test]
fn a_preference_pair_becomes_two_examples_that_train_on_the_answers_alone() {
    let (tokenizer, template) = (byte_tokenizer(), chatml());
    let encoder = Encoder::new(&tokenizer, Some(&template), None, 512).expect("an encoder");
    let mut pair = record(&[user("a"), assistant("b"), user("c")]);
    pair.preference = Some(Preference { chosen: vec![assistant("good")], rejected: vec![assistant("bad")] });
    let (chosen, rejected) = encoder.encode_preference(&pair).expect("encode");
    assert_eq!(trained_text(&tokenizer, &chosen.example.tokens, &chosen.example.trained), "good<|im_end|>");
    assert_eq!(
        trained_text(&tokenizer, &rejected.example.tokens, &rejected.example.trained),
        "bad<|im_end|>"
    );
}

#[test]
fn only_an_example_with_a_token_that_has_no_row_is_refused() {
    let tokenizer = byte_tokenizer();
    let end = tokenizer.token_to_id("</s>").expect("the end token") as usize;
    let text = Record { text: Some("abc".into()), ..Record::default() };
    let encode = |end_token: Option<&str>, rows: usize| {
        let encoder = Encoder::new(&tokenizer, None, end_token, 512).expect("an encoder");
        encoder.with_rows(rows).encode(&text)
    };
    assert!(encode(Some("</s>"), end + 1).is_ok());
    assert!(encode(None, end).is_ok());
    let error = format!("{:#}", encode(Some("</s>"), end).expect_err("a token without a row"));
    let said = format!(
        "it holds the token \"</s>\" ({end}), for which the model has no row: its embedding has {end} rows"
    );
    assert!(error.ends_with(&said), "{error}");
}
