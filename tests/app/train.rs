//! What a run does before its first step can be ended, and says how far it is.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use dojo_studio::app::sessions;
use dojo_studio::app::train::prepare;
use dojo_studio::config::Folders;
use dojo_studio::domain::message::{Message, Role};
use dojo_studio::domain::recipe::parse::parse;
use dojo_studio::domain::record::Record;
use dojo_studio::engine::hub::{Network, Silent};
use dojo_studio::engine::train::host::{Brake, nobody};
use dojo_studio::session::{Access, Session};

use crate::support::tiny::Tiny;

#[test]
fn the_reading_of_examples_ends_when_a_run_is_to_stop() {
    let home = tempfile::tempdir().expect("a folder");
    let model = home.path().join("tiny");
    Tiny::new("llama").write_folder(&model);
    let data = home.path().join("data.jsonl");
    let lines = (0..3000).fold(String::new(), |mut lines, number| {
        writeln!(lines, "{{\"prompt\": \"what is {number}?\", \"completion\": \"it is {number}\"}}")
            .expect("a line");
        lines
    });
    std::fs::write(&data, lines).expect("examples");
    let text =
        format!("method = \"sft\"\n[model]\nbase = {model:?}\n[data]\ntrain = {data:?}\nsplit = 0.0\n");
    let recipe = parse(&text, &[]).expect("a recipe");
    let folders = Folders::under(home.path());
    let prepared = |most: usize| {
        let shares = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&shares);
        let brake: Brake = Arc::new(move |share| {
            let mut told = told.lock().expect("the shares");
            told.push(share);
            told.len() <= most
        });
        let mut doing = |doing: &str| if doing.starts_with("reading") { brake.clone() } else { nobody() };
        let outcome = prepare(&recipe, &folders, Network::Offline, &mut Silent, &mut doing);
        let shares = shares.lock().expect("the shares").clone();
        (outcome.map(|prepared| prepared.data.train.len()).map_err(|error| error.to_string()), shares)
    };
    let (whole, shares) = prepared(usize::MAX);
    assert_eq!(whole, Ok(3000));
    assert!(
        shares.len() > 2 && shares[0] == 0.0 && shares.is_sorted() && *shares.last().expect("shares") < 1.0
    );
    let (ended, shares) = prepared(1);
    assert_eq!((ended, shares.len()), (Err("stopped while the examples were read".to_owned()), 2));
}

#[test]
fn records_of_a_session_that_ask_nothing_or_answer_with_a_missing_value_are_told_before_training() {
    let home = tempfile::tempdir().expect("a folder");
    let folders = Folders::under(home.path());
    let model = home.path().join("tiny");
    Tiny::new("llama").write_folder(&model);
    let info = sessions::create(&folders, "mine").expect("a session");
    let record = |asked: &str, answer: &str| Record {
        messages: vec![Message::new(Role::User, asked), Message::new(Role::Assistant, answer)],
        ..Record::default()
    };
    let records = vec![record("the first?", "one"), record(" ", "two"), record("the third?", "nan")];
    Session::open(&info.path, Access::Write).expect("open").add("begin", records).expect("records");
    let session = &info.path;
    let text = format!(
        "[model]\nbase = {model:?}\n[data]\ntrain = \"session:\"\nsession = {session:?}\nsplit = 0.0\n"
    );
    let recipe = parse(&text, &[]).expect("a recipe");
    let mut doing = |_: &str| nobody();
    let prepared = prepare(&recipe, &folders, Network::Offline, &mut Silent, &mut doing).expect("prepared");
    let told = prepared.data.left_out.join("\n");
    assert!(told.contains("session:: the question is empty in 1 of 3 rows (the first is"), "{told}");
    assert!(told.contains("the answer is \"nan\" in 1 of 3 rows, which is learnt as it stands"), "{told}");
}
