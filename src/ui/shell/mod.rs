//! What stands around every pane: header, footer, and what floats above.

pub(crate) mod editing;
pub(crate) mod footer;
pub(crate) mod header;
pub(crate) mod help;
pub(crate) mod jobs;
pub(crate) mod log;
pub(crate) mod notices;
pub(crate) mod ongoing;
pub(crate) mod overlay;
pub(crate) mod palette;
mod session_keys;
pub(crate) mod sessions;
pub(crate) mod themes;

mod question;

use crate::ui::action;
use crate::ui::keymap::Binding;
use crate::ui::pane::PaneId;

/// What the shell can be asked for, whatever pane is in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShellAction {
    Show(PaneId),
    NextPane,
    PreviousPane,
    Help,
    Palette,
    Sessions,
    NewSession,
    Jobs,
    Log,
    Themes,
    EditOutside,
    Redraw,
    Suspend,
    Quit,
}

impl ShellAction {
    /// Whether it is about the terminal or the program, so that it works over all that floats.
    pub(crate) const fn reaches_over_all(self) -> bool {
        match self {
            Self::Redraw | Self::Suspend | Self::Quit => true,
            Self::Help
            | Self::Palette
            | Self::Sessions
            | Self::NewSession
            | Self::Jobs
            | Self::Log
            | Self::Themes
            | Self::EditOutside
            | Self::Show(_)
            | Self::NextPane
            | Self::PreviousPane => false,
        }
    }

    /// Whether its keys mean the same while somebody types into a field.
    pub(crate) const fn reaches_over_text(self) -> bool {
        match self {
            Self::Help
            | Self::Palette
            | Self::Sessions
            | Self::Jobs
            | Self::Log
            | Self::Themes
            | Self::EditOutside
            | Self::Redraw
            | Self::Suspend
            | Self::Quit => true,
            Self::Show(_) | Self::NextPane | Self::PreviousPane | Self::NewSession => false,
        }
    }
}

const fn bind(
    name: &'static str,
    keys: &'static [&'static str],
    label: &'static str,
    help: &'static str,
    action: ShellAction,
) -> Binding {
    Binding::new(name, keys, label, help, action::Action::Shell(action)).hidden()
}

/// The shell's own keys. Panes come first: a pane may use any of them for itself.
pub(crate) const BINDINGS: &[Binding] = &[
    bind("help", &["?", "f1"], "help", "Show all keys", ShellAction::Help),
    bind("commands", &[":", "ctrl-p"], "commands", "Find any command by a few letters", ShellAction::Palette),
    bind("sessions", &["f2"], "sessions", "Open another session", ShellAction::Sessions),
    bind("session.new", &[], "new", "Make a new session", ShellAction::NewSession),
    bind("jobs", &["f3"], "jobs", "Show what is going on in the background", ShellAction::Jobs),
    bind("log", &["f4"], "log", "Show what the program has said", ShellAction::Log),
    bind("themes", &["f5"], "themes", "Pick a theme", ShellAction::Themes),
    bind("show.data", &["1"], "data", "Go to Data", ShellAction::Show(PaneId::Data)),
    bind("show.review", &["2"], "review", "Go to Review", ShellAction::Show(PaneId::Review)),
    bind("show.train", &["3"], "train", "Go to Train", ShellAction::Show(PaneId::Train)),
    bind("show.chat", &["4"], "chat", "Go to Chat", ShellAction::Show(PaneId::Chat)),
    bind("show.eval", &["5"], "eval", "Go to Eval", ShellAction::Show(PaneId::Eval)),
    bind("show.models", &["6"], "models", "Go to Models", ShellAction::Show(PaneId::Models)),
    bind("pane.next", &["tab"], "next", "Go to the next pane", ShellAction::NextPane),
    bind("pane.previous", &["shift-tab"], "previous", "Go to the pane before", ShellAction::PreviousPane),
    bind(
        "edit.outside",
        &["ctrl-e"],
        "$EDITOR",
        "Edit the text in your own editor ($VISUAL, $EDITOR)",
        ShellAction::EditOutside,
    ),
    bind("redraw", &["ctrl-l"], "redraw", "Draw the screen anew", ShellAction::Redraw),
    bind("suspend", &["ctrl-z"], "suspend", "Go back to the shell until fg", ShellAction::Suspend),
    bind("quit", &["q", "ctrl-q", "ctrl-c"], "quit", "Quit; runs go on", ShellAction::Quit),
];
