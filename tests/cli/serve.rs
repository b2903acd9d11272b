//! `dojo serve` as a process: how signals end it, which models it offers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};

use crate::engine::embed::write_tiny_bert;
use crate::support::program::World;
use crate::support::tiny::Tiny;

/// A server that is answering without an end.
struct Busy {
    child: Child,
    said: BufReader<ChildStderr>,
    client: TcpStream,
    _world: World,
}

fn busy() -> Busy {
    let world = World::new();
    let mut command = world.command(&["serve", "--model", "model", "--port", "0", "--threads", "1"]);
    let mut child = command.spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("serving on") {
        line.clear();
        assert!(said.read_line(&mut line).unwrap() > 0);
    }
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    let mut client = TcpStream::connect(address).unwrap();
    // No token ends it, and the client takes nothing: so it is never done.
    let body =
        r#"{"prompt":"the","max_tokens":100000,"stream":true,"logit_bias":{"2":-100},"logprobs":5,"n":64}"#;
    write!(
        client,
        "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut first = [0; 12];
    client.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    Busy { child, said, client, _world: world }
}

impl Busy {
    fn signal(&self, name: &str) {
        let process = self.child.id().to_string();
        assert!(std::process::Command::new("kill").args([name, &process]).status().unwrap().success());
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.said.read_line(&mut line).unwrap();
        line
    }
}

#[test]
fn a_signal_says_what_is_waited_for_and_a_second_one_ends_at_once() {
    for (name, code) in [("-INT", 130), ("-TERM", 143)] {
        let mut server = busy();
        server.signal(name);
        let line = server.line();
        assert!(line.contains("1 answer in progress") && line.contains("5 s"), "{line}");
        server.signal(name);
        assert_eq!(server.child.wait().unwrap().code(), Some(code));
        assert!(server.line().contains("1 answer cut off"));
        drop(server.client);
    }
}

#[test]
fn several_models_are_offered_by_name_and_limited_in_memory() {
    let world = World::new();
    let refused = |arguments: &[&str]| {
        let output = world.dojo(arguments);
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let said = refused(&["serve", "model", "--memory", "1KB", "--port", "0"]);
    assert!(said.contains("model takes up to") && said.contains("the limit is 0.0 MB"), "{said}");
    let said = refused(&["serve", "model", "./model", "--port", "0"]);
    assert!(said.contains("the name model is given twice"), "{said}");
    for wrong in [["--memory", "much"], ["--memory", "0GB"], ["--idle", "5"], ["--idle", "0s"]] {
        let said = refused(&["serve", "model", wrong[0], wrong[1]]);
        assert!(said.contains("is no size") || said.contains("is no time"), "{said}");
    }
    Tiny { seed: 5, ..Tiny::new("llama") }.write_folder(&world.path().join("other"));
    let arguments = [
        "serve",
        "model",
        "other",
        "--memory",
        "2GiB",
        "--idle",
        "1h",
        "--log",
        "--port",
        "0",
        "--threads",
        "1",
    ];
    let mut child = world.command(&arguments).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.next().unwrap().contains("loaded model in"));
    let line = said.find(|line| line.contains("serving on")).unwrap();
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    let body = r#"{"model":"other","prompt":"the","max_tokens":2}"#;
    let mut client = TcpStream::connect(address).unwrap();
    let head = "POST /v1/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    write!(client, "{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("\"model\":\"other\""), "{answer}");
    assert!(said.next().unwrap().contains("loaded other in"));
    let process = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &process]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_wrong_with_a_library_is_told_before_it_is_served_and_a_right_one_answers() {
    let world = World::new();
    let refused = |arguments: &[&str]| {
        let output = world.dojo(&[&["serve", "model", "--port", "0"], arguments].concat());
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["--library", "./lib"]).contains("there is no library in ./lib"));
    write_tiny_bert(&world.path().join("bert"));
    std::fs::create_dir_all(world.path().join("notes")).unwrap();
    std::fs::write(world.path().join("notes/salmon.md"), "# Salmon\n\nSalmon swim upstream.\n").unwrap();
    world.say(&["rag", "add", "notes", "--library", "./lib", "--model", "./bert"]);
    let said = refused(&["--library", "./lib", "--library", "lib"]);
    assert!(said.contains("two libraries are called lib") || said.contains("there is no session"), "{said}");
    std::fs::rename(world.path().join("bert"), world.path().join("away")).unwrap();
    let said = refused(&["--library", "./lib"]);
    assert!(said.contains("open the library ./lib") && said.contains("dojo pull"), "{said}");

    world.say(&["rag", "add", "notes", "--library", "./words", "--no-embeddings"]);
    let arguments = ["serve", "model", "--library", "./words", "--port", "0", "--threads", "1"];
    let mut child = world.command(&arguments).spawn().unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = said.find(|line| line.contains("serving on")).unwrap();
    let address = line.split("http://").nth(1).unwrap().split('/').next().unwrap();
    let body = r#"{"messages":[{"role":"user","content":"zebras"}]}"#;
    let mut client = TcpStream::connect(address).unwrap();
    let head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    write!(client, "{head}connection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("Not in the documents.") && answer.contains("\"library\":\"words\""), "{answer}");
    let process = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &process]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
}

#[test]
fn numbers_that_nothing_can_be_served_with_are_refused_before_the_model_loads() {
    let world = World::new();
    for (flag, number, words) in [
        ("--queue", "0", "from 1 to"),
        ("--connections", "0", "from 1 to"),
        ("--max-body", "0", "from 64 to"),
        ("--max-body", "99999999999", "from 64 to"),
        ("--threads", "5000", "threads at most"),
        ("--context", "9999999", "tokens at most"),
    ] {
        let output = world.dojo(&["serve", "model", "--port", "0", flag, number]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && said.contains(words) && said.contains(flag), "{flag}: {said}");
    }
    let output = world.dojo(&["generate", "--model", "model", "--threads", "5000", "the"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("threads at most"));
}
