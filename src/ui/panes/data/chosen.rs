//! Which records are chosen: one by one, a range of rows, everything, and what isn't.

use std::collections::BTreeSet;
use std::ops::Range;

use super::act::send;
use super::{DataAction, DataPane};
use crate::app::store::Store;
use crate::domain::change::Selection;
use crate::domain::filter::Filter;
use crate::domain::protocol::DataCommand;
use crate::domain::protocol::data::{Generation, ViewId};
use crate::domain::record::RecordId;
use crate::ui::pane::Effect;

/// Chosen records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ChosenRecords {
    Records(BTreeSet<RecordId>),
    /// All that the filter matches, without these.
    AllBut(BTreeSet<RecordId>),
}

impl Default for ChosenRecords {
    fn default() -> Self {
        Self::Records(BTreeSet::new())
    }
}

impl ChosenRecords {
    pub(super) fn is_empty(&self) -> bool {
        matches!(self, Self::Records(records) if records.is_empty())
    }

    pub(super) fn contains(&self, id: RecordId) -> bool {
        match self {
            Self::Records(records) => records.contains(&id),
            Self::AllBut(records) => !records.contains(&id),
        }
    }

    pub(super) fn count(&self, all: usize) -> usize {
        match self {
            Self::Records(records) => records.len(),
            Self::AllBut(records) => all.saturating_sub(records.len()),
        }
    }

    fn toggle(&mut self, id: RecordId) {
        let (Self::Records(records) | Self::AllBut(records)) = self;
        if !records.remove(&id) {
            records.insert(id);
        }
    }

    fn add(&mut self, ids: impl IntoIterator<Item = RecordId>) {
        match self {
            Self::Records(records) => records.extend(ids),
            Self::AllBut(records) => {
                let added: BTreeSet<RecordId> = ids.into_iter().collect();
                records.retain(|id| !added.contains(id));
            }
        }
    }

    /// What isn't chosen, of what the filter matches.
    fn inverted(self) -> Self {
        match self {
            Self::Records(records) => Self::AllBut(records),
            Self::AllBut(records) => Self::Records(records),
        }
    }

    pub(super) fn selection(&self, filter: &Filter) -> Selection {
        match self {
            Self::Records(records) => Selection::Records(records.iter().copied().collect()),
            Self::AllBut(records) if records.is_empty() => Selection::Matching(filter.clone()),
            Self::AllBut(records) => Selection::AllBut(filter.clone(), records.iter().copied().collect()),
        }
    }
}

/// A range of rows that is being drawn, from here to the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchor {
    pub(super) position: usize,
    pub(super) hold: Hold,
}

/// How a range was begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hold {
    /// With a key of its own: every movement extends it until that key comes again.
    Marked,
    /// With Shift or the mouse: a movement without ends it.
    Held,
}

/// An action that waits for the numbers of a range's records, and what was asked for them.
#[derive(Debug)]
pub(super) struct Waiting {
    action: DataAction,
    asked: Option<(ViewId, Generation, Range<usize>)>,
}

impl DataPane {
    /// The rows of the range that is being drawn.
    pub(super) fn range(&self) -> Option<Range<usize>> {
        let (from, to) = (self.anchor?.position, self.cursor.position());
        Some(from.min(to)..from.max(to) + 1)
    }

    pub(super) fn is_chosen(&self, position: usize, id: RecordId) -> bool {
        self.range().is_some_and(|range| range.contains(&position)) || self.chosen.contains(id)
    }

    /// Begins a range here, or ends it: then its rows are chosen.
    pub(super) fn mark(&mut self, store: &Store) -> Vec<Effect> {
        if self.anchor.is_some() {
            return self.settled(DataAction::Mark, store).unwrap_or_default();
        }
        self.anchor = Some(Anchor { position: self.cursor.position(), hold: Hold::Marked });
        Vec::new()
    }

    /// One row further, with a range behind it.
    pub(super) fn extend(&mut self, by: isize, store: &Store) {
        let here = Anchor { position: self.cursor.position(), hold: Hold::Held };
        self.anchor.get_or_insert(here);
        self.cursor.move_by(by, store.data.count());
    }

    /// Before a movement that doesn't extend: a range that was held is chosen.
    pub(super) fn let_go(&mut self, store: &Store) {
        if self.anchor.is_some_and(|anchor| anchor.hold == Hold::Held) {
            // Such a range was walked row by row: all of it is known, or it is dropped.
            self.take_in_known(store);
            self.anchor = None;
        }
    }

    /// Chooses the rows of the range. Nothing when that is done; otherwise what has to be asked first, after which
    /// the action is performed.
    pub(super) fn settled(&mut self, action: DataAction, store: &Store) -> Option<Vec<Effect>> {
        self.range()?;
        if self.take_in_known(store) {
            return None;
        }
        self.waiting = Some(Waiting { action, asked: None });
        Some(self.ask_for_numbers(store))
    }

    /// Takes the range in, if all of its rows are at hand.
    fn take_in_known(&mut self, store: &Store) -> bool {
        let Some(range) = self.range() else { return true };
        let ids: Option<Vec<RecordId>> =
            range.map(|position| store.data.own_row(position).map(|row| row.id)).collect();
        let Some(ids) = ids else { return false };
        self.chosen.add(ids);
        self.anchor = None;
        true
    }

    /// Asks for the numbers that an action waits for; performs it when they are there.
    pub(super) fn ask_for_numbers(&mut self, store: &Store) -> Vec<Effect> {
        let (Some(range), Some(view), Some(waiting)) = (self.range(), &store.data.view, &mut self.waiting)
        else {
            self.waiting = None;
            return Vec::new();
        };
        let wanted = (view.view, view.generation, range);
        if let Some((view, generation, positions, ids)) = &store.data.numbers
            && (*view, *generation, positions.clone()) == wanted
        {
            let action = waiting.action;
            self.chosen.add(ids.iter().copied());
            (self.waiting, self.anchor) = (None, None);
            return if action == DataAction::Mark { Vec::new() } else { self.perform(action, store) };
        }
        if waiting.asked.as_ref() == Some(&wanted) {
            return Vec::new();
        }
        waiting.asked = Some(wanted.clone());
        let (view, generation, positions) = wanted;
        vec![send(DataCommand::Numbers { view, generation, positions })]
    }

    pub(super) fn choose(&mut self, store: &Store) {
        if let Some(id) = self.under_cursor(store) {
            self.chosen.toggle(id);
            self.cursor.move_by(1, store.data.count());
        }
    }

    pub(super) fn choose_everything(&mut self) {
        self.anchor = None;
        self.chosen = ChosenRecords::AllBut(BTreeSet::new());
    }

    pub(super) fn invert(&mut self) {
        self.chosen = std::mem::take(&mut self.chosen).inverted();
    }

    /// What a change is for, and how many records that are: what is chosen, or the record under the cursor.
    pub(super) fn selection(&self, store: &Store) -> Option<(Selection, usize)> {
        if self.chosen.is_empty() {
            return self.under_cursor(store).map(|id| (Selection::Records(vec![id]), 1));
        }
        Some((self.chosen.selection(&self.filter), self.chosen.count(store.data.count())))
    }
}
