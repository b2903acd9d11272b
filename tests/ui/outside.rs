//! A text in the person's own editor, in a pseudo-terminal.

use super::whole::{Terminal, home};
use crate::support::make_pipe;

/// The question of a new chat, begun, and then edited with `editor`.
fn edited_with(home: &std::path::Path, editor: &str) -> Terminal {
    let (editor, folder) = (format!("EDITOR={editor}"), format!("TMPDIR={}", home.display()));
    let arguments =
        ["-u", "VISUAL", &editor, &folder, env!("CARGO_BIN_EXE_dojo"), "open", "first-principles"];
    let mut terminal = Terminal::start(home, "env", &arguments, (120, 36));
    terminal.wait_for("③ Train");
    terminal.keys("4\r");
    terminal.wait_for("type here");
    terminal.keys("slow");
    terminal.wait_for("slow");
    terminal.keys("\x05");
    terminal
}

fn quit(mut terminal: Terminal) {
    // The question is a draft of the chat: nothing is asked.
    terminal.keys("\x11");
    assert!(terminal.end().success());
}

#[test]
fn ctrl_c_in_the_persons_own_editor_is_the_editors() {
    let home = home();
    let mut terminal = edited_with(home.path(), "trap '' INT; kill -INT 0; f() { echo fast > \"$1\"; }; f");
    terminal.wait_for("▏ fast");
    quit(terminal);
}

#[test]
fn a_key_that_is_typed_as_the_editor_ends_is_seen_at_once() {
    let home = home();
    let words = home.path().join("words");
    make_pipe(&words);
    let mut terminal = edited_with(home.path(), "f() { printf 'ready: '; cat words > \"$1\"; }; f");
    terminal.wait_for("ready: ");
    // It waits in the terminal, which shows it, for whoever reads next.
    terminal.keys("!");
    terminal.wait_for("ready: !");
    std::fs::write(&words, "fast\n").expect("write");
    terminal.wait("both", |screen| {
        let text = screen.contents();
        text.contains("▏ fast!") || text.contains("▏ !fast")
    });
    quit(terminal);
}

#[test]
fn what_was_written_in_an_editor_that_fails_is_still_there() {
    let home = home();
    let mut terminal = edited_with(home.path(), "f() { echo fast > \"$1\"; return 3; }; f");
    terminal.wait_for("status: 3");
    terminal.wait_for("▏ slow");
    quit(terminal);
    let texts = std::fs::read_dir(home.path()).expect("read").flatten();
    let mut texts = texts.filter(|entry| entry.path().extension().is_some_and(|end| end == "md"));
    let kept = std::fs::read_to_string(texts.next().expect("a text").path()).expect("read");
    assert_eq!(kept, "fast\n");
}
