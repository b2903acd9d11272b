//! Keys and what they do. A [`Binding`] is a row of a table that the dispatcher, the footer, the help and the palette
//! read; the [`Keymap`] adds the person's own keys.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::ui::action::Action;
use crate::ui::verbs;

/// A row of a binding table.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// `train.pause`: what settings call it.
    pub name: &'static str,
    /// Keys as settings write them: `space`, `ctrl-p`, `X`. The first is shown in the footer. May be empty: then the
    /// palette alone reaches it.
    pub keys: &'static [&'static str],
    /// In the footer: one or two words.
    pub label: &'static str,
    /// In help and palette: a short phrase that starts with a verb.
    pub help: &'static str,
    pub action: Action,
    pub footer: Footer,
}

/// Whether a binding stands in the footer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Footer {
    Shown,
    Hidden,
}

impl Binding {
    /// A binding that the footer shows.
    pub const fn new(
        name: &'static str,
        keys: &'static [&'static str],
        label: &'static str,
        help: &'static str,
        action: Action,
    ) -> Self {
        Self { name, keys, label, help, action, footer: Footer::Shown }
    }

    /// The same, left out of the footer: for what everybody tries anyway (arrows) and what few need.
    #[must_use]
    pub const fn hidden(mut self) -> Self {
        self.footer = Footer::Hidden;
        self
    }
}

/// A key with its modifiers. `Shift` on a character is the character itself: `X`, `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    code: KeyCode,
    modifiers: KeyModifiers,
}

const NAMED: &[(&str, KeyCode, &str)] = &[
    ("space", KeyCode::Char(' '), "space"),
    ("enter", KeyCode::Enter, "⏎"),
    ("esc", KeyCode::Esc, "esc"),
    ("tab", KeyCode::Tab, "tab"),
    ("backspace", KeyCode::Backspace, "⌫"),
    ("delete", KeyCode::Delete, "del"),
    ("insert", KeyCode::Insert, "ins"),
    ("up", KeyCode::Up, "↑"),
    ("down", KeyCode::Down, "↓"),
    ("left", KeyCode::Left, "←"),
    ("right", KeyCode::Right, "→"),
    ("home", KeyCode::Home, "home"),
    ("end", KeyCode::End, "end"),
    ("pageup", KeyCode::PageUp, "pgup"),
    ("pagedown", KeyCode::PageDown, "pgdn"),
    ("minus", KeyCode::Char('-'), "-"),
];

impl Chord {
    /// From what the terminal says.
    #[must_use]
    pub fn of(key: KeyEvent) -> Self {
        let mut modifiers = key.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT | KeyModifiers::SHIFT);
        let code = match key.code {
            KeyCode::BackTab => {
                modifiers |= KeyModifiers::SHIFT;
                KeyCode::Tab
            }
            KeyCode::Char(character) => {
                modifiers -= KeyModifiers::SHIFT;
                let lower = modifiers.contains(KeyModifiers::CONTROL);
                KeyCode::Char(if lower { character.to_ascii_lowercase() } else { character })
            }
            other => other,
        };
        Self { code, modifiers }
    }

    /// Reads `ctrl-p`, `alt-enter`, `shift-tab`, `f1`, `X`.
    ///
    /// # Errors
    /// Where a part is no key's name, in a sentence that says what is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let (modifier, after) = match rest.split_once('-') {
                Some(("ctrl", after)) => (KeyModifiers::CONTROL, after),
                Some(("alt", after)) => (KeyModifiers::ALT, after),
                Some(("shift", after)) => (KeyModifiers::SHIFT, after),
                _ => break,
            };
            if after.is_empty() {
                break;
            }
            modifiers |= modifier;
            rest = after;
        }
        let code = Self::parse_code(rest).ok_or_else(|| {
            format!("'{text}' is not a key; write a character, or one of space, enter, esc, tab, up, f1, with ctrl-, alt- or shift- in front")
        })?;
        Ok(Self::of(KeyEvent::new(code, modifiers)))
    }

    fn parse_code(name: &str) -> Option<KeyCode> {
        if let Some((_, code, _)) = NAMED.iter().find(|(known, ..)| *known == name) {
            return Some(*code);
        }
        let mut characters = name.chars();
        match (characters.next(), characters.next()) {
            (Some(character), None) => Some(KeyCode::Char(character)),
            (Some('f'), Some(_)) => {
                name[1..].parse().ok().filter(|number| (1..=24).contains(number)).map(KeyCode::F)
            }
            _ => None,
        }
    }

    /// Whether it writes a character into a text field.
    #[must_use]
    pub fn is_text(self) -> bool {
        matches!(self.code, KeyCode::Char(_)) && self.modifiers.is_empty()
    }

    /// Whether it means the same while somebody types: with Ctrl or Alt, or a function key.
    #[must_use]
    pub fn is_global(self) -> bool {
        self.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT)
            || matches!(self.code, KeyCode::F(_))
    }

    /// Reads what [`fmt::Display`] writes; `None` for what is no single key: `↑↓`.
    #[must_use]
    pub fn of_sign(sign: &str) -> Option<Self> {
        let (modifiers, rest) =
            [("^", KeyModifiers::CONTROL), ("alt-", KeyModifiers::ALT), ("⇧", KeyModifiers::SHIFT)]
                .into_iter()
                .fold((KeyModifiers::NONE, sign), |(modifiers, rest), (mark, modifier)| {
                    match rest.strip_prefix(mark).filter(|after| !after.is_empty()) {
                        Some(after) => (modifiers | modifier, after),
                        None => (modifiers, rest),
                    }
                });
        let named = NAMED.iter().find(|(_, _, known)| *known == rest).map(|(_, code, _)| *code);
        let code = named.or_else(|| Self::parse_code(rest))?;
        Some(Self::of(KeyEvent::new(code, modifiers)))
    }

    /// As settings write it, and what people call it too: `ctrl-u`, `enter return`.
    #[must_use]
    pub fn spelt(self) -> String {
        let marks =
            [(KeyModifiers::CONTROL, "ctrl-"), (KeyModifiers::ALT, "alt-"), (KeyModifiers::SHIFT, "shift-")];
        let before: String =
            marks.iter().filter(|(mark, _)| self.modifiers.contains(*mark)).map(|(_, name)| *name).collect();
        let name = match (NAMED.iter().find(|(_, code, _)| *code == self.code), self.code) {
            (Some((name, ..)), _) => (*name).to_owned(),
            (None, KeyCode::Char(character)) => character.to_string(),
            (None, other) => other.to_string(),
        };
        let also = match self.code {
            KeyCode::Enter => " return",
            KeyCode::Esc => " escape",
            _ => "",
        };
        format!("{before}{name}{also}")
    }

    /// As the terminal would say it.
    #[must_use]
    pub const fn event(self) -> KeyEvent {
        KeyEvent::new(self.code, self.modifiers)
    }
}

