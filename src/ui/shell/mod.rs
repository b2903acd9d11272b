//! What stands around every pane: header, footer, and what floats above.

pub(crate) mod footer;
pub(crate) mod header;

use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::PaneId;

/// What the shell can be asked for, whatever pane is in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Show(PaneId),
    NextPane,
    PreviousPane,
    Help,
    Redraw,
    Suspend,
    Quit,
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: Action,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Shell(action)).hidden()
}

/// The shell's own keys. Panes come first: a pane may use any of them for itself.
pub(crate) const BINDINGS: &[Binding] = &[
    bind("help", &["?", "f1"], "help", "Show all keys", Action::Help),
    bind("show.data", &["1"], "data", "Go to Data", Action::Show(PaneId::Data)),
    bind("show.review", &["2"], "review", "Go to Review", Action::Show(PaneId::Review)),
    bind("show.train", &["3"], "train", "Go to Train", Action::Show(PaneId::Train)),
    bind("show.chat", &["4"], "chat", "Go to Chat", Action::Show(PaneId::Chat)),
    bind("show.eval", &["5"], "eval", "Go to Eval", Action::Show(PaneId::Eval)),
    bind("show.models", &["6"], "models", "Go to Models", Action::Show(PaneId::Models)),
    bind("pane.next", &["tab"], "next", "Go to the next pane", Action::NextPane),
    bind("pane.previous", &["shift-tab"], "previous", "Go to the pane before", Action::PreviousPane),
    bind("redraw", &["ctrl-l"], "redraw", "Draw the screen anew", Action::Redraw),
    bind("suspend", &["ctrl-z"], "suspend", "Back to the shell until fg", Action::Suspend),
    bind("quit", &["q", "ctrl-q", "ctrl-c"], "quit", "Quit; runs go on", Action::Quit),
];
