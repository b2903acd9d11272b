//! Which records are looked at, in which order, from where; and what has to be asked for to show them.

use super::act::send;
use super::cursor::ScrollPlace;
use super::detail::{Seek, Tab};
use super::{ChosenRecords, DataPane, questions};
use crate::app::store::Store;
use crate::app::store::data::DataQuestion;
use crate::domain::filter::Filter;
use crate::domain::protocol::DataCommand;
use crate::domain::protocol::data::{Replace, ViewId};
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::record::RecordId;
use crate::domain::view::SortOrder;
use crate::ui::pane::{Confirmation, Effect};
use crate::ui::widgets::highlight::Highlights;

impl DataPane {
    /// Asks for what a filter matches.
    pub(super) fn show(&mut self, filter: Filter) -> Vec<Effect> {
        let view = ViewId(self.next);
        self.next += 1;
        self.asked = Some(view);
        self.highlights = Highlights::of(&filter);
        if filter != self.filter && filter != Filter::Everything {
            // Something else is asked for: it is looked at from its top.
            self.cursor.go(0, 1);
            self.opened = None;
        }
        if filter == Filter::Everything {
            self.home = None;
        }
        self.filter = filter.clone();
        self.chosen = ChosenRecords::default();
        (self.page, self.anchor, self.pinned) = (None, None, None);
        vec![send(DataCommand::View { view, filter, order: self.order })]
    }

    /// The same for a filter that a person gives: where they were before the first one is remembered.
    pub(super) fn narrow(&mut self, filter: Filter, store: &Store) -> Vec<Effect> {
        let home = if self.filter == Filter::Everything {
            Some((self.steady, self.under_cursor(store)))
        } else {
            self.home.take()
        };
        let effects = self.show(filter);
        if self.filter != Filter::Everything {
            self.home = home;
        }
        effects
    }

    /// Back to a view from before, at the place where it was left.
    pub(super) fn go_back(
        &mut self,
        filter: Filter,
        place: ScrollPlace,
        record: Option<RecordId>,
    ) -> Vec<Effect> {
        let home = self.home.take();
        let mut effects = self.show(filter);
        if let Some(id) = record {
            // The reader tells where the record is that it has open, but opens another filter's view at its top.
            let at = if self.filter == Filter::Everything { 0 } else { effects.len() };
            effects.insert(at, send(DataCommand::Open(id)));
        }
        if self.filter != Filter::Everything {
            self.home = home;
        }
        self.opened = record;
        if let Some(view) = self.asked {
            self.cursor.go_back(view, place);
        }
        effects
    }

    pub(super) fn sort(&mut self, order: SortOrder) -> Vec<Effect> {
        self.order = order;
        let filter = self.filter.clone();
        let chosen = std::mem::take(&mut self.chosen);
        let effects = self.show(filter);
        self.chosen = chosen;
        // The place was one of another order.
        self.home = None;
        effects
    }

    /// Keeps the cursor on its record when records come or go.
    pub(super) fn follow(&mut self, store: &Store) {
        if let Some(created) = store.data.created.filter(|created| self.created != Some(*created)) {
            self.created = Some(created);
            // Seen wherever it is, also where the filter leaves it out. It is asked for, although the reader opens it by
            // itself: an answer about another record may still be on its way.
            (self.pinned, self.opened) = (Some(created), None);
            self.detail.rewind(Seek::Next);
        }
        if let Some(view) = &store.data.view {
            let before = self.cursor.position();
            self.cursor.follow(view, self.opened, self.pinned);
            if let Some(anchor) = &mut self.anchor {
                let moved = self.cursor.position() as isize - before as isize;
                anchor.position = anchor.position.saturating_add_signed(moved);
            }
        }
        let here = store.data.own_row(self.cursor.position());
        // Among the rows, or deleted: the cursor's own row is meant again.
        if self.pinned.is_some() && (here.map(|row| row.id) == self.pinned || store.data.gone == self.pinned)
        {
            self.pinned = None;
        }
    }

    pub(super) fn ask_for_page(&mut self, store: &Store) -> Vec<Effect> {
        let Some(view) = store.data.view.as_ref().filter(|view| Some(view.view) == self.asked) else {
            return Vec::new();
        };
        let Some(wanted) = self.cursor.wanted(store.data.count(), |position| store.data.is_fresh(position))
        else {
            return Vec::new();
        };
        let page = (view.view, view.generation, wanted.start, wanted.end);
        if self.page == Some(page) {
            return Vec::new();
        }
        self.page = Some(page);
        vec![send(DataCommand::Page { view: view.view, generation: view.generation, positions: wanted })]
    }

    pub(super) fn ask_for_record(&mut self, store: &Store) -> Option<Effect> {
        let id = self.under_cursor(store)?;
        self.cursor.rest();
        if self.opened == Some(id) {
            return None;
        }
        self.opened = Some(id);
        self.detail.rewind(Seek::Next);
        Some(send(DataCommand::Open(id)))
    }

    /// Only while they are looked at: the first time, a model has to be opened.
    pub(super) fn ask_for_tokens(&mut self, store: &Store) -> Option<Effect> {
        let (id, _) = store.data.opened.as_ref()?;
        if self.detail.tab() != Tab::Tokens || self.cut == Some(store.data.content) {
            return None;
        }
        self.cut = Some(store.data.content);
        Some(send(DataCommand::Tokens(*id)))
    }

    /// None while another view is being looked for: what is on the screen is not what was asked for.
    pub(super) fn under_cursor(&self, store: &Store) -> Option<RecordId> {
        if self.pinned.is_some() {
            return self.pinned;
        }
        let known = store.data.view.as_ref().map(|view| view.view);
        if known == self.asked { store.data.own_row(self.cursor.position()).map(|row| row.id) } else { None }
    }

    /// The next match within the record, or the next record with its first.
    pub(super) fn seek(&mut self, seek: Seek, store: &Store) -> Vec<Effect> {
        let seen = store.data.opened.as_ref().map(|(id, _)| *id);
        if seen == self.under_cursor(store) && self.detail.seek(seek) {
            return Vec::new();
        }
        let (before, count) = (self.cursor.position(), store.data.count());
        self.let_go(store);
        self.pinned = None;
        self.cursor.move_by(if seek == Seek::Next { 1 } else { -1 }, count);
        if self.cursor.position() == before {
            let words =
                if seek == Seek::Next { "that was the last match" } else { "that was the first match" };
            return vec![Effect::Notify(Notice::new(Level::Info, words))];
        }
        let effects = self.ask_for_record(store).into_iter().collect();
        self.detail.rewind(seek);
        effects
    }

    /// Puts a question that waits before the person, once.
    pub(super) fn ask_person(&mut self, store: &Store) -> Option<Effect> {
        if self.answered == store.data.questions {
            return None;
        }
        self.answered = store.data.questions;
        let question = match store.data.question.as_ref()? {
            DataQuestion::Undo(entry, by) => questions::undo(entry, *by, store),
            DataQuestion::Overwrite(met) => {
                if met.now.is_none() {
                    self.drafts.speak_of_deleted(met.record);
                }
                questions::overwrite(met, store)
            }
            DataQuestion::Replace(order, taken) => {
                let names: Vec<String> = taken.iter().map(|path| path.display().to_string()).collect();
                let mut order = order.clone();
                order.replace = Replace::Yes;
                Confirmation {
                    title: "Write over what is there?".to_owned(),
                    text: format!("{} would be another file afterwards.", names.join(", ")),
                    yes: "write over".to_owned(),
                    then: vec![send(DataCommand::Export(order))],
                }
            }
        };
        Some(Effect::Ask(question))
    }
}
