use dojo_studio::domain::change::{Body, Change, ChangeState, Selection};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::{RecordId, Status};
use dojo_studio::session::{Session, SessionError};

use super::world::{World, labelled, pair, read};

fn matching(filter: &str) -> Selection {
    Selection::Matching(read(filter))
}

#[test]
fn one_bulk_change_is_one_undo() {
    let mut world = World::numbered(50);
    let changed = world.session.apply(&matching("id>10"), &Change::AddTag("late".to_owned()));
    assert_eq!(changed.expect("tag records"), 40);
    assert_eq!(world.ids("tag:late").len(), 40);
    let undone = world.session.undo().expect("undo");
    assert_eq!((undone.what.as_str(), undone.records, undone.state), ("tag late", 40, ChangeState::Undone));
    assert_eq!(world.ids("tag:late"), Vec::<i64>::new());
    world.session.redo().expect("redo");
    assert_eq!(world.ids("tag:late").len(), 40);
}

#[test]
fn every_kind_of_change_is_undone_and_redone_across_restarts() {
    let mut world = World::with(vec![labelled("one", "1"), labelled("two", "0")]);
    world.session.apply(&matching("id:1"), &Change::AddTag("kept".to_owned())).expect("tag");
    let before = [world.record(1), world.record(2)];
    let all = matching("");
    let changes = [
        Change::SetStatus(Status::Approved),
        Change::SetSplit(Some("train".to_owned())),
        Change::SetLabel(None),
        Change::AddTag("x".to_owned()),
        Change::RemoveTag("kept".to_owned()),
    ];
    for change in &changes {
        world.session.apply(&all, change).expect("change");
    }
    let after = [world.record(1), world.record(2)];
    assert_eq!(after[0].status, Status::Approved);
    assert_eq!(after[1].split.as_deref(), Some("train"));
    assert_eq!(after[0].label, None);
    assert_eq!(after[0].tags, std::iter::once("x".to_owned()).collect());
    let mut other = world.other();
    for _ in &changes {
        other.undo().expect("undo");
    }
    assert_eq!([world.record(1), world.record(2)], before);
    let mut third = world.other();
    for _ in &changes {
        third.redo().expect("redo");
    }
    assert_eq!([world.record(1), world.record(2)], after);
}

#[test]
fn a_removed_record_comes_back_as_it_was() {
    let mut world = World::numbered(3);
    world.session.apply(&matching("id:2"), &Change::AddTag("x".to_owned())).expect("tag");
    let before = world.record(2);
    world.session.apply(&matching("tag:x"), &Change::Remove).expect("remove");
    assert_eq!(world.ids(""), [1, 3]);
    assert_eq!(world.ids("question"), [1, 3]);
    world.session.undo().expect("undo");
    assert_eq!(world.ids("question"), [1, 2, 3]);
    assert_eq!(world.record(2), before);
}

#[test]
fn an_edit_changes_what_is_found_and_undo_changes_it_back() {
    let mut world = World::with(vec![pair("apples", "red"), pair("pears", "green")]);
    let body = Body {
        messages: vec![Message::new(Role::User, "quinces"), Message::new(Role::Assistant, "yellow")],
        prompt_turns: 1,
        ..Body::default()
    };
    let changed = world.session.edit("edit", &[(RecordId(1), body.clone())]).expect("edit");
    assert_eq!((changed, world.ids("quinces"), world.ids("apples")), (1, vec![1], vec![]));
    assert_eq!((world.record(1).messages, world.record(1).prompt_turns), (body.messages.clone(), 1));
    assert_eq!(world.record(1).fields, pair("apples", "red").fields, "the imported row stays");
    assert_eq!(world.ids("is:edited"), [1]);
    assert_eq!(world.session.edit("edit", &[(RecordId(1), body)]).expect("the same again"), 0);
    world.session.undo().expect("undo");
    assert_eq!(
        (world.ids("quinces"), world.ids("apples"), world.ids("is:edited")),
        (vec![], vec![1], vec![])
    );
    assert_eq!(world.record(1).prompt_turns, 0);
    world.session.redo().expect("redo");
    assert_eq!((world.ids("quinces"), world.ids("is:edited")), (vec![1], vec![1]));
}

#[test]
fn an_import_is_undone_as_one_and_can_be_done_anew() {
    let mut world = World::numbered(5);
    world.session.undo().expect("undo the import");
    assert_eq!(world.ids(""), Vec::<i64>::new());
    world.session.redo().expect("redo the import");
    assert_eq!(world.ids("question").len(), 5);
    world.session.undo().expect("undo again");
    world
        .import("a.jsonl", (1..=5).map(|n| pair(&format!("question {n}"), &format!("answer {n}"))).collect());
    assert_eq!(world.ids("question").len(), 5);
    assert!(matches!(world.session.redo(), Err(SessionError::NothingLeft("redo"))));
}

