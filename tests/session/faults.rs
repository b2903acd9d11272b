use dojo_studio::data::import::{Import, ImportOptions};
use dojo_studio::domain::change::{Change, Selection};
use dojo_studio::domain::view::SortOrder;
use dojo_studio::session::{self, Access, Session, SessionError};

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

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    for version in [0, 3, 99] {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("session.db");
        let connection = rusqlite::Connection::open(&file).expect("make a database");
        connection.execute_batch("CREATE TABLE meta (key TEXT); CREATE TABLE notes (x)").expect("fill it");
        connection.pragma_update(None, "user_version", version).expect("set the version");
        drop(connection);
        let before = std::fs::read(&file).expect("read it");
        let open = [Session::open(folder.path(), Access::Read), Session::open(folder.path(), Access::Write)];
        for outcome in open.into_iter().chain([Session::create(folder.path())]) {
            let Err(error) = outcome else { panic!("another program's database") };
            assert!(matches!(error, SessionError::Foreign(_)), "{error}");
            assert!(!error.to_string().contains("SELECT"), "{error}");
        }
        assert_eq!(std::fs::read(&file).expect("read it again"), before);
    }
}

#[test]
fn what_sqlite_refuses_is_said_without_its_statement() {
    let world = World::numbered(2);
    database(&world).execute_batch("ALTER TABLE contents RENAME TO content").expect("change it");
    let Err(error) = world.session.rows(&[1]) else { panic!("a table is missing") };
    let words = error.to_string();
    assert!(words.contains("contents") && !words.contains("SELECT"), "{words}");
}

#[test]
fn an_import_on_a_full_disk_says_how_much_it_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("rows.jsonl");
    let row = |number: usize| {
        format!("{{\"prompt\": \"question {number}\", \"completion\": \"answer {number}\"}}\n")
    };
    std::fs::write(&file, (0..40_000).map(row).collect::<String>()).expect("write rows");
    let import = |session: &mut Session, stop_after_first: bool| {
        let source = Import::open(&file, &ImportOptions::default()).expect("open the rows");
        session::import(session, "rows.jsonl", source, |_| !stop_after_first)
    };
    let pages = |folder: &std::path::Path| -> i64 {
        let connection = rusqlite::Connection::open(folder.join("session.db")).expect("open the database");
        connection.query_row("PRAGMA page_count", [], |row| row.get(0)).expect("the page count")
    };
    // How much the first batch takes.
    let measured = folder.path().join("measured");
    let mut session = Session::create(&measured).expect("make a session");
    let empty = pages(&measured);
    let (counts, _) = import(&mut session, true).expect("bring in one batch");
    let first = pages(&measured) - empty;
    let limited = folder.path().join("limited");
    let mut session = Session::create(&limited).expect("make a session");
    session.limit_pages(empty + first * 3 / 2).expect("limit the file");
    let Err(error) = import(&mut session, false) else { panic!("there is no room for all") };
    let words = error.to_string();
    assert!(matches!(error, SessionError::Unfinished { added, .. } if added == counts.added), "{words}");
    assert!(
        words.contains(&format!("{} records of this import are in the session", counts.added)),
        "{words}"
    );
    assert!(!words.contains("nothing was changed"), "{words}");
    session.limit_pages(1 << 20).expect("make room");
    let (counts, _) = import(&mut session, false).expect("go on");
    assert_eq!(counts.added, 40_000);
}

#[test]
fn a_session_whose_folder_is_gone_is_not_written_and_says_so() {
    let mut world = World::numbered(1);
    let moved = tempfile::tempdir().expect("a folder");
    let there = moved.path().join("session.db");
    std::fs::rename(world.folder.path().join("session.db"), &there).expect("move the database");
    assert!(matches!(world.session.is_there(), Err(SessionError::Gone(_))));
    let refused = world.session.add("new", vec![super::world::pair("q", "a")]);
    let Err(error) = refused else { panic!("nobody would find it") };
    assert!(error.to_string().contains("deleted, moved or replaced, and nothing is saved"), "{error}");
    std::fs::rename(&there, world.folder.path().join("session.db")).expect("put it back");
    world.session.add("new", vec![super::world::pair("q", "a")]).expect("it is back");
    assert_eq!(world.ids(""), [1, 2]);
}

/// A folder that only can be read; nothing where this person may write everywhere all the same.
#[test]
fn a_session_that_can_only_be_read_is_looked_at() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::numbered(2);
    let folder = tempfile::tempdir().expect("a folder");
    // Without the files that SQLite keeps beside it: those are gone when nobody has it open.
    database(&world).execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("bring it together");
    let file = folder.path().join("session.db");
    std::fs::copy(world.folder.path().join("session.db"), &file).expect("copy");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).expect("close it");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o555)).expect("close it");
    if std::fs::write(folder.path().join("x"), "x").is_err() {
        let mut session = Session::open(folder.path(), Access::Write).expect("open it");
        assert!(session.is_read_only());
        assert_eq!(session.view(&read(""), SortOrder::default()).expect("a view").ids(), [1, 2]);
        let refused = session.add("new", vec![super::world::pair("q", "a")]);
        assert!(matches!(refused, Err(SessionError::ReadOnly(_))), "{refused:?}");
    }
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).expect("open it");
}
