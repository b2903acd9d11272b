//! Which actions make sense right now.

use super::bindings::Accepted;
use super::{DataAction, DataMode, DataPane};
use crate::app::store::Store;

impl DataPane {
    pub(super) fn can(&self, action: DataAction, store: &Store) -> bool {
        match (&self.mode, action) {
            (DataMode::Table, action) => self.can_in_table(action, store),
            (
                DataMode::Filter(_) | DataMode::Line(_),
                DataAction::Accept | DataAction::Complete | DataAction::Cancel,
            )
            | (DataMode::Findings(_), DataAction::Check | DataAction::Close)
            | (DataMode::Coverage(_), DataAction::Close)
            | (
                DataMode::Export(_),
                DataAction::AcceptAs(Accepted::Export)
                | DataAction::Cancel
                | DataAction::Down
                | DataAction::Up,
            )
            | (DataMode::Import(_), DataAction::Cancel)
            | (
                DataMode::Labels(_),
                DataAction::LabelKeys
                | DataAction::AcceptAs(Accepted::TypeLabel)
                | DataAction::Cancel
                | DataAction::Down
                | DataAction::Up
                | DataAction::PageDown
                | DataAction::PageUp,
            ) => true,
            (DataMode::Edit(editor), action) => can_in_editor(action, editor.turns.len()),
            (
                DataMode::Findings(_),
                DataAction::Open | DataAction::Mend | DataAction::Down | DataAction::Up,
            ) => store.data.findings.as_ref().is_some_and(|found| !found.is_empty()),
            (DataMode::Coverage(_), DataAction::Open | DataAction::Down | DataAction::Up) => {
                !store.data.coverage.is_empty()
            }
            (DataMode::Import(form), DataAction::AcceptAs(accepted)) => form.accepts(store) == Some(accepted),
            (DataMode::Import(form), DataAction::Complete) => form.is_asking(),
            (
                DataMode::Import(form),
                DataAction::NextColumnOfPart
                | DataAction::ColumnOfPartBefore
                | DataAction::Down
                | DataAction::Up,
            ) => form.can_turn(store),
            _ => false,
        }
    }

    /// Whether there is nothing to look at, and nothing floats above that.
    pub(super) fn is_empty(&self, store: &Store) -> bool {
        let none = store.data.view.as_ref().is_some_and(|known| known.records == 0);
        none && matches!(self.mode, DataMode::Table)
    }

    /// Without records there is nothing to search, check or take back.
    pub(super) fn offers(&self, action: DataAction, store: &Store) -> bool {
        let needs_some = matches!(
            action,
            DataAction::EditFilter
                | DataAction::Search
                | DataAction::Undo
                | DataAction::Redo
                | DataAction::Check
        );
        !(needs_some && self.is_empty(store))
    }

    fn can_in_table(&self, action: DataAction, store: &Store) -> bool {
        let has_rows = store.data.count() > 0 || self.pinned.is_some();
        match action {
            DataAction::Accept
            | DataAction::AcceptAs(_)
            | DataAction::AddTurn
            | DataAction::BringBack
            | DataAction::Cancel
            | DataAction::ColumnOfPartBefore
            | DataAction::Complete
            | DataAction::LabelKeys
            | DataAction::Mend
            | DataAction::NextColumnOfPart
            | DataAction::NextTurn
            | DataAction::RemoveTurn
            | DataAction::Revert
            | DataAction::Save
            | DataAction::TurnBefore
            | DataAction::TurnDown
            | DataAction::TurnRole
            | DataAction::TurnUp => false,
            DataAction::EditFilter
            | DataAction::Search
            | DataAction::New
            | DataAction::Undo
            | DataAction::Redo
            | DataAction::Import
            | DataAction::Check
            | DataAction::Coverage => store.session.is_some(),
            DataAction::Close => self.can_close(),
            DataAction::NextMatch | DataAction::MatchBefore => has_rows && !self.highlights.is_empty(),
            _ => has_rows,
        }
    }
}

const fn can_in_editor(action: DataAction, turns: usize) -> bool {
    match action {
        DataAction::Save
        | DataAction::Cancel
        | DataAction::AddTurn
        | DataAction::Revert
        | DataAction::BringBack => true,
        DataAction::NextTurn
        | DataAction::TurnBefore
        | DataAction::RemoveTurn
        | DataAction::TurnUp
        | DataAction::TurnDown
        | DataAction::TurnRole => turns > 0,
        _ => false,
    }
}
