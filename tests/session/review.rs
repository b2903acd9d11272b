//! Thoughts, reflections, verdicts, and what comes out of them.

use std::path::{Path, PathBuf};

use dojo_studio::domain::agreement::Agreement;
use dojo_studio::domain::recipe::Balance;
use dojo_studio::domain::record::RecordId;
use dojo_studio::domain::reflection::{Reflection, ReflectionId, Verdict};
use dojo_studio::domain::review::{Disagreement, QueueOrder};
use dojo_studio::domain::review_filter::ReviewFilter;
use dojo_studio::domain::thought::Thought;
use dojo_studio::session::{Decision, Improved, JudgeWord, ReviewCounts, SetAside};
use serde_json::{Value, json};

use super::world::{World, labelled};

pub(super) fn thought(record: i64, text: &str, label: &str, truth: &str) -> Thought {
    Thought {
        record: RecordId(record),
        text: text.to_owned(),
        label: label.to_owned(),
        truth: Some(truth.to_owned()),
        tokens: 3,
        model: "student".to_owned(),
        prompt: "think@1".to_owned(),
    }
}

/// Records 1 and 2; one right thought, one wrong, and a reflection on the wrong one.
fn reviewed() -> (World, ReflectionId) {
    let mut world = World::with(vec![labelled("a", "1"), labelled("b", "1")]);
    let thoughts = [thought(1, "right", "1", "1"), thought(2, "wrong", "0", "1")];
    let ids = world.session.add_thoughts(&thoughts).expect("add thoughts");
    let reflection = Reflection {
        record: RecordId(2),
        thought: ids[1],
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
    let ids = world.session.add_reflections(&[reflection]).expect("add a reflection");
    (world, ids[0])
}

fn approve() -> Decision {
    Decision::of(Verdict::Approved)
}

#[test]
fn a_thought_that_is_there_is_not_added_again() {
    let mut world = World::with(vec![labelled("a", "1")]);
    let one = [thought(1, "x", "1", "1")];
    let first = world.session.add_thoughts(&one).expect("add");
    assert_eq!(world.session.add_thoughts(&one).expect("add again"), first);
    assert_eq!(world.session.thoughts().expect("read").len(), 1);
}

#[test]
fn a_job_is_told_only_what_it_still_has_to_do() {
    let (world, _) = reviewed();
    let session = &world.session;
    assert_eq!(session.records_to_think("student", "think@1").expect("read"), []);
    assert_eq!(session.records_to_think("student", "think@2").expect("read"), [RecordId(1), RecordId(2)]);
    assert_eq!(session.thoughts_to_reflect("teacher").expect("read").len(), 0);
    let other = session.thoughts_to_reflect("other").expect("read");
    assert_eq!(other.iter().map(|(_, thought, _)| thought.text.as_str()).collect::<Vec<_>>(), ["wrong"]);
}

#[test]
fn approving_makes_a_lesson_and_a_pair_and_undo_takes_both_back() {
    let (mut world, id) = reviewed();
    let before = ReviewCounts { pending: 1, ready_for_sft: 1, ..ReviewCounts::default() };
    assert_eq!(world.session.review_counts().expect("count"), before);
    assert_eq!(world.session.next_pending(None).expect("read"), Some(id));

    assert_eq!(world.session.decide(&[id], &approve()).expect("approve"), 1);
    let after =
        ReviewCounts { approved: 1, ready_for_sft: 2, preference_pairs: 1, ..ReviewCounts::default() };
    assert_eq!(world.other().review_counts().expect("count"), after);
    assert_eq!(world.session.next_pending(None).expect("read"), None);
    let decided = world.session.reflection(id).expect("read").expect("there");
    assert_eq!((decided.verdict, decided.reviewer.as_str()), (Verdict::Approved, "ada"));

    assert_eq!(world.session.undo_verdict().expect("undo"), [id]);
    assert_eq!(world.session.review_counts().expect("count"), before);
    assert_eq!(
        world.session.undo_verdict().expect_err("nothing left").to_string(),
        "nothing is left to undo"
    );
}

#[test]
fn an_edited_correction_is_trained_on_as_the_person_left_it() {
    let (mut world, id) = reviewed();
    let edited = Decision { edited: Some("better".to_owned()), ..Decision::of(Verdict::Edited) };
    world.session.decide(&[id], &edited).expect("edit");
    let lessons = world.session.lessons(Balance::AsItIs).expect("lessons");
    let texts: Vec<_> = lessons.iter().map(|lesson| (lesson.record.0, lesson.text.as_str())).collect();
    assert_eq!(texts, [(1, "right"), (2, "better")]);
}

#[test]
fn every_lesson_says_where_it_comes_from() {
    let (mut world, id) = reviewed();
    world.session.decide(&[id], &approve()).expect("approve");
    let lessons = world.session.lessons(Balance::AsItIs).expect("lessons");
    let provenance = json!({
        "record": 2, "thought": 2, "student": "student", "reflection": 1, "teacher": "teacher",
        "prompt": "reflect@1", "judge": "", "judge_score": null, "improved_by": "",
        "verdict": "approved", "reviewer": "ada",
    });
    assert_eq!(lessons[1].provenance, provenance);
    assert_eq!(lessons[1].rejected.as_ref().map(|flawed| flawed.text.as_str()), Some("wrong"));
    assert_eq!(lessons[0].rejected, None);
}

#[test]
fn balancing_keeps_as_many_of_each_label() {
    let mut world = World::with((0..5).map(|number| labelled(&number.to_string(), "1")).collect());
    let thoughts: Vec<Thought> = (1..=5)
        .map(|record| {
            let label = if record == 3 { "0" } else { "1" };
            thought(record, "x", label, label)
        })
        .collect();
    world.session.add_thoughts(&thoughts).expect("add");
    let lessons = world.session.lessons(Balance::ByLabel).expect("lessons");
    let labels: Vec<_> = lessons.iter().map(|lesson| lesson.label.as_str()).collect();
    assert_eq!(labels, ["1", "0"]);
}

#[test]
fn what_was_set_aside_is_kept_once_for_each_record_and_job() {
    let (mut world, _) = reviewed();
    let aside = |reason: &str| SetAside {
        job: "think".to_owned(),
        record: RecordId(1),
        model: "student".to_owned(),
        reason: reason.to_owned(),
        raw: "{".to_owned(),
    };
    world.session.set_aside(&aside("cut-off")).expect("keep");
    world.session.set_aside(&aside("no-object")).expect("keep");
    assert_eq!(world.session.all_set_aside().expect("read"), [aside("no-object")]);
}

#[test]
fn a_judge_improves_only_what_no_person_has_decided() {
    let (mut world, id) = reviewed();
    let word = |score, text| JudgeWord {
        score,
        reasons: "vague",
        judge: "j judge@1",
        improved: Some(Improved { text, label: "1", by: "i" }),
    };
    world.session.judge(id, &word(3, "clearer")).expect("judge");
    world.session.decide(&[id], &approve()).expect("approve");
    world.session.judge(id, &word(5, "other")).expect("judge again");
    let reflection = world.session.reflection(id).expect("read").expect("there");
    assert_eq!((reflection.corrected.as_str(), reflection.score), ("clearer", Some(5)));
    // Data filters and sorts by it.
    let scores: Vec<Option<f64>> =
        world.session.rows(&[1, 2]).expect("rows").into_iter().map(|row| row.score).collect();
    assert_eq!(scores, [None, Some(5.0)]);
}

#[test]
fn the_queue_holds_what_the_filter_lets_through_and_an_item_everything_about_one() {
    let (mut world, id) = reviewed();
    let word = JudgeWord { score: 4, reasons: "clear", judge: "j judge@1", improved: None };
    world.session.judge(id, &word).expect("judge");
    let ids = |world: &World, filter: &str| -> Vec<ReflectionId> {
        let filter = ReviewFilter::parse(filter).expect("a filter");
        let rows = world.session.review_queue(&filter, QueueOrder::default()).expect("a queue");
        rows.into_iter().filter_map(|row| row.id.correction()).collect()
    };
    for filter in ["", "verdict:pending", "score>3", "overlooked", "check:steps", "label:1", "teacher:teach"]
    {
        assert_eq!(ids(&world, filter), [id], "{filter}");
    }
    for filter in ["verdict:approved", "score<4", "understood", "check:label", "by:ada"] {
        assert_eq!(ids(&world, filter), [], "{filter}");
    }
    world.session.decide(&[id], &approve()).expect("approve");
    assert_eq!(ids(&world, "by:ada is:mine verdict:approved"), [id]);
    let item = world.session.review_item(id).expect("read").expect("there");
    assert_eq!(
        (item.thought.text.as_str(), item.reflection.map(|own| own.judge)),
        ("wrong", Some("j judge@1".to_owned()))
    );
    assert_eq!(item.question, [("question".to_owned(), "b".to_owned())]);
    let said: Vec<_> = item.verdicts.iter().map(|said| (said.who.as_str(), said.verdict)).collect();
    assert_eq!(said, [("ada", Verdict::Approved)]);
    assert_eq!(world.session.review_item(ReflectionId(99)).expect("read"), None);
}

#[test]
fn a_correction_that_was_sent_back_is_asked_for_again_with_the_comment() {
    let (mut world, id) = reviewed();
    let back = Decision { comment: "shorter".to_owned(), ..Decision::of(Verdict::SentBack) };
    world.session.decide(&[id], &back).expect("send back");
    let counts = world.session.review_counts().expect("count");
    assert_eq!((counts.pending, counts.sent_back, counts.preference_pairs), (0, 1, 0));
    let again = world.session.thoughts_to_reflect("teacher").expect("read");
    assert_eq!(again.iter().map(|(_, _, comment)| comment.as_str()).collect::<Vec<_>>(), ["shorter"]);
    let mut anew = world.session.reflection(id).expect("read").expect("there");
    anew.corrected = "short".to_owned();
    anew.verdict = Verdict::Pending;
    world.session.add_reflections(&[anew]).expect("add");
    assert_eq!(world.session.thoughts_to_reflect("teacher").expect("read").len(), 0);
}

#[test]
fn everybody_takes_back_their_own_word_only() {
    let (mut world, id) = reviewed();
    let mut bob = world.other();
    world.session.decide(&[id], &approve()).expect("approve");
    bob.decide(&[id], &Decision::of(Verdict::Rejected)).expect("reject");
    assert_eq!(world.session.undo_verdict().expect("undo"), [id]);
    let standing = world.session.verdict_of(id).expect("read");
    assert_eq!(standing, Some(Verdict::Rejected), "bob's word stands");
    bob.undo_verdict().expect("undo");
    assert!(bob.undo_verdict().is_err());
}

#[test]
fn two_reviewers_who_differ_are_seen_and_counted() {
    let (mut world, id) = reviewed();
    world.session.decide(&[id], &approve()).expect("approve");
    world.other().decide(&[id], &Decision::of(Verdict::Rejected)).expect("reject");
    let filter = ReviewFilter::parse("is:disagreement").expect("a filter");
    let rows = world.session.review_queue(&filter, QueueOrder::default()).expect("a queue");
    let row = rows.first().expect("one row");
    assert_eq!(row.disagreement, Disagreement::Reviewers);
    assert_eq!((row.verdict, row.mine), (Verdict::Rejected, Some(Verdict::Approved)));
    let report = world.session.agreement().expect("count");
    assert_eq!((report.overall.confusion.right(), report.overall.confusion.total()), (1, 2));
    let pair = report.reviewers.first().expect("a pair");
    assert_eq!((pair.one.as_str(), pair.other.as_str(), pair.shared, pair.agreed), ("ada", "bob", 1, 0));
}

/// A file of the samples, or nothing where the folder is missing.
fn sample(name: &str) -> Option<String> {
    let folder = std::env::var_os("DOJO_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let text = std::fs::read_to_string(folder.join("nli_mistral7b_samples").join(name)).ok();
    if text.is_none() {
        println!("left out: no nli_mistral7b_samples in {}", folder.display());
    }
    text
}

#[test]
fn the_published_samples_give_67_right_thoughts_of_100_and_33_reflections() {
    let (Some(thoughts), Some(reflections)) =
        (sample("sample_thoughts.json"), sample("sample_reflections.json"))
    else {
        return;
    };
    let mut world = World::new();
    let brought = world.session.import_thoughts("sample_thoughts.json", &thoughts).expect("import");
    assert_eq!((brought.rows, brought.records, brought.skipped.len()), (100, 100, 0));
    let agreement = Agreement::of(world.session.thoughts().expect("read").iter().map(|(_, thought)| thought));
    let confusion = &agreement.confusion;
    assert_eq!((confusion.right(), confusion.total()), (67, 100));
    let cells =
        [("0", "0"), ("0", "1"), ("1", "0"), ("1", "1")].map(|(truth, drawn)| confusion.count(truth, drawn));
    assert_eq!(cells, [44, 2, 31, 23]);

    for _ in 0..2 {
        let brought =
            world.session.import_reflections("sample_reflections.json", &reflections).expect("import");
        assert_eq!((brought.rows, brought.records, brought.skipped.len()), (33, 0, 0));
    }
    let counts = world.session.review_counts().expect("count");
    assert_eq!((counts.pending, counts.ready_for_sft), (33, 67));
    assert_eq!(world.session.thoughts().expect("read").len(), 100, "each reflection found its thought");

    let all: Vec<ReflectionId> = world
        .session
        .reflections(Some(Verdict::Pending))
        .expect("read")
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    assert_eq!(world.session.decide(&all, &approve()).expect("approve all"), 33);
    // One of the 33 does not reach its label, and is not trained on.
    let counts = world.session.review_counts().expect("count");
    assert_eq!((counts.approved, counts.ready_for_sft, counts.preference_pairs), (33, 99, 32));
    assert_eq!(world.session.lessons(Balance::AsItIs).expect("lessons").len(), 99);
    assert_eq!(world.session.preference_pairs().expect("pairs").len(), 32);
}

#[test]
fn the_shipped_sample_imports_with_28_wrong_thoughts_and_24_to_review() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sessions/nli-reflection");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("a file of the sample");
    let mut world = World::new();
    world.session.import_thoughts("thoughts.jsonl", &read("thoughts.jsonl")).expect("import");
    world.session.import_reflections("reflections.jsonl", &read("reflections.jsonl")).expect("import");
    let agreement = Agreement::of(world.session.thoughts().expect("read").iter().map(|(_, thought)| thought));
    assert_eq!((agreement.confusion.right(), agreement.confusion.total()), (37, 65));
    let pending = world.session.reflections(Some(Verdict::Pending)).expect("read");
    assert_eq!(pending.len(), 24);
    for (_, reflection) in &pending {
        let thought = world.session.thought(reflection.thought).expect("read").expect("there");
        assert_eq!(thought.is_right(), Some(false));
        assert_eq!(Some(&reflection.label), thought.truth.as_ref(), "the correction reaches the label");
    }
    let again = world.session.thoughts_to_reflect("hand-written").expect("read");
    assert_eq!(again.len(), 4);
}

#[test]
fn lines_that_are_no_thoughts_are_named_and_the_rest_comes_in() {
    let mut world = World::new();
    let text = "{\"premise\": \"p\"}\nnot json\n\n{\"premise\": \"p\", \"thought_process\": \"t\", \"predicted_label\": 1}\n";
    let brought = world.session.import_thoughts("t.jsonl", text).expect("import");
    let lines: Vec<u64> = brought.skipped.iter().map(|(line, _)| *line).collect();
    assert_eq!((brought.rows, lines), (1, vec![1, 2]));
}

/// A reflection's row about a premise, with these further fields.
fn row(premise: &str, more: &Value) -> String {
    let mut row = json!({
        "premise": premise, "hypothesis": "h", "thought_process": format!("on {premise}"), "error_analysis": "e",
        "improved_thought_process": format!("mended on {premise}"),
    });
    row.as_object_mut().expect("a row").extend(more.as_object().expect("fields").clone());
    row.to_string()
}

#[test]
fn a_reflection_without_its_own_label_is_read_refused_or_told_by_its_line() {
    let mut world = World::new();
    let three = ["entailment", "neutral", "contradiction"]
        .map(|label| row(label, &json!({"predicted_label": "neutral", "true_label": label})));
    world.session.import_thoughts("t.jsonl", &three.join("\n")).expect("thoughts");
    let rows = [
        // Its thought is known, and so is what the student said.
        row("entailment", &json!({"predicted_label": "entailment", "true_label": "entailment"})),
        // The student's own label stands there, or the correction missed.
        row("contradiction", &json!({"predicted_label": "neutral"})),
        // Of three labels, which the student gave isn't known.
        row("new", &json!({"predicted_label": "neutral", "true_label": "neutral"})),
        row(
            "new",
            &json!({"predicted_label": "entailment", "improved_label": "neutral", "true_label": "neutral"}),
        ),
        row("bare", &json!({"predicted_label": "entailment", "improved_label": "neutral"})),
    ];
    let brought = world.session.import_reflections("r.jsonl", &rows.join("\n")).expect("reflections");
    assert_eq!(brought.rows, 4);
    let lines = |told: &[(u64, String)]| told.iter().map(|(line, _)| *line).collect::<Vec<_>>();
    assert_eq!((lines(&brought.skipped), lines(&brought.told)), (vec![3], vec![2, 5]));
    assert!(brought.skipped[0].1.contains("add `improved_label`, or import the thoughts first"));
    assert!(
        brought.told[0]
            .1
            .contains("`predicted_label`, neutral, is the correction's, which misses the true label")
    );
    assert!(brought.told[1].1.contains("neither the row (`true_label`) nor its record has a true label"));
    let pending: Vec<ReflectionId> =
        world.session.reflections(None).expect("read").into_iter().map(|(id, _)| id).collect();
    world.session.decide(&pending, &approve()).expect("approve");
    assert_eq!(world.session.review_counts().expect("count").preference_pairs, 2);
}

#[test]
fn of_two_labels_the_student_gave_the_other_one() {
    let mut world = World::new();
    let rows = ["yes", "no"].map(|label| row(label, &json!({"predicted_label": label, "true_label": label})));
    let brought = world.session.import_reflections("r.jsonl", &rows.join("\n")).expect("reflections");
    assert_eq!((brought.rows, brought.skipped, brought.told), (2, vec![], vec![]));
    let labels: Vec<String> =
        world.session.thoughts().expect("read").into_iter().map(|(_, thought)| thought.label).collect();
    assert_eq!(labels, ["no", "yes"]);
}
