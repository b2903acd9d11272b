//! Sessions on disk: made for a file, renamed, deleted.

use std::path::Path;

use dojo_studio::app::sessions::{self, create_for};
use dojo_studio::config::Folders;
use dojo_studio::domain::filter::Filter;
use dojo_studio::domain::session::Begins;
use dojo_studio::domain::view::Order;
use dojo_studio::session::{Access, Session};

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
    assert!(session.view(&all, Order::default()).expect("its records").is_empty());
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
