//! Answers to figures: what is read, what counts, what is left out; and reports of them.

use dojo_studio::domain::evaluation::{EvaluationPart, MetricFigure, PairedTest};
use dojo_studio::domain::record::Record;
use dojo_studio::eval::EvalMetric;
use dojo_studio::eval::comparing::{compare, settle};
use dojo_studio::eval::scoring::{ChoiceLikelihood, ItemAnswers, ModelAnswer, ScoredModel, ScoredPart};
use dojo_studio::reward::bench::record_of;
use dojo_studio::task::{Task, find};
use serde_json::json;

fn task(name: &str) -> Task {
    find(name, None).unwrap()
}

fn records(labels: &[&str]) -> Vec<Record> {
    let row = |label: &&str| json!({"premise": "p", "hypothesis": "h", "label": label});
    labels.iter().map(|label| record_of(row(label).as_object().unwrap().clone())).collect()
}

fn said(text: &str) -> ItemAnswers {
    let answer = ModelAnswer { text: text.into(), tokens: text.len() as u64, finish: "stop".into() };
    ItemAnswers { answer: Some(answer), ..ItemAnswers::default() }
}

fn labels(drawn: &[&str]) -> Vec<ItemAnswers> {
    let json =
        |label: &&str| said(&format!("{{\"thought_process\": \"step 1\", \"predicted_label\": {label}}}"));
    drawn.iter().map(json).collect()
}

fn score(task: &Task, records: &[Record], answers: &[ItemAnswers], metrics: &[&str]) -> ScoredModel {
    let metrics: Vec<EvalMetric> = metrics.iter().map(|name| EvalMetric::parse(name).unwrap()).collect();
    ScoredPart { task, records, scorer: None, wordnet: None }.score(answers, &metrics)
}

fn value(figures: &[MetricFigure], metric: &str) -> f64 {
    figures.iter().find(|figure| figure.metric == metric).unwrap().value.unwrap()
}

fn near(given: f64, expected: f64) {
    assert!((given - expected).abs() < 1e-12, "{given}, not {expected}");
}

#[test]
fn classification_is_scikit_learns_macro_and_what_cannot_be_read_is_wrong() {
    let task = task("nli-cot");
    let records = records(&["entailment", "entailment", "entailment", "neutral", "contradiction", "neutral"]);
    let mut answers = labels(&["1", "1", "0", "0", "1", "0"]);
    answers[5] = said("I cannot tell.");
    let names = ["accuracy", "precision", "recall", "f1", "unparsable", "confusion"];
    let scored = score(&task, &records, &answers, &names);
    let figures = scored.figures(0);
    near(value(&figures, "accuracy"), 3.0 / 6.0);
    near(value(&figures, "unparsable"), 1.0 / 6.0);
    // 0: 1 of 2 drawn are right, 1 of 3 are found. 1: 2 of 3 drawn, 2 of 3 found.
    near(value(&figures, "precision"), (1.0 / 2.0 + 2.0 / 3.0) / 2.0);
    near(value(&figures, "recall"), (1.0 / 3.0 + 2.0 / 3.0) / 2.0);
    near(value(&figures, "f1"), (2.0 / 5.0 + 4.0 / 6.0) / 2.0);
    let confusion = scored.confusion.unwrap();
    assert_eq!(
        (confusion.labels, confusion.counts),
        (vec!["0".into(), "1".into()], vec![vec![1, 1, 1], vec![1, 2, 0]])
    );
    assert_eq!(figures.iter().map(|figure| figure.items).collect::<Vec<_>>(), [6, 6, 6, 6, 6]);
}

#[test]
fn an_item_without_an_answer_counts_nowhere_and_is_told() {
    let task = task("nli-cot");
    let records = records(&["entailment", "neutral"]);
    let mut answers = labels(&["1", "1"]);
    answers[1] = ItemAnswers { failed: Some("the prompt is too long".into()), ..ItemAnswers::default() };
    let figures = score(&task, &records, &answers, &["accuracy", "perplexity"]).figures(0);
    assert_eq!((figures[0].value, figures[0].items), (Some(1.0), 1));
    assert_eq!((figures[1].value, figures[1].items), (None, 0));
    assert_eq!(figures[1].why.as_deref(), Some("the prompt is too long"));
}

#[test]
fn numbers_match_as_numbers_and_texts_as_texts() {
    let task = task("math");
    let row = |solution: &str| {
        record_of(json!({"question": "q", "solution": solution}).as_object().unwrap().clone())
    };
    let records = vec![row("So it is 18.\n#### 18"), row("#### 1,200"), row("#### 7")];
    let answers = vec![said("9 * 2 = 18\n#### 18.0"), said("The answer is 1200."), said("#### 8")];
    let figures = score(&task, &records, &answers, &["accuracy", "numeric-match", "exact-match"]).figures(0);
    near(value(&figures, "numeric-match"), 2.0 / 3.0);
    near(value(&figures, "accuracy"), 2.0 / 3.0);
    assert!(value(&figures, "exact-match") <= 2.0 / 3.0);
}

