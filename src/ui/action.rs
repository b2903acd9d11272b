//! Everything that a key, a click or the palette can ask for: verbs, one enum for each pane.

use crate::ui::{panes, shell};

/// An action, by who performs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    Shell(shell::Action),
    Chat(panes::chat::Action),
    Data(panes::data::Action),
    Eval(panes::eval::Action),
    Models(panes::models::Action),
    Review(panes::review::Action),
    Train(panes::train::Action),
    Welcome(panes::welcome::Action),
}
