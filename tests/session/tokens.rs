use std::cell::Cell;

use dojo_studio::domain::change::{Body, Change, Selection};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::RecordId;
use dojo_studio::session::CountedTokens;

use super::world::World;

fn body(text: &str) -> Body {
    Body { messages: vec![Message::new(Role::User, text)], ..Body::default() }
}

#[test]
fn a_count_goes_when_its_text_changes_and_when_that_is_undone() {
    let mut world = World::numbered(3);
    world.count("one", &[(1, 5), (2, 6), (3, 7)]);
    assert_eq!(world.ids("tokens>5"), [2, 3]);
    world.session.edit("edit", &[(RecordId(2), body("other"))]).expect("edit");
    assert_eq!((world.ids("tokens>5"), world.session.uncounted().expect("uncounted")), (vec![3], vec![2]));
    world.count("one", &[(2, 60)]);
    world.session.undo().expect("undo");
    assert_eq!(world.session.uncounted().expect("uncounted"), [2]);
    let all = Selection::Matching(super::world::read("tokens>6"));
    world.session.apply(&all, &Change::AddTag("long".into())).expect("tag");
    assert_eq!(world.session.uncounted().expect("uncounted"), [2], "a tag is no text");
}

#[test]
fn each_model_has_counts_of_its_own_and_keeps_them() {
    let mut world = World::numbered(3);
    world.count("one", &[(1, 5), (2, 6)]);
    world.count("two", &[(1, 50)]);
    assert_eq!((world.ids("tokens>0"), world.ids("tokens:5")), (vec![1], vec![]));
    world.session.edit("edit", &[(RecordId(2), body("other"))]).expect("edit");
    world.session.use_tokenizer("one").expect("go back");
    assert_eq!(world.session.tokenizer().expect("tokenizer"), Some("one".to_owned()));
    assert_eq!(world.ids("tokens:5"), [1]);
    assert_eq!(world.session.uncounted().expect("uncounted"), [2, 3], "of the edited one nothing is known");
    world.session.use_tokenizer("two").expect("and forth");
    assert_eq!(world.ids("tokens:50"), [1]);
}

#[test]
fn a_record_that_is_refused_is_not_asked_for_again_until_it_is_another() {
    let mut world = World::numbered(2);
    let refuse = |rows: &[dojo_studio::session::RecordRow]| vec![None; rows.len()];
    let counted = world.session.count_tokens("m", &[1, 2], refuse).expect("count");
    assert_eq!(counted, CountedTokens { counted: 0, refused: 2 });
    assert_eq!(world.session.uncounted().expect("uncounted"), Vec::<i64>::new());
    world.session.edit("edit", &[(RecordId(1), body("other"))]).expect("edit");
    assert_eq!(world.session.uncounted().expect("uncounted"), [1]);
    world.session.use_tokenizer("n").expect("another model");
    assert_eq!(world.session.uncounted().expect("uncounted"), [1, 2]);
}

#[test]
fn a_text_that_changes_while_it_is_counted_is_counted_again() {
    let mut world = World::numbered(1);
    let other = std::cell::RefCell::new(world.other());
    let rounds = Cell::new(0);
    let count = |rows: &[dojo_studio::session::RecordRow]| {
        if rounds.replace(rounds.get() + 1) == 0 {
            other.borrow_mut().edit("edit", &[(RecordId(1), body("quite another"))]).expect("edit");
        }
        rows.iter().map(|row| Some(row.record.prompt().len() as u32)).collect()
    };
    world.session.count_tokens("m", &[1], count).expect("count");
    assert_eq!((rounds.get(), world.ids("tokens:13")), (2, vec![1]));
}
