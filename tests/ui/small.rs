//! A window that is too small: nothing is done that can't be seen.

use crossterm::event::{KeyCode, KeyEvent};
use dojo_studio::ui::pane::{Effect, PaneId};

use super::harness::Harness;
use super::world;

fn small() -> Harness {
    Harness::new().with(world::models()).size(50, 14)
}

#[test]
fn only_quit_and_help_act() {
    let mut studio = small();
    let front = studio.studio.front();
    assert!(studio.screen().contains("^q quits, f1 shows the keys"), "{}", studio.screen());
    for key in ["1", "6", "p", "enter", "tab", ":", "f2", "f5", "x", "D", "space"] {
        assert_eq!(studio.keys(key), [], "{key}");
    }
    assert_eq!(studio.studio.front(), front);
    assert_eq!(studio.paste("text"), []);
    studio.keys("?");
    assert!(studio.screen().contains("here and now"), "{}", studio.screen());
    studio.keys("esc");
    assert!(studio.screen().contains("too small"));
    assert_eq!(studio.keys("q"), [Effect::Quit]);
}

#[test]
fn what_was_typed_before_is_neither_changed_nor_ended_by_a_letter() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("6 p");
    studio.text("smol");
    studio.resize(50, 14);
    studio.screen();
    assert_eq!(studio.text("q?x"), []);
    assert_eq!(studio.keys("ctrl-c"), []);
    studio.resize(80, 24);
    assert!(studio.screen().lines().any(|line| line.ends_with("pull       smol")), "{}", studio.screen());
    studio.resize(50, 14);
    studio.screen();
    assert_eq!(studio.keys("ctrl-q"), [Effect::Quit]);
}

#[test]
fn what_floats_waits_until_it_can_be_seen() {
    let mut studio = Harness::new();
    studio.keys("ctrl-p");
    studio.text("go to chat");
    studio.resize(50, 14);
    studio.screen();
    assert_eq!(studio.keys("enter"), []);
    assert_ne!(studio.studio.front(), PaneId::Chat);
    studio.resize(80, 24);
    assert!(studio.screen().contains("go to chat"));
    let _ = studio.keys("enter");
    assert_eq!(studio.studio.front(), PaneId::Chat);
}

#[test]
fn quit_and_redraw_work_over_all_that_floats() {
    for overlay in ["?", "ctrl-p", "f2", "f3", "f4", "f5"] {
        let mut studio = Harness::new();
        studio.keys("6");
        studio.keys(overlay);
        assert_eq!(studio.keys("ctrl-l"), [Effect::Redraw], "{overlay}");
        assert_eq!(studio.keys("ctrl-z"), [Effect::Suspend], "{overlay}");
        assert_eq!(studio.keys("ctrl-q"), [Effect::Quit], "{overlay}");
    }
}

#[test]
fn a_screen_of_any_size_is_drawn() {
    for columns in (1..70).step_by(3) {
        for rows in 1..20 {
            let mut studio = Harness::new().size(columns, rows);
            studio.keys("?");
            studio.press(KeyEvent::from(KeyCode::Char('/')));
            studio.screen();
        }
    }
}
