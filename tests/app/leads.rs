//! Accepted corrections that conclude another label than their own are said in the pane and before training.

use std::path::Path;
use std::time::Duration;

use dojo_studio::app::review::sets;
use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::config::Folders;
use dojo_studio::domain::recipe::SetOrder;
use dojo_studio::session::{Access, Session};

use crate::support::leads;

const PATIENCE: Duration = Duration::from_secs(60);

/// A session of three labels with two corrections, the second of which contradicts its label.
fn world(home: &Path) -> Folders {
    let folders = Folders::under(home);
    let folder = folders.sessions().join("s");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("session.toml"), "title = \"s\"\n").expect("write session.toml");
    let mut session = Session::create(&folder).expect("a session");
    let brought = session.import_reflections("r.jsonl", &leads::rows()).expect("reflections");
    assert_eq!((brought.rows, brought.skipped, brought.told), (4, vec![], vec![]));
    folders
}

#[test]
fn approving_a_correction_that_leads_elsewhere_is_said_with_the_filter_that_finds_it() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = world(home.path());
    let folder = folders.sessions().join("s");
    let info = sessions::open(&folder).expect("open the session");
    let mut studio = Headless::start(&folders, Some(info), (140, 36)).expect("a studio");
    studio.keys("2").expect("keys");
    studio.wait_for("overlooked", PATIENCE).expect("the queue");
    let session = Session::open(&folder, Access::Read).expect("open");
    let approved = |count: usize| session.accepted_reflections().expect("read").len() == count;
    studio.keys("enter").expect("keys");
    studio.wait_until(PATIENCE, |_| approved(1)).expect("one approved");
    assert!(!studio.text().contains("check:leads"), "{}", studio.text());
    studio.wait_for("flawed on b", PATIENCE).expect("the next");
    studio.keys("enter").expect("keys");
    studio.wait_for("concludes another label than its own", PATIENCE).expect("it is said");
    let order = SetOrder::parse("set:reviewed").expect("words").expect("a set");
    let rows = sets::rows(&folders, &session, &order).expect("rows");
    let told = sets::told(&session, &rows).expect("read").expect("told");
    assert!(
        told.starts_with("of the 2 corrections to train on, 1 of them concludes another label"),
        "{told}"
    );
}
