//! Examples for blueprints: what a teacher is asked, and which of its answers can be examples.

use std::path::Path;

use dojo_studio::blueprint::{Blueprint, Form, FormBody, Seed, SeedOrder};
use dojo_studio::teacher::expand::{Expand, Written, look};
use dojo_studio::teacher::prompt::Prompt;
use serde_json::json;

use super::world::{World, answer, raw_server, response, world};
use crate::blueprint::BREAD;

fn bread() -> Blueprint {
    Blueprint::parse(BREAD, "b.toml").unwrap_or_else(|error| panic!("{error}"))
}

fn job(blueprint: &Blueprint) -> Expand<'_> {
    let prompt = |name| Prompt::load(name, &[] as &[&Path]).expect("a shipped prompt");
    Expand { blueprint, prompt: prompt("expand"), again: prompt("again"), max_tokens: None, temperature: 0.8 }
}

/// The first seed of a form.
fn seed(blueprint: &Blueprint, form: &str) -> Seed {
    SeedOrder::new(blueprint).find(|seed| blueprint.cell_name(seed.cell).form == form).expect("a seed")
}

const SOUND: &str = r#"{"final_principle": "Acids of the cold night slow the yeast and feed the flavour.",
"why": "At 5 degrees the bacteria go on while the yeast nearly stops, so that the dough sours before it rises."}"#;

#[test]
fn a_request_tells_the_frame_the_cell_and_the_keys_of_its_form() {
    let blueprint = bread();
    let request = job(&blueprint).request(&seed(&blueprint, "principles")).expect("a request");
    let said: Vec<&str> = request.messages.iter().map(|turn| turn.content.as_str()).collect();
    for words in
        ["Final Principle: Bread is a foam", "4. adapted: to other flours", "\"final_principle\": the text"]
    {
        assert!(said[0].contains(words), "{words}: {}", said[0]);
    }
    for words in
        ["Stage", "Audience: ", "Explain it to ", "between 5 and 60 words", "The question that is answered"]
    {
        assert!(said[1].contains(words), "{words}: {}", said[1]);
    }
    let (_, schema) = request.schema.expect("a schema");
    assert_eq!(schema["required"], json!(["final_principle", "why"]));
    let own = job(&blueprint).request(&seed(&blueprint, "free")).expect("a request");
    assert_eq!(own.schema.expect("a schema").1["required"], json!(["question", "answer"]));
}

#[test]
fn two_seeds_of_a_cell_are_two_questions_to_pay_for() {
    let blueprint = bread();
    let first = seed(&blueprint, "principles");
    let second = SeedOrder::new(&blueprint)
        .find(|other| other.cell == first.cell && other.number == 1)
        .expect("the cell's second seed");
    let hash = |seed: &Seed| job(&blueprint).request(seed).expect("a request").hash("url", "model");
    let mut later = first.clone();
    later.number = 7;
    assert_ne!(hash(&first), hash(&later));
    assert_ne!(hash(&first), hash(&second));
}

#[tokio::test]
async fn a_sound_answer_becomes_a_question_and_an_answer_with_its_headings() {
    let (url, _) = raw_server(vec![response(&answer(SOUND).to_string())]).await;
    let World { teacher, .. } = world(&url);
    let blueprint = bread();
    let seed = seed(&blueprint, "principles");
    let written = job(&blueprint).write(&teacher, &seed).await.expect("an outcome").expect("an example");
    assert_eq!(Some(&written.question), blueprint.question(&seed).expect("a question").as_ref());
    assert!(written.answer.starts_with("Final Principle:\nAcids of the cold night"), "{}", written.answer);
    assert!(written.answer.contains("\n\nWhy:\nAt 5 degrees"), "{}", written.answer);
}

