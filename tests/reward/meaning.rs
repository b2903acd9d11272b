//! Rewards that a model helps: similarity, logical equivalence, a judge; and how a sentence is built, which needs none.

use std::sync::{Arc, Mutex};

use dojo_studio::domain::reward::{Attempt, CompletionScorer, ScoreDetail};
use dojo_studio::reward::RewardSet;
use dojo_studio::reward::helpers::{
    AnswerJudge, Entailment, EntailmentJudge, Grade, Grading, Helpers, SentenceVectors,
};
use serde_json::json;

use super::world::{close, number, reason, row, score, set, task, try_set};

/// Each text is a vector of how many of its letters are a, b and c.
#[derive(Default)]
struct Letters {
    asked: Mutex<Vec<usize>>,
}

impl SentenceVectors for Letters {
    fn name(&self) -> String {
        "letters".into()
    }

    fn vectors(&self, texts: &[&str]) -> anyhow::Result<Vec<Vec<f32>>> {
        self.asked.lock().unwrap().push(texts.len());
        anyhow::ensure!(!texts.contains(&"bad"), "it is too long");
        let of = |text: &&str| {
            let counts: Vec<f32> = ['a', 'b', 'c'].map(|letter| text.matches(letter).count() as f32).to_vec();
            let length = counts.iter().map(|count| count * count).sum::<f32>().sqrt().max(1e-9);
            counts.iter().map(|count| count / length).collect()
        };
        Ok(texts.iter().map(of).collect())
    }
}

/// A hypothesis follows if the premise holds every word of it.
struct Words;

impl EntailmentJudge for Words {
    fn name(&self) -> String {
        "words".into()
    }

    fn judge(&self, pairs: &[(&str, &str)]) -> Vec<anyhow::Result<Entailment>> {
        let one = |(premise, hypothesis): &(&str, &str)| {
            anyhow::ensure!(*hypothesis != "bad", "the line is down");
            let missing = hypothesis.split(' ').find(|word| !premise.split(' ').any(|other| other == *word));
            let why = missing.map(|word| format!("{word} is not said")).unwrap_or_default();
            Ok(Entailment { probability: f64::from(missing.is_none()), why })
        };
        pairs.iter().map(one).collect()
    }
}

struct Strict(Mutex<Vec<Grading>>);

impl AnswerJudge for Strict {
    fn name(&self) -> String {
        "strict".into()
    }

    fn grade(&self, asked: &[Grading]) -> Vec<anyhow::Result<Grade>> {
        self.0.lock().unwrap().extend(asked.iter().cloned());
        let one = |asked: &Grading| {
            anyhow::ensure!(asked.answer != "bad", "no credit left");
            Ok(Grade { score: 4, why: "a word too many".into() })
        };
        asked.iter().map(one).collect()
    }
}

fn helped(table: serde_json::Value, helpers: Helpers) -> RewardSet {
    try_set(&task("paraphrase"), table, &helpers).expect("a set")
}

fn sentence(text: &str) -> dojo_studio::domain::record::Record {
    row(json!({"sentence1": text, "sentence2": "c", "label": 1}))
}

#[test]
fn similarity_is_the_cosine_and_a_copy_is_worth_what_the_row_says() {
    let letters = Arc::new(Letters::default());
    let helpers = Helpers { vectors: Some(letters.clone()), ..Helpers::default() };
    let given = helped(json!({"similarity": {"against": "sentence", "copy": 0.0}}), helpers);
    let near = score(&given, &sentence("a b"), "a b b").value;
    assert!((near - 3.0 / 10.0_f64.sqrt()).abs() < 1e-6, "{near}");
    let copy = score(&given, &sentence("A b."), "a, b");
    assert_eq!((copy.value, &*copy.deductions[0].why), (0.0, "it copies the other text"));
    assert_eq!(score(&given, &sentence("a"), "").value, 0.0);
    assert_eq!(reason(&given, &sentence("a"), "bad"), "the embeddings of letters failed: it is too long");
    // A group's prompt is embedded once, and its completions together.
    letters.asked.lock().unwrap().clear();
    let record = sentence("a b");
    let attempts = ["b a a", "b", "b a a"].map(|completion| Attempt { record: &record, completion });
    given.score(&attempts, ScoreDetail::Numbers);
    assert_eq!(*letters.asked.lock().unwrap(), [3]);
}

