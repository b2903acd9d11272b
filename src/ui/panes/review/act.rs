//! What each action does: to the pane itself, or as effects for the worker.

use super::{Action, Blind, Mode, Review, Show, Wanted};
use crate::app::store::Store;
use crate::app::store::review::Last;
use crate::domain::protocol::review::QueueId;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::protocol::{Command, ReviewCommand};
use crate::domain::review::{QueueField, QueueOrder};
use crate::domain::review_filter::{HINT, ReviewFilter};
use crate::domain::review_job::{self, JobKind, JobOrder};
use crate::domain::view::Direction;
use crate::ui::pane::{Effect, Question};
use crate::ui::widgets::field::Field;

/// Items read ahead of the one in front.
const AHEAD: usize = 4;

pub(super) fn send(command: ReviewCommand) -> Effect {
    Effect::Send(Command::Review(command))
}

impl Review {
    pub(super) fn perform(&mut self, action: Action, store: &Store) -> Vec<Effect> {
        match action {
            Action::Accept => self.accept(),
            Action::Save => self.save(store),
            Action::Approve => self.approve(store),
            Action::PreferA => self.prefer(super::decide::Side::A, store),
            Action::PreferB => self.prefer(super::decide::Side::B, store),
            Action::Reject => self.reject(store),
            Action::SendBack => self.send_back(store),
            Action::Edit => self.edit(store),
            Action::Undo => vec![send(ReviewCommand::Undo)],
            Action::ApproveAll => self.decide_all(crate::domain::reflection::Verdict::Approved, store),
            Action::RejectAll => self.decide_all(crate::domain::reflection::Verdict::Rejected, store),
            Action::SortNext => self.sort(QueueOrder {
                field: next_field(self.order.field),
                direction: next_field(self.order.field).first(),
            }),
            Action::SortTurn => {
                self.sort(QueueOrder { direction: turned(self.order.direction), ..self.order })
            }
            Action::Copy => self.copy(store),
            Action::Job(kind) => self.begin_job(kind),
            Action::Close if self.show == Show::Item => {
                self.line.clear();
                self.filter = ReviewFilter::default();
                vec![self.ask()]
            }
            look => {
                self.look(look, store);
                Vec::new()
            }
        }
    }

    /// What only this pane needs to know of.
    fn look(&mut self, action: Action, store: &Store) {
        let rows = store.review.rows();
        let page = usize::from(self.table.height).max(2) - 1;
        match action {
            Action::Skip => self.next_waiting(store),
            Action::Down => self.go(self.cursor.row() + 1, store),
            Action::Up => self.go(self.cursor.row().saturating_sub(1), store),
            Action::PageDown => self.go(self.cursor.row() + page, store),
            Action::PageUp => self.go(self.cursor.row().saturating_sub(page), store),
            Action::First => self.go(0, store),
            Action::Last => self.go(rows.len(), store),
            Action::ScrollDown => self.scroll = self.scroll.saturating_add(2),
            Action::ScrollUp => self.scroll = self.scroll.saturating_sub(2),
            Action::Open | Action::Close => self.turn_to(Show::Item),
            Action::Queue => self.toggle(Show::Queue),
            Action::Chain => self.toggle(Show::Chain),
            Action::Agreement => self.toggle(Show::Agreement),
            Action::Blind => {
                self.blind = if self.blind == Blind::Yes { Blind::No } else { Blind::Yes };
                if self.show == Show::Chain {
                    self.turn_to(Show::Item);
                }
            }
            Action::EditFilter => {
                let mut field = Field::new("everything");
                field.paste(&self.line);
                self.mode = Mode::Line(Wanted::Filter, Box::new(field));
            }
            Action::Complete => self.complete(store),
            Action::Cancel => {
                self.mode = Mode::Look;
                self.complaint.clear();
            }
            Action::Accept
            | Action::Approve
            | Action::ApproveAll
            | Action::Copy
            | Action::Edit
            | Action::Job(_)
            | Action::PreferA
            | Action::PreferB
            | Action::Reject
            | Action::RejectAll
            | Action::Save
            | Action::SendBack
            | Action::SortNext
            | Action::SortTurn
            | Action::Undo => {}
        }
    }

