//! Keys as settings write them.

use std::collections::BTreeMap;

use dojo_studio::domain::settings::Settings;
use dojo_studio::ui::keymap::Chord;
use dojo_studio::ui::studio::Studio;
use dojo_studio::ui::theme::{Depth, Theme};

fn hint(text: &str) -> String {
    Chord::parse(text).expect("a key's name").to_string()
}

#[test]
fn keys_are_written_as_the_footer_shows_them() {
    let names =
        ["enter", "ctrl-p", "alt-enter", "shift-tab", "X", "-", "minus", "f5", "ctrl--", "space", "?"];
    let shown = names.map(hint);
    assert_eq!(shown, ["⏎", "^p", "alt-⏎", "⇧tab", "X", "-", "-", "f5", "^-", "space", "?"]);
}

#[test]
fn an_unknown_key_is_refused_with_what_would_be_one() {
    let why = Chord::parse("hyper-x").expect_err("no such modifier");
    assert!(why.contains("'hyper-x' is not a key"), "{why}");
}

#[test]
fn keys_of_unknown_actions_are_reported() {
    let keys = BTreeMap::from([("quit".to_owned(), vec!["nokey".to_owned()]), ("fly".to_owned(), vec![])]);
    let (_, complaints) =
        Studio::new(&Settings { keys, ..Settings::default() }, Theme::shipped(Depth::Full), Depth::Full);
    assert_eq!(complaints.len(), 2, "{complaints:?}");
}
