//! The Data pane with its real lanes, on a tiny model: keys in, and what comes onto the screen.

use std::path::Path;
use std::time::Duration;

use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::config::Folders;
use dojo_studio::domain::session::SessionInfo;
use dojo_studio::session::{Access, Session};

use crate::support::program::{World, wait_until};

const PATIENCE: Duration = Duration::from_secs(60);

struct Pane(Headless);

impl Pane {
    fn open(world: &World) -> Self {
        let folders = Folders::under(world.path());
        let session = match sessions::open(&folders.sessions().join("s")) {
            Ok(session) => session,
            Err(_) => sessions::create(&folders, "s").unwrap(),
        };
        let model = world.path().join("model").display().to_string();
        let file = dojo_studio::domain::session::SessionFile { model, ..session.file.clone() };
        let session = SessionInfo { file, ..session };
        let mut pane = Self(Headless::start(&folders, Some(session), (140, 44)).unwrap());
        pane.keys("1");
        pane
    }

    fn keys(&mut self, keys: &str) {
        self.0.keys(keys).unwrap();
    }

    fn text(&mut self, text: &str) {
        let keys: Vec<String> = text
            .chars()
            .map(|character| match character {
                '-' => "minus".to_owned(),
                ' ' => "space".to_owned(),
                other => other.to_string(),
            })
            .collect();
        self.keys(&keys.join(" "));
    }

    fn path(&mut self, path: &Path) {
        self.text(&path.display().to_string());
    }

    /// Looks at what an import of a file would bring.
    fn look_into(&mut self, file: &Path) {
        self.keys("i");
        self.path(file);
        self.keys("enter");
    }

    #[track_caller]
    fn shows(&mut self, text: &str) {
        self.0.wait_for(text, PATIENCE).unwrap();
    }

    /// Another session and back: the lanes of the first are others then.
    fn leave_and_come_back(&mut self) {
        self.keys("f2 n");
        self.text("z");
        self.keys("enter");
        self.shows("a file, a folder");
        self.keys("esc f2");
        self.shows("no runs");
        // By name: the first one is the first in the list, whether or not the list is read anew yet.
        self.keys("enter");
        self.shows("16 of 16");
        self.shows("── 1 ──");
    }
}

#[test]
fn an_import_of_which_nothing_came_in_is_no_success_and_its_mapping_is_forgotten() {
    let world = World::new();
    let file = world.path().join("rows.csv");
    std::fs::write(&file, "aa,bb,cc\n2,,a\n4,,b\n").unwrap();
    let mut pane = Pane::open(&world);
    pane.shows("Press i to bring in");
    pane.look_into(&file);
    pane.shows("no column is known as a question");
    // The answer is the second column, which is blank in every row.
    pane.keys("down down right");
    pane.shows("prompt       aa");
    pane.keys("down down right");
    pane.shows("completion   aa");
    pane.keys("right");
    pane.shows("completion   bb");
    pane.keys("enter");
    pane.shows("no record came in");
    pane.shows("is not remembered");
    pane.shows("another path");
    pane.keys("enter");
    pane.shows("look into it");
    pane.keys("enter");
    pane.shows("no column is known as a question");
    assert!(!pane.0.text().contains("as last time"), "{}", pane.0.text());
}

#[test]
fn what_is_said_of_an_import_advises_no_option_of_a_shells_command() {
    let world = World::new();
    let file = world.path().join("rows.jsonl");
    let article = "The river rose in the night and the whole town went up the hill to watch it.";
    let row = |question: &str| serde_json::json!({"prompt": "q", "question": question, "completion": "a", "article": article});
    std::fs::write(&file, format!("{}\n{}\n", row("q"), row("another"))).unwrap();
    let mut pane = Pane::open(&world);
    pane.shows("Press i to bring in");
    pane.look_into(&file);
    pane.shows("not used: \"article\"");
    pane.shows("← → at its part");
    assert!(!pane.0.text().contains("--map"), "{}", pane.0.text());
    pane.keys("enter");
    pane.shows("1 row could not be read");
    pane.shows("say which is it with");
    assert!(!pane.0.text().contains("--map"), "{}", pane.0.text());
}

#[test]
fn records_come_in_are_counted_checked_and_changed_in_the_pane() {
    let world = World::new();
    let file = world.path().join("rows.jsonl");
    let rows = std::fs::read_to_string(world.path().join("train.jsonl")).unwrap();
    let first = rows.lines().next().unwrap();
    std::fs::write(&file, format!("{rows}\n{first}\n")).unwrap();
    let mut pane = Pane::open(&world);
    pane.shows("Press i to bring in");
    pane.look_into(&file);
    pane.shows("the first rows become");
    pane.shows("count from 0");
    pane.keys("enter");
    pane.shows("17 records are in");
    pane.keys("esc");
    pane.shows("17 of 17");
    // Counted without being asked, for the session's model.
    pane.shows("tokens     median");
    pane.keys("right");
    pane.shows("trained on");
    pane.keys("f");
    pane.text("tokens>1 -tag:odd \"count from 3\"");
    pane.keys("enter");
    pane.shows("1 of 17");
    // The figures come last: then the rows are there too.
    pane.shows("1 distinct of 1");
    pane.keys("t");
    pane.text("odd");
    pane.keys("enter");
    pane.shows("0 of 17");
    pane.keys("u esc");
    pane.shows("17 of 17");
    pane.keys("x");
    pane.shows("what checks found");
    pane.shows("the same content as an earlier record");
    pane.keys("enter");
    pane.shows("check:duplicate");
    pane.shows("1 distinct of 1");
    pane.keys("~");
    pane.shows("like:");
}

