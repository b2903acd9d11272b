//! Documents that a chat's questions are always, or never, answered from.

use std::collections::BTreeMap;

use dojo_studio::domain::chat::{AnswererNames, Setup};
use dojo_studio::domain::cited::SourceMark;
use dojo_studio::session::{Decided, NewTurn, UndoneMark, Word};

use super::world::World;

#[test]
fn marks_are_kept_with_their_chat_and_the_last_one_holds() {
    let mut world = World::new();
    let one = world.session.begin_chat("one", &Setup::default()).unwrap();
    let other = world.session.begin_chat("other", &Setup::default()).unwrap();
    world.session.mark_source(one, ("/a.pdf", "A"), Some(SourceMark::Pinned)).unwrap();
    world.session.mark_source(one, ("/a.pdf", "A"), Some(SourceMark::Excluded)).unwrap();
    world.session.mark_source(one, ("/b.pdf", "B"), Some(SourceMark::Pinned)).unwrap();
    let decisions = world.session.chat(one).unwrap().decisions;
    let marks = [("/a.pdf".to_owned(), SourceMark::Excluded), ("/b.pdf".to_owned(), SourceMark::Pinned)];
    assert_eq!(decisions.sources, BTreeMap::from(marks));
    assert_eq!(decisions.last.as_deref(), Some("what was said of B"));
    assert_eq!(world.session.chat(other).unwrap().decisions.sources, BTreeMap::new());
    world.session.mark_source(one, ("/b.pdf", "B"), None).unwrap();
    assert_eq!(world.session.chat(one).unwrap().decisions.sources.len(), 1);
}

#[test]
fn marks_and_other_decisions_are_taken_back_in_the_order_in_which_they_were_made() {
    let mut world = World::new();
    let chat = world.session.begin_chat("one", &Setup::default()).unwrap();
    let turn = NewTurn {
        parent: None,
        role: dojo_studio::domain::message::Role::Assistant,
        side: Default::default(),
        content: "yes".into(),
        by: "small".into(),
    };
    let answer = world.session.add_turn(chat, &turn).unwrap().id;
    let on = Decided::Answer(answer);
    world.session.mark_source(chat, ("/a.pdf", "A"), Some(SourceMark::Pinned)).unwrap();
    world.session.decide_in_chat(chat, on, &Word::Good, AnswererNames::Shown).unwrap();
    world.session.mark_source(chat, ("/a.pdf", "A"), Some(SourceMark::Excluded)).unwrap();
    let undone = |now| Some(UndoneMark { title: "A".to_owned(), now });
    assert_eq!(world.session.undo_mark(chat).unwrap(), undone(Some(SourceMark::Pinned)));
    assert_eq!(world.session.undo_mark(chat).unwrap(), None, "the kept answer comes first");
    assert_eq!(world.session.undo_in_chat(chat).unwrap(), Some((on, Word::Good)));
    assert_eq!(world.session.undo_mark(chat).unwrap(), undone(None));
    let decisions = world.session.chat(chat).unwrap().decisions;
    assert_eq!((decisions.sources.len(), decisions.last), (0, None));
}
