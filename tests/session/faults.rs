use dojo_studio::domain::change::{Change, Selection};
use dojo_studio::session::{Access, Session, SessionError};

use super::world::{World, read};

fn database(world: &World) -> rusqlite::Connection {
    rusqlite::Connection::open(world.folder.path().join("session.db")).expect("open the database")
}

#[test]
fn a_session_of_a_newer_version_is_refused_and_left_alone() {
    let world = World::numbered(1);
    database(&world).pragma_update(None, "user_version", 99).expect("set the version");
    for access in [Access::Read, Access::Write] {
        let Err(error) = Session::open(world.folder.path(), access) else { panic!("a newer version") };
        assert!(matches!(error, SessionError::Newer { found: 99, .. }), "{error}");
    }
    let version: i64 =
        database(&world).query_row("PRAGMA user_version", [], |row| row.get(0)).expect("the version");
    assert_eq!(version, 99);
}

#[test]
fn a_file_that_is_no_database_is_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let Err(nothing) = Session::open(folder.path(), Access::Read) else { panic!("an empty folder") };
    assert!(matches!(nothing, SessionError::NotASession(_)));
    std::fs::write(folder.path().join("session.db"), vec![7_u8; 20_000]).expect("write nonsense");
    let Err(damaged) = Session::open(folder.path(), Access::Write) else { panic!("a damaged file") };
    assert!(matches!(damaged, SessionError::Damaged(_)), "{damaged}");
}

#[test]
fn a_reader_can_not_write() {
    let world = World::numbered(1);
    let mut reader = Session::open(world.folder.path(), Access::Read).expect("open to read");
    let refused = reader.apply(&Selection::Matching(read("")), &Change::Remove);
    assert!(refused.is_err());
    assert_eq!(world.ids(""), [1]);
}

#[test]
fn a_change_that_fails_half_way_leaves_nothing() {
    let mut world = World::numbered(3);
    database(&world)
        .execute_batch(
            "CREATE TRIGGER refuse BEFORE INSERT ON record_tags WHEN new.record = 3
             BEGIN SELECT RAISE(ABORT, 'refused'); END;",
        )
        .expect("make the third record fail");
    let refused = world.session.apply(&Selection::Matching(read("")), &Change::AddTag("x".to_owned()));
    assert!(refused.is_err());
    assert_eq!(world.ids("tag:x"), Vec::<i64>::new());
    assert_eq!(world.session.history(9).expect("history").len(), 1);
}

#[test]
fn a_full_disk_is_said_and_nothing_is_lost() {
    let mut world = World::numbered(3);
    let connection = database(&world);
    let pages: i64 = connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("the page count");
    drop(connection);
    world.session.limit_pages(pages).expect("limit the file");
    let long = "x".repeat(3_000_000);
    let refused = world.session.add("new", vec![super::world::pair(&long, "y")]);
    assert!(matches!(refused, Err(SessionError::DiskFull)), "{refused:?}");
    assert_eq!(world.ids("question"), [1, 2, 3]);
    assert_eq!(world.session.history(9).expect("history").len(), 1);
}
