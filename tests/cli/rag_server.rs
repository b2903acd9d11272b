//! `dojo rag push`, `pull`, `store`: a library on a server and back, and whose key goes where.

use std::process::Output;

use serde_json::Value;

use crate::engine::embed::write_tiny_bert;
use crate::rag::qdrant::{FakeQdrant, Mood};
use crate::support::program::World;

const KEY: &str = "a-key-of-this-server-42";

/// A home with a library of two notes.
fn world() -> World {
    let world = World::new();
    write_tiny_bert(&world.path().join("bert"));
    std::fs::create_dir_all(world.path().join("notes")).unwrap();
    for (name, text) in
        [("salmon", "Salmon swim upstream to spawn."), ("granite", "Granite is a rock of quartz.")]
    {
        std::fs::write(world.path().join(format!("notes/{name}.md")), text).unwrap();
    }
    world.say(&["rag", "add", "notes", "--model", "./bert", "--library", "./lib"]);
    world
}

fn rag(world: &World, server: &FakeQdrant, arguments: &[&str]) -> Output {
    let mut command = world.command(&[&["rag"], arguments].concat());
    command.env("DOJO_QDRANT_URL", server.url()).env("DOJO_QDRANT_KEY", KEY).output().unwrap()
}

fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim_end().to_owned()
}

fn complained(output: &Output) -> String {
    assert!(!output.status.success());
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn found(text: &str) -> Vec<String> {
    let found: Value = serde_json::from_str(text).unwrap();
    let texts = found["passages"].as_array().unwrap().iter();
    texts.map(|passage| passage["text"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_library_goes_to_a_server_is_searched_there_and_comes_back() {
    let (server, world) = (FakeQdrant::start(), world());
    server.is(Mood::Locked(KEY.to_owned()));
    let place = format!("the collection lib at {}", server.url());
    assert_eq!(
        said(&rag(&world, &server, &["push", "--library", "./lib"])),
        format!("put 2 chunks into {place}")
    );
    assert_eq!(
        said(&rag(&world, &server, &["push", "--library", "./lib"])),
        format!("{place} is up to date")
    );
    let store = |arguments: &[&str]| {
        said(&rag(&world, &server, &[&["store"], arguments, &["--library", "./lib"]].concat()))
    };
    assert_eq!(store(&[]), "the index is on this machine, beside the documents");
    assert_eq!(store(&["server"]), format!("the index is {place}"));
    let search = ["search", "salmon spawning", "--mode", "hybrid", "--json", "--library"];
    let before = server.requests();
    let there = found(&said(&rag(&world, &server, &[search.as_slice(), &["./lib"]].concat())));
    assert!(server.requests() > before, "the server was asked");
    assert_eq!(there[0], "Salmon swim upstream to spawn.");

    said(&rag(&world, &server, &["pull", "lib", "--library", "./copy"]));
    assert_eq!(found(&said(&rag(&world, &server, &[search.as_slice(), &["./copy"]].concat()))), there);
    assert_eq!(store(&["edge"]), "the index is on this machine, beside the documents");
    server.is(Mood::Silent);
    assert_eq!(found(&said(&rag(&world, &server, &[search.as_slice(), &["./lib"]].concat()))), there);
}

#[test]
fn a_key_is_never_shown_and_goes_to_the_address_that_it_belongs_to() {
    let (server, other, world) = (FakeQdrant::start(), FakeQdrant::start(), world());
    server.is(Mood::Locked("another key".to_owned()));
    let refused = complained(&rag(&world, &server, &["push", "--library", "./lib"]));
    assert!(refused.contains("refuses the key in DOJO_QDRANT_KEY") && !refused.contains(KEY), "{refused}");
    other.is(Mood::Locked(KEY.to_owned()));
    let elsewhere = complained(&rag(&world, &server, &["push", "--library", "./lib", "--to", &other.url()]));
    assert!(elsewhere.contains("wants a key: put it into"), "{elsewhere}");
    let unset = complained(&world.dojo(&["rag", "push", "--library", "./lib"]));
    assert!(unset.contains("no Qdrant server is named: set DOJO_QDRANT_URL to its address"), "{unset}");
}
