//! The names of the panes.

use crate::domain::session::Begins;

/// Names a pane; the order is that of the tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PaneId {
    Data,
    Review,
    Train,
    Chat,
    Eval,
    Models,
}

impl PaneId {
    pub const ALL: [Self; 6] = [Self::Data, Self::Review, Self::Train, Self::Chat, Self::Eval, Self::Models];

    /// On the tab.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Data => "Data",
            Self::Review => "Review",
            Self::Train => "Train",
            Self::Chat => "Chat",
            Self::Eval => "Eval",
            Self::Models => "Models",
        }
    }

    /// Where one begins in a session.
    #[must_use]
    pub const fn of(begins: Begins) -> Self {
        match begins {
            Begins::Data => Self::Data,
            Begins::Review => Self::Review,
            Begins::Train => Self::Train,
        }
    }

    /// The tab's number, from 1.
    #[must_use]
    pub const fn number(self) -> usize {
        self as usize + 1
    }
}
