//! The review queue's filter and order, jobs as they are typed, and agreement between reviewers.

use std::collections::BTreeMap;
use std::sync::Arc;

use dojo_studio::domain::agreement_report::{AgreementReport, LastWords, Share, reviewer_pairs};
use dojo_studio::domain::record::RecordId;
use dojo_studio::domain::reflection::{Checks, JudgedThought, ReflectionId, Verdict};
use dojo_studio::domain::review::{Disagreement, EditDraft, QueueField, QueueOrder, QueueRow, sort};
use dojo_studio::domain::review_filter::{Facts, Needs, ReviewFilter};
use dojo_studio::domain::review_job::{Guidance, JobKind, JobOrder};
use dojo_studio::domain::thought::Thought;
use dojo_studio::domain::view::SortDirection;
use proptest::prelude::*;

fn row(id: i64, score: Option<u8>, tokens: u32) -> QueueRow {
    QueueRow {
        id: ReflectionId(id).into(),
        record: RecordId(id),
        verdict: Verdict::Pending,
        mine: None,
        score,
        tokens,
        student: Arc::from("local:smollm2-135m"),
        teacher: Arc::from("mistral:nemo"),
        flawed: Arc::from("0"),
        label: Arc::from("1"),
        truth: Arc::from("1"),
        disagreement: Disagreement::None,
        draft: EditDraft::None,
    }
}

fn matches(filter: &str) -> bool {
    let row = row(7, Some(3), 120);
    let checks =
        Checks::of(JudgedThought { thought: "one step", label: "1", truth: "1", record: "", flawed: "" });
    let facts = Facts {
        row: &row,
        split: Some("train"),
        tags: &["cats".to_owned()],
        reviewers: &["ada".to_owned()],
        text: "the comparison rests on looks",
        checks: Some(&checks),
    };
    ReviewFilter::parse(filter).expect("a filter").matches(&facts)
}

#[test]
fn every_field_of_the_filter_tells_apart() {
    for filter in [
        "",
        "verdict:pending",
        "verdict:approved,pending",
        "label:1",
        "score<4",
        "score>=3",
        "score=3",
        "tokens>100",
        "teacher:mistral",
        "student:smollm2",
        "by:ada",
        "split:train",
        "tag:cats",
        "record:7",
        "check:any",
        "check:steps",
        "-check:leads",
        "-check:analysis",
        "-odds<0",
        "\"comparison rests\"",
        "comparison -panther",
    ] {
        assert!(matches(filter), "{filter}");
    }
    for filter in [
        "verdict:approved",
        "label:0",
        "score>3",
        "score:none",
        "tokens<=100",
        "-teacher:mistral",
        "by:bob",
        "split:eval",
        "tag:dogs",
        "check:label",
        "check:repeat",
        "check:leads",
        "check:analysis",
        "odds<0",
        "is:disagreement",
        "is:miss",
        "is:mine",
        "panther",
    ] {
        assert!(!matches(filter), "{filter}");
    }
}

#[test]
fn a_filter_reads_no_more_than_it_needs() {
    let needs = |text: &str| ReviewFilter::parse(text).expect("a filter").needs();
    assert_eq!(needs("verdict:pending score<4"), Needs::Row);
    assert_eq!(needs("score<4 word"), Needs::Text);
    assert_eq!(needs("word check:copy"), Needs::Record);
    assert_eq!(needs("odds<0"), Needs::Record);
}

#[test]
fn a_wrong_filter_says_what_would_be_right() {
    let complaint = |text: &str| ReviewFilter::parse(text).expect_err("a complaint");
    assert!(complaint("verdict:maybe").contains("there are pending, approved"));
    assert!(complaint("colour:red").contains("there is no field 'colour'"));
    assert!(complaint("score<many").contains("is not a number"));
    assert!(complaint("check:x").contains("any, label, steps, length, leak, copy, repeat, leads, analysis"));
}

