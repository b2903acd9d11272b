//! Help for here, and the footer's keys.

use dojo_studio::ui::pane::{Effect, PaneId};

use super::harness::Harness;
use super::world;

fn position(screen: &str, text: &str) -> usize {
    screen.find(text).unwrap_or_else(|| panic!("no '{text}' in\n{screen}"))
}

#[test]
fn what_works_here_and_now_comes_first() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("6 ?");
    let screen = studio.screen();
    let now = position(&screen, "Models, here and now");
    let moving = position(&screen, "Models, moving");
    let everywhere = position(&screen, "Everywhere");
    assert!(now < moving && moving < everywhere, "{screen}");
    assert!(position(&screen, "Fetch a model by name") < moving);
    assert!(!screen[..everywhere].contains("Fetch the model that was named"), "it doesn't work now");
}

#[test]
fn in_a_text_field_it_shows_the_keys_of_the_field() {
    let mut studio = Harness::new().with(world::models()).size(120, 50);
    studio.keys("6 p f1");
    let screen = studio.screen();
    let here = position(&screen, "Models, while you type here");
    let everywhere = position(&screen, "Everywhere");
    let own = &screen[here..everywhere];
    assert!(own.contains("Fetch the model that was named") && own.contains("Fetch nothing"), "{screen}");
    assert!(!own.contains("Fetch a model by name"), "p is a letter here: {screen}");
    assert!(
        !screen[everywhere..position(&screen, "at other times")].contains("Go to Data"),
        "1 is a letter here"
    );
}

#[test]
fn it_is_searched_by_words_keys_and_names() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("6 ? /");
    studio.text("pick theme");
    let screen = studio.screen();
    assert!(screen.contains("Pick a theme") && !screen.contains("Fetch a model"), "{screen}");
    assert!(screen.contains("Everywhere"), "a row stands under its title: {screen}");
    studio.keys("enter esc");
    assert!(studio.screen().contains("Fetch a model"), "esc brings all of them back");
    studio.keys("/");
    studio.text("models.copy");
    assert!(studio.screen().contains("Copy the path"), "{}", studio.screen());
    studio.keys("esc esc");
    assert!(!studio.screen().contains("Pick a theme"));
}

#[test]
fn a_key_is_found_however_it_is_spelt() {
    for (pane, word, row) in [
        ("4", "ctrl-u", "Scroll a page up"),
        ("4", "^u", "Scroll a page up"),
        ("6", "enter", "Chat with the chosen model"),
        ("6", "return", "Chat with the chosen model"),
        ("1", "backspace", "Mark as rejected"),
        ("6", "esc", "Fetch nothing"),
        ("6", "escape", "Fetch nothing"),
        ("6", "delete", "Say what deletes the chosen one"),
        ("1", "shift-down", "Choose this row and the next"),
    ] {
        let mut studio = Harness::new().with(world::models()).size(120, 50);
        studio.keys(&format!("{pane} ? /"));
        studio.text(word);
        assert!(studio.screen().contains(row), "{word}:\n{}", studio.screen());
    }
}

#[test]
fn the_footer_names_what_works_while_one_types() {
    let mut studio = Harness::new().with(world::models()).size(80, 24);
    studio.keys("6 p");
    let footer = studio.line(23);
    assert!(footer.contains("⏎ fetch it") && footer.contains("f1 help"), "? would be a letter: {footer}");
}

#[test]
fn what_has_no_room_in_the_footer_is_told_by_an_ellipsis() {
    let mut studio = Harness::new().with(world::models()).size(200, 24);
    studio.keys("6");
    assert!(!studio.line(23).contains('…'), "{}", studio.line(23));
    for event in super::review::reflections() {
        studio.apply(event);
    }
    studio.resize(60, 16);
    studio.keys("2");
    let footer = studio.line(15);
    assert!(footer.contains('…') && footer.contains("? help"), "{footer}");
}

#[test]
fn a_click_on_a_key_of_the_footer_presses_it() {
    let mut studio = Harness::new().with(world::models());
    studio.keys("6");
    let (column, row) = studio.find("y copy path").expect("the hint");
    let effects = studio.click(column + 4, row);
    assert_eq!(effects.first(), Some(&Effect::Copy("cache/models/all-minilm-l6-v2".into())));
    let (column, row) = studio.find("? help").expect("the hint");
    studio.click(column, row);
    let (column, row) = studio.find("esc close").expect("the overlay's hint");
    studio.click(column, row);
    assert!(!studio.screen().contains("here and now"));
    assert_eq!(studio.studio.front(), PaneId::Models);
}

#[test]
fn in_a_line_and_in_a_text_it_lists_the_keys_that_edit_them() {
    let mut studio = super::data::studio();
    studio.keys("f f1 /");
    studio.text("word");
    let screen = studio.screen();
    assert!(screen.contains("In this line") && screen.contains("^w alt-⌫"), "{screen}");
    studio.keys("esc esc esc e f1");
    let screen = studio.screen();
    let here = position(&screen, "In this text");
    assert!(here > position(&screen, "Data, while you type here"), "{screen}");
    assert!(!screen[here..].contains("^e"), "it opens one's own editor: {screen}");
    studio.keys("/");
    studio.text("taken out");
    assert!(studio.screen().contains("alt-z"), "{}", studio.screen());
    let mut studio = super::data::studio();
    studio.keys("f1");
    assert!(!studio.screen().contains("In this line"), "nothing is typed here: {}", studio.screen());
}

#[test]
fn the_words_of_the_footer_are_found_too() {
    let mut studio = super::train::typical();
    studio.keys("? /");
    studio.text("overl");
    assert!(studio.screen().contains("Lay this run over the others"), "{}", studio.screen());
}
