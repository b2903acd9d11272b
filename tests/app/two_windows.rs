//! One record, edited in the studio and by another program at the same time.

use std::time::Duration;

use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::config::Folders;
use dojo_studio::domain::change::{Body, Change, Selection};
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::{Record, RecordId};
use dojo_studio::session::{Access, Session};

use crate::support::program::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

fn pair(answer: &str) -> Record {
    let messages = vec![Message::new(Role::User, "why?"), Message::new(Role::Assistant, answer)];
    Record { messages, ..Record::default() }
}

struct World {
    home: tempfile::TempDir,
    studio: Headless,
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let info = sessions::create(&Folders::under(home.path()), "shared").expect("a session");
        let mut session = Session::create(&info.path).expect("a session");
        session.add("begin", vec![pair("so it is"), pair("second")]).expect("records");
        Self { studio: Self::open(home.path()), home }
    }

    fn open(home: &std::path::Path) -> Headless {
        let folders = Folders::under(home);
        let info = sessions::open(&folders.sessions().join("shared")).expect("open the session");
        let mut studio = Headless::start(&folders, Some(info), (120, 36)).expect("a studio");
        studio.keys("1").expect("keys");
        studio.wait_for("── 1 ─", PATIENCE).expect("the record");
        studio
    }

    fn session(&self) -> Session {
        let folder = Folders::under(self.home.path()).sessions().join("shared");
        Session::open(&folder, Access::Write).expect("the session")
    }

    fn answer(&self, id: i64) -> String {
        self.session().record(RecordId(id)).expect("the record").messages[1].content.clone()
    }

    fn wait_for_answer(&self, text: &str) {
        wait_until(text, || self.answer(1) == text);
    }

    fn written_elsewhere(&self, answer: &str) {
        let body = Body::of(&pair(answer));
        self.session().acting_as("ada").edit("edit", &[(RecordId(1), body)]).expect("edit");
    }

    fn keys(&mut self, keys: &str) {
        self.studio.keys(keys).expect("keys");
    }

    #[track_caller]
    fn shows(&mut self, text: &str) {
        self.studio.wait_for(text, PATIENCE).unwrap_or_else(|error| panic!("{error:#}"));
    }
}

#[test]
fn saving_over_what_another_program_wrote_asks_and_undo_says_whose_change_it_is() {
    let mut world = World::new();
    world.keys("e M y space");
    world.shows("My so it is");
    world.written_elsewhere("theirs");
    world.keys("ctrl-s");
    world.shows("Record 1 was changed while you edited it");
    world.shows("theirs");
    world.keys("esc");
    world.shows("draft: e opens it");
    assert_eq!(world.answer(1), "theirs");
    world.keys("e");
    world.shows("The record has changed since this draft was begun");
    world.keys("alt-o");
    world.shows("theirs");
    world.keys("alt-z ctrl-s");
    world.shows("Record 1 was changed while you edited it");
    world.keys("y");
    world.wait_for_answer("My so it is");
    world.keys("u");
    world.wait_for_answer("theirs");
    world.keys("u");
    world.shows("The last change was not made here");
    world.keys("esc");
    assert_eq!(world.answer(1), "theirs");
    world.keys("u");
    world.shows("The last change was not made here");
    world.keys("y");
    world.wait_for_answer("so it is");
}

#[test]
fn an_edit_can_be_written_over_another_one_knowingly() {
    let mut world = World::new();
    world.keys("e M y space");
    world.written_elsewhere("theirs");
    world.keys("ctrl-s");
    world.shows("Record 1 was changed while you edited it");
    world.keys("y");
    world.wait_for_answer("My so it is");
    let session = world.session();
    wait_until("the draft to go", || session.drafts_of_all_windows().expect("read").is_empty());
}

#[test]
fn a_draft_that_was_left_asks_before_it_goes_over_what_was_written_since() {
    let mut world = World::new();
    world.keys("e M y space esc");
    world.shows("draft: e opens it");
    world.written_elsewhere("theirs");
    world.keys("e ctrl-s");
    world.shows("Record 1 was changed while you edited it");
    world.keys("esc");
    world.shows("draft: e opens it");
    // Leaving it and coming back changes nothing of that.
    for _ in 0..2 {
        world.keys("e");
        world.shows("The record has changed since this draft was begun");
        world.keys("esc");
        world.shows("draft: e opens it");
    }
    world.keys("e ctrl-s");
    world.shows("Record 1 was changed while you edited it");
    assert_eq!(world.answer(1), "theirs");
    world.keys("esc");
    world.shows("draft: e opens it");
    world.keys("e alt-o");
    world.shows("As the record is");
    world.keys("O u r space ctrl-s");
    world.wait_for_answer("Our theirs");
}

