//! `dojo chat` as people type into it.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use serde_json::Value;

use crate::support::program::World;
use crate::support::pty::Pty;
use crate::support::tiny::Tiny;

const CHAT: [&str; 7] = ["chat", "--model", "model", "--max-new-tokens", "2", "--threads", "1"];

/// A model that reads long questions.
fn world() -> World {
    let world = World::new();
    Tiny { context: 16_384, ..Tiny::new("llama") }.write_folder(&world.path().join("model"));
    world
}

/// Everything that was asked, in order.
fn asked(world: &World, file: &str) -> Vec<String> {
    let text = std::fs::read_to_string(world.path().join(file)).unwrap();
    let saved: Value = serde_json::from_str(&text).unwrap();
    let messages = saved["messages"].as_array().unwrap();
    let questions = messages.iter().filter(|message| message["role"] == "user");
    questions.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

/// Has one question after another answered, and gives back what the conversation then holds.
fn talk(world: &World, more: &[&str], questions: &[&[u8]]) -> Vec<String> {
    let mut terminal = Pty::start(world.path(), &[&CHAT[..], more].concat());
    terminal.wait_for("> ", 1);
    for (number, question) in questions.iter().enumerate() {
        terminal.keys(question);
        terminal.wait_for("prompt tokens", number + 1);
    }
    terminal.keys(b"/save saved.jsonl\r");
    terminal.wait_for("added to saved.jsonl", 1);
    terminal.keys(b"\x04");
    let (code, text) = terminal.end();
    assert_eq!(code, 0, "{text}");
    let questions = asked(world, "saved.jsonl");
    std::fs::remove_file(world.path().join("saved.jsonl")).unwrap();
    questions
}

#[test]
fn what_is_pasted_or_typed_at_length_is_one_question_and_whole() {
    let world = world();
    let long = "word ".repeat(1000) + "Say yes.";
    let questions = talk(
        &world,
        &[],
        &[
            b"def f(x):\n    return x+1\n\nWhat does it do?\n",
            b"\x1b[200~one\\\r\ttwo\r\nthree\x1b[201~\r",
            format!("{long}\r").as_bytes(),
            b"caf\xe9 au lait, caf\xc3\xa9 noir\r",
            b"/etc/hosts is a file. What is in it?\r",
            b" /help me\r",
            b"goes on\x1b\rand on\r",
        ],
    );
    let expected = [
        "def f(x):\n    return x+1\n\nWhat does it do?",
        "one\\\n\ttwo\nthree",
        long.as_str(),
        "caf\u{fffd} au lait, café noir",
        "/etc/hosts is a file. What is in it?",
        " /help me",
        "goes on\nand on",
    ];
    assert_eq!(questions, expected);
}

#[test]
fn a_line_is_edited_and_older_questions_come_back_in_another_conversation() {
    let world = world();
    // Left twice, a letter, the beginning, a word deleted at the end.
    let questions =
        talk(&world, &[], &[b"abd\x1b[D\x1b[Dx\x01^\x05!\r", b"api_key = \"sk-abcdef1234567890\"\r"]);
    assert_eq!(questions, ["^axbd!", "api_key = \"sk-abcdef1234567890\""]);
    let kept = world.path().join("data/chat-history");
    assert_eq!(std::fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&kept).unwrap();
    assert!(text.contains("^axbd!") && !text.contains("sk-abcdef"), "{text}");
    // `/save` was the last one.
    assert_eq!(talk(&world, &[], &[b"\x1b[A\x1b[A?\r"]), ["^axbd!?"]);
    std::fs::remove_file(&kept).unwrap();
    talk(&world, &["--no-history"], &[b"nothing is kept\r"]);
    assert!(!kept.exists());
}

#[test]
fn what_is_typed_while_the_model_is_loaded_is_whole() {
    let world = world();
    let mut terminal = Pty::start(world.path(), &CHAT);
    // Said before the load begins.
    terminal.wait_for("/help lists", 1);
    let long = "word ".repeat(1000) + "Say yes.";
    terminal.keys(format!("{long}\r").as_bytes());
    terminal.wait_for("prompt tokens", 1);
    terminal.keys(b"/save saved.jsonl\r");
    terminal.wait_for("added to saved.jsonl", 1);
    terminal.keys(b"\x04");
    assert_eq!(terminal.end().0, 0);
    assert_eq!(asked(&world, "saved.jsonl"), [long]);
}

#[test]
fn a_paste_that_never_ends_is_ended_by_ctrl_c() {
    let world = world();
    let mut terminal = Pty::start(world.path(), &CHAT);
    terminal.wait_for("> ", 1);
    terminal.keys(b"\x1b[200~pasted");
    // The first gives up what was pasted, the second the program.
    terminal.keys(b"\x03");
    terminal.keys(b"\x03");
    assert_eq!(terminal.end().0, 130);
}

#[test]
fn a_command_that_is_none_loses_nothing_and_ends_nothing() {
    let world = world();
    let mut terminal = Pty::start(world.path(), &CHAT);
    terminal.wait_for("> ", 1);
    terminal.keys(b"/quit smoking, how?\r");
    terminal.wait_for("a space before it makes it a question", 1);
    terminal.keys(b"\x1b[A\x01 \r");
    terminal.wait_for("prompt tokens", 1);
    terminal.keys(b"/save saved.jsonl\r");
    terminal.wait_for("added to saved.jsonl", 1);
    // What was begun is given up first.
    terminal.keys(b"half\x03");
    terminal.keys(b"\x03");
    assert_eq!(terminal.end().0, 130);
    assert_eq!(asked(&world, "saved.jsonl"), [" /quit smoking, how?"]);
}

#[test]
fn lines_of_a_pipe_may_be_long_and_hold_any_bytes() {
    let world = world();
    let mut chat = world.command(&CHAT).stdin(Stdio::piped()).spawn().unwrap();
    let long = "word ".repeat(1000);
    let mut input = chat.stdin.take().unwrap();
    input.write_all(format!("{long}\n/etc/hosts?\r\n").as_bytes()).unwrap();
    input.write_all(b"caf\xe9\n/save saved.jsonl\n").unwrap();
    drop(input);
    let output = chat.wait_with_output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && errors.contains("no UTF-8"), "{errors}");
    assert_eq!(asked(&world, "saved.jsonl"), [long.as_str(), "/etc/hosts?", "caf\u{fffd}"]);
}
