//! Which actions make sense right now.

use super::bindings::Accepted;
use super::{Action, Data, Mode};
use crate::app::store::Store;

impl Data {
    pub(super) fn can(&self, action: Action, store: &Store) -> bool {
        match (&self.mode, action) {
            (Mode::Table, action) => self.can_in_table(action, store),
            (Mode::Filter(_) | Mode::Line(_), Action::Accept | Action::Complete | Action::Cancel)
            | (Mode::Findings(_), Action::Check | Action::Close)
            | (
                Mode::Export(_),
                Action::AcceptAs(Accepted::Export) | Action::Cancel | Action::Down | Action::Up,
            )
            | (Mode::Import(_), Action::Cancel)
            | (
                Mode::Labels(_),
                Action::LabelKeys
                | Action::AcceptAs(Accepted::TypeLabel)
                | Action::Cancel
                | Action::Down
                | Action::Up
                | Action::PageDown
                | Action::PageUp,
            ) => true,
            (Mode::Edit(editor), action) => can_in_editor(action, editor.turns.len()),
            (Mode::Findings(_), Action::Open | Action::Mend | Action::Down | Action::Up) => {
                store.data.findings.as_ref().is_some_and(|found| !found.is_empty())
            }
            (Mode::Import(form), Action::AcceptAs(accepted)) => form.accepts(store) == Some(accepted),
            (Mode::Import(form), Action::Complete) => form.is_asking(),
            (
                Mode::Import(form),
                Action::NextColumnOfPart | Action::ColumnOfPartBefore | Action::Down | Action::Up,
            ) => form.can_turn(store),
            _ => false,
        }
    }

    /// Whether there is nothing to look at, and nothing floats above that.
    pub(super) fn is_empty(&self, store: &Store) -> bool {
        let none = store.data.view.as_ref().is_some_and(|known| known.records == 0);
        none && matches!(self.mode, Mode::Table)
    }

    /// Without records there is nothing to search, check or take back.
    pub(super) fn offers(&self, action: Action, store: &Store) -> bool {
        let needs_some = matches!(
            action,
            Action::EditFilter | Action::Search | Action::Undo | Action::Redo | Action::Check
        );
        !(needs_some && self.is_empty(store))
    }

    fn can_in_table(&self, action: Action, store: &Store) -> bool {
        let has_rows = store.data.count() > 0 || self.pinned.is_some();
        match action {
            Action::Accept
            | Action::AcceptAs(_)
            | Action::AddTurn
            | Action::BringBack
            | Action::Cancel
            | Action::ColumnOfPartBefore
            | Action::Complete
            | Action::LabelKeys
            | Action::Mend
            | Action::NextColumnOfPart
            | Action::NextTurn
            | Action::RemoveTurn
            | Action::Revert
            | Action::Save
            | Action::TurnBefore
            | Action::TurnDown
            | Action::TurnRole
            | Action::TurnUp => false,
            Action::EditFilter
            | Action::Search
            | Action::New
            | Action::Undo
            | Action::Redo
            | Action::Import
            | Action::Check => store.session.is_some(),
            Action::Close => self.can_close(),
            Action::NextMatch | Action::MatchBefore => has_rows && !self.highlights.is_empty(),
            _ => has_rows,
        }
    }
}

const fn can_in_editor(action: Action, turns: usize) -> bool {
    match action {
        Action::Save | Action::Cancel | Action::AddTurn | Action::Revert | Action::BringBack => true,
        Action::NextTurn
        | Action::TurnBefore
        | Action::RemoveTurn
        | Action::TurnUp
        | Action::TurnDown
        | Action::TurnRole => turns > 0,
        _ => false,
    }
}