#[test]
fn what_has_no_score_stands_last_either_way() {
    let mut rows = vec![row(1, None, 5), row(2, Some(4), 9), row(3, Some(2), 7)];
    let mut ids = |field, direction| {
        sort(&mut rows, QueueOrder { field, direction });
        rows.iter().map(|row| row.id.number()).collect::<Vec<_>>()
    };
    assert_eq!(ids(QueueField::Score, SortDirection::Rising), [3, 2, 1]);
    assert_eq!(ids(QueueField::Score, SortDirection::Falling), [2, 3, 1]);
    assert_eq!(ids(QueueField::Length, SortDirection::Falling), [2, 3, 1]);
    assert_eq!(ids(QueueField::Number, SortDirection::Rising), [1, 2, 3]);
}

#[test]
fn a_job_is_read_as_it_is_typed() {
    let order =
        JobOrder::parse(JobKind::Reflect, "mistral plain limit:50 dollars:0.5 budget:9000 split:train")
            .expect("an order");
    assert_eq!((order.who.as_str(), order.limit), ("mistral", Some(50)));
    assert_eq!((order.dollars, order.tokens, order.guidance), (Some(0.5), Some(9000), Guidance::Plain));
    assert_eq!(order.filter, dojo_studio::domain::filter::parse("split:train").expect("a filter"));
    let judge = JobOrder::parse(JobKind::Judge, "local:smollm2-135m rounds:2 threshold:3 improve:mistral")
        .expect("an order");
    assert_eq!((judge.who.as_str(), judge.rounds, judge.threshold), ("local:smollm2-135m", 2, 3));
    assert_eq!(judge.improvers, ["mistral"]);
    for wrong in ["", "mistral limit:x", "mistral dollars:-1", "mistral colour:red:blue\"", "m threshold:9"] {
        assert!(JobOrder::parse(JobKind::Judge, wrong).is_err(), "{wrong}");
    }
}

#[test]
fn agreement_is_counted_by_everything_that_may_explain_it() {
    let mut report = AgreementReport::default();
    let mut add = |label: &str, tokens, model: &str, split| {
        let thought = Thought {
            record: RecordId(1),
            text: String::new(),
            label: label.to_owned(),
            truth: Some("1".to_owned()),
            tokens,
            model: model.to_owned(),
            prompt: String::new(),
        };
        report.add(&thought, split, &["t".to_owned()]);
    };
    add("1", 10, "a", Some("train"));
    add("0", 30, "a", None);
    add("1", 9_999, "b", Some("train"));
    let share = |right, all| Share { right, all };
    assert_eq!(report.by_model, BTreeMap::from([("a".into(), share(1, 2)), ("b".into(), share(1, 1))]));
    assert_eq!(report.by_split, BTreeMap::from([("train".into(), share(2, 2)), ("–".into(), share(0, 1))]));
    assert_eq!(report.by_tag, BTreeMap::from([("t".into(), share(2, 3))]));
    assert_eq!((report.curve[0], report.curve[1]), (share(1, 1), share(0, 1)));
    assert_eq!((report.curve.len(), report.curve[23]), (24, share(1, 1)));
    let lengths: Vec<_> = report.by_length().into_iter().map(|(name, share)| (name, share.all)).collect();
    assert_eq!(lengths[0], ("0-100".to_owned(), 2));
    assert_eq!(lengths[3], ("301+".to_owned(), 1));
}

#[test]
fn two_reviewers_are_compared_on_what_both_decided() {
    let mut words = LastWords::new();
    let mut say = |id, who: &str, verdict| {
        words.entry(ReflectionId(id)).or_default().insert(who.to_owned(), verdict);
    };
    for id in 1..=4 {
        say(id, "ada", if id <= 2 { Verdict::Approved } else { Verdict::Rejected });
        say(id, "bob", if id == 1 || id == 4 { Verdict::Edited } else { Verdict::Rejected });
    }
    say(5, "ada", Verdict::Approved);
    let pairs = reviewer_pairs(&words);
    assert_eq!(pairs.len(), 1);
    assert_eq!((pairs[0].shared, pairs[0].agreed, pairs[0].kappa), (4, 2, Some(0.0)));
}

proptest! {
    #[test]
    fn no_text_makes_the_filter_or_an_order_panic(text in "\\PC{0,80}") {
        let _ = ReviewFilter::parse(&text);
        for kind in JobKind::ALL {
            let _ = JobOrder::parse(kind, &text);
        }
    }
}
