//! Header, tabs, footer and what floats above the panes.

use dojo_studio::ui::pane::Effect;
use dojo_studio::ui::pane::PaneId::{self, Data, Models, Review, Train};

use super::harness::Harness;

#[test]
fn number_keys_and_tab_walk_the_panes() {
    let mut studio = Harness::new();
    let mut seen = Vec::new();
    for key in ["1", "2", "tab", "shift-tab", "6", "tab"] {
        // A pane that comes to the front may ask for what it shows.
        let _ = studio.keys(key);
        seen.push(studio.studio.front());
    }
    assert_eq!(seen, [Data, Review, Train, Review, Models, Data]);
}

#[test]
fn a_click_on_a_tab_goes_there() {
    let mut studio = Harness::new();
    let screen = studio.screen();
    let header = screen.lines().next().expect("a header");
    let column = header.chars().position(|sign| sign == '④').expect("the fourth tab") as u16;
    studio.click(column + 2, 0);
    assert_eq!(studio.studio.front(), PaneId::Chat);
}

#[test]
fn q_quits() {
    assert_eq!(Harness::new().keys("q"), [Effect::Quit]);
}

#[test]
fn a_window_below_60x16_says_so() {
    let mut studio = Harness::new().size(59, 16);
    assert!(studio.screen().contains("59x16; at least 60x16"));
}

#[test]
fn text_where_nobody_types_is_no_text() {
    let mut studio = Harness::new();
    assert_eq!(studio.paste("q\nq"), []);
    assert_eq!(studio.text("zzz"), []);
}