    fn toggle(&mut self, show: Show) {
        self.turn_to(if self.show == show { Show::Item } else { show });
    }

    fn turn_to(&mut self, show: Show) {
        self.show = show;
        self.scroll = 0;
    }

    /// Asks for what the filter lets through.
    pub(super) fn ask(&mut self) -> Effect {
        self.next += 1;
        let queue = QueueId(self.next);
        self.asked = Some(queue);
        send(ReviewCommand::Queue { queue, filter: self.filter.clone(), order: self.order })
    }

    fn sort(&mut self, order: QueueOrder) -> Vec<Effect> {
        self.order = order;
        vec![self.ask()]
    }

    /// Goes to a place of the queue.
    pub(super) fn go(&mut self, place: usize, store: &Store) {
        let rows = store.review.rows();
        self.cursor.go(place, rows.len());
        let at = rows.get(self.cursor.row()).map(|row| row.id);
        if at != self.at {
            self.at = at;
            self.scroll = 0;
        }
    }

    /// Goes to the next that waits, behind the last from the beginning.
    pub(super) fn next_waiting(&mut self, store: &Store) {
        let rows = store.review.rows();
        let here = self.cursor.row();
        let places = (here + 1..rows.len()).chain(0..here.min(rows.len()));
        let waiting = places.into_iter().find(|place| rows.get(*place).is_some_and(|row| self.waits(row)));
        if let Some(place) = waiting {
            self.go(place, store);
        }
    }

    /// What happened since the last time.
    pub(super) fn take_in(&mut self, store: &Store) -> Vec<Effect> {
        if let Some((number, last)) = store.review.last.as_ref().filter(|(number, _)| *number != self.seen) {
            self.seen = *number;
            match last {
                Last::Decided { ids, .. } => {
                    let was_this = ids.as_slice() == self.waiting.as_slice();
                    self.waiting = None;
                    if was_this && self.at.is_some_and(|at| ids.contains(&at)) && self.show != Show::Queue {
                        self.next_waiting(store);
                    }
                }
                Last::Undone(ids) => {
                    let place = ids.iter().find_map(|id| store.review.place(*id));
                    if let Some(place) = place {
                        self.go(place, store);
                    }
                }
                Last::Refused(_) => self.waiting = None,
            }
        }
        let Some((number, order, plan)) = store.review.planned.as_ref() else { return Vec::new() };
        if *number == self.planned {
            return Vec::new();
        }
        self.planned = *number;
        vec![match plan {
            Ok(text) => Effect::Ask(Question {
                title: format!("{} by {}?", order.kind.name(), order.who),
                text: text.clone(),
                yes: "start".to_owned(),
                then: vec![send(ReviewCommand::Start((**order).clone()))],
            }),
            Err(why) => Effect::Notify(Notice::new(Level::Warning, why.clone())),
        }]
    }

    /// Keeps the reflection in front when others come or go.
    pub(super) fn follow(&mut self, store: &Store) {
        if store.review.generation == self.generation {
            return;
        }
        self.generation = store.review.generation;
        let rows = store.review.rows();
        match self.at.and_then(|at| store.review.place(at)) {
            Some(place) => self.cursor.go(place, rows.len()),
            None if self.at.is_none() => {
                let first = rows.iter().position(|row| self.waits(row)).unwrap_or_default();
                self.go(first, store);
            }
            None => self.go(self.cursor.row(), store),
        }
    }

