use dojo_studio::domain::change::{Body, Change, Selection};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::RecordId;
use dojo_studio::session::{Since, TrainingSet, export_all, what_a_run_saw};

use super::world::{World, labelled, pair, read};

#[test]
fn a_run_knows_which_versions_it_saw() {
    let mut world = World::with(vec![labelled("one", "1"), labelled("two", "0"), pair("three", "x")]);
    let run = tempfile::tempdir().expect("a run folder");
    let set = TrainingSet::open(world.other(), "id:1..3").expect("open the set");
    let mut read_ids = Vec::new();
    set.read(run.path(), |id, record| {
        assert!(!record.messages.is_empty());
        read_ids.push(id.0);
        Ok(())
    })
    .expect("read the set");
    assert_eq!(read_ids, [1, 2, 3]);
    let body = Body { messages: vec![Message::new(Role::User, "changed")], ..Body::default() };
    world.session.edit("edit", &[(RecordId(2), body)]).expect("edit");
    world.session.apply(&Selection::Records(vec![RecordId(3)]), &Change::Remove).expect("remove");
    let since = |world: &World| {
        let seen = what_a_run_saw(&world.session, run.path()).expect("what the run saw");
        seen.into_iter().map(|(_, since)| since).collect::<Vec<_>>()
    };
    assert_eq!(since(&world), [Since::Same, Since::Changed, Since::Gone]);
    world.session.undo().expect("undo");
    world.session.undo().expect("undo");
    assert_eq!(since(&world), [Since::Same, Since::Same, Since::Same]);
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
    let Err(error) = TrainingSet::open(world.other(), "statsu:new") else { panic!("a wrong filter") };
    assert_eq!(error.to_string(), "there is no field \"statsu\"; did you mean status? (at character 1)");
    assert_eq!(TrainingSet::open(world.other(), "").expect("all").len(), 1);
    assert_eq!(world.session.count(&Selection::Matching(read("nothing"))).expect("count"), 0);
}
