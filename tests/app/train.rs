//! What a run does before its first step can be ended, and says how far it is.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use dojo_studio::app::train::prepare;
use dojo_studio::config::Folders;
use dojo_studio::domain::recipe::parse::parse;
use dojo_studio::engine::hub::{Network, Silent};
use dojo_studio::engine::train::host::{Brake, nobody};

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