#[test]
fn the_draft_of_a_deleted_record_becomes_a_new_one() {
    let mut world = World::new();
    world.keys("e M y space esc");
    let session = world.session();
    wait_until("the draft", || session.drafts_of_all_windows().expect("read").len() == 1);
    let one = Selection::Records(vec![RecordId(1)]);
    world.session().apply(&one, &Change::Remove).expect("delete");
    drop(world.studio);
    let folders = Folders::under(world.home.path());
    let info = sessions::open(&folders.sessions().join("shared")).expect("open the session");
    world.studio = Headless::start(&folders, Some(info), (120, 36)).expect("a studio");
    world.keys("1");
    world.shows("record 1 was deleted");
    world.keys("n");
    world.shows("Record 1 was deleted; this was your draft of it");
    world.keys("ctrl-s");
    wait_until("the new record", || session.record(RecordId(3)).is_ok());
    assert_eq!(world.answer(3), "My so it is");
    wait_until("the draft to go", || session.drafts_of_all_windows().expect("read").is_empty());
}

#[test]
fn new_records_of_two_windows_are_both_kept() {
    let mut world = World::new();
    let mut other = World::open(world.home.path());
    world.keys("n O N E esc");
    other.keys("n T W O esc").expect("keys");
    let session = world.session();
    let texts = || -> Vec<String> {
        let drafts = session.drafts_of_all_windows().expect("read");
        drafts.into_iter().map(|(_, draft)| draft.text).collect()
    };
    wait_until("both drafts", || {
        ["ONE", "TWO"].iter().all(|text| texts().iter().any(|own| own.contains(text)))
    });
    world.keys("n");
    world.shows("ONE");
    world.shows("Another window has a draft of this too");
    // The other window is closed: what it left comes when this window's own draft is done with.
    drop(other);
    world.keys("ctrl-s");
    world.shows("another window was closed; the new record begun there is here now: n goes on with it");
    world.keys("n");
    world.shows("TWO");
}

/// A new record is begun, and record 1 is deleted elsewhere while it is edited: saving it has met that.
fn beside_a_new_record_meets_a_deleted_one() -> World {
    let mut world = World::new();
    world.keys("n O N E esc");
    world.shows("the new record is kept as a draft, not saved: n opens it again");
    world.keys("e M y space");
    world.shows("My so it is");
    let one = Selection::Records(vec![RecordId(1)]);
    world.session().apply(&one, &Change::Remove).expect("delete");
    world.keys("ctrl-s");
    world.shows("Record 1 was deleted");
    world
}

#[test]
fn the_key_opens_the_draft_that_was_just_spoken_of_and_no_other_is_lost() {
    let mut world = beside_a_new_record_meets_a_deleted_one();
    world.keys("esc n");
    world.shows("My so it is");
    world.shows("this was your draft of it");
    world.keys("ctrl-s");
    let session = world.session();
    wait_until("the new record", || session.record(RecordId(3)).is_ok());
    assert_eq!(world.answer(3), "My so it is");
    wait_until("one draft to be left", || session.drafts_of_all_windows().expect("read").len() == 1);
    world.keys("n");
    world.shows("ONE");
}

#[test]
fn adding_what_was_written_of_a_deleted_record_lets_a_new_record_that_was_begun_stay() {
    let mut world = beside_a_new_record_meets_a_deleted_one();
    world.keys("y");
    world.shows("── 3 ─");
    let session = world.session();
    wait_until("the new record", || session.record(RecordId(3)).is_ok());
    wait_until("one draft to be left", || session.drafts_of_all_windows().expect("read").len() == 1);
    world.keys("n");
    world.shows("ONE");
}

#[test]
fn the_question_that_a_closed_window_was_writing_goes_on_in_the_other() {
    let mut world = World::new();
    let mut other = World::open(world.home.path());
    world.keys("4");
    other.keys("4 enter h a l f").expect("keys");
    let session = world.session();
    wait_until("the draft", || {
        session.drafts_of_all_windows().expect("read").iter().any(|(_, draft)| draft.text == "half")
    });
    drop(other);
    world.shows("the question that was begun there is in the field now");
    world.shows("▏ half");
    world.keys("enter w a y");
    wait_until("it to go on", || {
        session.drafts_of_all_windows().expect("read").iter().any(|(_, draft)| draft.text == "halfway")
    });
}
