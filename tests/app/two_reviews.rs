//! Two windows on one session's review, by one person.

use std::path::Path;
use std::time::Duration;

use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::config::Folders;
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::{Record, RecordId};
use dojo_studio::domain::reflection::{Decision, Reflection, ReflectionId, Verdict};
use dojo_studio::domain::thought::{Thought, ThoughtId};
use dojo_studio::session::{Access, Session};

use crate::support::program::wait_until;

const PATIENCE: Duration = Duration::from_secs(60);

/// A session with two wrong thoughts and their corrections.
fn home() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let info = sessions::create(&Folders::under(home.path()), "shared").expect("a session");
    let mut session = Session::create(&info.path).expect("a session");
    let record = |number: i64| {
        let messages =
            vec![Message::new(Role::User, format!("why {number}?")), Message::new(Role::Assistant, "1")];
        Record { messages, label: Some("1".to_owned()), ..Record::default() }
    };
    session.add("begin", vec![record(1), record(2)]).expect("records");
    let thought = |record: i64| Thought {
        record: RecordId(record),
        text: format!("wrong {record}"),
        label: "0".to_owned(),
        truth: Some("1".to_owned()),
        tokens: 3,
        model: "student".to_owned(),
        prompt: "think@1".to_owned(),
    };
    session.add_thoughts(&[thought(1), thought(2)]).expect("thoughts");
    let reflection = |number: i64| Reflection {
        record: RecordId(number),
        thought: ThoughtId(number),
        error_analysis: "overlooked".to_owned(),
        corrected: format!("corrected {number}"),
        label: "1".to_owned(),
        teacher: "teacher".to_owned(),
        prompt: "reflect@1".to_owned(),
        verdict: Verdict::Pending,
        edited: None,
        score: None,
        reasons: String::new(),
        reviewer: String::new(),
        comment: String::new(),
        judge: String::new(),
        improved_by: String::new(),
    };
    session.add_reflections(&[reflection(1), reflection(2)]).expect("reflections");
    home
}

fn window(home: &Path) -> Headless {
    let folders = Folders::under(home);
    let info = sessions::open(&folders.sessions().join("shared")).expect("open the session");
    let mut studio = Headless::start(&folders, Some(info), (120, 36)).expect("a studio");
    studio.keys("2").expect("keys");
    shows(&mut studio, "overlooked");
    studio
}

fn session(home: &Path) -> Session {
    Session::open(&Folders::under(home).sessions().join("shared"), Access::Write).expect("the session")
}

fn keys(studio: &mut Headless, keys: &str) {
    studio.keys(keys).expect("keys");
}

#[track_caller]
fn shows(studio: &mut Headless, text: &str) {
    studio.wait_for(text, PATIENCE).unwrap_or_else(|error| panic!("{error:#}"));
}

fn kept(home: &Path) -> Vec<String> {
    let drafts = session(home).drafts_of_all_windows().expect("read");
    drafts.into_iter().map(|(_, draft)| draft.text).collect()
}

fn text(home: &Path) -> String {
    session(home).reflection(ReflectionId(1)).expect("read").expect("there").text().to_owned()
}

#[test]
fn saving_over_the_other_windows_verdict_asks_and_loses_neither_text() {
    let home = home();
    let (mut one, mut two) = (window(home.path()), window(home.path()));
    keys(&mut one, "e O N E space");
    keys(&mut two, "e T W O space");
    wait_until("both drafts", || {
        ["ONE", "TWO"].iter().all(|text| kept(home.path()).iter().any(|own| own.contains(text)))
    });
    keys(&mut one, "ctrl-s");
    wait_until("the first one's text", || text(home.path()) == "ONE corrected 1");
    assert!(kept(home.path()).iter().any(|own| own.contains("TWO")), "the other one's draft stays");
    keys(&mut two, "ctrl-s");
    shows(&mut two, "Reflection 1 was changed while you edited it");
    shows(&mut two, "ONE corrected 1");
    keys(&mut two, "esc");
    shows(&mut two, "TWO corrected 1");
    assert_eq!(text(home.path()), "ONE corrected 1");
    keys(&mut two, "ctrl-s");
    shows(&mut two, "Reflection 1 was changed while you edited it");
    keys(&mut two, "y");
    wait_until("the second one's text", || text(home.path()) == "TWO corrected 1");
    wait_until("the drafts to go", || kept(home.path()).is_empty());
}

