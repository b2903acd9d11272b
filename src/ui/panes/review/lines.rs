//! The one line that can be typed below the head: a filter, a reason, a comment, who does a job; with what is offered
//! for it.

use super::act::send;
use super::{ReviewInputKind, ReviewMode, ReviewPane};
use crate::app::store::Store;
use crate::domain::protocol::ReviewCommand;
use crate::domain::protocol::system::{Level, Notice};
use crate::domain::reflection::Verdict;
use crate::domain::review_filter::{HINT, ReviewFilter};
use crate::domain::review_job::{self, JobKind, JobOrder};
use crate::ui::pane::{Confirmation, Effect, Input};
use crate::ui::widgets::field::TextField;

/// In the place of who does a job, while nothing is typed.
const WHO: &str = "local:MODEL or a teacher's name";

/// What is said while a job is being planned.
const PLANNING: &str = "looking at what it would take …";

/// A line, and what is asked for.
#[derive(Debug)]
pub(super) struct ReviewInput {
    pub(super) wanted: ReviewInputKind,
    pub(super) field: TextField,
    /// Which of the earlier comments is chosen.
    pub(super) picked: Option<usize>,
}

impl ReviewInput {
    fn new(wanted: ReviewInputKind, hint: &str, text: &str) -> Self {
        let mut field = TextField::new(hint);
        field.paste(text);
        Self { wanted, field, picked: None }
    }

    pub(super) fn text(&self) -> &str {
        self.field.text()
    }

    /// Puts another text in its place, as one line.
    pub(super) fn replace(&mut self, text: &str) {
        let whole = text.split_whitespace().collect::<Vec<_>>().join(" ");
        *self = Self::new(self.wanted, "", &whole);
    }

    /// What was said before and has in it what is typed.
    pub(super) fn offers<'s>(&self, store: &'s Store) -> Vec<&'s str> {
        let comments = match self.wanted {
            ReviewInputKind::Reason(_) => store.review.comments(Verdict::Rejected),
            ReviewInputKind::Comment(_) => store.review.comments(Verdict::SentBack),
            ReviewInputKind::Filter | ReviewInputKind::Job(_) => &[],
        };
        let typed = self.text().trim().to_lowercase();
        comments.iter().map(String::as_str).filter(|said| said.to_lowercase().contains(&typed)).collect()
    }
}

impl ReviewPane {
    /// Opens a line with a text.
    pub(super) fn open_line(&mut self, wanted: ReviewInputKind, hint: &str, text: &str) {
        self.complaint.clear();
        self.mode = ReviewMode::Line(Box::new(ReviewInput::new(wanted, hint, text)));
    }

    /// Leaves the line; a reason or a comment is there again when the line is opened again.
    pub(super) fn leave_line(&mut self) {
        self.mode = ReviewMode::Look;
        self.complaint.clear();
    }

    pub(super) fn type_into_line(&mut self, input: &Input) {
        let ReviewMode::Line(line) = &mut self.mode else { return };
        match input {
            Input::Key(key) => line.field.key(*key),
            Input::Paste(text) => line.field.paste(text),
        }
        line.picked = None;
        self.complaint = match line.wanted {
            ReviewInputKind::Filter => ReviewFilter::parse(line.text()).err().unwrap_or_default(),
            ReviewInputKind::Reason(_) | ReviewInputKind::Comment(_) | ReviewInputKind::Job(_) => {
                String::new()
            }
        };
    }

    /// Chooses the next of the earlier comments, or the one before; behind either end is what was typed.
    pub(super) fn pick(&mut self, by: isize, store: &Store) {
        let ReviewMode::Line(line) = &mut self.mode else { return };
        let last = line.offers(store).len();
        let at = line.picked.map_or(0, |at| at + 1);
        let next = (at + last + 1).saturating_add_signed(by) % (last + 1);
        line.picked = next.checked_sub(1);
    }