#[test]
fn a_new_change_ends_what_could_be_redone() {
    let mut world = World::numbered(2);
    world.session.apply(&matching(""), &Change::AddTag("a".to_owned())).expect("tag");
    world.session.undo().expect("undo");
    world.session.apply(&matching(""), &Change::AddTag("b".to_owned())).expect("tag");
    assert!(matches!(world.session.redo(), Err(SessionError::NothingLeft("redo"))));
    let states: Vec<ChangeState> =
        world.session.history(9).expect("history").iter().map(|entry| entry.state).collect();
    assert_eq!(states, [ChangeState::Done, ChangeState::Abandoned, ChangeState::Done]);
}

#[test]
fn a_change_that_changes_nothing_leaves_no_entry() {
    let mut world = World::numbered(2);
    let before = world.session.history(9).expect("history");
    assert_eq!(world.session.apply(&matching(""), &Change::SetStatus(Status::New)).expect("mark"), 0);
    assert_eq!(world.session.history(9).expect("history"), before);
}

#[test]
fn a_record_says_who_did_what_to_it() {
    let mut world = World::with(vec![labelled("one", "1")]);
    world.session.apply(&matching(""), &Change::SetLabel(Some("0".to_owned()))).expect("label");
    let mut other: Session = world.other();
    other.apply(&Selection::Records(vec![RecordId(1)]), &Change::AddTag("odd".to_owned())).expect("tag");
    let told: Vec<_> = world
        .session
        .history_of(RecordId(1))
        .expect("a record's history")
        .into_iter()
        .map(|change| (change.entry.who, change.field, change.before, change.after))
        .collect();
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        told,
        [
            ("ada".to_owned(), "record", None, text("added")),
            ("ada".to_owned(), "label", text("1"), text("0")),
            ("bob".to_owned(), "tag", None, text("odd")),
        ]
    );
}

#[test]
fn splits_are_assigned_as_one_change() {
    let mut world = World::numbered(4);
    let splits: Vec<_> =
        (1..=4).map(|id| (RecordId(id), if id < 4 { "train" } else { "eval" }.to_owned())).collect();
    assert_eq!(world.session.assign_splits("split 3:1", &splits).expect("split"), 4);
    assert_eq!((world.ids("split:train").len(), world.ids("split:eval")), (3, vec![4]));
    world.session.undo().expect("undo");
    assert_eq!(world.ids("split:none").len(), 4);
}

#[test]
fn written_records_are_found_at_once_and_undone_as_one() {
    let mut world = World::numbered(2);
    let added = world.session.add("new", vec![pair("handwritten", "yes")]).expect("add");
    assert_eq!((added, world.ids("handwritten")), (vec![RecordId(3)], vec![3]));
    world.session.undo().expect("undo");
    assert_eq!(world.ids(""), [1, 2]);
    world.session.redo().expect("redo");
    assert_eq!(world.ids("handwritten"), [3]);
}

#[test]
fn all_but_some_are_changed() {
    let mut world = World::numbered(6);
    let selection = Selection::AllBut(read("id<5"), vec![RecordId(2), RecordId(6)]);
    assert_eq!(world.session.selected(&selection).expect("select"), [1, 3, 4]);
    assert_eq!(world.session.count(&selection).expect("count"), 3);
    world.session.apply(&selection, &Change::AddTag("x".into())).expect("tag");
    assert_eq!(world.ids("tag:x"), [1, 3, 4]);
}

#[test]
fn what_an_undo_would_take_back_is_known_before() {
    let mut world = World::numbered(3);
    let last =
        |world: &World| world.session.last_change().expect("read").map(|entry| (entry.what, entry.records));
    world.session.apply(&matching("id:2"), &Change::AddTag("x".into())).expect("tag");
    assert_eq!(last(&world), Some(("tag x".to_owned(), 1)));
    world.session.undo().expect("undo");
    assert_eq!(last(&world).map(|(_, records)| records), Some(3), "the import");
}

#[test]
fn columns_and_the_values_of_those_that_have_few_are_known() {
    let rows = (0..90).map(|number| {
        let mut record = pair(&format!("question {number}"), "yes");
        record.fields.insert("kind".into(), ["a", "b", "a"][number % 3].into());
        record.fields.insert("essay".into(), format!("text {number}").into());
        record
    });
    let vocabulary = World::with(rows.collect()).session.vocabulary().expect("the names in use");
    assert!(["kind", "essay"].iter().all(|&name| vocabulary.columns.iter().any(|column| column == name)));
    assert_eq!(vocabulary.values_of("kind"), ["a", "b"]);
    assert_eq!(vocabulary.values_of("essay"), Vec::<String>::new());
}