#[test]
fn equivalence_needs_both_directions() {
    let helpers = || Helpers { entailment: Some(Arc::new(Words)), ..Helpers::default() };
    let given = helped(json!({"logical-equivalence": {"against": "sentence", "copy": 0.0}}), helpers());
    assert_eq!(score(&given, &sentence("a b"), "b a").value, 1.0);
    let less = score(&given, &sentence("a b"), "a");
    assert_eq!((less.value, number(&less, "forward"), number(&less, "backward")), (0.0, 1.0, 0.0));
    assert_eq!(less.deductions[0].why, "it says less: b is not said");
    let more = score(&given, &sentence("a b"), "a b c");
    assert_eq!(more.deductions[0].why, "the completion does not follow: c is not said");
    assert_eq!(score(&given, &sentence("a b"), "A b!").value, 0.0);
    assert_eq!(score(&given, &sentence("a b"), " ").value, 0.0);
    assert_eq!(reason(&given, &sentence("a"), "bad"), "the judge words gave no answer: the line is down");
    // One that fails leaves the others of its batch theirs.
    let record = sentence("a b");
    let attempts = ["bad", "b a"].map(|completion| Attempt { record: &record, completion });
    let values: Vec<_> =
        given.score(&attempts, ScoreDetail::Numbers).iter().map(|total| total.value).collect();
    assert_eq!(values, [None, Some(1.0)]);
}

#[test]
fn a_judges_grade_becomes_a_share_with_its_reasons() {
    let strict = Arc::new(Strict(Mutex::default()));
    let helpers = Helpers { judge: Some(strict.clone()), ..Helpers::default() };
    let given = helped(json!({"judge": {"criteria": "It is short."}}), helpers);
    let scored = score(&given, &sentence("a"), "b");
    assert_eq!((scored.value, &*scored.deductions[0].why), (0.75, "a word too many"));
    assert_eq!(score(&given, &sentence("a"), "").value, 0.0);
    assert_eq!(reason(&given, &sentence("a"), "bad"), "the judge strict gave no grade: no credit left");
    let asked = strict.0.lock().unwrap()[0].clone();
    assert_eq!((asked.answer.as_str(), asked.criteria.as_str()), ("b", "It is short."));
    assert_eq!(asked.reference.as_deref(), Some("c"));
    assert!(asked.question.ends_with("\n\na"), "{}", asked.question);
}

#[test]
fn another_construction_is_more_diverse_than_other_words() {
    let given = set(&task("paraphrase"), json!({"syntactic-diversity": {"against": "sentence"}}));
    let record = sentence("The committee approved the new budget after a long debate.");
    let value = |text: &str| score(&given, &record, text);
    assert_eq!(value("The committee approved the new budget after a long debate.").value, 0.0);
    assert_eq!(value("The board accepted the fresh plan after a lengthy talk.").value, 0.0);
    let passive = value("After a long debate, the new budget was approved by the committee.");
    assert!(passive.value > 0.4, "{passive:?}");
    assert!(number(&passive, "position") > 0.2, "{passive:?}");
    assert_eq!(value("").value, 0.0);
    let moved = set(
        &task("paraphrase"),
        json!({"syntactic-diversity": {"against": "sentence", "measure": "position"}}),
    );
    let swapped = score(&moved, &sentence("a b c"), "c b a");
    // a and c move over the whole sentence, b stays.
    close(swapped.value, 2.0 / 3.0);
    close(number(&swapped, "words"), 0.0);
}