#[test]
fn choices_and_perplexity_come_from_likelihoods() {
    let task = task("nli-cot");
    let records = records(&["entailment", "neutral"]);
    let choice = |label: &str, log_likelihood: f64, bytes: u64| ChoiceLikelihood {
        label: label.into(),
        log_likelihood,
        bytes,
    };
    let item = |one: f64, zero: f64| ItemAnswers {
        choices: Some(vec![choice("1", one, 1), choice("0", zero, 10)]),
        reference: Some((2.0, 4)),
        ..ItemAnswers::default()
    };
    let names = ["choice-accuracy", "choice-accuracy-norm", "choice-likelihood", "perplexity"];
    let figures = score(&task, &records, &[item(-1.0, -3.0), item(-2.0, -3.0)], &names).figures(0);
    near(value(&figures, "choice-accuracy"), 0.5);
    // A byte of "0" is likelier both times.
    near(value(&figures, "choice-accuracy-norm"), 0.5);
    near(value(&figures, "choice-likelihood"), -2.0);
    near(value(&figures, "perplexity"), 0.5_f64.exp());
}

#[test]
fn comparisons_share_items_are_corrected_together_and_say_so() {
    let task = task("nli-cot");
    let all: Vec<&str> = (0..40).map(|n| if n % 2 == 0 { "entailment" } else { "neutral" }).collect();
    let records = records(&all);
    let right = labels(&(0..40).map(|n| if n % 2 == 0 { "1" } else { "0" }).collect::<Vec<_>>());
    let mut some = right.clone();
    some.iter_mut().skip(20).for_each(|item| *item = said("?"));
    let mut few = some.clone();
    few[0] = ItemAnswers::default();
    let metric = EvalMetric::parse("accuracy").unwrap();
    let scored = [right, some, few].map(|answers| score(&task, &records, &answers, &["accuracy"]));
    let evidence = |at: usize| (at, &scored[at].evidence[0].evidence);
    let large = compare(&metric, evidence(0), evidence(1), 0).unwrap();
    assert_eq!((large.test, large.items), (PairedTest::McNemar, 40));
    assert_eq!((large.only_first, large.only_second), (Some(20), Some(0)));
    near(large.difference, -0.5);
    let none = compare(&metric, evidence(1), evidence(2), 0).unwrap();
    assert_eq!((none.items, none.p, none.difference), (39, 1.0, 0.0));
    let results =
        scored.iter().enumerate().map(|(model, scored)| dojo_studio::domain::evaluation::ModelResult {
            model,
            figures: scored.figures(0),
            ..Default::default()
        });
    let mut parts =
        [EvaluationPart { results: results.collect(), comparisons: vec![large, none], ..Default::default() }];
    settle(&mut parts, &["a".into(), "b".into(), "c".into()]);
    let [large, none] = parts[0].comparisons.as_slice() else { panic!("two") };
    near(large.adjusted_p, large.p * 2.0);
    assert_eq!(
        large.told,
        "b against a: the difference in accuracy, -50.0 points, is unlikely to be chance (p < 0.001, corrected for 2 \
         comparisons; 40 items; 20 only a has right, 0 only b)"
    );
    assert_eq!(none.told, "c and b: no difference in accuracy (39 items; 0 only b has right, 0 only c)");
}

#[test]
fn text_metrics_are_the_corpus_s_and_names_of_metrics_are_known() {
    let task = task("paraphrase");
    let row = |target: &str| {
        record_of(
            json!({"sentence1": "a b c d e", "sentence2": target, "label": 1}).as_object().unwrap().clone(),
        )
    };
    let records = vec![row("the cat sat on the mat today"), row("on the mat sat the cat again")];
    let answers = vec![said("the cat sat on the mat today"), said("something else entirely")];
    let figures =
        score(&task, &records, &answers, &["bleu", "chrf", "rouge-l", "meteor", "length"]).figures(0);
    let pairs = [
        ("the cat sat on the mat today", "the cat sat on the mat today"),
        ("something else entirely", "on the mat sat the cat again"),
    ];
    near(value(&figures, "bleu"), dojo_studio::reward::text::bleu::corpus(pairs));
    near(value(&figures, "chrf"), dojo_studio::reward::text::chrf::corpus(pairs));
    near(value(&figures, "rouge-l"), 0.5);
    let error = format!("{:#}", EvalMetric::parse("rogue-l").unwrap_err());
    assert_eq!(error, "there is no metric \"rogue-l\"; the nearest is rouge-l");
}