/// As the footer writes it: `⏎`, `^p`, `alt-⏎`.
impl fmt::Display for Chord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.modifiers.contains(KeyModifiers::CONTROL) {
            formatter.write_str("^")?;
        }
        if self.modifiers.contains(KeyModifiers::ALT) {
            formatter.write_str("alt-")?;
        }
        if self.modifiers.contains(KeyModifiers::SHIFT) {
            formatter.write_str("⇧")?;
        }
        match (NAMED.iter().find(|(_, code, _)| *code == self.code), self.code) {
            (Some((_, _, sign)), _) => formatter.write_str(sign),
            (None, KeyCode::Char(character)) => write!(formatter, "{character}"),
            (None, KeyCode::F(number)) => write!(formatter, "f{number}"),
            (None, other) => write!(formatter, "{other}"),
        }
    }
}

/// Whether a text field has the keyboard: then plain characters are text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Typing {
    Yes,
    No,
}

impl Typing {
    /// Whether a key means a binding then.
    #[must_use]
    pub fn leaves(self, chord: Chord) -> bool {
        match self {
            Self::Yes => !chord.is_text(),
            Self::No => true,
        }
    }
}

/// Which keys do what, the person's own in front of the shipped ones.
#[derive(Debug, Default)]
pub struct Keymap {
    chords: HashMap<&'static str, Vec<Chord>>,
    /// Keys of a release before, as long as nothing else wants them.
    old: HashMap<&'static str, Vec<Chord>>,
}

impl Keymap {
    /// The shipped keys of all tables, replaced action by action where `own` names it. Returns what could not be
    /// understood too, a sentence each: such an entry leaves the shipped keys as they are.
    pub fn new(tables: &[&'static [Binding]], own: &BTreeMap<String, Vec<String>>) -> (Self, Vec<String>) {
        let mut keymap = Self::default();
        let mut complaints = Vec::new();
        for binding in tables.iter().flat_map(|table| table.iter()) {
            let chosen = own.get(binding.name).and_then(|keys| match parse_all(keys) {
                Ok(chords) => Some(chords),
                Err(why) => {
                    complaints.push(format!("settings, keys.\"{}\": {why}", binding.name));
                    None
                }
            });
            if chosen.is_none() {
                keymap.old.insert(binding.name, read_all(verbs::old_keys(binding.name)));
            }
            keymap.chords.insert(binding.name, chosen.unwrap_or_else(|| read_all(binding.keys)));
        }
        for name in own.keys().filter(|name| !keymap.chords.contains_key(name.as_str())) {
            complaints
                .push(format!("settings, keys.\"{name}\": no action has this name; the help (?) lists them"));
        }
        (keymap, complaints)
    }

    /// What a chord asks for among some rows: the first that has the key, else the first that had it a release ago.
    pub fn find<'b>(
        &self,
        mut rows: impl Iterator<Item = &'b Binding> + Clone,
        chord: Chord,
    ) -> Option<&'b Binding> {
        let had = |row: &&Binding| self.old.get(row.name).is_some_and(|chords| chords.contains(&chord));
        rows.clone().find(|row| self.matches(row, chord)).or_else(|| rows.find(had))
    }

    /// Whether a chord asks for a binding.
    #[must_use]
    pub fn matches(&self, binding: &Binding, chord: Chord) -> bool {
        self.chords(binding).contains(&chord)
    }

    /// All keys of a binding.
    #[must_use]
    pub fn chords(&self, binding: &Binding) -> &[Chord] {
        self.chords.get(binding.name).map_or(&[], Vec::as_slice)
    }

    /// The first key of a binding that works now.
    #[must_use]
    pub fn first(&self, binding: &Binding, typing: Typing) -> Option<Chord> {
        self.chords(binding).iter().copied().find(|chord| typing.leaves(*chord))
    }

    /// The first key of a binding as the footer writes it; empty if it has none.
    #[must_use]
    pub fn hint(&self, binding: &Binding) -> String {
        self.first(binding, Typing::No).map(|chord| chord.to_string()).unwrap_or_default()
    }
}

fn parse_all(keys: &[String]) -> Result<Vec<Chord>, String> {
    keys.iter().map(|key| Chord::parse(key)).collect()
}

/// Shipped keys, which can all be read.
fn read_all(keys: &[&str]) -> Vec<Chord> {
    keys.iter().filter_map(|key| Chord::parse(key).ok()).collect()
}
