//! Several processes at one session, and what is left when one of them is killed.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use dojo_studio::domain::change::{Change, Selection};
use dojo_studio::domain::filter::Filter;
use dojo_studio::session::{Access, Session};
use dojo_studio::teacher::cache::AnswerCache;

use super::world::{World, read};

const ROWS: usize = 30_000;

struct Place {
    folder: tempfile::TempDir,
    file: PathBuf,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rows.jsonl");
        let rows: String = (0..ROWS)
            .map(|n| format!("{{\"question\":\"what is {n} plus {n}?\",\"answer\":\"it is {}\"}}\n", 2 * n))
            .collect();
        std::fs::write(&file, rows).expect("write rows");
        Session::create(&folder.path().join("session")).expect("a session");
        Self { folder, file }
    }

    fn session(&self) -> PathBuf {
        self.folder.path().join("session")
    }

    fn dojo(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dojo"));
        command.env("DOJO_HOME", self.folder.path()).arg("data").arg("--session").arg(self.session());
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn import(&self) -> Command {
        self.dojo(&["import", &self.file.display().to_string()])
    }

    fn total(&self) -> usize {
        open(&self.session()).total().expect("count records")
    }
}

fn open(folder: &Path) -> Session {
    Session::open(folder, Access::Write).expect("open the session")
}

/// Waits until something is so or the process has ended, then kills it as `kill -9` does.
fn kill_when(mut child: Child, mut so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !so() && child.try_wait().expect("look at a process").is_none() {
        assert!(begun.elapsed() < Duration::from_secs(120), "the process neither ends nor gets there");
        std::thread::yield_now();
    }
    // It may have ended already.
    child.kill().ok();
    child.wait().expect("wait for a process");
}

fn intact(folder: &Path) {
    let database = rusqlite::Connection::open(folder.join("session.db")).expect("open the database");
    let verdict: String =
        database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("check the database");
    assert_eq!(verdict, "ok");
}

#[test]
fn an_import_killed_again_and_again_ends_with_every_row_once() {
    let place = Place::new();
    for goal in [1, ROWS / 3, ROWS / 2] {
        let child = place.import().spawn().expect("start an import");
        kill_when(child, || place.total() >= goal);
        intact(&place.session());
    }
    assert!(place.import().status().expect("import").success());
    assert_eq!(place.total(), ROWS);
    let session = open(&place.session());
    assert_eq!(
        session.statistics(&Filter::Everything, None).expect("statistics").distinct_prompts,
        ROWS as u64
    );
    assert_eq!(session.imports().expect("imports").len(), 1);
    assert!(session.index_state().expect("index").complete());
}

#[test]
fn a_bulk_change_that_is_killed_is_whole_or_not_there() {
    let place = Place::new();
    assert!(place.import().status().expect("import").success());
    for round in 0..4 {
        let tag = format!("round{round}");
        let child = place.dojo(&["tag", &tag, "--all"]).spawn().expect("start a bulk change");
        let notice = place.session().join("session.writer");
        kill_when(child, || notice.exists());
        intact(&place.session());
        let tagged = open(&place.session()).count(&Selection::Matching(read(&format!("tag:{tag}"))));
        let tagged = tagged.expect("count") as usize;
        assert!(tagged == 0 || tagged == ROWS, "{tagged} of {ROWS} are tagged");
    }
}

#[test]
fn an_export_that_is_killed_leaves_no_half_file() {
    let place = Place::new();
    assert!(place.import().status().expect("import").success());
    let out = place.folder.path().join("text");
    let target = out.display().to_string();
    let child = place.dojo(&["export", "--all", &target]).spawn().expect("start an export");
    kill_when(child, || out.exists());
    if let Ok(text) = std::fs::read_to_string(out.join("records.jsonl")) {
        assert_eq!(text.lines().count(), ROWS);
    }
    assert!(place.dojo(&["export", "--all", &target]).status().expect("export").success());
    let text = std::fs::read_to_string(out.join("records.jsonl")).expect("read the text");
    assert_eq!(text.lines().count(), ROWS);
}

#[test]
fn what_a_killed_export_left_is_cleared_by_the_next_one() {
    let place = Place::new();
    assert!(place.import().status().expect("import").success());
    let folder = place.folder.path().join("out");
    std::fs::create_dir(&folder).expect("a folder");
    let target = folder.join("rows.jsonl").display().to_string();
    let names = || {
        let entries = std::fs::read_dir(&folder).expect("look").flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let child = place.dojo(&["export", &target]).spawn().expect("start an export");
    kill_when(child, || !names().is_empty());
    let whole = names() == ["rows.jsonl"];
    assert!(
        whole || names().iter().all(|name| name.starts_with(".rows.jsonl.") && name.ends_with(".partial")),
        "{:?}",
        names()
    );
    assert!(place.dojo(&["export", &target]).status().expect("export").success());
    assert_eq!(names(), ["rows.jsonl"]);
    let text = std::fs::read_to_string(folder.join("rows.jsonl")).expect("read the rows");
    assert_eq!(text.lines().count(), ROWS);
}

#[test]
fn another_process_sees_a_change_and_a_person_can_edit_during_an_import() {
    let place = Place::new();
    let mut session = open(&place.session());
    let mut importing = place.import().spawn().expect("start an import");
    while session.total().expect("count") == 0 {
        assert!(importing.try_wait().expect("look").is_none_or(|end| end.success()));
        std::thread::yield_now();
    }
    assert!(session.changed_elsewhere().expect("look"), "the import's commits are noticed");
    let one = Selection::Matching(read("id:1"));
    assert_eq!(session.apply(&one, &Change::AddTag("seen".to_owned())).expect("tag during an import"), 1);
    assert!(importing.wait().expect("wait for the import").success());
    assert_eq!(session.total().expect("count"), ROWS);
    assert_eq!(session.count(&Selection::Matching(read("tag:seen"))).expect("count"), 1);
}

#[test]
fn of_many_that_make_a_session_at_once_each_gets_it() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("session.toml"), "title = \"s\"\n").expect("its settings");
        let together = std::sync::Barrier::new(8);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    together.wait();
                    Session::create(folder.path()).expect("a session");
                    AnswerCache::open(folder.path()).expect("a place for answers");
                });
            }
        });
    }
}

#[test]
fn a_session_that_is_being_written_says_by_whom() {
    let mut world = World::numbered(1);
    std::fs::write(
        world.folder.path().join("session.writer"),
        "{\"process\":42,\"host\":\"elsewhere\",\"what\":\"dojo data tag x\",\"since\":0}",
    )
    .expect("write a notice");
    let other = rusqlite::Connection::open(world.folder.path().join("session.db")).expect("open");
    other.execute_batch("BEGIN IMMEDIATE").expect("hold the lock");
    world.session.set_patience(Duration::from_millis(20)).expect("be impatient");
    let refused = world.session.apply(&Selection::Matching(Filter::Everything), &Change::Remove);
    let text = refused.expect_err("held by another").to_string();
    assert!(text.contains("\"dojo data tag x\" (process 42 on elsewhere"), "{text}");
    other.execute_batch("ROLLBACK").expect("let go");
    assert_eq!(
        world.session.apply(&Selection::Matching(Filter::Everything), &Change::Remove).expect("now"),
        1
    );
}
