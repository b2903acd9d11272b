use dojo_studio::app::unkept::UnkeptDrafts;
use dojo_studio::domain::draft::{DraftOf, KeptDraft};
use dojo_studio::session::Session;

fn draft(text: &str) -> KeptDraft {
    KeptDraft { base: String::new(), text: text.to_owned(), at: 1 }
}

#[test]
fn a_draft_that_was_not_kept_is_tried_again_as_it_was_written_last() {
    let home = tempfile::tempdir().expect("a folder");
    let mut session = Session::create(home.path()).expect("a session");
    let disk = rusqlite::Connection::open(home.path().join("session.db")).expect("the same file");
    disk.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON drafts BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    )
    .expect("a disk that takes nothing");
    let mut unkept = UnkeptDrafts::default();
    for text in ["wor", "words"] {
        let kept = unkept.keep(&mut session, &DraftOf::NewRecord, Some(draft(text)));
        assert!(kept.is_err());
    }
    assert_eq!(unkept.again(&mut session), []);
    disk.execute_batch("DROP TRIGGER full").expect("room");
    assert_eq!(unkept.again(&mut session), [(DraftOf::NewRecord, Some(draft("words")))]);
    assert_eq!(session.drafts().expect("drafts").get(&DraftOf::NewRecord), Some(&draft("words")));
    assert_eq!(unkept.again(&mut session), [], "it is tried once");
}
