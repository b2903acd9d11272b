//! Corrections by hand, drafts, and what stands beside the verdicts.

use dojo_studio::domain::draft::DraftOf;
use dojo_studio::domain::recipe::Balance;
use dojo_studio::domain::record::RecordId;
use dojo_studio::domain::reflection::{Decision, Reflection, ReflectionId, Verdict};
use dojo_studio::domain::review::{DraftText, QueueOrder, Reviewed};
use dojo_studio::domain::review_filter::ReviewFilter;
use dojo_studio::domain::thought::{Thought, ThoughtId};
use dojo_studio::session::{Access, Revised, Session};

use super::world::{World, labelled};

/// Records 1 and 2, each with a wrong thought; nobody has corrected anything.
fn wrong() -> World {
    let mut world = World::with(vec![labelled("a", "1"), labelled("b", "1")]);
    let thought = |record: i64| Thought {
        record: RecordId(record),
        text: format!("step 1: wrong {record}"),
        label: "0".to_owned(),
        truth: Some("1".to_owned()),
        tokens: 3,
        model: "student".to_owned(),
        prompt: "think@1".to_owned(),
    };
    world.session.add_thoughts(&[thought(1), thought(2)]).expect("add thoughts");
    world
}

fn queue(session: &Session, filter: &str) -> Vec<String> {
    let filter = ReviewFilter::parse(filter).expect("a filter");
    let rows = session.review_queue(&filter, QueueOrder::default()).expect("a queue");
    rows.into_iter().map(|row| row.id.to_string()).collect()
}

fn draft(text: &str) -> DraftText {
    DraftText { text: text.to_owned(), analysis: "why".to_owned(), over: None, at: 7 }
}

fn keep(world: &mut World, of: Reviewed, draft: Option<DraftText>) {
    let kept = draft.as_ref().map(DraftText::kept);
    world.session.keep_draft(&DraftOf::Review(of), kept.as_ref()).expect("keep");
}

fn begun(session: &Session, id: ReflectionId) -> Option<DraftText> {
    session.draft(&DraftOf::Review(id.into())).expect("read").and_then(|kept| DraftText::of(&kept))
}

/// Adds a correction of the first thought by a teacher.
fn by_teacher(world: &mut World) -> ReflectionId {
    let reflection = Reflection {
        record: RecordId(1),
        thought: ThoughtId(1),
        error_analysis: "overlooked".to_owned(),
        corrected: "corrected".to_owned(),
        label: "1".to_owned(),
        teacher: "teacher".to_owned(),
        prompt: "reflect@1".to_owned(),
        verdict: Verdict::Pending,
        edited: None,
        score: None,
        reasons: String::new(),
        reviewer: String::new(),
        comment: String::new(),
        judge: String::new(),
        improved_by: String::new(),
    };
    world.session.add_reflections(&[reflection]).expect("add")[0]
}

#[test]
fn wrong_thoughts_are_in_the_queue_until_somebody_corrects_them() {
    let mut world = wrong();
    assert_eq!(queue(&world.session, ""), ["thought 1", "thought 2"]);
    for filter in ["verdict:pending", "is:miss", "is:mine", "is:draft", "teacher:x", "score:none is:mine"] {
        assert_eq!(queue(&world.session, filter), Vec::<String>::new(), "{filter}");
    }
    by_teacher(&mut world);
    assert_eq!(queue(&world.session, ""), ["reflection 1", "thought 2"]);
    assert_eq!(queue(&world.session, "is:uncorrected \"wrong 2\" label:1 student:stud"), ["thought 2"]);
    assert_eq!(queue(&world.session, "-is:uncorrected"), ["reflection 1"]);
    assert_eq!(world.session.review_counts().expect("count").uncorrected, 1);
    let item = world.session.review_item(ThoughtId(2)).expect("read").expect("there");
    assert_eq!((item.reflection.as_ref(), item.text(), item.label()), (None, "step 1: wrong 2", "0"));
    assert!(!item.checks.reaches_label && !item.checks.repeats_flawed);
}

#[test]
fn a_correction_by_hand_is_approved_and_trained_on_with_its_author() {
    let mut world = wrong();
    let id = world.session.correct(ThoughtId(1), "right", "it overlooked b").expect("write").expect("there");
    let own = world.session.reflection(id).expect("read").expect("there");
    assert!(own.is_by_hand());
    let said = (own.teacher.as_str(), own.reviewer.as_str(), own.verdict, own.error_analysis.as_str());
    assert_eq!(said, ("ada", "ada", Verdict::Approved, "it overlooked b"));
    let lessons = world.session.lessons(Balance::AsItIs).expect("lessons");
    let lessons: Vec<_> =
        lessons.iter().map(|lesson| (lesson.text.as_str(), lesson.label.as_str())).collect();
    assert_eq!(lessons, [("right", "1")]);
    let left = world.session.thoughts_to_reflect("teacher").expect("read");
    assert_eq!(left.len(), 1, "a teacher is not paid for what a person has done");
    assert_eq!(world.session.undo_verdict().expect("undo"), [id]);
    assert_eq!(world.session.verdict_of(id).expect("read"), Some(Verdict::Pending));
    assert_eq!(world.session.correct(ThoughtId(99), "x", "").expect("write"), None);
}

