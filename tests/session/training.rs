use dojo_studio::domain::change::{Body, Change, Selection};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::RecordId;
use dojo_studio::session::{Purpose, Seen, Since, export_all, note_what_a_run_sees, since, what_a_run_saw};

use super::world::{World, labelled, pair, read};

#[test]
fn a_run_knows_which_versions_it_saw() {
    let mut world = World::with(vec![labelled("one", "1"), labelled("two", "0"), pair("three", "x")]);
    let run = tempfile::tempdir().expect("a run folder");
    assert_eq!(what_a_run_saw(run.path()).expect("nothing yet"), None);
    let set = world.session.training_set("id:1..3").expect("read the set");
    let seen: Vec<Seen> = set
        .iter()
        .map(|(id, record)| Seen::of(Some(*id), record, Purpose::Train).expect("a version"))
        .collect();
    assert_eq!(seen.iter().map(|seen| seen.id).collect::<Vec<_>>(), [1, 2, 3].map(|id| Some(RecordId(id))));
    note_what_a_run_sees(run.path(), &seen).expect("write it down");
    let body = Body { messages: vec![Message::new(Role::User, "changed")], ..Body::default() };
    world.session.edit("edit", &[(RecordId(2), body)]).expect("edit");
    world.session.apply(&Selection::Records(vec![RecordId(3)]), &Change::Remove).expect("remove");
    let became = |world: &World| {
        let seen = what_a_run_saw(run.path()).expect("what the run saw").expect("a note");
        seen.iter().map(|seen| since(&world.session, seen).expect("look")).collect::<Vec<_>>()
    };
    assert_eq!(became(&world), [Since::Same, Since::Changed, Since::Gone]);
    world.session.undo().expect("undo");
    world.session.undo().expect("undo");
    assert_eq!(became(&world), [Since::Same, Since::Same, Since::Same]);
}

#[test]
fn a_session_as_text_is_the_same_whatever_the_order_of_import() {
    let second = || {
        let mut record = labelled("b", "0");
        record.provenance.line = 2;
        record
    };
    let one = World::with(vec![labelled("a", "1"), second()]);
    let other = World::with(vec![second(), labelled("a", "1")]);
    let text = |world: &World| {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(export_all(&world.session, folder.path()).expect("export"), 2);
        assert_eq!(
            std::fs::read_dir(folder.path()).expect("a folder").count(),
            2,
            "nothing half-written is left"
        );
        std::fs::read_to_string(folder.path().join("records.jsonl")).expect("read the text")
    };
    assert_eq!(text(&one), text(&other));
    insta::assert_snapshot!(text(&one));
}

#[test]
fn a_wrong_filter_in_a_recipe_is_told_with_its_place() {
    let world = World::numbered(1);
    let error = world.session.training_set("statsu:new").expect_err("a wrong filter");
    assert_eq!(error.to_string(), "there is no field \"statsu\"; did you mean status? (at character 1)");
    assert_eq!(world.session.training_set("").expect("all").len(), 1);
    assert_eq!(world.session.count(&Selection::Matching(read("nothing"))).expect("count"), 0);
}
