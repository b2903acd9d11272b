//! Whatever is pressed, clicked, pasted or resized: the studio goes on.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEventKind};
use proptest::prelude::*;

use super::harness::Harness;
use super::{review, world};

/// One thing that a person (or a cat) does.
#[derive(Debug, Clone)]
enum Deed {
    Key(KeyEvent),
    Mouse(MouseEventKind, u16, u16),
    Paste(String),
    Resize(u16, u16),
}

fn code() -> impl Strategy<Value = KeyCode> {
    use KeyCode::{
        BackTab, Backspace, Char, Delete, Down, End, Enter, Esc, Home, Left, PageDown, PageUp, Right, Tab, Up,
    };
    prop_oneof![
        4 => any::<char>().prop_map(Char),
        12 => prop::char::range(' ', '~').prop_map(Char),
        2 => (1_u8..=12).prop_map(KeyCode::F),
        8 => prop::sample::select(vec![
            Enter, Esc, Tab, BackTab, Up, Down, Left, Right, Home, End, PageUp, PageDown, Backspace, Delete,
        ]),
    ]
}

fn key() -> impl Strategy<Value = KeyEvent> {
    let modifiers = prop_oneof![
        6 => Just(KeyModifiers::NONE),
        1 => Just(KeyModifiers::CONTROL),
        1 => Just(KeyModifiers::ALT),
        1 => Just(KeyModifiers::SHIFT),
    ];
    (code(), modifiers).prop_map(|(code, modifiers)| KeyEvent::new(code, modifiers))
}

fn deed() -> impl Strategy<Value = Deed> {
    let mouse = prop::sample::select(vec![
        MouseEventKind::Down(MouseButton::Left),
        MouseEventKind::Up(MouseButton::Left),
        MouseEventKind::Drag(MouseButton::Left),
        MouseEventKind::Down(MouseButton::Right),
        MouseEventKind::ScrollUp,
        MouseEventKind::ScrollDown,
    ]);
    prop_oneof![
        20 => key().prop_map(Deed::Key),
        4 => (mouse, 0_u16..210, 0_u16..70).prop_map(|(kind, x, y)| Deed::Mouse(kind, x, y)),
        1 => any::<String>().prop_map(Deed::Paste),
        1 => (1_u16..200, 1_u16..60).prop_map(|(x, y)| Deed::Resize(x, y)),
    ]
}

fn perform(studio: &mut Harness, deeds: Vec<Deed>) {
    for deed in deeds {
        match deed {
            Deed::Key(key) => drop(studio.press(key)),
            Deed::Mouse(kind, column, row) => drop(studio.mouse(kind, column, row)),
            Deed::Paste(text) => drop(studio.paste(&text)),
            Deed::Resize(columns, rows) => studio.resize(columns, rows),
        }
    }
    studio.screen();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_input_panics(deeds in prop::collection::vec(deed(), 1..80)) {
        let mut studio = Harness::new().with(world::models()).with(world::sessions());
        for event in world::jobs().into_iter().chain(review::reflections()) {
            studio.apply(event);
        }
        perform(&mut studio, deeds);
    }

    #[test]
    fn no_sequence_of_input_panics_on_the_first_start(deeds in prop::collection::vec(deed(), 1..40)) {
        let mut studio = Harness::empty().with(world::places()).with(world::samples());
        perform(&mut studio, deeds);
    }
}
