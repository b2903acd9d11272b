//! What a run would cut of its examples, said before it starts.

use std::time::Duration;

use dojo_studio::app::cuts::Cuts;
use dojo_studio::app::recipes::Outlook;
use dojo_studio::app::sessions;
use dojo_studio::app::studio::headless::Headless;
use dojo_studio::app::train::cut::Cut;
use dojo_studio::config::Folders;
use dojo_studio::domain::change::{Change, Selection};
use dojo_studio::domain::filter::Filter;
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::record::{Record, RecordId, Status};
use dojo_studio::session::{Access, Session};

use crate::support::program::wait_until;
use crate::support::tiny::Tiny;

fn pair(question: usize, answer: usize) -> Record {
    let words = |count: usize| "word ".repeat(count);
    let messages =
        vec![Message::new(Role::User, words(question)), Message::new(Role::Assistant, words(answer))];
    Record { messages, ..Record::default() }
}

#[test]
fn examples_that_are_cut_and_those_that_lose_their_answer_are_counted() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let model = folders.models().join("smollm2-135m");
    Tiny { context: 4096, ..Tiny::new("llama") }.write_folder(&model);
    let receipt = serde_json::json!({"name": "smollm2-135m", "base": "tiny", "source": "here", "files": []});
    std::fs::write(model.join("dojo.json"), receipt.to_string()).expect("a receipt");
    let info = sessions::create(&folders, "mine").expect("a session");
    let records = vec![pair(3, 3), pair(3, 900), pair(900, 3)];
    Session::open(&info.path, Access::Write).expect("open").add("begin", records).expect("records");
    let mut studio = Headless::start(&folders, Some(info.clone()), (120, 36)).expect("a studio");
    let session = Session::open(&info.path, Access::Read).expect("open");
    wait_until("the tokens to be counted", || {
        studio.wait_until(Duration::ZERO, |_| true).expect("events");
        session.tokenizer().expect("read").is_some() && session.uncounted().expect("read").is_empty()
    });
    let recipe = home.path().join("own.toml");
    let look = |length: usize, train: &str| {
        let data = format!("train = {train:?}\nsession = {:?}\nmax_length = {length}", info.path);
        let text = format!("[model]\nbase = \"smollm2-135m\"\n[data]\n{data}\n");
        std::fs::write(&recipe, text).expect("a recipe");
        Cuts::default().of(&folders, &recipe).expect("a look")
    };
    let cut_at = |length: usize| look(length, "session:");
    let cut = cut_at(300).expect("some are cut");
    assert_eq!(cut, Cut { examples: 3, cut: 2, looked: 2, lost: 1, at: 300, limit: 300 });
    let words = "2 of 3 examples are cut at 300 tokens, 1 loses its whole answer and drops out: raise data.max_length";
    assert!(cut.words().starts_with(words), "{}", cut.words());
    // No longer than the model reads.
    let cut = cut_at(100_000).expect("some are cut");
    assert_eq!((cut.at, cut.limit), (4096, 100_000));
    assert!(cut.words().contains("all the model reads"), "{}", cut.words());
    // What was rejected isn't trained on, unless the source speaks of verdicts.
    let chosen = Selection::Records(vec![RecordId(2)]);
    let mut session = Session::open(&info.path, Access::Write).expect("open");
    session.apply(&chosen, &Change::SetStatus(Status::Rejected)).expect("reject");
    let cut = |train: &str| look(300, train).map(|cut| (cut.examples, cut.cut));
    assert_eq!(cut("session:"), Some((2, 1)));
    assert_eq!(cut("session:-\"status:new\""), Some((2, 1)));
    assert_eq!(cut("session:status:rejected OR status:new"), Some((3, 2)));
    session
        .apply(&Selection::Matching(Filter::Everything), &Change::SetStatus(Status::Rejected))
        .expect("reject");
    let missing = Outlook::of(&folders, &recipe).missing;
    assert_eq!(missing, None, "verdicts are spoken of");
    assert_eq!(cut("session:"), None);
    let missing = Outlook::of(&folders, &recipe).missing.expect("a reason");
    assert!(missing.starts_with("all 3 records of session: are rejected"), "{missing}");
}
