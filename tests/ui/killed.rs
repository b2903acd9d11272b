//! What was being written when the program was killed is there when it is opened again.

use dojo_studio::config::Folders;
use dojo_studio::domain::draft::DraftOf;
use dojo_studio::session::{Access, Session};

use super::whole::{Terminal, home};
use crate::support::program::wait_until;

/// Waits until the session keeps this text of what is written.
fn wait_for_draft(home: &std::path::Path, of: fn(&DraftOf) -> bool, text: &str) {
    let folder = Folders::under(home).sessions().join("first-principles");
    let session = Session::open(&folder, Access::Read).expect("the session");
    wait_until(text, || {
        let drafts = session.drafts_of_all_windows().expect("read");
        drafts.iter().any(|(place, kept)| of(place) && kept.text.contains(text))
    });
}

fn opened(home: &std::path::Path) -> Terminal {
    let mut terminal = Terminal::dojo(home, &["open", "first-principles"]);
    terminal.wait_for("③ Train");
    terminal
}

#[test]
fn an_edit_of_a_record_outlives_the_program() {
    let home = home();
    let mut terminal = opened(home.path());
    terminal.keys("1");
    terminal.wait_for("── 1 ─");
    terminal.keys("e");
    terminal.wait_for("next turn");
    terminal.keys("UNSAVED ");
    wait_for_draft(home.path(), |of| matches!(of, DraftOf::Record(_)), "UNSAVED ");
    terminal.signal("-KILL");
    drop(terminal);
    let mut terminal = opened(home.path());
    terminal.keys("1");
    terminal.wait_for("draft: e opens it");
    terminal.keys("e");
    terminal.wait_for("UNSAVED");
    // It is on the disk: nothing is asked.
    terminal.keys("\x11");
    assert!(terminal.end().success());
}

#[test]
fn the_text_of_a_recipe_outlives_the_program() {
    let home = home();
    let mut terminal = opened(home.path());
    terminal.keys("3e");
    terminal.wait_for(".toml");
    terminal.keys("\rE");
    terminal.keys("# unsaved\r");
    wait_for_draft(home.path(), |of| matches!(of, DraftOf::Recipe(_)), "# unsaved");
    terminal.signal("-HUP");
    drop(terminal);
    let mut terminal = opened(home.path());
    terminal.keys("3e");
    terminal.wait_for("not saved");
    terminal.keys("\rE");
    terminal.wait_for("# unsaved");
    terminal.keys("\x11");
    assert!(terminal.end().success());
}

#[test]
fn a_value_of_a_recipe_that_is_being_typed_outlives_the_program() {
    let home = home();
    for signal in ["-TERM", "-KILL"] {
        let mut terminal = opened(home.path());
        terminal.keys("3e");
        terminal.wait_for(".toml");
        terminal.keys("\r\x1b[B\r");
        terminal.wait_for("⏎ done");
        terminal.keys(signal);
        wait_for_draft(home.path(), |of| matches!(of, DraftOf::RecipeValue(..)), signal);
        terminal.signal(signal);
        drop(terminal);
        let mut terminal = opened(home.path());
        terminal.keys("3e");
        terminal.wait_for("was typed and not taken");
        terminal.keys("\r\x1b[B\r");
        terminal.wait_for(signal);
        terminal.keys("\x11");
        assert!(terminal.end().success());
    }
}