    /// Asks for the reflection in front and those that follow it, once.
    pub(super) fn ask_for_items(&mut self, store: &Store) -> Option<Effect> {
        let rows = store.review.rows();
        let here = rows.get(self.cursor.row())?;
        let behind = rows.iter().skip(self.cursor.row() + 1);
        let beside = behind.clone().take(1).chain(behind.filter(|row| self.waits(row)).take(AHEAD));
        let mut wanted = vec![here.id];
        for row in beside {
            if !wanted.contains(&row.id) {
                wanted.push(row.id);
            }
        }
        if wanted == self.opened {
            return None;
        }
        self.opened.clone_from(&wanted);
        Some(send(ReviewCommand::Open(wanted)))
    }

    fn accept(&mut self) -> Vec<Effect> {
        let Mode::Line(wanted, field) = &self.mode else { return Vec::new() };
        let (wanted, text) = (*wanted, field.text().trim().to_owned());
        match wanted {
            Wanted::Filter => match ReviewFilter::parse(&text) {
                Ok(filter) => {
                    self.mode = Mode::Look;
                    self.line = text;
                    self.filter = filter;
                    vec![self.ask()]
                }
                Err(why) => {
                    self.complaint = why;
                    Vec::new()
                }
            },
            Wanted::Reason(id) => self.rejected(id, text),
            Wanted::Comment(id) => self.sent_back(id, text),
            Wanted::Job(kind) => match JobOrder::parse(kind, &text) {
                Ok(order) => {
                    self.mode = Mode::Look;
                    if let Some(named) = self.named.get_mut(kind as usize) {
                        *named = text;
                    }
                    vec![send(ReviewCommand::Plan(order))]
                }
                Err(why) => {
                    self.complaint = why;
                    Vec::new()
                }
            },
        }
    }

    fn begin_job(&mut self, kind: JobKind) -> Vec<Effect> {
        let mut field = Field::new(kind.who());
        field.paste(self.named.get(kind as usize).map_or("", String::as_str));
        self.mode = Mode::Line(Wanted::Job(kind), Box::new(field));
        vec![send(ReviewCommand::ListSpeakers)]
    }

    /// The next name that begins with what was typed; all of them in turn where a whole name stands there.
    fn complete(&mut self, store: &Store) {
        let Mode::Line(Wanted::Job(kind), field) = &mut self.mode else { return };
        let names = store.review.speakers.as_deref().unwrap_or_default();
        let typed = field.text().trim();
        let found = match names.iter().position(|name| name == typed) {
            Some(place) => names.get((place + 1) % names.len()),
            None => names.iter().find(|name| name.starts_with(typed)),
        };
        if let Some(name) = found {
            let mut completed = Field::new(kind.who());
            completed.paste(name);
            **field = completed;
        }
    }

    fn copy(&self, store: &Store) -> Vec<Effect> {
        let item = self.at.and_then(|at| store.review.item(at)).flatten();
        item.map_or_else(Vec::new, |item| vec![Effect::Copy(item.reflection.text().to_owned())])
    }

    /// Below a line: what can be typed, or what is wrong with it.
    pub(super) fn hint(&self, store: &Store) -> String {
        let Mode::Line(wanted, _) = &self.mode else { return String::new() };
        if !self.complaint.is_empty() {
            return self.complaint.clone();
        }
        match wanted {
            Wanted::Filter => HINT.to_owned(),
            Wanted::Reason(_) => "why, in a few words; may stay empty".to_owned(),
            Wanted::Comment(_) => {
                "what the teacher should change; it is told when reflect runs again".to_owned()
            }
            Wanted::Job(kind) => match store.review.speakers.as_deref().unwrap_or_default() {
                [] => review_job::hint(*kind).to_owned(),
                names => format!(
                    "{}   ({})",
                    names.join("  "),
                    "tab; then options: limit:50 dollars:0.50 split:train"
                ),
            },
        }
    }
}

fn next_field(field: QueueField) -> QueueField {
    let at = QueueField::ALL.iter().position(|other| *other == field).unwrap_or_default();
    QueueField::ALL.get((at + 1) % QueueField::ALL.len()).copied().unwrap_or_default()
}

const fn turned(direction: Direction) -> Direction {
    match direction {
        Direction::Rising => Direction::Falling,
        Direction::Falling => Direction::Rising,
    }
}
