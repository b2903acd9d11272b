//! When each action of the view makes sense.

use super::{LibraryAction, LibraryMode, LibraryView, left_out};
use crate::app::store::Store;

impl LibraryView {
    /// Whether an action makes sense now.
    pub(in crate::ui::panes::chat) fn can(&self, action: LibraryAction, store: &Store) -> bool {
        if !self.is_open() {
            return false;
        }
        let moves = matches!(
            action,
            LibraryAction::Up
                | LibraryAction::Down
                | LibraryAction::PageUp
                | LibraryAction::PageDown
                | LibraryAction::First
                | LibraryAction::Last
        );
        match &self.mode {
            LibraryMode::List => moves || self.can_in_list(action, store),
            LibraryMode::Search => match action {
                LibraryAction::Close => true,
                LibraryAction::Open
                | LibraryAction::Up
                | LibraryAction::Down
                | LibraryAction::PageUp
                | LibraryAction::PageDown => self.search.chosen(store).is_some(),
                _ => false,
            },
            LibraryMode::Read(reader) => match action {
                LibraryAction::Close | LibraryAction::Search => true,
                LibraryAction::Copy | LibraryAction::NextPart | LibraryAction::PreviousPart => {
                    reader.front(store).is_some()
                }
                LibraryAction::Pin | LibraryAction::Exclude => store.chats.open.is_some(),
                _ => moves,
            },
            LibraryMode::Add(field) => match action {
                LibraryAction::Accept => !field.text().trim().is_empty(),
                LibraryAction::Complete | LibraryAction::Cancel => true,
                _ => false,
            },
            LibraryMode::Describe(_) => {
                matches!(action, LibraryAction::Accept | LibraryAction::OtherField | LibraryAction::Cancel)
            }
            LibraryMode::Embed(_) => match action {
                LibraryAction::Accept | LibraryAction::Cancel => true,
                _ => matches!(action, LibraryAction::Up | LibraryAction::Down),
            },
            LibraryMode::LeftOut(_) => match action {
                LibraryAction::Cancel => true,
                _ => moves,
            },
        }
    }

    fn can_in_list(&self, action: LibraryAction, store: &Store) -> bool {
        let is_any = store.library.count() > 0;
        let chosen = self.list.row(store).is_some();
        match action {
            LibraryAction::Add | LibraryAction::Close => true,
            LibraryAction::Search | LibraryAction::Update | LibraryAction::Embed => is_any,
            LibraryAction::Open | LibraryAction::Describe | LibraryAction::Delete => chosen,
            LibraryAction::LeftOut => left_out::is_any(store),
            LibraryAction::Pin | LibraryAction::Exclude => chosen && store.chats.open.is_some(),
            _ => false,
        }
    }

    /// Why an action can't be done now, and what to do first.
    pub(in crate::ui::panes::chat) fn why(
        &self,
        action: LibraryAction,
        store: &Store,
    ) -> Option<&'static str> {
        if !self.is_open() {
            return Some("the library is not open: L on Chat shows it");
        }
        if !matches!(self.mode, LibraryMode::List | LibraryMode::Read(_)) {
            return Some("something is open above the documents: esc closes it");
        }
        Some(match action {
            LibraryAction::Search
            | LibraryAction::Update
            | LibraryAction::Embed
            | LibraryAction::Open
            | LibraryAction::Describe
            | LibraryAction::Delete
                if store.library.count() == 0 =>
            {
                "the library has no documents yet: i adds some"
            }
            LibraryAction::Pin | LibraryAction::Exclude => {
                "no chat is open that this could be kept with: esc, then ⏎ asks its first question"
            }
            LibraryAction::LeftOut => "no file was left out since the session was opened",
            _ => return None,
        })
    }
}