#[test]
fn what_another_process_changes_is_seen_within_a_second_and_its_text_counted_again() {
    let world = World::new();
    world.make_session();
    let mut pane = Pane::open(&world);
    pane.shows("tokens     median");
    world.data(&["tag", "seen", "id:1..3"]);
    pane.shows("#seen");
    pane.keys("f");
    pane.text("tag:seen is:counted");
    pane.keys("enter");
    pane.shows("3 of 16");
    pane.shows("3 distinct of 3");
    pane.keys("e");
    pane.shows("2 assistant");
    pane.text("longer ");
    pane.keys("ctrl-s");
    pane.shows("longer ");
    pane.shows("3 of 16");
    world.data(&["delete", "id:2"]);
    pane.shows("2 of 15");
}

#[test]
fn a_new_record_is_saved_and_stays_in_sight_though_the_filter_leaves_it_out() {
    let world = World::new();
    world.make_session();
    let mut pane = Pane::open(&world);
    pane.shows("tokens     median");
    pane.keys("f");
    pane.text("from");
    pane.keys("enter");
    pane.shows("16 of 16");
    pane.keys("ctrl-n");
    pane.shows("new record");
    pane.text("sing");
    pane.keys("tab");
    pane.text("la");
    pane.keys("ctrl-s");
    pane.shows("16 of 17");
    pane.shows("17 · not in this filter");
    pane.keys("a");
    pane.shows("mark approved: 1 record");
    pane.shows("✓ approved");
    assert_eq!(world.data(&["list", "status:approved"]).matches("sing").count(), 1);
}

#[test]
fn a_large_change_is_taken_back_only_after_a_question() {
    let world = World::new();
    let file = world.path().join("train.jsonl");
    let rows = std::fs::read_to_string(&file).unwrap();
    let more = rows.lines().take(8).map(|row| row.replace("count from", "begin at")).collect::<Vec<_>>();
    std::fs::write(&file, format!("{rows}\n{}", more.join("\n"))).unwrap();
    world.make_session();
    let mut pane = Pane::open(&world);
    pane.shows("24 distinct of 24");
    pane.keys("a u");
    pane.shows("undone: mark approved");
    pane.keys("u");
    pane.shows("Take back: import");
    pane.shows("24 records");
    pane.keys("esc u");
    pane.shows("Take back: import");
    pane.keys("y");
    pane.shows("No records yet");
}

#[test]
fn what_is_seen_is_exported_and_nothing_is_written_over_unasked() {
    let world = World::new();
    world.make_session();
    let target = world.path().join("out.jsonl");
    std::fs::write(&target, "mine").unwrap();
    let mut pane = Pane::open(&world);
    pane.shows("tokens     median");
    pane.keys("f");
    pane.text("id<4");
    pane.keys("enter");
    pane.shows("3 of 16");
    pane.keys("E");
    pane.shows("3 that match id<4");
    pane.keys(&"backspace ".repeat(20));
    pane.path(&target);
    pane.keys("enter");
    pane.shows("Write over what is there?");
    assert_eq!(std::fs::read_to_string(&target).unwrap(), "mine");
    pane.keys("y");
    pane.shows("3 records as messages to");
    assert_eq!(std::fs::read_to_string(&target).unwrap().lines().count(), 3);
}

/// Files of this process under a folder that are open, but for the one that says whose drafts are there: what was typed
/// stays this window's.
#[cfg(target_os = "linux")]
fn open_files(folder: &Path) -> usize {
    let open =
        std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| file.ok()?.path().read_link().ok());
    let counts = |file: &std::path::PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        file.starts_with(folder) && !name.starts_with("window-")
    };
    open.filter(counts).count()
}

#[cfg(target_os = "linux")]
#[test]
fn nobody_reads_in_a_session_any_more_once_another_is_open() {
    let world = World::new();
    world.make_session();
    let session = world.path().canonicalize().unwrap().join("data/sessions/s");
    let mut pane = Pane::open(&world);
    pane.shows("16 of 16");
    assert!(open_files(&session) > 0);
    pane.keys("f2 n");
    pane.text("other");
    pane.keys("enter");
    pane.shows("a file, a folder");
    pane.0.wait_until(PATIENCE, |_| open_files(&session) == 0).unwrap();
}

