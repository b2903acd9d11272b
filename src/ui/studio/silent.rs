//! No key that the footer or the help names is silent: what it can't do here and now is said, and that something was
//! copied, which nobody sees.

use crossterm::event::KeyCode;

use super::Studio;
use crate::app::store::Store;
use crate::domain::protocol::system::{Level, Notice};
use crate::ui::keymap::{Binding, Chord};
use crate::ui::pane::Effect;
use crate::ui::widgets::text;

/// Columns of what was copied.
const SHOWN: usize = 40;

/// Keys that only move, or leave: everybody tries them, also where there is no way on.
const MOVES: &[KeyCode] = &[
    KeyCode::Esc,
    KeyCode::Up,
    KeyCode::Down,
    KeyCode::Left,
    KeyCode::Right,
    KeyCode::Home,
    KeyCode::End,
    KeyCode::PageUp,
    KeyCode::PageDown,
];

/// Letters that only move where an arrow does the same.
const LETTERS: &str = "hjklgGHJKL";

fn moves(binding: &Binding, chord: Chord) -> bool {
    let code = |key: &&'static str| Chord::parse(key).is_ok_and(|chord| MOVES.contains(&chord.event().code));
    let letter = chord.event().code.as_char().is_some_and(|letter| LETTERS.contains(letter));
    letter && binding.keys.iter().any(code)
}

impl Studio {
    /// Why a key of the pane in front does nothing, while nothing is typed.
    pub(super) fn why_silent(&self, chord: Chord, store: &Store) -> Vec<Effect> {
        let pane = self.pane(store);
        if MOVES.contains(&chord.event().code) {
            return Vec::new();
        }
        // Those of fields and floats come first in a table: the last is what the key means on the pane itself.
        let rows = || pane.bindings().iter().rev().filter(|row| !moves(row, chord));
        let shown = rows().filter(|row| pane.is_of_what_is_shown(row.action));
        let row = self.keymap.find(shown, chord).or_else(|| self.keymap.find(rows(), chord));
        let Some(row) = row else { return Vec::new() };
        let words = pane
            .why_not(row.action, store)
            .unwrap_or_else(|| format!("{chord} ({}): there is nothing for it here now", row.help));
        vec![Effect::Notify(Notice::new(Level::Info, words))]
    }
}

/// Says what was copied, unless the pane has.
pub(super) fn say_copied(mut effects: Vec<Effect>) -> Vec<Effect> {
    if effects.iter().any(|effect| matches!(effect, Effect::Notify(_))) {
        return effects;
    }
    let copied = effects.iter().find_map(|effect| match effect {
        Effect::Copy(copied) => Some(copied.split_whitespace().collect::<Vec<_>>().join(" ")),
        _ => None,
    });
    let said = copied.map(|copied| format!("copied: {}", text::shorten(&copied, SHOWN)));
    effects.extend(said.map(|said| Effect::Notify(Notice::new(Level::Info, said))));
    effects
}