#[test]
fn both_windows_keep_what_they_left_of_one_correction() {
    let home = home();
    let (mut one, mut two) = (window(home.path()), window(home.path()));
    keys(&mut one, "e O N E space esc");
    keys(&mut two, "e T W O space esc");
    wait_until("both drafts", || {
        ["ONE", "TWO"].iter().all(|text| kept(home.path()).iter().any(|own| own.contains(text)))
    });
    keys(&mut one, "e");
    shows(&mut one, "ONE corrected 1");
    keys(&mut two, "e");
    shows(&mut two, "TWO corrected 1");
}

#[test]
fn a_draft_that_was_left_asks_before_it_goes_over_a_verdict_that_came_since() {
    let home = home();
    let mut one = window(home.path());
    keys(&mut one, "e O N E space esc");
    wait_until("the draft", || kept(home.path()).iter().any(|own| own.contains("ONE")));
    let rejected = Decision { comment: "no".to_owned(), ..Decision::of(Verdict::Rejected) };
    session(home.path()).acting_as("ada").decide(&[ReflectionId(1)], &rejected).expect("decide");
    // In this time of the program, and in the next one.
    shows(&mut one, "rejected");
    keys(&mut one, "e");
    shows(&mut one, "has changed since this draft was begun");
    keys(&mut one, "ctrl-s");
    shows(&mut one, "Reflection 1 was changed while you edited it");
    keys(&mut one, "esc esc");
    drop(one);
    let mut one = window(home.path());
    keys(&mut one, "up up");
    shows(&mut one, "your draft");
    keys(&mut one, "e");
    shows(&mut one, "has changed since this draft was begun");
    keys(&mut one, "ctrl-s");
    shows(&mut one, "Reflection 1 was changed while you edited it");
    let verdict = session(home.path()).reflection(ReflectionId(1)).expect("read").expect("there").verdict;
    assert_eq!(verdict, Verdict::Rejected);
    keys(&mut one, "y");
    wait_until("the text", || text(home.path()) == "ONE corrected 1");
}

#[test]
fn a_thought_that_the_other_window_corrected_meanwhile_gets_no_second_correction_without_a_word() {
    let home = home();
    let thought = Thought {
        record: RecordId(1),
        text: "by nobody".to_owned(),
        label: "0".to_owned(),
        truth: Some("1".to_owned()),
        tokens: 2,
        model: "student".to_owned(),
        prompt: "think@1".to_owned(),
    };
    session(home.path()).add_thoughts(&[thought]).expect("a thought");
    let (mut one, mut two) = (window(home.path()), window(home.path()));
    let corrections = || {
        let session = session(home.path());
        (3..6).filter_map(|id| session.reflection(ReflectionId(id)).expect("read")).collect::<Vec<_>>()
    };
    for (studio, words) in [(&mut one, "O N E"), (&mut two, "T W O")] {
        keys(studio, "f i s : u n c o r r e c t e d enter");
        shows(studio, "by nobody");
        keys(studio, &format!("e {words} space"));
    }
    wait_until("both drafts", || {
        ["ONE", "TWO"].iter().all(|text| kept(home.path()).iter().any(|own| own.contains(text)))
    });
    keys(&mut one, "ctrl-s");
    wait_until("the first one's text", || corrections().len() == 1);
    keys(&mut two, "ctrl-s");
    shows(&mut two, "Thought 3 was corrected while you wrote");
    shows(&mut two, "ONE by nobody");
    keys(&mut two, "esc");
    shows(&mut two, "TWO by nobody");
    keys(&mut two, "ctrl-s");
    shows(&mut two, "Reflection 3 was changed while you edited it");
    assert_eq!(corrections().len(), 1);
    keys(&mut two, "y");
    wait_until("the second one's text", || corrections()[0].text() == "TWO by nobody");
    assert_eq!(corrections().len(), 1, "no second correction");
    wait_until("the drafts to go", || kept(home.path()).is_empty());
}
