//! All keys of all panes, as help and palette list them.

use crossterm::event::{KeyCode, KeyEvent};

use super::{Studio, is_interrupt, shared};
use crate::app::store::Store;
use crate::ui::action::Action;
use crate::ui::keymap::{Binding, Chord, Typing};
use crate::ui::pane::PaneId;
use crate::ui::panes::{self, welcome};
use crate::ui::shell;
use crate::ui::shell::editing;
use crate::ui::shell::help::{Help, HelpRow, Section};
use crate::ui::shell::overlay::{Overlay, OverlayKind, letter};
use crate::ui::shell::palette::{Entry, Now};

/// A title and its keys.
pub(super) type BindingTable = (&'static str, &'static [Binding]);

/// Every binding there is.
#[must_use]
pub fn tables() -> Vec<BindingTable> {
    let own = PaneId::ALL.into_iter().zip(panes::all()).map(|(id, pane)| (id.title(), pane.bindings()));
    own.chain([("Welcome", welcome::BINDINGS), ("Everywhere", shell::BINDINGS)]).collect()
}

/// A key that only moves: listed apart, since everybody tries it anyway.
fn moves(chord: Chord) -> bool {
    use KeyCode::{Down, End, Home, Left, PageDown, PageUp, Right, Up};
    let code = chord.event().code;
    matches!(code, Up | Down | Left | Right | Home | End | PageUp | PageDown)
}

impl Studio {
    /// The tables that count now, with their titles: the pane in front first, the shell's last.
    fn tables(&self, store: &Store) -> Vec<BindingTable> {
        if store.session.is_none() {
            return vec![("Welcome", welcome::BINDINGS), ("Everywhere", shell::BINDINGS)];
        }
        let mut ids = PaneId::ALL.to_vec();
        ids.sort_by_key(|pane| *pane != self.front);
        let own = ids.into_iter().map(|pane| (pane.title(), self.panes[pane as usize].bindings()));
        own.chain([("Everywhere", shell::BINDINGS)]).collect()
    }

    /// What works here and now, what works everywhere, then all else.
    pub(super) fn help(&self, store: &Store) -> Help {
        let mut tables = self.tables(store).into_iter();
        let (title, own) = tables.next().unwrap_or(("", &[]));
        let (pane, typing) = (self.pane(store), self.typing(store));
        let (mut here, mut moving, mut later) = (Vec::new(), Vec::new(), Vec::new());
        let mut taken: Vec<Chord> = Vec::new();
        for binding in own {
            let available = pane.offered(binding.action, store);
            let free = |chord: &&Chord| available && typing.leaves(**chord) && !taken.contains(chord);
            let keys: Vec<Chord> = self.keymap.chords(binding).iter().filter(free).copied().collect();
            match keys.first() {
                None => later.push(self.row(binding)),
                Some(first) if moves(*first) => moving.push(row(binding, &keys)),
                Some(_) => here.push(row(binding, &keys)),
            }
            taken.extend(keys);
        }
        let everywhere = shell::BINDINGS.iter().filter_map(|binding| {
            // While somebody types, ctrl-c leaves the field.
            let leaves = |chord: Chord| typing == Typing::Yes && is_interrupt(chord);
            let works = |chord: &&Chord| {
                shared(binding.action, typing, **chord) && !leaves(**chord) && !taken.contains(chord)
            };
            let keys: Vec<Chord> = self.keymap.chords(binding).iter().filter(works).copied().collect();
            (!keys.is_empty() || typing == Typing::No).then(|| row(binding, &keys))
        });
        let now = match typing {
            Typing::Yes => format!("{title}, while you type here"),
            Typing::No => format!("{title}, here and now"),
        };
        let shared = |chord: Chord| {
            let mut rows = shell::BINDINGS.iter().filter(|row| shared(row.action, typing, chord));
            rows.any(|row| self.keymap.matches(row, chord))
        };
        let editing = editing::section(pane.editing(), |chord| taken.contains(&chord) || shared(chord));
        let mut sections = vec![
            section(now, here),
            editing,
            section(format!("{title}, moving"), moving),
            section("Everywhere".into(), everywhere.collect()),
            section(format!("{title}, at other times"), later),
        ];
        for (title, bindings) in tables.filter(|(title, _)| *title != "Everywhere") {
            sections.push(section(title.into(), bindings.iter().map(|binding| self.row(binding)).collect()));
        }
        sections.retain(|section| !section.rows.is_empty());
        Help::new(sections)
    }

    /// What the keys of what floats do, above it.
    pub(super) fn explain_overlay(&mut self) {
        let Some(overlay) = self.overlay.take() else { return };
        let (title, keys) = overlay.help();
        let rows =
            keys.iter().map(|(keys, help)| HelpRow { keys: (*keys).to_owned(), help, label: "", name: "" });
        let help = Help::new(vec![section(title.to_owned(), rows.collect())]);
        self.beneath = Some(overlay);
        self.overlay = Some(Box::new(help));
    }

    fn row(&self, binding: &'static Binding) -> HelpRow {
        row(binding, self.keymap.chords(binding))
    }

    /// Everything that can be done, for the palette.
    pub(super) fn entries(&self, store: &Store) -> Vec<Entry> {
        let entry = |title: &'static str, binding: &'static Binding| Entry {
            pane: title,
            help: binding.help,
            called: [binding.label, binding.name],
            keys: self.keymap.hint(binding),
            action: binding.action,
            now: if self.available(binding.action, store) { Now::Yes } else { Now::No },
        };
        let tables = self.tables(store).into_iter();
        tables.flat_map(|(title, table)| table.iter().map(move |binding| entry(title, binding))).collect()
    }

    fn available(&self, action: Action, store: &Store) -> bool {
        match action.pane() {
            Some(pane) => self.panes[pane as usize].available(action, store),
            None => {
                matches!(action, Action::Shell(_))
                    || crate::ui::pane::Pane::available(&self.welcome, action, store)
            }
        }
    }
}

/// Whether a key asks what the keys of an overlay do.
pub(super) fn asks_for_help(overlay: &dyn Overlay, key: KeyEvent) -> bool {
    let asks = key.code == KeyCode::F(1) || (letter(key) == Some('?') && !overlay.is_typing());
    asks && overlay.kind() == OverlayKind::Other
}

fn section(title: String, rows: Vec<HelpRow>) -> Section {
    Section { title, rows }
}

fn row(binding: &'static Binding, keys: &[Chord]) -> HelpRow {
    let keys = keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    HelpRow { keys, help: binding.help, label: binding.label, name: binding.name }
}
