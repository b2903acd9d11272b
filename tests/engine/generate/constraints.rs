//! Answers that are valid by construction, from a model that knows nothing.

use std::time::Duration;

use dojo_studio::engine::generate::{
    Constraint, Event, Fault, Finish, GenerateRequest, Limits, Precision, Sampling, What,
};
use dojo_studio::ground::clock;
use serde_json::json;

use super::{generator, open, run, tokens};
use crate::support::tiny::Tiny;

/// Answers for a few seeds.
fn answers(constraint: &Constraint) -> Vec<String> {
    let (model, _place) = open(&Tiny::new("llama"));
    let mut generator = generator(&model, Precision::Full, Limits { threads: 1, ..Limits::default() });
    let request = |seed| GenerateRequest {
        sampling: Sampling { temperature: 1.0, seed, ..Sampling::default() },
        constraint: Some(constraint.clone()),
        ..GenerateRequest::new(tokens(12, 1), 200)
    };
    let completions = run(&mut generator, (0..8).map(request).collect());
    completions.into_iter().map(|choices| choices[0].text.clone()).collect()
}

#[test]
fn a_json_schema_is_kept() {
    let schema = json!({
        "type": "object",
        "properties": {
            "label": { "enum": ["entailment", "neutral", "contradiction"] },
            "score": { "type": "integer", "minimum": 1, "maximum": 5 },
            "sure": { "type": "boolean" },
        },
        "required": ["label", "score", "sure"],
        "additionalProperties": false,
    });
    for text in answers(&Constraint::JsonSchema(schema)) {
        let value: serde_json::Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text:?}"));
        let label = value["label"].as_str().unwrap();
        assert!(["entailment", "neutral", "contradiction"].contains(&label));
        assert!((1..=5).contains(&value["score"].as_i64().unwrap()));
        assert!(value["sure"].is_boolean());
        assert_eq!(value.as_object().unwrap().len(), 3);
    }
}

#[test]
fn a_choice_is_one_of_its_texts() {
    let texts = ["0", "1", "it is \"unknown\""].map(str::to_owned).to_vec();
    let found = answers(&Constraint::Choice(texts.clone()));
    assert!(found.iter().all(|text| texts.contains(text)), "{found:?}");
}

#[test]
fn a_choice_of_thousands_of_texts_is_one_of_them_too() {
    let signs = ["", ".", "*", "(", "\\", "\n", "\"", "é"];
    let texts: Vec<String> =
        (0..5000).map(|number| format!("{}{number}", signs[number % signs.len()])).collect();
    let found = answers(&Constraint::Choice(texts.clone()));
    assert!(found.iter().all(|text| texts.contains(text)), "{found:?}");
}

#[test]
fn a_regular_expression_is_matched_from_end_to_end() {
    for text in answers(&Constraint::Regex("[a-f]{3}-[0-9]{2}(x|yz)".into())) {
        let bytes = text.as_bytes();
        assert!(bytes[..3].iter().all(|byte| (b'a'..=b'f').contains(byte)), "{text}");
        assert!(bytes[3] == b'-' && bytes[4..6].iter().all(u8::is_ascii_digit), "{text}");
        assert!(["x", "yz"].contains(&&text[6..]), "{text}");
    }
}

#[test]
fn a_grammar_is_kept() {
    let grammar = "start: line line line\nline: (\"lex\" | \"vec\") \": \" /[a-z]{1,8}/ \"\\n\"\n";
    for text in answers(&Constraint::Grammar(grammar.into())) {
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text:?}");
        assert!(lines.iter().all(|line| line.starts_with("lex: ") || line.starts_with("vec: ")), "{text:?}");
    }
}

#[test]
fn a_constraint_that_makes_no_sense_is_refused_in_words() {
    let (model, _place) = open(&Tiny::new("llama"));
    let mut generator = generator(&model, Precision::Full, Limits::default());
    let cases = [
        (Constraint::Regex("(".into()), "regular expression"),
        (Constraint::Grammar("start: missing".into()), "grammar"),
        (Constraint::JsonSchema(json!({ "type": "nonsense" })), "JSON schema"),
        (Constraint::Choice(Vec::new()), "choice"),
    ];
    for (constraint, words) in cases {
        let request =
            GenerateRequest { constraint: Some(constraint), ..GenerateRequest::new(tokens(4, 1), 4) };
        let error = format!("{:#}", generator.submit(request).unwrap_err());
        assert!(error.contains(words), "{error}");
    }
}

/// Of `aaa...` in all the ways in which some can be one: what is left to do grows with every letter.
#[test]
fn a_grammar_that_is_read_in_ever_more_ways_ends_its_own_answer_and_no_others() {
    let ambiguous = "start: s\ns: s s s s s s | s s s s s | s s s s | s s s | s s | \"a\"\n";
    let request = GenerateRequest {
        constraint: Some(Constraint::Grammar(ambiguous.into())),
        // It never chooses to end.
        sampling: Sampling { logit_bias: (0..3).map(|id| (id, -100.0)).collect(), ..Sampling::default() },
        ..GenerateRequest::new(tokens(12, 1), 240)
    };
    let begun = clock::of_thread();
    let (_, events) = stepped(request);
    let taken = clock::of_thread().saturating_sub(begun);
    let Some(What::Finished { why, usage, .. }) = events.last().map(|event| &event.what) else {
        panic!("it ends: {events:?}")
    };
    assert!(matches!(why, Finish::Failed(Fault::Constraint)), "{why:?}");
    // A second, a fiftieth of one for each token, and what the model itself takes.
    let allowed = Duration::from_secs(2) + Duration::from_millis(20) * usage.completion_tokens as u32;
    assert!(taken < allowed, "{taken:?} for {} tokens", usage.completion_tokens);
}