#[test]
fn after_the_last_record_is_deleted_the_one_shown_is_the_one_that_is_judged() {
    let world = World::new();
    world.make_session();
    let mut pane = Pane::open(&world);
    pane.shows("tokens     median");
    pane.leave_and_come_back();
    pane.keys("end");
    pane.shows("── 16 ──");
    pane.keys("d");
    pane.shows("── 17 ──");
    pane.keys("delete");
    pane.shows("delete: 1 record");
    pane.shows("── 16 ──");
    // Whoever looks at the file now and then has seen that within a second, and no one says that another is open.
    let other = pane.0.wait_until(Duration::from_secs(1), |pane| pane.text().contains("── 1 ──"));
    assert!(other.is_err(), "{}", pane.0.text());
    pane.keys("a");
    pane.shows("mark approved: 1 record");
    pane.shows("── 16 ──");
    assert_eq!(world.data(&["list", "status:approved"]).matches("count from").count(), 1);
}

#[test]
fn a_session_that_is_opened_once_more_is_read_anew() {
    let world = World::new();
    world.make_session();
    let mut pane = Pane::open(&world);
    pane.shows("tokens     median");
    pane.keys("end");
    pane.shows("── 16 ──");
    pane.keys("f2");
    pane.shows("no runs");
    pane.keys("enter");
    pane.shows("── 1 ──");
    pane.shows("tokens     median");
}

#[test]
fn the_charts_of_a_session_that_is_opened_once_more_are_there_again() {
    let world = World::new();
    world.make_session();
    world.write_recipe("train.max_steps = 2\nsample.sample_steps = 0\n");
    world.say(&["train", "recipe.toml", "--name", "mine"]);
    let mut pane = Pane::open(&world);
    pane.keys("3");
    pane.shows("grad_norm");
    pane.keys("1");
    pane.shows("tokens     median");
    pane.keys("end");
    pane.shows("── 16 ──");
    pane.keys("f2");
    pane.shows("no runs");
    pane.keys("enter");
    pane.shows("── 1 ──");
    pane.keys("3");
    pane.shows("grad_norm");
}

#[test]
fn a_session_that_is_left_in_the_middle_of_its_import_tells_the_next_one_nothing_of_it() {
    const MANY: usize = 20_000;
    let world = World::new();
    world.make_session();
    let file = world.path().join("many.jsonl");
    let row = |number: usize| format!("{{\"prompt\": \"why {number}?\", \"completion\": \"so {number}\"}}\n");
    std::fs::write(&file, (0..MANY).map(row).collect::<String>()).unwrap();
    let mut pane = Pane::open(&world);
    pane.shows("16 of 16");
    pane.look_into(&file);
    pane.shows("the first rows become");
    pane.keys("enter f2 n");
    pane.text("z");
    pane.keys("enter");
    pane.shows("a file, a folder");
    pane.keys("esc");
    // Not even how far it is: that is in the header, for all sessions.
    pane.shows("Press i to bring in");
    let folders = Folders::under(world.path());
    let left = Session::open(&folders.sessions().join("s"), Access::Read).unwrap();
    wait_until("the import", || left.total().unwrap() == 16 + MANY);
    // Nothing of it comes onto the screen of the session that is open, however long one looks.
    let told = pane.0.wait_until(Duration::from_secs(2), |pane| !pane.text().contains("Press i to bring in"));
    assert!(told.is_err(), "{}", pane.0.text());
    pane.keys("f2");
    pane.shows("no runs");
    pane.keys("home enter");
    pane.shows("20,016 of 20,016");
}

#[test]
fn runs_of_a_session_that_is_left_do_not_turn_up_in_the_next_one() {
    let world = World::new();
    world.make_session();
    world.write_recipe("train.max_steps = 1\nsample.sample_steps = 0\n");
    world.say(&["train", "recipe.toml", "--name", "mine"]);
    // So many that telling of them takes longer than to leave the session.
    let folders = Folders::under(world.path());
    let (run, runs) = (folders.runs().join("mine"), folders.sessions().join("s").join("runs"));
    for copy in 0..300 {
        let folder = runs.join(format!("copy-{copy}"));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["state.json", "recipe.toml"] {
            std::fs::copy(run.join(name), folder.join(name)).unwrap();
        }
    }
    std::fs::remove_dir_all(run).unwrap();
    let mut pane = Pane::open(&world);
    pane.keys("f2 n");
    pane.text("z");
    pane.keys("enter");
    pane.shows("a file, a folder");
    pane.keys("esc 3");
    for _ in 0..5 {
        pane.keys("f2");
        pane.shows("300 runs");
        pane.keys("home enter f2");
        pane.shows("300 runs");
        pane.keys("home down enter");
    }
    pane.shows("No run yet");
    let told = pane.0.wait_until(Duration::from_secs(2), |pane| pane.text().contains("copy-"));
    assert!(told.is_err(), "{}", pane.0.text());
}
