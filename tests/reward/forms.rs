//! Label, format, length, repetition.

use std::sync::Arc;

use dojo_studio::reward::helpers::{Helpers, TokenCounter};
use proptest::prelude::*;
use serde_json::json;

use super::world::{close, number, reason, row, score, set, task, total, try_set};

const STEPS: &str = "step 1: a street is outdoors. step 2: he walks there. step 3: so it follows.";

fn pair(label: &str) -> dojo_studio::domain::record::Record {
    row(json!({"premise": "p", "hypothesis": "h", "label": label}))
}

#[test]
fn a_label_is_read_as_the_task_reads_answers() {
    let task = task("nli-cot");
    let given = set(&task, json!({"label": {"wrong": -0.5, "unread": -1.0}}));
    let answer = |label: u8| format!(r#"{{"thought_process": "{STEPS}", "predicted_label": {label}}}"#);
    assert_eq!(score(&given, &pair("entailment"), &answer(1)).value, 1.0);
    let wrong = score(&given, &pair("neutral"), &answer(1));
    assert_eq!((wrong.value, &*wrong.deductions[0].why), (-0.5, "it says 1, the label is 0"));
    let unread = score(&given, &pair("1"), "I think so.");
    assert_eq!((unread.value, &*unread.deductions[0].why), (-1.0, "no label can be read"));
    assert_eq!(
        reason(&given, &row(json!({"premise": "p", "hypothesis": "h"})), "x"),
        "the record has no label"
    );
}

#[test]
fn a_form_is_the_tasks_own_unless_another_is_asked_for() {
    let task = task("nli-cot");
    let own = set(&task, json!(["format"]));
    let answer = format!(r#"{{"thought_process": "{STEPS}", "predicted_label": 1}}"#);
    assert_eq!(score(&own, &pair("1"), &answer).value, 1.0);
    let among_words = score(&own, &pair("1"), &format!("Sure: {answer}"));
    assert_eq!((among_words.value, &*among_words.deductions[0].why), (0.0, "words stand around the JSON"));
    assert_eq!(score(&own, &pair("1"), "").value, 0.0);
}

#[test]
fn steps_are_numbered_from_one_and_say_something() {
    let task = task("chat");
    let three = set(&task, json!({"format": {"steps": 3}}));
    let why = |text: &str| {
        let given = score(&three, &pair("1"), text);
        given.deductions.first().map(|lost| lost.why.clone()).unwrap_or_default()
    };
    assert_eq!(why(STEPS), "");
    assert_eq!(why("Step 1: a Step 2. b Step 3) c"), "");
    assert_eq!(why("it follows"), "no steps; 3 are asked for");
    assert_eq!(why("step 1: a step 3: c"), "steps [1, 3]; 1 to 3 are asked for");
    assert_eq!(why("step 1: a step 2: step 3: c"), "step 2 says nothing");
    assert_eq!(why("step 1: a step 2: b step 3:"), "step 3 says nothing");
}

#[test]
fn tags_are_there_once_in_order_and_hold_something() {
    let task = task("chat");
    let tags = set(&task, json!({"format": {"tags": ["think", "answer"]}}));
    let given = |text: &str| {
        let given = score(&tags, &pair("1"), text);
        (given.value, given.deductions.first().map(|lost| lost.why.clone()).unwrap_or_default())
    };
    assert_eq!(given("<think>so</think><answer>4</answer>"), (1.0, String::new()));
    assert_eq!(given("<think>so</think> 4"), (0.5, "<answer> and </answer> are not there once each".into()));
    assert_eq!(given("<think> </think><answer>4</answer>"), (0.5, "<think> holds nothing".into()));
    assert_eq!(given("<answer>4</answer><think>so</think>"), (0.5, "<answer> comes too early".into()));
}

#[test]
fn a_schema_is_kept_or_its_breach_is_named() {
    let task = task("chat");
    let schema = json!({"format": {"schema": {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}}});
    let given = set(&task, schema);
    assert_eq!(score(&given, &pair("1"), r#"{"city": "Ulm"}"#).value, 1.0);
    let wrong = score(&given, &pair("1"), r#"{"city": 4}"#);
    assert_eq!((wrong.value, &*wrong.deductions[0].why), (0.0, "\"city\" is not a text"));
    assert!(score(&given, &pair("1"), "Ulm").deductions[0].why.starts_with("it is not JSON: "));
}

#[test]
fn a_length_counts_in_full_within_its_window_and_fades_outside() {
    let task = task("chat");
    let given = set(&task, json!({"length": {"least": 2, "most": 4, "fade": 4}}));
    let value = |words: usize| score(&given, &pair("1"), &"word ".repeat(words)).value;
    let values: Vec<f64> = (0..10).map(value).collect();
    assert_eq!(values, [0.0, 0.75, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0, 0.0]);
    let at_once = set(&task, json!({"length": {"least": 2, "most": 4, "unit": "characters"}}));
    assert_eq!(score(&at_once, &pair("1"), "éééé").value, 1.0);
    let long = score(&at_once, &pair("1"), "éééée");
    assert_eq!((long.value, &*long.deductions[0].why), (0.0, "5 characters; 2 to 4 are asked for"));
}

struct Letters;

impl TokenCounter for Letters {
    fn count(&self, text: &str) -> anyhow::Result<usize> {
        anyhow::ensure!(text != "bad", "it can't be cut");
        Ok(text.len())
    }
}

#[test]
fn a_length_is_in_tokens_if_there_is_a_tokenizer() {
    let task = task("chat");
    let helpers = Helpers { tokens: Some(Arc::new(Letters)), ..Helpers::default() };
    let given = try_set(&task, json!({"length": {"most": 3}}), &helpers).expect("a set");
    let scored = score(&given, &pair("1"), "four");
    assert_eq!((scored.value, &*scored.deductions[0].why), (0.0, "4 tokens; 1 to 3 are asked for"));
    assert_eq!(reason(&given, &pair("1"), "bad"), "it can't be cut");
    let without = set(&task, json!({"length": {"unit": "tokens"}}));
    assert_eq!(reason(&without, &pair("1"), "a"), "it counts tokens and has no tokenizer: name a model");
}

#[test]
fn repetition_costs_the_share_of_repeated_runs() {
    let task = task("chat");
    let given = set(&task, json!({"repetition": {"ngram_size": 2, "max_penalty": -2.0}}));
    // "a b", "b a", "a b", "b c": one of four is a repeat.
    let scored = score(&given, &pair("1"), "a b A b c");
    close(scored.value, -0.5);
    close(number(&scored, "repeated"), 0.25);
    assert_eq!(scored.deductions[0].why, "1 of 4 runs of 2 words were there before");
    assert_eq!(score(&given, &pair("1"), "a").value, 0.0);
    assert_eq!(score(&given, &pair("1"), "").value, 0.0);
}

proptest! {
    #[test]
    fn no_completion_makes_a_form_panic_or_leave_its_range(
        text in r#"(?s)([{}\[\]",:\\]|<think>|</think>|<answer>|</answer>|(?i)step [0-9]:?|####|\n|é|.){0,40}"#,
    ) {
        let task = task("nli-cot");
        let table = json!({"label": 1.0, "length": 1.0,
            "format": {"form": true, "steps": 3, "tags": ["think", "answer"], "schema": {"type": "object"}}});
        let given = set(&task, table);
        for part in total(&given, &pair("1"), &text).parts {
            prop_assert!((0.0..=1.0).contains(&part.outcome.value().expect("a value")));
        }
    }
}
