//! A home that can't be written, and data that can't be read: a sentence each, and the studio goes on.

use std::time::Duration;

use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::config::Folders;

const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn the_studio_opens_where_its_log_cannot_be_written_and_says_so() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let info = sessions::create(&folders, "mine").expect("a session");
    // Whoever runs this may be allowed everything: a folder in the place of the file is refused to all.
    std::fs::create_dir_all(folders.data.join("studio.log")).expect("a folder");
    let mut studio = Headless::start(&folders, Some(info), (120, 36)).expect("a studio");
    studio.wait_for("No records yet", PATIENCE).expect("the session");
    studio.keys("f4").expect("keys");
    studio.wait_for("the program's log is kept in no file", PATIENCE).expect("a sentence");
}

#[test]
fn data_that_cannot_be_read_leaves_no_session_behind() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let nothing = home.path().join("nothing");
    std::fs::create_dir(&nothing).expect("a folder");
    let picture = home.path().join("picture.bin");
    std::fs::write(&picture, [0u8, 159, 146, 150, 0, 1, 2, 3]).expect("a file");
    for path in [nothing, picture, home.path().join("absent.jsonl")] {
        let mut studio = Headless::start(&folders, None, (120, 36)).expect("a studio");
        studio.wait_for("bring your data", PATIENCE).expect("the welcome");
        studio.keys("i").expect("keys");
        for letter in path.to_string_lossy().chars() {
            studio.keys(&letter.to_string()).expect("a letter");
        }
        studio.keys("enter").expect("keys");
        studio.wait_for("✗", PATIENCE).expect("why not");
        let text = studio.text();
        assert!(text.contains("The file with your data"), "{text}");
        let made = std::fs::read_dir(folders.sessions()).into_iter().flatten().count();
        assert_eq!(made, 0, "{}", path.display());
    }
}

#[test]
fn a_dataset_of_the_hub_that_cannot_be_fetched_leaves_no_session_behind() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let mut studio = Headless::start(&folders, None, (120, 36)).expect("a studio");
    studio.wait_for("bring your data", PATIENCE).expect("the welcome");
    studio.keys("i h f : n o - o w n e r / . .").expect("keys");
    studio.keys("enter").expect("keys");
    studio.wait_for("no session was made for hf:no-owner/..", PATIENCE).expect("why not");
    assert!(studio.text().contains("The file with your data"), "{}", studio.text());
    let made = std::fs::read_dir(folders.sessions()).into_iter().flatten().count();
    assert_eq!(made, 0);
}

#[test]
fn a_path_field_offers_data_and_folders_before_anything_is_typed() {
    let home = tempfile::tempdir().expect("a folder");
    for file in ["rows.csv", "notes.md", "picture.png", "old.jsonl.gz"] {
        std::fs::write(home.path().join(file), "x").expect("a file");
    }
    std::fs::create_dir(home.path().join("inner")).expect("a folder");
    let folders = Folders::under(&home.path().join("dojo"));
    let info = sessions::create(&folders, "mine").expect("a session");
    let mut studio = Headless::start(&folders, Some(info), (120, 36)).expect("a studio");
    studio.wait_for("No records yet", PATIENCE).expect("the session");
    studio.keys("i").expect("keys");
    // The current folder of the tests is the crate's own.
    studio.wait_for("README.md", PATIENCE).expect("what is here, before a letter is typed");
    assert!(!studio.text().contains("Cargo.lock"), "{}", studio.text());
    for letter in format!("{}/", home.path().display()).chars() {
        studio.keys(&letter.to_string()).expect("a letter");
    }
    studio.wait_for("rows.csv", PATIENCE).expect("the folder's data");
    let text = studio.text();
    assert!(
        text.contains("inner/") && text.contains("old.jsonl.gz") && !text.contains("picture.png"),
        "{text}"
    );
    studio.keys("p").expect("a letter");
    studio.wait_for("picture.png", PATIENCE).expect("what begins so");
}
