//! Drafts of records and recipes, and edits that meet other ones.

use dojo_studio::domain::change::{Body, Change, Selection};
use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::domain::record::RecordId;
use dojo_studio::session::EditOutcome;

use super::world::{World, pair};

fn draft(text: &str) -> KeptDraft {
    KeptDraft { base: "before".to_owned(), text: text.to_owned(), at: 7 }
}

#[test]
fn a_draft_is_there_when_the_session_is_opened_again_and_is_each_persons_own() {
    let mut world = World::numbered(2);
    let recipe = DraftOf::Recipe("recipes/my own.toml".to_owned());
    let all = [DraftOf::NewRecord, DraftOf::Record(RecordId(2)), recipe];
    for of in &all {
        world.session.keep_text_draft(of, Some(&draft("first"))).unwrap();
        world.session.keep_text_draft(of, Some(&draft("then"))).unwrap();
    }
    let again = world.other().acting_as(world.session.who());
    let kept = again.text_drafts().unwrap();
    assert_eq!(kept, all.clone().map(|of| (of, draft("then"))).into());
    assert_eq!(world.other().acting_as("somebody else").text_drafts().unwrap(), [].into());
    for of in &all {
        world.session.keep_text_draft(of, None).unwrap();
    }
    assert_eq!(again.text_drafts().unwrap(), [].into());
}

#[test]
fn drafts_of_deleted_records_are_found() {
    let mut world = World::numbered(2);
    for id in [1, 2] {
        world.session.keep_text_draft(&DraftOf::Record(RecordId(id)), Some(&draft("x"))).unwrap();
    }
    world.session.keep_text_draft(&DraftOf::Recipe("recipes/1.toml".into()), Some(&draft("x"))).unwrap();
    assert_eq!(world.session.drafts_without_record().unwrap(), [].into());
    world.session.apply(&Selection::Records(vec![RecordId(2)]), &Change::Remove).unwrap();
    assert_eq!(world.session.drafts_without_record().unwrap(), [RecordId(2)].into());
    world.session.undo().unwrap();
    assert_eq!(world.session.drafts_without_record().unwrap(), [].into());
}

#[test]
fn an_edit_over_something_else_changes_nothing_and_says_who_wrote_it() {
    let mut world = World::numbered(1);
    let one = RecordId(1);
    let before = Body::of(&world.record(1));
    let (mine, theirs) = (Body::of(&pair("q", "mine")), Body::of(&pair("q", "theirs")));
    let mut other = world.other().acting_as("ada");
    assert_eq!(other.edit_over("edit", one, &before, &theirs).unwrap(), EditOutcome::Done(1));
    let met = world.session.edit_over("edit", one, &before, &mine).unwrap();
    let EditOutcome::Moved(now, Some(by)) = met else { panic!("{met:?}") };
    assert_eq!((*now, by.who.as_str()), (theirs.clone(), "ada"));
    assert_eq!(Body::of(&world.record(1)), theirs);
    assert_eq!(world.session.edit_over("edit", one, &theirs, &mine).unwrap(), EditOutcome::Done(1));
    other.apply(&Selection::Records(vec![one]), &Change::Remove).unwrap();
    assert_eq!(world.session.edit_over("edit", one, &mine, &theirs).unwrap(), EditOutcome::Gone);
}

#[test]
fn only_the_change_that_was_meant_is_taken_back() {
    let mut world = World::numbered(1);
    let before = Body::of(&world.record(1));
    let (mine, theirs) = (Body::of(&pair("q", "mine")), Body::of(&pair("q", "theirs")));
    world.session.edit_over("edit", RecordId(1), &before, &mine).unwrap();
    let meant = world.session.last_change().unwrap().unwrap().id;
    world.other().edit_over("edit", RecordId(1), &mine, &theirs).unwrap();
    assert_eq!(world.session.undo_only(meant).unwrap(), None);
    assert_eq!(Body::of(&world.record(1)), theirs);
    world.session.undo().unwrap();
    assert_eq!(world.session.undo_only(meant).unwrap().map(|entry| entry.id), Some(meant));
    assert_eq!(Body::of(&world.record(1)), before);
}
