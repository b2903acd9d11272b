//! `dojo serve` as a process: how signals end it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStderr};

use crate::support::program::World;

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
