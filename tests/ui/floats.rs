//! What floats has every key until it is closed: none falls through to the pane below.

use dojo_studio::ui::pane::Effect;

use super::{data, world};

/// What opens each, and what stands on it.
const FLOATS: [(&str, &str); 6] = [
    ("f1", "keys"),
    ("f2", "sessions"),
    ("f3", "jobs"),
    ("f4", "log"),
    ("f5", "theme"),
    ("ctrl-p", "commands"),
];

#[test]
fn keys_that_move_keep_every_floating_window_open() {
    for (opens, title) in FLOATS {
        let mut studio = data::studio().with(world::sessions());
        studio.keys("1");
        studio.keys(opens);
        for key in ["home", "end", "pageup", "pagedown", "left", "right", "insert", "shift-tab", "down"] {
            studio.keys(key);
            assert!(studio.screen().contains(&format!(" {title} ")), "{opens} {key}: {}", studio.screen());
        }
        let effects = studio.keys("ctrl-d ctrl-a alt-d alt-D ctrl-r");
        assert!(!effects.iter().any(|effect| matches!(effect, Effect::Send(_))), "{opens}: {effects:?}");
        assert!(studio.screen().contains(&format!(" {title} ")), "{opens}: {}", studio.screen());
        studio.keys("ctrl-c");
        assert!(!studio.screen().contains(&format!(" {title} ")), "{opens} ctrl-c: {}", studio.screen());
    }
}

#[test]
fn a_question_stays_until_it_is_answered() {
    let mut studio = data::studio();
    studio.keys("1 A D");
    let asked = studio.screen();
    assert!(asked.contains("esc leave it"), "{asked}");
    let keys =
        "home end pageup pagedown left right up down tab space delete backspace x D ctrl-y alt-y f2 f5";
    assert_eq!(studio.keys(keys), []);
    assert!(studio.screen().contains("esc leave it"), "{}", studio.screen());
    studio.keys("esc");
    assert!(!studio.screen().contains("esc leave it"));
}

#[test]
fn the_session_picker_goes_to_its_ends() {
    let mut studio = data::studio().with(world::sessions());
    studio.keys("f2 end");
    studio.keys("D");
    assert!(!studio.screen().contains("Delete the session"), "the last is a sample: {}", studio.screen());
    studio.keys("home D");
    assert!(studio.screen().contains("Delete the session physics?"), "{}", studio.screen());
}
