//! What was begun and not saved, each window's own; and edits that meet other ones.

use dojo_studio::domain::change::{Body, Change, Selection};
use dojo_studio::domain::chat::{ChatId, DraftPlace, TurnId};
use dojo_studio::domain::draft::{DraftOf, KeptDraft, OtherDraft};
use dojo_studio::domain::record::RecordId;
use dojo_studio::domain::reflection::ReflectionId;
use dojo_studio::domain::review::DraftText;
use dojo_studio::domain::thought::ThoughtId;
use dojo_studio::session::{EditOutcome, Session, Window};

use super::world::{World, pair};

fn draft(text: &str) -> KeptDraft {
    KeptDraft { base: "before".to_owned(), text: text.to_owned(), at: 7 }
}

#[test]
fn a_draft_is_there_when_the_session_is_opened_again_and_is_each_persons_own() {
    let mut world = World::numbered(2);
    let recipe = DraftOf::Recipe("recipes/my own.toml".to_owned());
    let value = DraftOf::RecipeValue("recipes/my own.toml".to_owned(), "model.base".to_owned());
    let all = [
        DraftOf::NewRecord,
        DraftOf::Record(RecordId(2)),
        recipe,
        value,
        DraftOf::Review(ReflectionId(1).into()),
        DraftOf::Review(ThoughtId(1).into()),
        DraftOf::Reason(ReflectionId(1)),
        DraftOf::Comment(ReflectionId(1)),
        DraftOf::RunNote("runs/sft-0001".to_owned()),
        DraftOf::Chat(None, DraftPlace::Question),
        DraftOf::Chat(Some(ChatId(2)), DraftPlace::Edit(TurnId(3))),
        DraftOf::Chat(Some(ChatId(2)), DraftPlace::Correction(TurnId(3))),
        DraftOf::Chat(Some(ChatId(2)), DraftPlace::System),
    ];
    for of in &all {
        world.session.keep_draft(of, Some(&draft("first"))).unwrap();
        world.session.keep_draft(of, Some(&draft("then"))).unwrap();
    }
    let again = world.other().acting_as(world.session.who());
    assert_eq!(again.drafts().unwrap(), all.clone().map(|of| (of, draft("then"))).into());
    assert_eq!(world.other().acting_as("somebody else").drafts().unwrap(), [].into());
    for of in &all {
        world.session.keep_draft(of, None).unwrap();
    }
    assert_eq!(again.drafts().unwrap(), [].into());
}

/// Two windows of one person, and what both write of the same record.
fn two_windows(world: &World) -> [(Window, Session); 2] {
    ["one", "two"].map(|text| {
        let window = Window::open(world.folder.path());
        let mut session = world.other().in_window(window.id());
        session.keep_draft(&DraftOf::NewRecord, Some(&draft(text))).unwrap();
        (window, session)
    })
}

#[test]
fn two_windows_never_write_over_each_others_drafts() {
    let world = World::numbered(1);
    let [(_first, mut one), (_second, mut two)] = two_windows(&world);
    let of = DraftOf::NewRecord;
    assert_eq!(one.draft(&of).unwrap(), Some(draft("one")));
    assert_eq!(two.draft(&of).unwrap(), Some(draft("two")));
    assert!(!two.take_up_drafts().unwrap(), "the other window is open");
    assert_eq!(two.other_drafts().unwrap(), [(of.clone(), OtherDraft::Window(7))].into());
    one.keep_draft(&of, None).unwrap();
    assert_eq!(two.draft(&of).unwrap(), Some(draft("two")));
    assert_eq!(two.other_drafts().unwrap(), [].into());
}

#[test]
fn what_windows_left_that_are_gone_is_taken_up_the_newest_first_and_nothing_is_lost() {
    let world = World::numbered(1);
    let [(first, one), (second, mut two)] = two_windows(&world);
    two.keep_draft(&DraftOf::NewRecord, Some(&KeptDraft { at: 8, ..draft("two") })).unwrap();
    drop((first, one));
    drop((second, two));
    let window = Window::open(world.folder.path());
    let mut third = world.other().in_window(window.id());
    assert!(third.take_up_drafts().unwrap());
    let of = DraftOf::NewRecord;
    assert_eq!(third.draft(&of).unwrap().unwrap().text, "two");
    assert_eq!(third.other_drafts().unwrap(), [(of.clone(), OtherDraft::Left(7))].into());
    assert!(!third.take_up_drafts().unwrap());
    third.keep_draft(&of, None).unwrap();
    assert!(third.take_up_drafts().unwrap());
    assert_eq!(third.draft(&of).unwrap().unwrap().text, "one");
}

#[test]
fn drafts_of_an_older_session_are_taken_up() {
    let world = World::numbered(1);
    let database = rusqlite::Connection::open(world.folder.path().join("session.db")).unwrap();
    let before = "DROP TABLE drafts;
        DROP TABLE chat_sources; DROP TABLE record_vectors; DROP TABLE blueprints; DROP TABLE expanded;
        ALTER TABLE chat_decisions DROP COLUMN source;
        CREATE TABLE chat_drafts (chat INTEGER, place TEXT, turn INTEGER, text TEXT, at INTEGER);
        CREATE TABLE review_drafts (kind INTEGER, id INTEGER, who TEXT, text TEXT, analysis TEXT, at INTEGER);
        CREATE TABLE text_drafts (place TEXT, who TEXT, base TEXT, text TEXT, at INTEGER);
        INSERT INTO chat_drafts VALUES (0, 'question', 0, 'asked', 7), (4, 'edit', 5, 'changed', 7);
        INSERT INTO review_drafts VALUES (0, 3, 'ada', 'better \"x\"', 'why', 7), (1, 2, 'ada', 'right', '', 7),
            (0, 3, 'bob', 'his', '', 7);
        INSERT INTO text_drafts VALUES ('new', 'ada', 'b', 'n', 7), ('record 1', 'ada', 'b', 'r', 7),
            ('recipe recipes/a b.toml', 'ada', 'b', 'c', 7);
        PRAGMA user_version = 9;";
    database.execute_batch(before).unwrap();
    drop(database);
    let window = Window::open(world.folder.path());
    let mut session = world.other().acting_as("ada").in_window(window.id());
    assert!(session.take_up_drafts().unwrap());
    let drafts = session.drafts().unwrap();
    let text = |of: DraftOf| drafts.get(&of).map(|draft| draft.text.as_str());
    assert_eq!(text(DraftOf::NewRecord), Some("n"));
    assert_eq!(text(DraftOf::Record(RecordId(1))), Some("r"));
    assert_eq!(text(DraftOf::Recipe("recipes/a b.toml".into())), Some("c"));
    assert_eq!(text(DraftOf::Chat(None, DraftPlace::Question)), Some("asked"));
    assert_eq!(text(DraftOf::Chat(Some(ChatId(4)), DraftPlace::Edit(TurnId(5)))), Some("changed"));
    let correction = DraftText::of(&drafts[&DraftOf::Review(ReflectionId(3).into())]).unwrap();
    assert_eq!((correction.text.as_str(), correction.analysis.as_str()), ("better \"x\"", "why"));
    assert_eq!(drafts.len(), 7, "and nobody else's");
}

#[test]
fn drafts_of_deleted_records_are_found() {
    let mut world = World::numbered(2);
    for id in [1, 2] {
        world.session.keep_draft(&DraftOf::Record(RecordId(id)), Some(&draft("x"))).unwrap();
    }
    world.session.keep_draft(&DraftOf::Recipe("recipes/1.toml".into()), Some(&draft("x"))).unwrap();
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
