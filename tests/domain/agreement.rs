//! Agreement of drawn labels with true ones.

use dojo_studio::domain::agreement::{Agreement, Confusion, Scores, kappa};
use dojo_studio::domain::record::RecordId;
use dojo_studio::domain::thought::Thought;

fn thought(truth: Option<&str>, label: &str, tokens: u32) -> Thought {
    Thought {
        record: RecordId(1),
        text: String::new(),
        label: label.to_owned(),
        truth: truth.map(str::to_owned),
        tokens,
        model: String::new(),
        prompt: String::new(),
    }
}

#[test]
fn precision_recall_and_f1_are_of_the_label_that_is_asked_for() {
    let mut confusion = Confusion::default();
    for (truth, drawn, count) in [("1", "1", 6), ("1", "0", 2), ("0", "1", 3), ("0", "0", 9)] {
        (0..count).for_each(|_| confusion.add(truth, drawn));
    }
    assert_eq!(confusion.accuracy(), Some(0.75));
    let expected = Scores { precision: Some(6.0 / 9.0), recall: Some(0.75), f1: Some(12.0 / 17.0) };
    assert_eq!(confusion.scores("1"), expected);
    assert_eq!(confusion.scores("2"), Scores { precision: None, recall: None, f1: None });
}

#[test]
fn thoughts_are_counted_by_length_and_those_without_a_truth_apart() {
    let thoughts = [
        thought(Some("1"), "1", 100),
        thought(Some("1"), "0", 101),
        thought(Some("0"), "0", 250),
        thought(Some("0"), "0", 301),
        thought(None, "0", 50),
    ];
    let agreement = Agreement::of(&thoughts);
    assert_eq!(agreement.by_length, [(1, 1), (0, 1), (1, 1), (1, 1)]);
    assert_eq!(
        (agreement.confusion.right(), agreement.confusion.total(), agreement.without_truth),
        (3, 4, 1)
    );
}

#[test]
fn kappa_is_agreement_beyond_chance() {
    // Cohen's textbook table: both yes 20, both no 15, the rest 5 and 10.
    let mut verdicts = vec![(true, true); 20];
    verdicts.extend(vec![(true, false); 5]);
    verdicts.extend(vec![(false, true); 10]);
    verdicts.extend(vec![(false, false); 15]);
    assert!((kappa(&verdicts).expect("a value") - 0.4).abs() < 1e-12);
    assert_eq!(kappa(&[(true, true); 3]), None);
    assert_eq!(kappa::<bool>(&[]), None);
}
