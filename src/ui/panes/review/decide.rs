//! Verdicts: what each key makes of the reflection in front.

use ratatui::style::Style;
use tui_textarea::{TextArea, WrapMode};

use super::act::send;
use super::{Mode, Review, Wanted};
use crate::app::store::Store;
use crate::domain::protocol::ReviewCommand;
use crate::domain::reflection::{Decision, ReflectionId, Verdict};
use crate::domain::review::QueueRow;
use crate::ui::pane::{Effect, Question};
use crate::ui::widgets::field::Field;
use crate::ui::widgets::text;

/// Of the two texts in blind mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    A,
    B,
}

impl Review {
    fn decide(&mut self, id: ReflectionId, decision: Decision) -> Vec<Effect> {
        self.mode = Mode::Look;
        self.waiting = Some(id);
        vec![send(ReviewCommand::Decide { ids: vec![id], decision })]
    }

    pub(super) fn approve(&mut self, store: &Store) -> Vec<Effect> {
        let Some(row) = self.row(store) else { return Vec::new() };
        let id = row.id;
        // What a person has edited stays as they left it.
        let edited = store.review.item(id).flatten().and_then(|item| item.reflection.edited.clone());
        let verdict = if edited.is_some() { Verdict::Edited } else { Verdict::Approved };
        self.decide(id, Decision { verdict, edited, comment: String::new() })
    }

    /// Blind: the teacher's text being the better one approves the correction, the student's rejects it.
    pub(super) fn prefer(&mut self, side: Side, store: &Store) -> Vec<Effect> {
        let Some(row) = self.row(store) else { return Vec::new() };
        let id = row.id;
        if Self::teacher_is_left(id) == (side == Side::A) {
            return self.approve(store);
        }
        let comment = "blind: the student's thought was preferred".to_owned();
        self.decide(id, Decision { verdict: Verdict::Rejected, edited: None, comment })
    }

    pub(super) fn reject(&mut self, store: &Store) -> Vec<Effect> {
        if let Some(row) = self.row(store) {
            self.mode = Mode::Line(Wanted::Reason(row.id), Box::new(Field::new("no reason")));
        }
        Vec::new()
    }

    pub(super) fn rejected(&mut self, id: ReflectionId, reason: String) -> Vec<Effect> {
        self.decide(id, Decision { verdict: Verdict::Rejected, edited: None, comment: reason })
    }

    pub(super) fn send_back(&mut self, store: &Store) -> Vec<Effect> {
        if let Some(row) = self.row(store) {
            self.mode = Mode::Line(Wanted::Comment(row.id), Box::new(Field::new("what should change")));
        }
        Vec::new()
    }

    pub(super) fn sent_back(&mut self, id: ReflectionId, comment: String) -> Vec<Effect> {
        if comment.is_empty() {
            "say what should change: a teacher that hears nothing new writes nothing new"
                .clone_into(&mut self.complaint);
            return Vec::new();
        }
        self.decide(id, Decision { verdict: Verdict::SentBack, edited: None, comment })
    }

    pub(super) fn edit(&mut self, store: &Store) -> Vec<Effect> {
        let item = self.at.and_then(|at| Some((at, store.review.item(at)??)));
        if let Some((id, item)) = item {
            let lines = item.reflection.text().split('\n').map(str::to_owned).collect();
            let mut area = TextArea::new(lines);
            area.set_cursor_line_style(Style::new());
            area.set_wrap_mode(WrapMode::WordOrGlyph);
            self.mode = Mode::Edit(id, Box::new(area));
            self.show = super::Show::Item;
        }
        Vec::new()
    }

    /// The edited text as the correction; the same text as before is simply approved.
    pub(super) fn save(&mut self, store: &Store) -> Vec<Effect> {
        let Mode::Edit(id, area) = &self.mode else { return Vec::new() };
        let (id, text) = (*id, area.lines().join("\n"));
        let corrected = store.review.item(id).flatten().map(|item| item.reflection.corrected.clone());
        let decision = if corrected.is_some_and(|corrected| corrected == text) {
            Decision::of(Verdict::Approved)
        } else {
            Decision { verdict: Verdict::Edited, edited: Some(text), comment: String::new() }
        };
        self.decide(id, decision)
    }

    /// Everything that waits in the filter, after a look at how many that are.
    pub(super) fn decide_all(&mut self, verdict: Verdict, store: &Store) -> Vec<Effect> {
        let waiting: Vec<&QueueRow> = store.review.rows().iter().filter(|row| self.waits(row)).collect();
        if waiting.is_empty() {
            return Vec::new();
        }
        let misses = waiting.iter().filter(|row| row.label != row.truth).count();
        let verb = if verdict == Verdict::Approved { "approve" } else { "reject" };
        let mut words = match misses {
            0 => "All of them reach the true label.".to_owned(),
            1 => "1 of them misses the true label and is not trained on even when approved.".to_owned(),
            many => format!("{many} of them miss the true label and are not trained on even when approved."),
        };
        words.push_str(" One undo takes all of it back.");
        let filter = if self.line.is_empty() { String::new() } else { format!(" ({})", self.line) };
        let count = text::count(waiting.len() as u64);
        let noun = if waiting.len() == 1 { "reflection" } else { "reflections" };
        let ids = waiting.iter().map(|row| row.id).collect();
        vec![Effect::Ask(Question {
            title: format!("{verb} {count} {noun}{filter}?"),
            text: words,
            yes: format!("{verb} {count}"),
            then: vec![send(ReviewCommand::Decide { ids, decision: Decision::of(verdict) })],
        })]
    }
}