#[tokio::test]
async fn what_does_not_keep_to_the_form_is_asked_for_once_more_and_then_rejected_with_its_reason() {
    let short = r#"{"final_principle": "Cold slows the yeast.", "why": "no"}"#;
    let (url, served) = raw_server(vec![response(&answer(short).to_string())]).await;
    let World { teacher, .. } = world(&url);
    let blueprint = bread();
    let job = job(&blueprint);
    let outcome = job.write(&teacher, &seed(&blueprint, "principles")).await.expect("an outcome");
    let rejection = outcome.expect_err("a rejection");
    assert_eq!(rejection.reason, "incomplete");
    assert!(rejection.words.contains("the part \"Why\" says nothing"), "{}", rejection.words);
    assert!(rejection.raw.contains("Cold slows the yeast."), "what was paid for is kept");
    assert_eq!(served.load(std::sync::atomic::Ordering::SeqCst), 2);
}

fn reason(form: &Form, question: &str, answer: &str) -> Option<&'static str> {
    let written = Written { question: question.to_owned(), answer: answer.to_owned() };
    look(&bread(), form, &written).map(|problem| problem.reason)
}

#[test]
fn each_check_rejects_what_it_is_for() {
    let blueprint = bread();
    let parts = blueprint.forms[0].clone();
    let text = blueprint.forms[1].clone();
    let sound = "Final Principle:\nGas lifts the dough while it is soft.\n\nWhy:\nHeat sets the walls after the gas has grown.";
    assert_eq!(reason(&parts, "Why does bread rise?", sound), None);
    let missing = "Final Principle:\nGas lifts the dough while it is soft.";
    assert_eq!(reason(&parts, "Why?", missing), Some("incomplete"));
    let twice = "Final Principle:\nGas lifts the dough.\n\nWhy:\nGas lifts the dough.";
    assert_eq!(reason(&parts, "Why?", twice), Some("incomplete"));
    let long = format!("{sound} {}", "and more of the same ".repeat(20));
    assert_eq!(reason(&parts, "Why?", &long), Some("length"));
    for refused in [
        "I'm sorry, but I can't help with that request about dough.",
        "I\u{2019}m sorry, I cannot write this.",
        "Bread rises. As an AI language model, I have no hands to knead with.",
    ] {
        assert_eq!(reason(&text, "Why?", refused), Some("refusal"), "{refused}");
    }
    let allowed = "The baker said she was sorry, but I can't say that the loaf was bad: it had risen well.";
    assert_eq!(reason(&text, "Why?", allowed), None);
    let german = "Der Teig geht auf, weil die Hefe Gas bildet und der Kleber es hält, bis die Hitze die Wände festigt.";
    assert_eq!(reason(&text, "Warum geht der Teig auf?", german), Some("language"));
    assert_eq!(reason(&text, "Why?", " \n"), Some("incomplete"));
}

#[test]
fn an_answer_of_a_schema_has_to_fit_it() {
    let schema = json!({"type": "object", "properties": {"grams": {"type": "integer", "minimum": 1}}, "required": ["grams"]});
    let form = Form { body: FormBody::Json(schema), words: None, ..bread().forms[1].clone() };
    assert_eq!(reason(&form, "How much salt?", r#"{"grams": 10}"#), None);
    assert_eq!(reason(&form, "How much salt?", r#"{"grams": 0}"#), Some("schema"));
    assert_eq!(reason(&form, "How much salt?", "ten grams"), Some("schema"));
}

#[tokio::test]
async fn an_answer_in_json_is_kept_as_json_however_the_teacher_wrapped_it() {
    let schema =
        json!({"type": "object", "properties": {"grams": {"type": "integer"}}, "required": ["grams"]});
    let mut blueprint = bread();
    blueprint.forms[1].body = FormBody::Json(schema);
    blueprint.forms[1].ask = vec!["How much salt?".to_owned()];
    let body = "Here it is:\n```json\n{\"answer\": {\"grams\": 10, \"why\": [\"taste\", true]}}\n```";
    let (url, _) = raw_server(vec![response(&answer(body).to_string())]).await;
    let World { teacher, .. } = world(&url);
    let seed = seed(&blueprint, "free");
    let written = job(&blueprint).write(&teacher, &seed).await.expect("an outcome").expect("an example");
    assert_eq!(written.answer, r#"{"grams":10,"why":["taste",true]}"#);
}
