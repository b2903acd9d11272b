//! Everything that a key, a click or the palette can ask for: verbs, one enum for each pane.

use crate::ui::pane_id::PaneId;
use crate::ui::{panes, shell};

/// An action, by who performs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Shell(shell::ShellAction),
    Chat(panes::chat::ChatAction),
    Data(panes::data::DataAction),
    Eval(panes::eval::EvalAction),
    Library(panes::chat::LibraryAction),
    Models(panes::models::ModelsAction),
    Review(panes::review::ReviewAction),
    Train(panes::train::TrainAction),
    Welcome(panes::welcome::WelcomeAction),
}

impl Action {
    /// The pane that performs it; nothing for what the shell and the welcome do.
    #[must_use]
    pub const fn pane(self) -> Option<PaneId> {
        match self {
            Self::Shell(_) | Self::Welcome(_) => None,
            Self::Chat(_) | Self::Library(_) => Some(PaneId::Chat),
            Self::Data(_) => Some(PaneId::Data),
            Self::Eval(_) => Some(PaneId::Eval),
            Self::Models(_) => Some(PaneId::Models),
            Self::Review(_) => Some(PaneId::Review),
            Self::Train(_) => Some(PaneId::Train),
        }
    }
}