/// Steps that a request takes, and its events.
fn stepped(request: GenerateRequest) -> (usize, Vec<Event>) {
    let (model, _place) = open(&Tiny::new("llama"));
    let mut generator = generator(&model, Precision::Full, Limits { threads: 1, ..Limits::default() });
    generator.submit(request).unwrap();
    let (mut steps, mut events) = (0, Vec::new());
    while generator.unfinished() > 0 {
        events.extend(generator.step().unwrap());
        steps += 1;
    }
    (steps, events)
}

const ONLY: &str = "the only text that is allowed here, and it is a long one";

fn only(log_probabilities: Option<usize>, max_tokens: usize) -> GenerateRequest {
    GenerateRequest {
        sampling: Sampling { log_probabilities, ..Sampling::default() },
        constraint: Some(Constraint::Choice(vec![ONLY.to_owned()])),
        ..GenerateRequest::new(tokens(12, 1), max_tokens)
    }
}

fn text(events: &[Event]) -> String {
    events.iter().map(|event| event.what.text()).collect()
}

#[test]
fn text_that_a_constraint_leaves_no_choice_about_takes_no_steps_of_its_own() {
    let (steps, events) = stepped(only(None, 200));
    assert_eq!(text(&events), ONLY);
    assert!(steps < 6, "{steps} steps for {} events", events.len());
    let Some(Event { what: What::Finished { why, usage, .. }, .. }) = events.last() else { panic!("no end") };
    assert_eq!(*why, Finish::EndToken);
    assert!(usage.completion_tokens > 15, "{usage:?}");
}

#[test]
fn where_log_probabilities_are_asked_for_every_token_has_one() {
    let (_, events) = stepped(only(Some(0), 200));
    assert_eq!(text(&events), ONLY);
    for event in &events {
        if let What::Token { token, .. } = &event.what {
            assert!(token.log_probability.is_some());
        }
    }
}

#[test]
fn forced_text_stops_at_the_most_tokens_that_were_asked_for() {
    let (_, events) = stepped(only(None, 7));
    let Some(Event { what: What::Finished { why, usage, .. }, .. }) = events.last() else { panic!("no end") };
    assert_eq!((*why, usage.completion_tokens), (Finish::Length, 7));
    assert!(ONLY.starts_with(&text(&events)));
}

/// Each letter may be a part of ever more of what came before it: in the end the parser gives up.
pub(crate) fn ambiguous() -> String {
    format!("start: s\ns: {}| \"a\"\n", "s ".repeat(40))
}

#[test]
fn an_answer_whose_constraint_can_not_go_on_is_no_whole_one() {
    let (model, _place) = open(&Tiny { context: 4096, ..Tiny::new("llama") });
    let mut generator = generator(&model, Precision::Full, Limits { threads: 1, ..Limits::default() });
    let request = GenerateRequest {
        constraint: Some(Constraint::Grammar(ambiguous())),
        sampling: Sampling { temperature: 1.0, ..Sampling::default() },
        ..GenerateRequest::new(tokens(12, 1), 3000)
    };
    let completion = run(&mut generator, vec![request])[0][0].clone();
    assert_eq!(completion.why, Finish::Failed(Fault::Constraint), "{} tokens", completion.tokens.len());
    assert!(completion.text.len() > 10 && completion.text.bytes().all(|byte| byte == b'a'));
}

/// Most of what the model would say is refused, so that both ways of drawing are gone.
#[test]
fn a_token_is_drawn_as_likely_as_it_is_among_the_allowed_ones() {
    let (model, _place) = open(&Tiny { tied: false, ..Tiny::new("llama") });
    let mut generator = generator(&model, Precision::Full, Limits { sequences: 1024, ..Limits::default() });
    let prompt = tokens(12, 1);
    let logits = generator.last_logits(&prompt, None).unwrap();
    let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let weights: Vec<(u32, f64)> = letters
        .chars()
        .filter_map(|letter| model.tokenizer.token_to_id(&letter.to_string()))
        .map(|id| (id, f64::from(logits[id as usize]).exp()))
        .collect();
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let everything: f64 = logits.iter().map(|&logit| f64::from(logit).exp()).sum();
    assert!(all > 0.05 * everything && all < 0.95 * everything, "{all} of {everything}");
    let request = |seed| GenerateRequest {
        sampling: Sampling { temperature: 1.0, seed, ..Sampling::default() },
        constraint: Some(Constraint::Regex("[a-zA-Z]".into())),
        choices: 1024,
        ..GenerateRequest::new(prompt.clone(), 1)
    };
    let answers = run(&mut generator, (0..4).map(request).collect());
    let drawn: Vec<u32> = answers.iter().flatten().map(|choice| choice.tokens[0]).collect();
    for (id, weight) in weights {
        let count = drawn.iter().filter(|&&token| token == id).count() as f64;
        let expected = drawn.len() as f64 * weight / all;
        // Five standard deviations, and one for those that hardly come at all.
        assert!((count - expected).abs() < 5.0 * expected.sqrt() + 1.0, "{id}: {count} and {expected}");
    }
}
