//! Sessions on disk: made for a file, renamed, deleted.

use std::path::Path;
use std::time::Duration;

use dojo_studio::app::sessions::{self, create_for};
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::config::Folders;
use dojo_studio::domain::filter::Filter;
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::Record;
use dojo_studio::domain::session::Begins;
use dojo_studio::domain::view::SortOrder;
use dojo_studio::session::{Access, Session, open_windows};

use crate::support::program::wait_until;

fn names(folders: &Folders) -> Vec<String> {
    let own = sessions::list(folders).expect("sessions").into_iter();
    own.filter(|session| session.begins == Begins::Data).map(|session| session.name).collect()
}

#[test]
fn a_session_for_a_file_is_called_like_it_and_the_next_gets_a_number() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let made = |path: &str| create_for(&folders, Path::new(path)).expect("a session").name;
    assert_eq!(made("/data/my rows.v2.csv"), "my-rows.v2");
    assert_eq!(made("/other/my rows.v2.jsonl"), "my-rows.v2-2");
    assert_eq!(made("hf:owner/gsm8k:main:train"), "gsm8k");
    assert_eq!(made("/data/query-expansion.jsonl"), "query-expansion-2", "a sample has that name");
}

#[test]
fn a_new_session_can_be_read_at_once() {
    let home = tempfile::tempdir().expect("a folder");
    let made = sessions::create(&Folders::under(home.path()), "mine").expect("a session");
    let session = Session::open(&made.path, Access::Read).expect("its database");
    let all = Filter::default();
    assert!(session.view(&all, SortOrder::default()).expect("its records").is_empty());
}

#[test]
fn a_session_is_renamed_and_deleted_but_neither_over_another_nor_outside_the_home() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let one = sessions::create(&folders, "one").expect("a session").path;
    sessions::create(&folders, "two").expect("a session");
    assert!(sessions::rename(&folders, &one, "two").is_err());
    assert!(sessions::rename(&folders, &one, "../out").is_err());
    sessions::rename(&folders, &one, "three").expect("a new name");
    assert_eq!(names(&folders), ["three", "two"]);
    let three = sessions::open_named(&folders, "three").expect("the session");
    assert_eq!(three.file.title, "three");
    sessions::delete(&folders, &three.path).expect("a deletion");
    assert_eq!(names(&folders), ["two"]);
    let elsewhere = home.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    std::fs::write(elsewhere.join("session.toml"), "").expect("a session");
    assert!(sessions::delete(&folders, &elsewhere).is_err());
    assert!(elsewhere.is_dir());
}

fn studio(folders: &Folders, session: &str) -> Headless {
    let info = sessions::open_named(folders, session).expect("the session");
    Headless::start(folders, Some(info), (120, 36)).expect("a studio")
}

#[track_caller]
fn shows(studio: &mut Headless, text: &str) {
    studio.wait_for(text, Duration::from_secs(60)).unwrap_or_else(|error| panic!("{error:#}"));
}

/// Opens the list of sessions, and waits for what it says of them.
fn open_picker(studio: &mut Headless) {
    studio.keys("f2").expect("keys");
    shows(studio, "no runs");
}

#[test]
fn a_session_that_another_window_has_open_is_neither_renamed_nor_deleted() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    for name in ["first", "second"] {
        sessions::create(&folders, name).expect("a session");
    }
    let mut other = studio(&folders, "first");
    shows(&mut other, "first");
    let is_open = || !open_windows(&folders.sessions().join("first")).is_empty();
    wait_until("the other window", is_open);
    let mut own = studio(&folders, "second");
    shows(&mut own, "second");
    open_picker(&mut own);
    own.keys("home D y").expect("keys");
    shows(&mut own, "first is open in another window");
    // Of another one, whose words can't be those of before.
    let mut third = studio(&folders, "second");
    shows(&mut third, "second");
    open_picker(&mut third);
    third.keys("home r X enter").expect("keys");
    shows(&mut third, "first is open in another window");
    assert_eq!(names(&folders), ["first", "second"]);
    drop((other, third));
    wait_until("the other window to be gone", || !is_open());
    open_picker(&mut own);
    own.keys("home D y").expect("keys");
    wait_until("the deletion", || names(&folders) == ["second"]);
}

#[test]
fn a_session_that_was_open_here_before_is_renamed_with_its_drafts() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    for name in ["first", "second"] {
        let made = sessions::create(&folders, name).expect("a session");
        let messages = vec![Message::new(Role::User, "why?"), Message::new(Role::Assistant, "so")];
        let record = Record { messages, ..Record::default() };
        Session::open(&made.path, Access::Write).expect("open").add("begin", vec![record]).expect("a record");
    }
    let mut own = studio(&folders, "first");
    own.keys("1").expect("keys");
    shows(&mut own, "── 1 ─");
    own.keys("e M I N E esc").expect("keys");
    shows(&mut own, "draft: e opens it");
    open_picker(&mut own);
    own.keys("home down enter").expect("keys");
    shows(&mut own, "dojo  second");
    open_picker(&mut own);
    own.keys("home r X enter").expect("keys");
    wait_until("the new name", || folders.sessions().join("firstX").is_dir());
    own.keys("f2").expect("keys");
    shows(&mut own, "firstX");
    own.keys("home enter").expect("keys");
    shows(&mut own, "dojo  firstX");
    own.keys("1").expect("keys");
    shows(&mut own, "draft: e opens it");
}