#[test]
fn a_draft_is_there_after_the_program_has_ended_and_goes_with_the_decision() {
    let mut world = wrong();
    let id = Reviewed::Correction(by_teacher(&mut world));
    keep(&mut world, id, Some(draft("begun")));
    keep(&mut world, ThoughtId(2).into(), Some(draft("other")));
    let again = Session::open(world.folder.path(), Access::Read).expect("open again").acting_as("ada");
    assert_eq!(again.review_item(id).expect("read").and_then(|item| item.draft), Some(draft("begun")));
    assert_eq!(queue(&again, "is:draft"), ["reflection 1", "thought 2"]);
    assert_eq!(world.other().draft(&DraftOf::Review(id)).expect("read"), None, "everybody has their own");
    keep(&mut world, id, None);
    world.session.correct(ThoughtId(2), "right", "").expect("correct");
    assert_eq!(world.session.begun().expect("read"), [].into());
}

#[test]
fn a_verdict_lets_go_of_the_draft_that_says_the_same_and_of_no_other() {
    let mut world = wrong();
    let id = by_teacher(&mut world);
    let own = DraftText { analysis: "overlooked".to_owned(), ..draft("mine") };
    keep(&mut world, id.into(), Some(own.clone()));
    let other = Decision { edited: Some("of another window".to_owned()), ..Decision::of(Verdict::Edited) };
    world.session.decide(&[id], &other).expect("edit");
    world.session.decide(&[id], &Decision::of(Verdict::Rejected)).expect("reject");
    assert_eq!(begun(&world.session, id), Some(own));
    let same = Decision { edited: Some("mine".to_owned()), ..Decision::of(Verdict::Edited) };
    world.session.decide(&[id], &same).expect("edit");
    assert_eq!(begun(&world.session, id), None);
}

#[test]
fn undoing_an_edit_keeps_its_text_as_a_draft() {
    let mut world = wrong();
    let id = by_teacher(&mut world);
    let analysis = Some("anew".to_owned());
    let edited = Decision { edited: Some("better".to_owned()), analysis, ..Decision::of(Verdict::Edited) };
    world.session.decide(&[id], &edited).expect("edit");
    let own = world.session.reflection(id).expect("read").expect("there");
    assert_eq!((own.text(), own.error_analysis.as_str()), ("better", "anew"));
    world.session.undo_verdict().expect("undo");
    let own = world.session.reflection(id).expect("read").expect("there");
    assert_eq!((own.text(), own.error_analysis.as_str()), ("corrected", "overlooked"));
    // No window has it: the next one that looks takes it up.
    assert!(world.session.take_up_drafts().expect("take up"));
    let draft = begun(&world.session, id).expect("a draft");
    assert_eq!((draft.text.as_str(), draft.analysis.as_str()), ("better", "anew"));
}

#[test]
fn the_last_step_says_how_many_it_met() {
    let mut world = wrong();
    let id = by_teacher(&mut world);
    assert_eq!(world.session.last_step().expect("read"), None);
    world.session.decide(&[id], &Decision::of(Verdict::Rejected)).expect("reject");
    let step = world.session.last_step().expect("read").expect("a step");
    assert_eq!((step.verdict, step.reflections), (Verdict::Rejected, 1));
    assert_eq!(world.other().last_step().expect("read"), None, "it is of the one who decided");
    world.session.undo_verdict().expect("undo");
    assert_eq!(world.session.last_step().expect("read"), None);
}

#[test]
fn reasons_come_back_the_last_first_each_once() {
    let mut world = wrong();
    let id = by_teacher(&mut world);
    for reason in ["too long", "invents a fact", "", "too long"] {
        let decision = Decision { comment: reason.to_owned(), ..Decision::of(Verdict::Rejected) };
        world.session.decide(&[id], &decision).expect("reject");
    }
    assert_eq!(world.session.comments(Verdict::Rejected).expect("read"), ["too long", "invents a fact"]);
    assert_eq!(world.session.comments(Verdict::SentBack).expect("read"), Vec::<String>::new());
}

#[test]
fn a_row_begins_with_what_was_asked_last_and_the_text() {
    let mut world = wrong();
    let id = by_teacher(&mut world);
    let glimpse = world.session.glimpse(id.into()).expect("read").expect("there");
    assert_eq!((glimpse.question.as_str(), glimpse.text.as_str()), ("a", "corrected"));
    let glimpse = world.session.glimpse(ThoughtId(2).into()).expect("read").expect("there");
    assert_eq!((glimpse.question.as_str(), glimpse.text.as_str()), ("b", "step 1: wrong 2"));
    assert_eq!(world.session.glimpse(ThoughtId(99).into()).expect("read"), None);
}

#[test]
fn a_decision_over_another_one_changes_nothing_and_says_what_stands() {
    let mut world = wrong();
    let id = by_teacher(&mut world);
    let before = world.session.reflection(id).expect("read").expect("there");
    let edited = |text: &str| Decision { edited: Some(text.to_owned()), ..Decision::of(Verdict::Edited) };
    world.other().decide(&[id], &edited("theirs")).expect("edit");
    let met = world.session.decide_over(id, &before, &edited("mine")).expect("write");
    let Revised::Moved(now) = met else { panic!("{met:?}") };
    assert_eq!((now.text(), now.reviewer.as_str()), ("theirs", "bob"));
    assert_eq!(world.session.reflection(id).expect("read").expect("there").text(), "theirs");
    assert_eq!(world.session.decide_over(id, &now, &edited("mine")).expect("write"), Revised::Done);
    assert_eq!(world.session.reflection(id).expect("read").expect("there").text(), "mine");
    let gone = world.session.decide_over(ReflectionId(99), &before, &edited("mine")).expect("write");
    assert_eq!(gone, Revised::Gone);
}
