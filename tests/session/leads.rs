//! What contradicts its own label: found in the queue, kept out of the training set, and measured by a model.

use dojo_studio::domain::recipe::Balance;
use dojo_studio::domain::record::{Record, RecordId};
use dojo_studio::domain::reflection::{Decision, Reflection, ReflectionId, Verdict};
use dojo_studio::domain::review::QueueOrder;
use dojo_studio::domain::review_filter::ReviewFilter;
use dojo_studio::domain::review_leads::{Leads, Odds};
use dojo_studio::domain::thought::{Thought, ThoughtId};
use dojo_studio::session::Reviewed;

use super::world::{World, labelled};

const START: &str =
    "step 1: The ferry is full and it has left the pier. step 2: No other one goes today. step 3:";

fn thought(record: i64, conclusion: &str, label: &str) -> Thought {
    Thought {
        record: RecordId(record),
        text: format!("{START} {conclusion}"),
        label: label.to_owned(),
        truth: Some("neutral".to_owned()),
        tokens: 40,
        model: "student".to_owned(),
        prompt: String::new(),
    }
}

fn correction(thought: ThoughtId, conclusion: &str) -> Reflection {
    Reflection {
        record: RecordId(3),
        thought,
        error_analysis: "The pier was overlooked.".to_owned(),
        corrected: format!("{START} {conclusion}"),
        label: "neutral".to_owned(),
        teacher: "teacher".to_owned(),
        prompt: String::new(),
        verdict: Verdict::Pending,
        edited: None,
        score: None,
        reasons: String::new(),
        reviewer: String::new(),
        comment: String::new(),
        judge: String::new(),
        improved_by: String::new(),
    }
}

const OPEN: &str = "So the hypothesis may or may not be true.";
const TRUE: &str = "So the hypothesis must be true.";

/// Two right thoughts, the second of which contradicts itself; a wrong one and three corrections of it: one that is
/// sound, one that contradicts itself, one that says nothing.
fn world() -> World {
    let record = |text: &str, label: &str| -> Record { labelled(text, label) };
    let mut world = World::with(vec![
        record("a", "neutral"),
        record("b", "neutral"),
        record("c", "neutral"),
        record("d", "entailment"),
        record("e", "contradiction"),
    ]);
    let thoughts = [thought(1, OPEN, "neutral"), thought(2, TRUE, "neutral"), thought(3, TRUE, "entailment")];
    let ids = world.session.add_thoughts(&thoughts).expect("thoughts");
    let corrections = [OPEN, TRUE, "And the sea is calm."].map(|conclusion| correction(ids[2], conclusion));
    world.session.add_reflections(&corrections).expect("corrections");
    world
}

fn found(world: &World, filter: &str) -> Vec<i64> {
    let filter = ReviewFilter::parse(filter).expect("a filter");
    let rows = world.session.review_queue(&filter, QueueOrder::default()).expect("the queue");
    rows.into_iter().map(|row| row.id.number()).collect()
}

#[test]
fn the_queue_finds_corrections_that_contradict_their_label() {
    let world = world();
    assert_eq!(found(&world, "check:leads"), [2]);
    assert_eq!(found(&world, "-check:leads"), [1, 3]);
    let item = world.session.review_item(ReflectionId(2)).expect("read").expect("an item");
    assert_eq!(item.checks.leads, Leads::Elsewhere("entailment".to_owned()));
}

#[test]
fn what_a_person_wrote_leads_where_the_person_wants_it() {
    let mut world = world();
    let edited = Decision { edited: Some(format!("{START} {OPEN}")), ..Decision::of(Verdict::Edited) };
    world.session.decide(&[ReflectionId(2)], &edited).expect("edit");
    assert_eq!(found(&world, "check:leads"), [0; 0]);
}

#[test]
fn a_right_thought_that_contradicts_its_label_is_left_out_of_the_training_set_and_counted() {
    let world = world();
    let lessons = world.session.lessons(Balance::AsItIs).expect("lessons");
    assert_eq!(lessons.iter().map(|lesson| lesson.record.0).collect::<Vec<_>>(), [1]);
    let counts = world.session.review_counts().expect("counts");
    assert_eq!((counts.ready_for_sft, counts.contradicting), (1, 1));
    let led = world.session.led().expect("read");
    let elsewhere: Vec<Reviewed> = led.iter().filter(|led| led.is_elsewhere()).map(|led| led.of).collect();
    assert_eq!(elsewhere, [Reviewed::Correction(ReflectionId(2)), Reviewed::Thought(ThoughtId(2))]);
}

#[test]
fn odds_are_kept_with_the_text_that_was_read() {
    let mut world = world();
    let likelihoods = |own: f64| {
        let of = [("contradiction", -9.0), ("entailment", 0.0), ("neutral", own)];
        Odds::of("m".to_owned(), of.map(|(name, value)| (name.to_owned(), value)).to_vec())
    };
    let text = format!("{START} And the sea is calm.");
    let three = Reviewed::Correction(ReflectionId(3));
    world.session.keep_odds(three, &text, &likelihoods(-4.0)).expect("keep");
    let kept = world.session.odds(three, &text).expect("read").expect("kept");
    let own = kept.log_odds("neutral").expect("a label");
    assert!(kept.model == "m" && (own + 4.0).abs() < 1e-3, "{kept:?}");
    assert_eq!(found(&world, "check:leads"), [2, 3]);
    assert_eq!(found(&world, "odds<-2"), [3]);
    assert_eq!(found(&world, "odds>-2"), [0; 0], "what was not measured has none");
    // Measured again, the last counts.
    world.session.keep_odds(three, &text, &likelihoods(4.0)).expect("keep");
    assert_eq!(found(&world, "odds>2"), [3]);
    // Another text was not read yet.
    let edited = Decision { edited: Some("anew".to_owned()), ..Decision::of(Verdict::Edited) };
    world.session.decide(&[ReflectionId(3)], &edited).expect("edit");
    assert_eq!(found(&world, "odds>2"), [0; 0]);
}

#[test]
fn of_approved_corrections_those_that_lead_elsewhere_are_known_by_number() {
    let world = world();
    let all = [1, 2, 3, 99].map(ReflectionId);
    assert_eq!(world.session.leading_elsewhere(&all).expect("read"), [ReflectionId(2)]);
    assert_eq!(world.session.leading_elsewhere(&[ReflectionId(1)]).expect("read"), []);
}
