//! What rows of thoughts and reflections say of themselves: empty texts, marks, labels and verdicts.

use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::recipe::Balance;
use dojo_studio::domain::reflection::Verdict;
use dojo_studio::session::Brought;
use serde_json::{Value, json};

use super::world::{World, labelled};

/// A right thought and a reflection's row on another premise, with one more field.
fn rows(name: &str, value: &Value) -> (String, String) {
    let mut thought = json!({
        "premise": "p", "hypothesis": "h", "thought_process": "it is so", "predicted_label": 1, "true_label": 1,
    });
    let mut reflection = json!({
        "premise": "q", "hypothesis": "h", "thought_process": "it is not", "predicted_label": 0, "improved_label": 1,
        "true_label": 1, "error_analysis": "e", "improved_thought_process": "it is so",
    });
    thought[name] = value.clone();
    reflection[name] = value.clone();
    (thought.to_string(), reflection.to_string())
}

/// Brings both in; what was told of each.
fn bring(world: &mut World, (thought, reflection): &(String, String)) -> (Brought, Brought) {
    let thoughts = world.session.import_thoughts("t.jsonl", thought).expect("thoughts");
    (thoughts, world.session.import_reflections("r.jsonl", reflection).expect("reflections"))
}

/// The one line that was refused, and why.
fn refused(brought: &Brought) -> &str {
    assert_eq!((brought.rows, brought.skipped.len()), (0, 1), "{brought:?}");
    &brought.skipped[0].1
}

#[test]
fn a_thought_or_correction_of_nothing_is_refused() {
    for nothing in [json!(null), json!(""), json!("  "), json!("\u{200b}"), json!(5)] {
        let mut world = World::new();
        let (thoughts, reflections) = bring(&mut world, &rows("thought_process", &nothing));
        assert!(refused(&thoughts).contains("its `thought_process` is"), "{thoughts:?}");
        assert!(refused(&reflections).contains("its `thought_process` is"));
        let (_, reflections) = bring(&mut world, &rows("improved_thought_process", &nothing));
        assert!(refused(&reflections).contains("its `improved_thought_process` is"));
    }
}

#[test]
fn a_row_that_is_marked_as_left_out_or_has_no_weight_is_left_out_by_name() {
    let marks = [
        ("exclude", json!(true)),
        ("skip", json!("yes")),
        ("weight", json!(0)),
        ("sample_weight", json!(0.0)),
        ("train", json!(false)),
        ("status", json!("rejected")),
        ("status", json!("discarded")),
        ("keep", json!("no")),
    ];
    for (name, value) in marks {
        let mut world = World::new();
        let (thoughts, reflections) = bring(&mut world, &rows(name, &value));
        for brought in [&thoughts, &reflections] {
            assert!(refused(brought).contains(&format!("{name:?}")), "{brought:?}");
            assert_eq!(brought.records, 0);
        }
    }
    for (name, value) in [("exclude", json!(false)), ("weight", json!(1)), ("status", json!("approved"))] {
        let (thoughts, reflections) = bring(&mut World::new(), &rows(name, &value));
        assert_eq!((thoughts.rows, reflections.rows), (1, 1), "{name}");
    }
}

#[test]
fn a_right_thought_that_is_found_wrong_is_left_out_and_a_wrong_one_stays() {
    let (right, _) = rows("correct", &json!(false));
    let wrong = right.replace("\"predicted_label\":1", "\"predicted_label\":0");
    let mut world = World::new();
    let brought = world.session.import_thoughts("t.jsonl", &format!("{right}\n{wrong}")).expect("thoughts");
    assert_eq!((brought.rows, brought.skipped.len()), (1, 1));
    assert!(brought.skipped[0].1.contains("\"correct\" is false"), "{brought:?}");
    assert!(world.session.lessons(Balance::AsItIs).expect("read").is_empty());
}

#[test]
fn a_true_label_that_contradicts_the_records_own_is_refused_with_both() {
    let mut world = World::new();
    bring(&mut world, &rows("note", &json!("x")));
    let contrary = rows("note", &json!("x"));
    let contrary = (
        contrary.0.replace("\"true_label\":1", "\"true_label\":0"),
        contrary.1.replace("\"true_label\":1", "\"true_label\":0"),
    );
    let (thoughts, reflections) = bring(&mut world, &contrary);
    for brought in [&thoughts, &reflections] {
        let why = refused(brought);
        assert!(why.contains("its `true_label` is 0") && why.contains("is 1"), "{why}");
    }
    // The same label, written as another number.
    let same = rows("note", &json!("x")).0.replace("\"true_label\":1", "\"true_label\":1.0");
    assert_eq!(world.session.import_thoughts("t.jsonl", &same).expect("thoughts").rows, 1);
}

#[test]
fn verdicts_are_read_in_any_case_and_others_refused() {
    let known = [
        (json!("APPROVED"), Verdict::Approved),
        (json!("Sent back"), Verdict::SentBack),
        (json!("sent_back"), Verdict::SentBack),
        (json!(" rejected "), Verdict::Rejected),
        (json!(null), Verdict::Pending),
    ];
    for (said, verdict) in known {
        let mut world = World::new();
        let (_, reflections) = bring(&mut world, &rows("verdict", &said));
        assert_eq!(reflections.rows, 1, "{said}: {reflections:?}");
        assert_eq!(world.session.reflections(None).expect("read")[0].1.verdict, verdict, "{said}");
    }
    for said in [json!("discard"), json!("maybe"), json!(true), json!(0)] {
        let (_, reflections) = bring(&mut World::new(), &rows("verdict", &said));
        let why = refused(&reflections);
        assert!(why.contains(&format!("its `verdict` is {said}")) && why.contains("sent-back"), "{why}");
    }
}

#[test]
fn thoughts_of_a_record_without_weight_are_not_learnt() {
    let mut record = labelled("p", "1");
    record.messages = vec![Message::new(Role::User, "p"), Message::new(Role::Assistant, "1")];
    record.messages[1].extra.insert("weight".to_owned(), json!(0));
    record.fields =
        serde_json::from_value(json!({"premise": "p", "hypothesis": "h", "weight": 0})).expect("fields");
    let mut world = World::with(vec![record]);
    let (thought, _) = rows("note", &json!(null));
    let thought = thought.replace(",\"note\":null", "");
    let brought = world.session.import_thoughts("t.jsonl", &thought).expect("thoughts");
    assert!(refused(&brought).contains("record 1 is given no weight"), "{brought:?}");
    let own = super::review::thought(1, "it is so", "1", "1");
    world.session.add_thoughts(&[own]).expect("a thought of a job");
    assert!(world.session.lessons(Balance::AsItIs).expect("read").is_empty());
}