    pub(super) fn accept(&mut self, store: &Store) -> Vec<Effect> {
        let ReviewMode::Line(line) = &self.mode else { return Vec::new() };
        let picked = line.picked.and_then(|at| line.offers(store).get(at).map(|said| (*said).to_owned()));
        let (wanted, text) = (line.wanted, picked.unwrap_or_else(|| line.text().trim().to_owned()));
        match wanted {
            ReviewInputKind::Filter => match ReviewFilter::parse(&text) {
                Ok(filter) => {
                    self.mode = ReviewMode::Look;
                    self.line = text;
                    self.filter = filter;
                    vec![self.ask()]
                }
                Err(why) => {
                    self.complaint = why;
                    Vec::new()
                }
            },
            ReviewInputKind::Reason(id) => self.rejected(id, text),
            ReviewInputKind::Comment(id) => self.sent_back(id, text),
            ReviewInputKind::Job(kind) => match JobOrder::parse(kind, &text) {
                Ok(order) => {
                    // The line stays until it is planned: what is wrong with it is mended there.
                    PLANNING.clone_into(&mut self.complaint);
                    vec![send(ReviewCommand::Plan(order))]
                }
                Err(why) => {
                    self.complaint = why;
                    Vec::new()
                }
            },
        }
    }

    pub(super) fn edit_filter(&mut self) {
        let line = self.line.clone();
        self.open_line(ReviewInputKind::Filter, "everything", &line);
    }

    /// Asks who does it: as the last time; the student is the session's own model at first.
    pub(super) fn begin_job(&mut self, kind: JobKind, store: &Store) -> Vec<Effect> {
        let named = self.named.get(kind as usize).filter(|named| !named.is_empty()).cloned();
        let own = store.session.as_ref().map_or("", |session| session.file.model.as_str());
        let own = (kind == JobKind::Think && !own.is_empty()).then(|| format!("local:{own}"));
        let typed = named.or(own).unwrap_or_default();
        self.open_line(ReviewInputKind::Job(kind), WHO, &typed);
        vec![send(ReviewCommand::ListSpeakers)]
    }

    /// What a planned job would take came back, or why it can't be done: the line is done with, or says so.
    pub(super) fn planned(&mut self, order: &JobOrder, plan: &Result<String, String>) -> Effect {
        let typed = match &self.mode {
            ReviewMode::Line(line) if line.wanted == ReviewInputKind::Job(order.kind) => {
                Some(line.text().trim().to_owned())
            }
            ReviewMode::Line(_) | ReviewMode::Look | ReviewMode::Edit(_) => None,
        };
        match (plan, typed) {
            (Ok(text), typed) => {
                if let Some(typed) = typed {
                    self.mode = ReviewMode::Look;
                    if let Some(named) = self.named.get_mut(order.kind as usize) {
                        *named = typed;
                    }
                }
                Effect::Ask(Confirmation {
                    title: format!("{} by {}?", order.kind.name(), order.who),
                    text: text.clone(),
                    yes: "start".to_owned(),
                    then: vec![send(ReviewCommand::Start(order.clone()))],
                })
            }
            (Err(why), Some(_)) => {
                why.clone_into(&mut self.complaint);
                Effect::Redraw
            }
            (Err(why), None) => Effect::Notify(Notice::new(Level::Warning, why.clone())),
        }
    }

    /// The next name that begins with what was typed; all of them in turn where a whole name stands there.
    pub(super) fn complete(&mut self, store: &Store) {
        let ReviewMode::Line(line) = &mut self.mode else { return };
        let ReviewInputKind::Job(kind) = line.wanted else { return };
        let names = store.review.speakers.as_deref().unwrap_or_default();
        let typed = line.text().trim();
        let found = match names.iter().position(|name| name == typed) {
            Some(place) => names.get((place + 1) % names.len()),
            None => names.iter().find(|name| name.starts_with(typed)),
        };
        if let Some(name) = found {
            **line = ReviewInput::new(ReviewInputKind::Job(kind), WHO, name);
        }
    }

    /// Below a line: what can be typed, or what is wrong with it.
    pub(super) fn hint(&self, store: &Store) -> String {
        let ReviewMode::Line(line) = &self.mode else { return String::new() };
        if !self.complaint.is_empty() {
            return self.complaint.clone();
        }
        let earlier = if line.offers(store).is_empty() { "" } else { " · ↓ an earlier one" };
        match line.wanted {
            ReviewInputKind::Filter => HINT.to_owned(),
            ReviewInputKind::Reason(_) => format!("why, in a few words; may stay empty{earlier}"),
            ReviewInputKind::Comment(_) => {
                format!("what the teacher should change; it is told when reflect runs again{earlier}")
            }
            ReviewInputKind::Job(kind) => match store.review.speakers.as_deref().unwrap_or_default() {
                [] => review_job::hint(kind).to_owned(),
                names => format!(
                    "{}   ({})",
                    names.join("  "),
                    "tab; then options: limit:50 dollars:0.50 split:train"
                ),
            },
        }
    }
}
